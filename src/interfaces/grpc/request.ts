import type { BinaryReader } from '@bufbuild/protobuf/wire';
import type { CheckedJson } from '../../engine/index.ts';
import type { RequestLimits } from '../wire/index.ts';
import { boundPath, checkDocument, jsonLimits, RequestError, segmentsOf } from '../wire/index.ts';
import { lengthTag, readMessage, readText, varintTag } from './message.ts';
import { valueToJson } from './value.ts';

// Requests of proto/verdict/v1/decisions.proto, read by hand: a repeated request is answered from its bytes, and of a new
// one the input must stay the bytes that were sent.

export interface Options {
  readonly strictErrors: boolean;
  readonly bypassCache: boolean;
  readonly resultAsValue: boolean;
}

/** An input as it was sent: not checked yet. Without a kind it is absent. */
export interface SentInput {
  readonly kind?: 'value' | 'json';
  readonly bytes: Uint8Array;
}

export interface DecideRequest {
  readonly path: string;
  readonly input: SentInput;
  readonly options: Options;
}

export type Questions =
  | { readonly kind: 'variants'; readonly common: SentInput; readonly variants: readonly SentInput[] }
  | {
      readonly kind: 'matrix';
      readonly subject: SentInput;
      readonly actions: readonly SentInput[];
      readonly resources: readonly SentInput[];
      readonly context: SentInput;
    };

export interface DecideBatchRequest {
  readonly path: string;
  readonly questions: Questions;
  readonly options: Options;
}

const one = lengthTag(1);
const two = lengthTag(2);
const three = lengthTag(3);
const four = lengthTag(4);

export const noInput: SentInput = { bytes: new Uint8Array(0) };
const noOptions: Options = { strictErrors: false, bypassCache: false, resultAsValue: false };

const readInput = (reader: BinaryReader): SentInput => {
  let input = noInput;
  readMessage(reader.bytes(), 'Input', (tag, fields) => {
    if (tag !== one && tag !== two) return false;
    if (input.kind !== undefined) throw new RequestError('body_malformed', 'Input: both value and json');
    input = { kind: tag === one ? 'value' : 'json', bytes: fields.bytes() };
    return true;
  });
  return input;
};

const readOptions = (reader: BinaryReader): Options => {
  let { strictErrors, bypassCache, resultAsValue } = noOptions;
  readMessage(reader.bytes(), 'Options', (tag, fields) => {
    if (tag === varintTag(1)) strictErrors = fields.bool();
    else if (tag === varintTag(2)) bypassCache = fields.bool();
    else if (tag === varintTag(3)) resultAsValue = fields.bool();
    else return false;
    return true;
  });
  return { strictErrors, bypassCache, resultAsValue };
};

/** Reads a DecideRequest; throws RequestError. Its input is not looked into. */
export const readDecide = (bytes: Uint8Array): DecideRequest => {
  let path = '';
  let input = noInput;
  let options = noOptions;
  readMessage(bytes, 'DecideRequest', (tag, reader) => {
    if (tag === one) path = readText(reader);
    else if (tag === two) input = readInput(reader);
    else if (tag === three) options = readOptions(reader);
    else return false;
    return true;
  });
  return { path, input, options };
};

const readVariants = (reader: BinaryReader): Questions => {
  let common = noInput;
  const variants: SentInput[] = [];
  const take = (tag: number, fields: BinaryReader): boolean => {
    if (tag === one) common = readInput(fields);
    else if (tag === two) variants.push(readInput(fields));
    else return false;
    return true;
  };
  readMessage(reader.bytes(), 'Variants', take, [two]);
  return { kind: 'variants', common, variants };
};

const readMatrix = (reader: BinaryReader): Questions => {
  let subject = noInput;
  let context = noInput;
  const actions: SentInput[] = [];
  const resources: SentInput[] = [];
  const take = (tag: number, fields: BinaryReader): boolean => {
    if (tag === one) subject = readInput(fields);
    else if (tag === two) actions.push(readInput(fields));
    else if (tag === three) resources.push(readInput(fields));
    else if (tag === four) context = readInput(fields);
    else return false;
    return true;
  };
  readMessage(reader.bytes(), 'Matrix', take, [two, three]);
  return { kind: 'matrix', subject, actions, resources, context };
};

/** Reads a DecideBatchRequest; throws RequestError. Its inputs are not looked into. */
export const readDecideBatch = (bytes: Uint8Array): DecideBatchRequest => {
  let path = '';
  let questions: Questions | undefined;
  let options = noOptions;
  readMessage(bytes, 'DecideBatchRequest', (tag, reader) => {
    if ((tag === two || tag === three) && questions !== undefined) {
      throw new RequestError('body_malformed', 'DecideBatchRequest: both variants and matrix');
    }
    if (tag === one) path = readText(reader);
    else if (tag === two) questions = readVariants(reader);
    else if (tag === three) questions = readMatrix(reader);
    else if (tag === four) options = readOptions(reader);
    else return false;
    return true;
  });
  if (questions !== undefined) return { path, questions, options };
  throw new RequestError('member_missing', 'DecideBatchRequest: neither variants nor matrix');
};

// What is known of a list of segments is found by the list itself: a path that comes again has the same one.
const lists = new Map<string, readonly string[]>();

/** The segments of a path that was asked; throws RequestError. */
export const pathOf = (path: string, limits: RequestLimits): readonly string[] => {
  boundPath(path, limits.pathBytes);
  const known = lists.get(path);
  if (known !== undefined) return known;
  const segments = segmentsOf(path);
  // Clients drop fields that they do not know: a slip in this one's name would ask for all data of all bundles.
  if (segments.length === 0) throw new RequestError('member_missing', 'path: required, and missing');
  // Whoever asks for ever new paths costs a rebuild of this map, and no more memory than it has.
  if (lists.size >= 1_000) lists.clear();
  if (path.length <= 512) lists.set(path, segments);
  return segments;
};

/** What was sent as JSON that passed every check; undefined when nothing was. Throws RequestError with the place. */
export const checkInput = (sent: SentInput, limits: RequestLimits, at: string): CheckedJson | undefined => {
  if (sent.kind === undefined) return undefined;
  const what = `${at}.${sent.kind}`;
  const bytes = sent.kind === 'json' ? sent.bytes : Buffer.from(valueToJson(sent.bytes, what, limits.depth));
  return checkDocument(bytes, jsonLimits(limits), `${what}: `).json;
};
