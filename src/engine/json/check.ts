import { isUtf8 } from 'node:buffer';
import type { CheckedJson } from '../model.ts';
import { JsonError, placeOf } from './error.ts';
import { keyText } from './open-keys.ts';
import type { JsonKind, JsonLimits } from './scanner.ts';
import { Scanner } from './scanner.ts';

export const defaultJsonLimits: JsonLimits = { bytes: 1_048_576, depth: 64, keys: 10_000 };

/** Byte offsets of one member: its key from the opening quote, its value without white space around. */
export interface MemberSpan {
  readonly keyStart: number;
  readonly start: number;
  readonly end: number;
}

export interface CheckedDocument {
  readonly json: CheckedJson;
  readonly kind: JsonKind;
  /** Members of an object at the top, under their unescaped keys, in the order of the text; empty for other kinds. */
  readonly members: ReadonlyMap<string, MemberSpan>;
}

class Checked implements CheckedDocument {
  readonly json: CheckedJson;
  readonly kind: JsonKind;
  private readonly offsets: readonly number[];
  private map: Map<string, MemberSpan> | undefined;

  constructor(bytes: Buffer, kind: JsonKind, offsets: readonly number[]) {
    this.json = bytes as Uint8Array as CheckedJson;
    this.kind = kind;
    this.offsets = offsets;
  }

  get members(): ReadonlyMap<string, MemberSpan> {
    this.map ??= this.readMembers();
    return this.map;
  }

  private readMembers(): Map<string, MemberSpan> {
    const { offsets } = this;
    const bytes = this.json as Uint8Array as Buffer;
    const map = new Map<string, MemberSpan>();
    for (let at = 0; at < offsets.length; at += 4) {
      const keyStart = offsets[at] as number;
      const keyEnd = offsets[at + 1] as number;
      const span = { keyStart, start: offsets[at + 2] as number, end: offsets[at + 3] as number };
      map.set(keyText(bytes, keyStart, keyEnd), span);
    }
    return map;
  }
}

/**
 * Checks bytes from outside and builds nothing: UTF-8, the grammar of RFC 8259, one value, no key twice in an object
 * (compared unescaped), no lone surrogates, the limits. The same bytes are the result: they must not change any more.
 * Throws JsonError.
 */
export const checkJson = (bytes: Uint8Array, limits: JsonLimits = defaultJsonLimits): CheckedDocument => {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length > limits.bytes) {
    throw new JsonError('JSON_TOO_LARGE', `${buffer.length} bytes, at most ${limits.bytes}`, placeOf(buffer, 0, []));
  }
  if (!isUtf8(buffer))
    throw new JsonError('JSON_NOT_UTF8', 'bytes that are no UTF-8', placeOf(buffer, brokenAt(buffer), []));
  const scanner = new Scanner(buffer, limits);
  const kind = scanner.document();
  return new Checked(buffer, kind, scanner.top);
};

// Decoding puts U+FFFD where bytes are no UTF-8: the first byte that does not come back is the place.
const brokenAt = (bytes: Buffer): number => {
  const again = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at++;
  return at;
};

/** The value of one member of an object at the top, or undefined when it is absent or the document is no object. */
export const sliceChecked = (document: CheckedDocument, name: string): CheckedJson | undefined => {
  const span = document.members.get(name);
  return span === undefined ? undefined : (document.json.subarray(span.start, span.end) as CheckedJson);
};

/** The document's bytes without one member at the top; the same bytes when it is absent. */
export const withoutMember = (document: CheckedDocument, name: string): CheckedJson => {
  const { json, members } = document;
  const spans = [...members];
  const index = spans.findIndex(([key]) => key === name);
  const [, span] = spans[index] ?? [];
  if (span === undefined) return json;
  const after = spans[index + 1]?.[1];
  const before = spans[index - 1]?.[1];
  // The comma that goes is the one after the member, or the one before the last member.
  const from = after === undefined && before !== undefined ? before.end : span.keyStart;
  const to = after === undefined ? span.end : after.keyStart;
  return Buffer.concat([json.subarray(0, from), json.subarray(to)]) as Uint8Array as CheckedJson;
};
