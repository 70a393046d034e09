import { pointerStep } from '../../canonical/index.ts';
import type { PreparedContent, RecordContent } from '../../decision/model.ts';
import type { NonDeterministicCall } from '../../engine/index.ts';
import type { AuditSettings } from '../settings.ts';
import { fieldsFromSurvey, fieldsFromTree, fieldsOf } from './fields.ts';
import type { TextNode } from './json-text.ts';
import { parseText, printText, scalar } from './json-text.ts';
import type { MaskReport, PartMasks, PartName } from './mask.ts';
import { hasMasks, mask, masksOf, moveErasable } from './mask.ts';
import { isSuspect, redact, safeOperands, takesKeys } from './secrets.ts';
import type { SideValue } from './side.ts';
import { toSide } from './side.ts';
import { newSurvey, survey } from './survey.ts';

/** The end of a record's text: everything that comes from what was asked and answered, and the closing brace. */
export interface Tail {
  readonly text: string;
  /** The pointers of values that lie beside the log; they are listed at the end of `text`. */
  readonly aside: readonly string[];
  readonly sides: readonly SideValue[];
  readonly sizeBytes: number;
  /** Set by the first append: bytes of the text, their CRC32C, and what they do to a CRC before them. */
  bytes: number;
  crc: number;
  shift: number;
}

/** The tail behind a PreparedContent, which no other part looks into. */
export const tailOf = (content: PreparedContent): Tail => content as unknown as Tail;

/** What a tail may take of a leaf; the rest is for the facts. */
export const TAIL_BYTES = 45_056;
/** What a list of pointers may take of it. */
const LIST_BYTES = 4_096;
/** What an object costs in memory beside its text. */
const OVERHEAD_BYTES = 200;

interface Parts {
  fields: string;
  readonly texts: { [part in PartName]?: string };
  readonly report: MaskReport;
  readonly aside: string[];
  readonly sides: SideValue[];
}

const partNames: readonly PartName[] = ['input', 'result', 'nd_builtin_cache'];
const newParts = (): Parts => ({ fields: '', texts: {}, report: { erased: [], masked: [] }, aside: [], sides: [] });

/** Pointers as a member; a list that got too long says which parts it concerns and no more. */
const list = (name: string, pointers: readonly string[]): string => {
  if (pointers.length === 0) return '';
  const text = JSON.stringify([...new Set(pointers)]);
  if (Buffer.byteLength(text) <= LIST_BYTES) return `,"${name}":${text}`;
  return `,"${name}":${JSON.stringify([...new Set(pointers.map((pointer) => `/${pointer.split('/')[1]}`))])}`;
};

export const asideMember = (aside: readonly string[]): string =>
  aside.length === 0 ? '' : `,"side":${JSON.stringify(aside)}`;

/** Moves the largest parts aside until the rest fits, then puts the tail together. */
const compose = ({ fields, texts, report, aside, sides }: Parts): Tail => {
  const { erased, masked } = report;
  const gone = (pointer: string): boolean => erased.some((root) => pointer === root || pointer.startsWith(`${root}/`));
  // Lists so long that they will name the parts alone need no comparing.
  const few = erased.length > 0 && erased.length * masked.length < 10_000;
  let lists = '';
  if (erased.length > 0) lists = list('erased', erased);
  if (masked.length > 0) lists += list('masked', few ? masked.filter((at) => !gone(at)) : masked);
  let length = 0;
  for (const part of partNames) length += texts[part]?.length ?? 0;
  // Three bytes a character at most: short texts need no measuring.
  if (length > (TAIL_BYTES - 4 * LIST_BYTES) / 3) {
    const room = TAIL_BYTES - Buffer.byteLength(fields + lists) - LIST_BYTES;
    moveLargest(texts, room, aside, sides);
  }
  let text = fields;
  for (const part of partNames) {
    const value = texts[part];
    if (value !== undefined) text += `,"${part}":${value}`;
  }
  text += `${lists}${asideMember(aside)}}`;
  let sizeBytes = text.length + OVERHEAD_BYTES;
  for (const { payload } of sides) sizeBytes += payload.length + OVERHEAD_BYTES;
  return { text, aside, sides, sizeBytes, bytes: 0, crc: 0, shift: 0 };
};

const moveLargest = (texts: Parts['texts'], room: number, aside: string[], sides: SideValue[]): void => {
  const left = partNames.map((part) => ({ part, bytes: Buffer.byteLength(texts[part] ?? '') }));
  left.sort((a, b) => a.bytes - b.bytes);
  let total = left.reduce((sum, { bytes }) => sum + bytes, 0);
  for (let largest = left.pop(); largest !== undefined && total > room; largest = left.pop()) {
    const { side, reference } = toSide(texts[largest.part] as string);
    texts[largest.part] = reference;
    sides.push(side);
    // Before what lies within it: values are filled in from the outside in.
    aside.unshift(`/${largest.part}`);
    total += reference.length - largest.bytes;
  }
};

