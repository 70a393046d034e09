import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Json } from '../../canonical/index.ts';
import { pointerStep, valueFromJson } from '../../canonical/index.ts';
import { RequestError } from '../wire/index.ts';
import { doubleTag, lengthTag, readMessage, readText, varintTag } from './message.ts';

// google.protobuf.Value and what it is made of, between its bytes and JSON text, with nothing built in between: a
// generated reader would make objects first, as deep as the sender likes.

const NULL = varintTag(1);
const NUMBER = doubleTag(2);
const STRING = lengthTag(3);
const BOOL = varintTag(4);
const STRUCT = lengthTag(5);
const LIST = lengthTag(6);
const ENTRY = lengthTag(1);
const KEY = lengthTag(1);
const VALUE = lengthTag(2);
const ITEM = lengthTag(1);

const refuse = (what: string, pointer: string): never => {
  throw new RequestError('body_malformed', `${what}${pointer === '' ? '' : ` (in ${pointer})`}`);
};

class ValueReader {
  private readonly what: string;
  private readonly depthLimit: number;

  constructor(what: string, depthLimit: number) {
    this.what = what;
    this.depthLimit = depthLimit;
  }

  text(bytes: Uint8Array, pointer: string, depth: number): string {
    let found: string | undefined;
    const set = (text: string): true => {
      if (found !== undefined) refuse(`${this.what}: a value of two kinds`, pointer);
      found = text;
      return true;
    };
    readMessage(bytes, this.what, (tag, reader) => {
      switch (tag) {
        case NULL:
          reader.int32();
          return set('null');
        case NUMBER:
          return set(this.number(reader.double(), pointer));
        case STRING:
          return set(JSON.stringify(readText(reader)));
        case BOOL:
          return set(String(reader.bool()));
        case STRUCT:
          return set(this.struct(reader, pointer, this.enter(pointer, depth)));
        case LIST:
          return set(this.list(reader, pointer, this.enter(pointer, depth)));
        default:
          return false;
      }
    });
    return found ?? refuse(`${this.what}: a value without a kind`, pointer);
  }

  private enter(pointer: string, depth: number): number {
    if (depth >= this.depthLimit) refuse(`${this.what}: nested deeper than ${this.depthLimit}`, pointer);
    return depth + 1;
  }

  private number(value: number, pointer: string): string {
    return Number.isFinite(value) ? JSON.stringify(value) : refuse(`${this.what}: a number that JSON has not`, pointer);
  }

  private struct(outer: BinaryReader, pointer: string, depth: number): string {
    const members: string[] = [];
    const entry = (bytes: Uint8Array): void => {
      let key = '';
      let value: Uint8Array | undefined;
      readMessage(bytes, this.what, (tag, reader) => {
        if (tag === KEY) key = readText(reader);
        else if (tag === VALUE) value = reader.bytes();
        else return false;
        return true;
      });
      const at = pointer + pointerStep(key);
      const text =
        value === undefined ? refuse(`${this.what}: a value without a kind`, at) : this.text(value, at, depth);
      members.push(`${JSON.stringify(key)}:${text}`);
    };
    const take = (tag: number, reader: BinaryReader): boolean => {
      if (tag !== ENTRY) return false;
      entry(reader.bytes());
      return true;
    };
    readMessage(outer.bytes(), this.what, take, [ENTRY]);
    return `{${members.join(',')}}`;
  }

  private list(outer: BinaryReader, pointer: string, depth: number): string {
    const items: string[] = [];
    const take = (tag: number, reader: BinaryReader): boolean => {
      if (tag !== ITEM) return false;
      items.push(this.text(reader.bytes(), `${pointer}/${items.length}`, depth));
      return true;
    };
    readMessage(outer.bytes(), this.what, take, [ITEM]);
    return `[${items.join(',')}]`;
  }
}

/**
 * The JSON text of a google.protobuf.Value. A member that came twice is still there twice: the check of the text refuses
 * it. Throws RequestError with the place.
 */
export const valueToJson = (bytes: Uint8Array, what: string, depthLimit: number): string =>
  new ValueReader(what, depthLimit).text(bytes, '', 0);

const writeItem = (writer: BinaryWriter, field: number, value: Json): void => {
  writer.tag(field, WireType.LengthDelimited).fork();
  writeValue(writer, value);
  writer.join();
};

const writeValue = (writer: BinaryWriter, value: Json): void => {
  if (value === null) writer.tag(1, WireType.Varint).int32(0);
  else if (typeof value === 'number') writer.tag(2, WireType.Bit64).double(value);
  else if (typeof value === 'string') writer.tag(3, WireType.LengthDelimited).string(value);
  else if (typeof value === 'boolean') writer.tag(4, WireType.Varint).bool(value);
  else if (Array.isArray(value)) {
    writer.tag(6, WireType.LengthDelimited).fork();
    for (const item of value) writeItem(writer, 1, item);
    writer.join();
  } else {
    writer.tag(5, WireType.LengthDelimited).fork();
    for (const [name, member] of Object.entries(value)) {
      writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(name);
      writeItem(writer, 2, member);
      writer.join();
    }
    writer.join();
  }
};

/** The google.protobuf.Value of a JSON text. Numbers become doubles: digits that these do not have are lost. */
export const jsonToValue = (json: string): Uint8Array => {
  const writer = new BinaryWriter();
  writeValue(writer, valueFromJson(json) as Json);
  return writer.finish();
};
