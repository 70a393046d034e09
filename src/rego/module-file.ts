import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { sha256Hex } from '../canonical/index.ts';
import { withMemoryMaximum } from './memory-maximum.ts';
import { ToolchainError } from './model.ts';

/** What the built module may take, unless the caller asks for another maximum. */
export const defaultMemoryBytes = 256 << 20;

// The same relative path from src/rego and from dist/rego.
const folder = new URL('../../toolchain/', import.meta.url);

// A damaged file must not inflate without bound before its digest is known.
const maxModuleBytes = 128 << 20;

const unavailable = (what: string, cause: unknown): ToolchainError =>
  new ToolchainError('TOOLCHAIN_UNAVAILABLE', what, { cause });

const readDigest = (from: URL): string => {
  try {
    return readFileSync(new URL('rego.wasm.sha256', from), 'utf8').slice(0, 64);
  } catch (thrown) {
    throw unavailable('toolchain/rego.wasm.sha256 cannot be read: build the toolchain (npm run toolchain)', thrown);
  }
};

let known: string | undefined;

/** SHA-256 that the uncompressed module must have, from the file beside it. */
export const moduleDigest = (): string => {
  known ??= readDigest(folder);
  return known;
};

/** Reads, decompresses, checks and compiles the module in a folder. Rejects with TOOLCHAIN_UNAVAILABLE. */
export const loadModule = async (from: URL, memoryBytes: number): Promise<WebAssembly.Module> => {
  const wanted = readDigest(from);
  let bytes: Uint8Array;
  try {
    const compressed = await readFile(new URL('rego.wasm.br', from));
    bytes = await promisify(brotliDecompress)(compressed, { maxOutputLength: maxModuleBytes });
  } catch (thrown) {
    throw unavailable('toolchain/rego.wasm.br cannot be read: build the toolchain (npm run toolchain)', thrown);
  }
  const found = sha256Hex(bytes);
  if (found !== wanted) {
    throw unavailable(`toolchain/rego.wasm.br: SHA-256 ${wanted} was expected, the file has ${found}`, undefined);
  }
  const limited = memoryBytes === defaultMemoryBytes ? bytes : withMemoryMaximum(bytes, memoryBytes);
  return WebAssembly.compile(limited as Uint8Array<ArrayBuffer>);
};

const modules = new Map<number, Promise<WebAssembly.Module>>();

/**
 * OPA's toolchain, checked against its digest and compiled; once per process and memory maximum. Post the module to
 * workers: an instance of it is ready there in some 50 ms. Rejects with TOOLCHAIN_UNAVAILABLE, and may be tried again.
 */
export const compileRegoModule = (memoryBytes: number = defaultMemoryBytes): Promise<WebAssembly.Module> => {
  const present = modules.get(memoryBytes);
  if (present) return present;
  const loading = loadModule(folder, memoryBytes);
  modules.set(memoryBytes, loading);
  loading.catch(() => modules.delete(memoryBytes));
  return loading;
};
