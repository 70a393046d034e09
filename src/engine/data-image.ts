import { messageOf } from '../canonical/index.ts';
import { EvaluationFailure, failureOf } from './failure.ts';
import type { Change } from './json/difference.ts';
import { changesBetween } from './json/difference.ts';
import type { CheckedJson } from './model.ts';
import { ModuleError } from './model.ts';
import { fractionalNumbers } from './values/number-text.ts';
import { fullCounter } from './wasm/instruction-counter.ts';
import type { PolicyModule } from './wasm/policy-module.ts';
import { pageBytes } from './wasm/policy-module.ts';
import { RawInstance } from './wasm/raw-instance.ts';

/**
 * The data document as it lies in the memory of a policy's module. Every instance of one module has the same layout,
 * so the bytes are copied instead of parsed again. Can be posted to other threads, which share the bytes.
 */
export interface DataImage {
  /** Where the heap began: the same in the instance that the image is put into. */
  readonly base: number;
  /** Where `bytes` go. */
  readonly start: number;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** The address of the document's value. */
  readonly address: number;
  /** Texts of the numbers with a fraction or an exponent that stand in the data. */
  readonly numbers: ReadonlySet<string>;
  /** What every instance does to the document once the bytes are in their place. */
  readonly changes: readonly Change[];
}

// Data is the operator's, not a caller's: its size is bounded by the bundle's and by this memory.
const mostPages = 32_768;

// A module that is not OPA's may take more than reading data takes: up to 50 points and 100 bytes for each byte.
const roomPages = 256;
const pagesFor = (policy: PolicyModule, length: number): number =>
  Math.min(mostPages, policy.initialPages + roomPages + Math.ceil((length * 256) / pageBytes));

// Of JSON with many small values; more makes the memory grow page by page.
const usualGrowth = 16;
const usualBytes = (length: number): number => roomPages * pageBytes + length * usualGrowth;
const pointsFor = (length: number): number => Math.min(fullCounter, 20_000_000 + length * 400);

const invalidData = (what: string): ModuleError => new ModuleError('MODULE_DATA_INVALID', `the data ${what}`);

/** The module's first instance, whatever it does when it starts. */
const startInstance = (policy: PolicyModule, pages: number): RawInstance => {
  try {
    return new RawInstance(policy, pages, () => 0);
  } catch (thrown) {
    if (thrown instanceof ModuleError) throw thrown;
    const why = `the module does not start: ${failureOf(thrown).message}`;
    throw new ModuleError('MODULE_FOREIGN', why, { cause: thrown });
  }
};

/** A copy that threads can share. */
export const shared = (bytes: Uint8Array): Uint8Array<SharedArrayBuffer> => {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
};

/** Where an instance has its data, and what is known of it. */
export type DataPlace = Pick<DataImage, 'base' | 'start' | 'address' | 'numbers'> & {
  /** The first byte behind it. */
  readonly end: number;
};

const checkKind = (data: CheckedJson): void => {
  if (data.find((byte) => byte > 0x20) !== 0x7b) throw invalidData('is no JSON object');
};

/** Lets an instance parse its data. Throws ModuleError. */
const readData = (raw: RawInstance, data: CheckedJson): DataPlace => {
  const { exports } = raw;
  raw.points = pointsFor(data.length);
  raw.reserve(raw.base, usualBytes(data.length));
  const text = raw.put(data);
  // The text stays below the document and is not part of the image: nothing points to it.
  const start = exports.opa_heap_ptr_get() >>> 0;
  const address = exports.opa_json_parse(text, data.length);
  if (address === 0) throw invalidData('is no JSON for the module');
  const end = exports.opa_heap_ptr_get() >>> 0;
  return { base: raw.base, start, end, address, numbers: fractionalNumbers(data) };
};

/** The image of what an instance has read. Nothing changes the document: it may have evaluated since. */
export const imageOf = (raw: RawInstance, { end, ...place }: DataPlace): DataImage => ({
  ...place,
  bytes: shared(raw.view().subarray(place.start, end)),
  changes: [],
});

/** Lets the module parse its data once. Throws ModuleError. */
export const makeDataImage = (policy: PolicyModule, data: CheckedJson): DataImage => {
  checkKind(data);
  const raw = startInstance(policy, pagesFor(policy, data.length));
  try {
    return imageOf(raw, readData(raw, data));
  } catch (thrown) {
    throw thrown instanceof ModuleError ? thrown : invalidData(`does not fit into memory: ${messageOf(thrown)}`);
  }
};

/** Pages of memory for usual data of this length, and so many more bytes. */
export const usualPages = (policy: PolicyModule, length: number, moreBytes: number): number =>
  policy.initialPages + Math.ceil((usualBytes(length) + moreBytes) / pageBytes);

/**
 * Has an instance that is to evaluate read its data itself; undefined where it is not usual: it takes more memory than
 * most does, or is not what it should be, of which `makeDataImage` knows more.
 */
export const readHere = (raw: RawInstance, data: CheckedJson): DataPlace | undefined => {
  try {
    checkKind(data);
    return readData(raw, data);
  } catch {
    return undefined;
  }
};

/** Changes are made anew in every instance: of more than this an image of its own costs less. */
const mostChanges = 10_000;
const mostChanged = (length: number): number => Math.max(4_096, length / 32);

/**
 * The image of data that differs in little from that of another image of the same module, whose text is `from`: they
 * share the bytes. Undefined where too much differs.
 */
export const changedDataImage = (image: DataImage, from: Uint8Array, data: CheckedJson): DataImage | undefined => {
  const changes = changesBetween(from, data, { count: mostChanges, bytes: mostChanged(from.length) });
  return changes === undefined ? undefined : { ...image, numbers: fractionalNumbers(data), changes };
};

/** Bytes that an instance may need beside those of the image. */
export const roomForChanges = ({ changes }: DataImage): number =>
  changes.reduce((sum, { path, value }) => sum + (path.join().length + path.length + value.length) * 256, 0);

/** Makes the changes in an instance that has the image's bytes, and whose heap begins behind them. */
export const makeChanges = (raw: RawInstance, { address, changes }: DataImage): void => {
  const { exports } = raw;
  const made = (isMade: boolean): void => {
    if (!isMade) throw new EvaluationFailure('engine_error', 'the data cannot be changed in place');
  };
  const parsed = (text: Uint8Array): number => {
    const value = exports.opa_json_parse(raw.put(text), text.length);
    made(value !== 0);
    return value;
  };
  raw.points = fullCounter;
  for (const { path, value } of changes) {
    const place = parsed(Buffer.from(JSON.stringify(path)));
    made(exports.opa_value_add_path(address, place, parsed(value)) === 0);
  }
};
