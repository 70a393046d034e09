import type { CheckedDocument, CheckedJson } from '../../../engine/index.ts';
import { sliceChecked } from '../../../engine/index.ts';
import { batchBounds, batchOf, decideItem, elementsOf, inSlices, RequestError, reopen } from '../../wire/index.ts';
import type { Exchange, Service } from '../exchange.ts';
import { checkEntity, ENTITIES, spliceInput } from './input.ts';
import type { Place } from './place.ts';
import type { ItemResult } from './reply.ts';
import { isPermit } from './reply.ts';

/** After which result a batch ends; the array ends with that result. */
const semantics: { readonly [name: string]: ((result: ItemResult) => boolean) | undefined } = {
  execute_all: undefined,
  deny_on_first_deny: (result) => !isPermit(result),
  permit_on_first_permit: isPermit,
};

export interface Batch {
  readonly items: readonly Item[];
  readonly endsAfter?: (result: ItemResult) => boolean;
}

type Item = { readonly input: CheckedJson } | { readonly error: RequestError };

const textAt = (document: CheckedDocument, name: string): unknown => {
  const json = sliceChecked(document, name);
  return json === undefined ? undefined : JSON.parse(Buffer.from(json).toString('utf8'));
};

const readSemantic = (document: CheckedDocument): string => {
  const options = sliceChecked(document, 'options');
  if (options === undefined) return 'execute_all';
  const opened = reopen(options);
  if (opened.kind !== 'object')
    throw new RequestError('member_missing', `/options: must be an object, is ${opened.kind}`);
  const semantic = textAt(opened, 'evaluations_semantic') ?? 'execute_all';
  if (typeof semantic === 'string' && Object.hasOwn(semantics, semantic)) return semantic;
  const known = Object.keys(semantics).join(', ');
  throw new RequestError('member_missing', `/options/evaluations_semantic: must be one of ${known}`);
};

/** Checks an entity that stands in the defaults once, however many items take it. */
const defaultChecks = (defaults: CheckedDocument) => {
  const found = new Map<string, RequestError | undefined>();
  return (name: (typeof ENTITIES)[number]): RequestError | undefined => {
    if (!found.has(name))
      found.set(
        name,
        refusal(() => checkEntity(name, sliceChecked(defaults, name))),
      );
    return found.get(name);
  };
};

const refusal = (check: () => void): RequestError | undefined => {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof RequestError) return thrown;
    throw thrown;
  }
};

/** Reads a batch; undefined when it has no evaluations and so stands for a single one. Throws RequestError. */
export const readBatch = (document: CheckedDocument, service: Service): Batch | undefined => {
  const bounds = batchBounds(service.limits, '/evaluations');
  const evaluations = sliceChecked(document, 'evaluations');
  const endsAfter = semantics[readSemantic(document)];
  if (evaluations === undefined) return undefined;
  if (evaluations[0] !== 0x5b) throw new RequestError('member_missing', '/evaluations: must be an array');
  const elements = elementsOf(evaluations);
  if (elements.length === 0) return undefined;
  bounds.items(elements.length);
  const checkDefault = defaultChecks(document);
  const items = elements.map((element, index): Item => {
    const at = `/evaluations/${index}`;
    const own = reopen(element);
    if (own.kind !== 'object') return { error: new RequestError('member_missing', `${at}: must be an object`) };
    for (const name of ENTITIES) {
      const mine = sliceChecked(own, name);
      const error = mine === undefined ? checkDefault(name) : refusal(() => checkEntity(name, mine, at));
      if (error !== undefined) return { error };
    }
    const input = spliceInput(own, document);
    bounds.input(input);
    return { input };
  });
  return { items, ...(endsAfter === undefined ? {} : { endsAfter }) };
};

/** Evaluates a batch by what was active when it came: all items, or one after the other until one ends it. */
export const evaluateBatch = async (
  service: Service,
  exchange: Exchange,
  place: Place,
  { items, endsAfter }: Batch,
): Promise<readonly ItemResult[]> => {
  const { caller, requestedBy, trace, head } = exchange;
  const common = {
    wire: 'authzen.evaluations',
    caller,
    requestedBy,
    trace,
    ...batchOf(service.limits),
    ...place,
  } as const;
  const one = async (item: Item): Promise<ItemResult> => {
    if ('error' in item) {
      service.observer?.refused(item.error.code);
      return item;
    }
    const question = { ...common, input: item.input, strictErrors: false, bypassCache: head.noCache };
    return { answer: await decideItem(service, question) };
  };
  if (endsAfter === undefined) return inSlices(items, one);
  const results: ItemResult[] = [];
  for (const item of items) {
    const result = await one(item);
    results.push(result);
    if (endsAfter(result)) break;
  }
  return results;
};