/** OPA's shape: an object by builtin of objects by operands, which are JSON text in a string. */
const ndText = (calls: readonly NonDeterministicCall[], report: MaskReport): string => {
  const byBuiltin = new Map<string, Map<string, string>>();
  for (const { builtin, operands, result } of calls) {
    const wary = isSuspect(operands) || takesKeys(builtin);
    const key = wary ? safeOperands(builtin, operands) : operands;
    if (key !== operands) report.masked.push(`/nd_builtin_cache${pointerStep(builtin)}${pointerStep(key)}`);
    const results = byBuiltin.get(builtin) ?? new Map<string, string>();
    byBuiltin.set(builtin, results);
    if (!results.has(key)) results.set(key, result);
  }
  const objects = [...byBuiltin].map(([builtin, results]) => {
    const entries = [...results].map(([key, result]) => `${JSON.stringify(key)}:${result}`);
    return `${JSON.stringify(builtin)}:{${entries.join(',')}}`;
  });
  return `{${objects.join(',')}}`;
};

/** Puts erasable values aside, one by one, or the whole part when they are more than a record can name. */
const putAside = (root: TextNode, masks: PartMasks, part: PartName, parts: Parts): TextNode => {
  const pointers = new Set<string>();
  const sides: SideValue[] = [];
  const moved = moveErasable(root, masks, part, (node, pointer) => {
    // Pointers may overlap: a value that went aside already stays there.
    if (pointers.has(pointer)) return node;
    const { side, reference } = toSide(printText(node));
    pointers.add(pointer);
    sides.push(side);
    return scalar(reference);
  });
  if (JSON.stringify([...pointers]).length <= LIST_BYTES / 4) {
    // Outer ones are shorter than what lies within them.
    parts.aside.push(...[...pointers].sort((a, b) => a.length - b.length));
    parts.sides.push(...sides);
    return moved;
  }
  const { side, reference } = toSide(printText(root));
  parts.aside.push(`/${part}`);
  parts.sides.push(side);
  return scalar(reference);
};

/** `prepare` of an AuditLog, and the same for the details of events. */
export const createPreparer = (settings: AuditSettings) => {
  const fields = fieldsOf(settings);
  const found = newSurvey(fields.steps.length);
  const masks = Object.fromEntries(partNames.map((part) => [part, masksOf(settings, part)])) as {
    readonly [part in PartName]: PartMasks;
  };
  const masked = {
    input: hasMasks(masks.input),
    result: hasMasks(masks.result),
    nd_builtin_cache: hasMasks(masks.nd_builtin_cache),
  };

  /** Writes one part; gives its tree as masked. What cannot be masked is left out whole. */
  const edit = (part: PartName, text: string, parts: Parts): void => {
    try {
      const clean = redact(parseText(text), `/${part}`, (pointer) => parts.report.masked.push(pointer));
      const kept = mask(clean, masks[part], part, parts.report);
      if (kept === undefined) return;
      const stored = putAside(kept, masks[part], part, parts);
      if (part === 'input') parts.fields = fieldsFromTree(stored, fields);
      parts.texts[part] = printText(stored);
    } catch {
      parts.report.erased.push(`/${part}`);
      parts.fields = part === 'input' ? '' : parts.fields;
    }
  };

  const addInput = (input: Uint8Array, parts: Parts): void => {
    const json = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    if (!masked.input && fields.surveyable && !survey(json, fields.tree, found).suspect) {
      const own = fieldsFromSurvey(json, found);
      if (own !== undefined) {
        parts.fields = own;
        parts.texts.input = json.toString();
        return;
      }
    }
    edit('input', json.toString(), parts);
  };
  const addText = (part: 'result' | 'nd_builtin_cache', text: string, parts: Parts): void => {
    if (masked[part] || isSuspect(text)) edit(part, text, parts);
    else parts.texts[part] = text;
  };

  const prepare = ({ input, result, nonDeterministic }: RecordContent): PreparedContent => {
    const parts = newParts();
    if (input !== undefined) addInput(input, parts);
    if (result !== undefined) addText('result', result, parts);
    if (nonDeterministic.length > 0) {
      try {
        addText('nd_builtin_cache', ndText(nonDeterministic, parts.report), parts);
      } catch {
        parts.report.erased.push('/nd_builtin_cache');
      }
    }
    return compose(parts) as unknown as PreparedContent;
  };

  const prepareDetails = (details: { readonly [key: string]: unknown }): Tail => {
    const text = printText(redact(parseText(JSON.stringify(details)), '', () => {}));
    const small = Buffer.byteLength(text) <= TAIL_BYTES - LIST_BYTES;
    const moved = small ? undefined : toSide(text);
    const aside = moved === undefined ? [] : ['/details'];
    const whole = `,"details":${moved?.reference ?? text}${asideMember(aside)}}`;
    const sides = moved === undefined ? [] : [moved.side];
    return { text: whole, aside, sides, sizeBytes: whole.length, bytes: 0, crc: 0, shift: 0 };
  };
  return { prepare, prepareDetails };
};
