import { pointerSteps } from '../../canonical/index.ts';
import type { AuditSettings } from '../settings.ts';
import type { TextNode } from './json-text.ts';
import { nodeAt, parseText, unquote } from './json-text.ts';
import { safeText } from './secrets.ts';
import type { FieldTree, Survey } from './survey.ts';
import { fieldTree } from './survey.ts';

export const fieldNames = ['subject', 'action', 'resource'] as const;
const FIELD_BYTES = 1_024;

/** Pointers of the three fields, as steps, in order of preference. */
export interface Fields {
  readonly steps: readonly (readonly (readonly string[])[])[];
  readonly tree: FieldTree;
  /** True when no pointer can lead into an array, where a survey does not look. */
  readonly surveyable: boolean;
}

export const fieldsOf = (settings: AuditSettings): Fields => {
  const steps = fieldNames.map((name) => settings.fields[name].map(pointerSteps));
  return { steps, tree: fieldTree(steps), surveyable: !steps.flat(2).some((step) => /^\d+$/.test(step)) };
};

/** At most 1 KiB of UTF-8, whole characters, as JSON text. */
const quoteShort = (value: string): string => {
  const short = value.length > FIELD_BYTES ? value.slice(0, FIELD_BYTES) : value;
  const bytes = Buffer.from(short.toWellFormed());
  if (bytes.length <= FIELD_BYTES) return JSON.stringify(short.toWellFormed());
  let end = FIELD_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return JSON.stringify(bytes.toString('utf8', 0, end));
};

const plain = (node: TextNode): string | undefined => {
  if (node.kind !== 'scalar' || node.text === 'null' || node.text.startsWith('{')) return undefined;
  return node.text.startsWith('"') ? unquote(node.text) : node.text;
};

/** A field's text: of a scalar as it stands, of an array of scalars joined by slashes (a path's usual form). */
const fieldText = (node: TextNode): string | undefined => {
  if (node.kind === 'object') return undefined;
  if (node.kind === 'scalar') {
    const value = plain(node);
    return value === undefined ? undefined : quoteShort(value);
  }
  const parts = node.items.map(plain);
  return parts.includes(undefined) || parts.length === 0 ? undefined : quoteShort(safeText(parts.join('/')));
};

const members = (texts: readonly (string | undefined)[]): string => {
  let all = '';
  for (let field = 0; field < fieldNames.length; field++) {
    const text = texts[field];
    if (text !== undefined) all += `,"${fieldNames[field]}":${text}`;
  }
  return all;
};

/** The fields as members of the record, from a masked input. */
export const fieldsFromTree = (root: TextNode, fields: Fields): string =>
  members(
    fields.steps.map((pointers) => {
      for (const steps of pointers) {
        const node = nodeAt(root, steps);
        const text = node === undefined ? undefined : fieldText(node);
        if (text !== undefined) return text;
      }
      return undefined;
    }),
  );

/** The same from the survey of an input that needs no mask; undefined when a value needs the tree after all. */
export const fieldsFromSurvey = (json: Buffer, found: Survey): string | undefined => {
  const texts: (string | undefined)[] = [];
  for (let field = 0; field < fieldNames.length; field++) {
    if ((found.ranks[field] as number) < 0) {
      texts.push(undefined);
      continue;
    }
    const text = json.toString('utf8', found.starts[field], found.ends[field]);
    if (text.startsWith('"') && text.length <= FIELD_BYTES / 3) texts.push(text);
    else {
      const short = fieldText(parseText(text));
      // An array of objects: a later pointer may do, which only the tree can say.
      if (short === undefined) return undefined;
      texts.push(short);
    }
  }
  return members(texts);
};
