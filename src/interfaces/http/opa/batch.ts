import type { Answer } from '../../../decision/index.ts';
import { goString } from '../../../decision/index.ts';
import type { CheckedDocument, CheckedJson } from '../../../engine/index.ts';
import { sliceChecked } from '../../../engine/index.ts';
import {
  batchBounds,
  batchOf,
  checkDocument,
  decideItem,
  decisionErrors,
  inSlices,
  jsonLimits,
  mergerOver,
  RequestError,
  refusalOf,
  refuseReserved,
  reopen,
} from '../../wire/index.ts';
import { readBody } from '../body.ts';
import type { Exchange, Service } from '../exchange.ts';
import { batchHeaders, guarded, replying, send, unpacked } from '../exchange.ts';
import { indentJson } from './indent.ts';
import { envelopeMembers, failureMembers, refuseOpa, typed } from './reply.ts';
import { isBlank, refuseYaml } from './wire.ts';

/** One question, under the name that its answer gets. */
interface Item {
  readonly id: string;
  readonly input: CheckedJson;
}

const MALFORMED = 'body contains malformed input document: ';
const MEMBERS: readonly string[] = ['inputs', 'common_input'];

/** A member of the body; null is as good as absent, as Go's decoder has it. */
const memberOf = (document: CheckedDocument, name: string): CheckedJson | undefined => {
  const json = sliceChecked(document, name);
  return json === undefined || json[0] === 0x6e ? undefined : json;
};

/** The questions of a batch, checked and bounded; undefined when the body has no `inputs`. Throws RequestError. */
const readItems = (body: Buffer, service: Service): readonly Item[] | undefined => {
  if (isBlank(body)) return undefined;
  const document = checkDocument(body, jsonLimits(service.limits), MALFORMED);
  if (document.kind === 'null') return undefined;
  if (document.kind !== 'object') {
    throw new RequestError('body_malformed', `${MALFORMED}an object, not this ${document.kind}`);
  }
  for (const name of document.members.keys()) {
    // Go's decoder takes any case; which of two would count is nothing to guess about.
    const meant = MEMBERS.find((member) => member !== name && member === name.toLowerCase());
    if (meant !== undefined)
      throw new RequestError('body_malformed', `${MALFORMED}the member ${meant} in another case`);
  }
  const inputs = memberOf(document, 'inputs');
  if (inputs === undefined) return undefined;
  const named = reopen(inputs);
  if (named.kind !== 'object') {
    throw new RequestError('body_malformed', `${MALFORMED}/inputs: an object, not this ${named.kind}`);
  }
  const bounds = batchBounds(service.limits, '/inputs');
  bounds.items(named.members.size);
  const merge = mergerOver(memberOf(document, 'common_input'));
  return [...named.members].map(([id, { start, end }]) => {
    const own = named.json.subarray(start, end) as CheckedJson;
    const input = merge(own) ?? own;
    bounds.input(input);
    refuseReserved(input);
    return { id, input };
  });
};

const statusOf = ({ verdict }: Answer): number =>
  verdict.kind === 'failed' ? decisionErrors[verdict.error.code].opa.status : 200;

/** 200 when every question was answered, 207 when some were, and what the failures say when none was. */
const statusOfAll = (statuses: ReadonlySet<number>): number => {
  const [first = 200] = statuses;
  if (statuses.size < 2) return first;
  return statuses.has(200) ? 207 : 500;
};

const MISSING = `"warning":{"code":"api_usage_warning","message":${goString("'inputs' key missing from the request")}}`;

const reply = (
  service: Service,
  exchange: Exchange,
  path: readonly string[],
  id: string,
  answered: readonly (readonly [string, Answer])[] | undefined,
): void => {
  const answers = (answered ?? []).map(([, answer]) => answer);
  const status = statusOfAll(new Set(answers.map(statusOf)));
  const itemText = ([name, answer]: readonly [string, Answer]): string => {
    const { verdict, decisionId } = answer;
    const members =
      verdict.kind === 'failed'
        ? `"decision_id":"${decisionId}",${failureMembers(verdict.error)}`
        : envelopeMembers(service, exchange, answer, path, { inputMissing: false });
    return `${goString(name)}:{${members}${status === 207 ? `,"http_status_code":"${statusOf(answer)}"` : ''}}`;
  };
  const members = [
    ...(answers.length === 0 ? [] : [`"responses":{${(answered ?? []).map(itemText).join(',')}}`]),
    ...(answered === undefined ? [MISSING] : []),
    `"batch_decision_id":"${id}"`,
  ];
  const text = `{${members.join(',')}}`;
  const headers = [...typed(exchange), ...batchHeaders(answers, true)];
  send(service, exchange, status, headers, `${exchange.target.options.pretty ? indentJson(text) : text}\n`, true);
};

const decideAll = (service: Service, exchange: Exchange, path: readonly string[], body: Buffer): void => {
  const { caller, requestedBy, trace, head, target } = exchange;
  const batch = batchOf(service.limits);
  const common = {
    wire: 'opa.batch',
    caller,
    requestedBy,
    trace,
    ...batch,
    active: service.policy.current,
    path,
    strictErrors: target.options.strictErrors,
    bypassCache: head.noCache,
  } as const;
  const items = readItems(body, service);
  const one = async ({ id: name, input }: Item) => [name, await decideItem(service, { ...common, input })] as const;
  inSlices(items ?? [], one).then(
    replying(service, exchange, refuseOpa, (answered: readonly (readonly [string, Answer])[]) =>
      reply(service, exchange, path, batch.batchId, items === undefined ? undefined : answered),
    ),
    (thrown) => refuseOpa(service, exchange, refusalOf(service, thrown)),
  );
};

/** POST /v1/batch/data: many questions about one path, in the shape of Enterprise OPA. */
export const postBatch = (service: Service, exchange: Exchange, path: readonly string[]): void => {
  const { contentType, contentLength } = exchange.head;
  const onBody = guarded(service, exchange, refuseOpa, (body) => {
    refuseYaml(contentType);
    unpacked(service, exchange, refuseOpa, body, (bytes) => decideAll(service, exchange, path, bytes));
  });
  readBody(exchange.request, contentLength, service.limits.bodyBytes, onBody);
};
