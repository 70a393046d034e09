import { isUtf8 } from 'node:buffer';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { messageOf } from '../../canonical/index.ts';
import { RequestError } from '../wire/index.ts';

/** Takes one field; false for a field that the message does not have, which is skipped. */
export type TakeField = (tag: number, reader: BinaryReader) => boolean;

/** The tag of a field that has a length: text, bytes, a message. */
export const lengthTag = (field: number): number => (field << 3) | WireType.LengthDelimited;
/** The tag of a field that is a whole number, a flag or an enum. */
export const varintTag = (field: number): number => (field << 3) | WireType.Varint;
export const doubleTag = (field: number): number => (field << 3) | WireType.Bit64;

/**
 * Reads the fields of one message. A field that must be single and comes twice is refused: two readers could take
 * another one of them. Throws RequestError with the place.
 *
 * @param what the message's name, for the error
 * @param repeated tags that may come more than once
 */
export const readMessage = (
  bytes: Uint8Array,
  what: string,
  take: TakeField,
  repeated: readonly number[] = [],
): void => {
  const reader = new BinaryReader(bytes);
  let seen = 0;
  try {
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      const tag = (field << 3) | type;
      if (!take(tag, reader)) {
        reader.skip(type, field);
        continue;
      }
      const bit = 1 << field;
      if ((seen & bit) !== 0 && !repeated.includes(tag)) throw new Error(`field ${field} came twice`);
      seen |= bit;
    }
  } catch (thrown) {
    if (thrown instanceof RequestError) throw thrown;
    const place = `at byte ${Math.min(reader.pos, reader.len)}`;
    throw new RequestError('body_malformed', `${what}: ${messageOf(thrown)} (${place})`, { cause: thrown });
  }
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A text field; bytes that are no UTF-8 are refused, where the library's own reader would replace them. */
export const readText = (reader: BinaryReader): string => {
  const bytes = reader.bytes();
  if (!isUtf8(bytes)) throw new Error('a text that is no UTF-8');
  return decoder.decode(bytes);
};
