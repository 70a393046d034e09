// What two small clients need of protobuf's encoding, so that the bench has no generated code of other projects.
import { BinaryReader, type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Writes a message as a member of another one. */
export const message = (to: BinaryWriter, field: number, write: (to: BinaryWriter) => void): void => {
  to.tag(field, WireType.LengthDelimited).fork();
  write(to);
  to.join();
};

/** Writes a string, or bytes that are UTF-8. */
export const text = (to: BinaryWriter, field: number, value: string): void => {
  to.tag(field, WireType.LengthDelimited).string(value);
};

/** The members of a message that have a length, as bytes, and its small integers, by field number. */
export const membersOf = (bytes: Uint8Array): readonly (readonly [number, Uint8Array | number])[] => {
  const reader = new BinaryReader(bytes);
  const members: (readonly [number, Uint8Array | number])[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) members.push([field, reader.bytes()]);
    else if (type === WireType.Varint) members.push([field, Number(reader.uint64())]);
    else reader.skip(type);
  }
  return members;
};

/** Every value of one field that has a length. */
export const nested = (bytes: Uint8Array, field: number): readonly Uint8Array[] =>
  membersOf(bytes).flatMap(([number, value]) => (number === field && typeof value !== 'number' ? [value] : []));
