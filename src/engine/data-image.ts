import { messageOf } from '../canonical/index.ts';
import { failureOf } from './failure.ts';
import { checkJson } from './json/check.ts';
import { JsonError } from './json/error.ts';
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
}

// Data is the operator's, not a caller's: its size is bounded by the bundle's and by this memory.
const mostPages = 32_768;

// A module that is not OPA's may take more than reading data takes: up to 50 points and 100 bytes for each byte.
const roomPages = 256;
const pagesFor = (policy: PolicyModule, length: number): number =>
  Math.min(mostPages, policy.initialPages + roomPages + Math.ceil((length * 256) / pageBytes));

// Of JSON with many small values; more makes the memory grow page by page.
const usualGrowth = 16;
const pointsFor = (length: number): number => Math.min(fullCounter, 20_000_000 + length * 400);

const dataLimits = { bytes: 1 << 30, depth: 512, keys: Number.POSITIVE_INFINITY };

const invalidData = (what: string): ModuleError => new ModuleError('MODULE_DATA_INVALID', `the data ${what}`);

const checkData = (data: Uint8Array): void => {
  try {
    if (checkJson(data, dataLimits).kind !== 'object') throw invalidData('is no JSON object');
  } catch (thrown) {
    throw thrown instanceof JsonError ? invalidData(`is no JSON that is taken: ${thrown.message}`) : thrown;
  }
};

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

/** Lets the module parse its data once. Throws ModuleError. */
export const makeDataImage = (policy: PolicyModule, data: Uint8Array): DataImage => {
  checkData(data);
  const raw = startInstance(policy, pagesFor(policy, data.length));
  const { exports } = raw;
  try {
    raw.points = pointsFor(data.length);
    raw.reserve(raw.base, roomPages * pageBytes + data.length * usualGrowth);
    const text = raw.put(data);
    // The text stays below the document and is not part of the image: nothing points to it.
    const start = exports.opa_heap_ptr_get() >>> 0;
    const address = exports.opa_json_parse(text, data.length);
    if (address === 0) throw invalidData('is no JSON for the module');
    const end = exports.opa_heap_ptr_get() >>> 0;
    const bytes = new Uint8Array(new SharedArrayBuffer(end - start));
    bytes.set(raw.view().subarray(start, end));
    return { base: raw.base, start, bytes, address, numbers: fractionalNumbers(data) };
  } catch (thrown) {
    throw thrown instanceof ModuleError ? thrown : invalidData(`does not fit into memory: ${messageOf(thrown)}`);
  }
};
