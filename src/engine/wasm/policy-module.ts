import { messageOf } from '../../canonical/index.ts';
import { fractionalNumbers } from '../values/number-text.ts';
import { withFastTwins } from './fast/fast-twins.ts';
import { typesOf } from './functions.ts';
import { withCounter } from './instruction-counter.ts';
import { foreignModule, invalidModule, WasmReader } from './reader.ts';
import type { Section } from './sections.ts';
import { SECTION, sectionReader, sectionsOf } from './sections.ts';

/** A policy's module, checked, with the instruction counter in it, compiled. Can be posted to other threads. */
export interface PolicyModule {
  readonly module: WebAssembly.Module;
  /** Pages that the module wants at the start, with room for its data segments. */
  readonly initialPages: number;
  /** The largest maximum that its import of the memory allows. */
  readonly maximumPages: number;
  /** Places at which the instruction counter counts. */
  readonly points: number;
  /** Texts of the numbers with a fraction or an exponent that stand in the policy. */
  readonly constants: ReadonlySet<string>;
}

export const pageBytes = 65_536;
const mostPages = 65_536;

// OPA's compiler asks for a few pages beside those of the data.
const roomPages = 256;

// Far above any real policy; parsing and compiling a module this large takes seconds.
const mostBytes = 64 << 20;

const builtinTypes: readonly (readonly [name: string, type: string])[] = [0, 1, 2, 3, 4].map((operands) => [
  `opa_builtin${operands}`,
  `${'7f'.repeat(operands + 2)}>7f`,
]);

/** What OPA's compiler imports from `env`, as parameter types > result types. */
const importTypes: ReadonlyMap<string, string> = new Map([
  ...builtinTypes,
  ['opa_abort', '7f>'],
  ['opa_println', '7f>'],
]);

const neededExports = [
  'opa_eval',
  'opa_malloc',
  'opa_free',
  'opa_heap_ptr_get',
  'opa_heap_ptr_set',
  'opa_json_parse',
  'opa_json_dump',
  'opa_value_parse',
  'opa_value_dump',
  'builtins',
  'entrypoints',
];

interface Imports {
  readonly minimum: number;
  readonly maximum: number;
}

const readImports = (wasm: Uint8Array, section: Section | undefined, types: readonly string[]): Imports => {
  let memory: Imports | undefined;
  if (section === undefined) throw foreignModule('imports nothing: no policy of OPA’s compiler does that');
  const reader = sectionReader(wasm, section);
  for (let count = reader.u32(); count > 0; count--) {
    const from = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (from === 'env' && kind === 0 && importTypes.get(name) === types[reader.u32()]) continue;
    if (from !== 'env' || name !== 'memory' || kind !== 2 || memory !== undefined) {
      throw foreignModule('imports something that OPA’s compiler does not import');
    }
    const flags = reader.byte();
    if (flags > 1) throw foreignModule('wants a memory that is shared or 64 bits wide');
    memory = { minimum: reader.u32(), maximum: flags === 1 ? reader.u32() : mostPages };
  }
  if (memory === undefined) throw foreignModule('does not import its memory as env.memory');
  return memory;
};

/** Entries of a table are made with each instance, on the heap that the whole process shares. */
const mostTableEntries = 65_536;

const checkTable = (wasm: Uint8Array, section: Section | undefined): void => {
  if (section === undefined) return;
  const reader = sectionReader(wasm, section);
  const isOne = reader.u32() === 1 && reader.byte() === 0x70 && reader.u32() <= 1;
  if (!isOne || reader.u32() > mostTableEntries) throw foreignModule('has other tables than OPA’s compiler makes');
};

/** Where the last data segment ends: the heap starts behind it. */
const dataEnd = (wasm: Uint8Array, section: Section | undefined): number => {
  if (section === undefined) return 0;
  const reader = sectionReader(wasm, section);
  let end = 0;
  for (let count = reader.u32(); count > 0; count--) {
    if (reader.u32() !== 0) throw foreignModule('has a data segment of a kind that OPA’s compiler does not make');
    if (reader.byte() !== 0x41) throw foreignModule('has a data segment whose place is no constant');
    const at = reader.s32() >>> 0;
    if (reader.byte() !== 0x0b) throw foreignModule('has a data segment whose place is no constant');
    const length = reader.u32();
    reader.skip(length);
    end = Math.max(end, at + length);
  }
  return end;
};

const constantsOf = (wasm: Uint8Array, section: Section | undefined): ReadonlySet<string> =>
  section === undefined ? new Set() : fractionalNumbers(wasm.subarray(section.start, section.end));

/** Checks, counts and compiles. Rejects with ModuleError: MODULE_INVALID or MODULE_FOREIGN. */
export const compilePolicy = async (wasm: Uint8Array): Promise<PolicyModule> => {
  if (wasm.length > mostBytes) throw invalidModule(`has ${wasm.length} bytes, at most ${mostBytes} are taken`);
  const sections = sectionsOf(wasm);
  const one = (id: number): Section | undefined => sections.find((section) => section.id === id);
  const memory = readImports(wasm, one(SECTION.import), typesOf(wasm, one(SECTION.type)));
  if (one(SECTION.memory) !== undefined && new WasmReader(wasm, one(SECTION.memory)?.start).u32() > 0) {
    throw foreignModule('has a memory of its own');
  }
  const initialPages = Math.max(memory.minimum, Math.ceil(dataEnd(wasm, one(SECTION.data)) / pageBytes) + 1);
  if (initialPages > memory.maximum) throw foreignModule('has more data than memory');
  if (initialPages > Math.ceil(wasm.length / pageBytes) + roomPages) {
    throw foreignModule('wants more memory at the start than its data can fill');
  }
  checkTable(wasm, one(SECTION.table));
  const fast = withFastTwins(wasm, sections);
  const counted = withCounter(fast, sectionsOf(fast));
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(counted.wasm as Uint8Array<ArrayBuffer>);
  } catch (thrown) {
    throw invalidModule(`does not compile: ${messageOf(thrown)}`);
  }
  const functions = new Set(
    WebAssembly.Module.exports(module)
      .filter(({ kind }) => kind === 'function')
      .map(({ name }) => name),
  );
  const missing = neededExports.find((name) => !functions.has(name));
  if (missing !== undefined) throw foreignModule(`does not export ${missing}`);
  const constants = constantsOf(wasm, one(SECTION.data));
  return { module, initialPages, maximumPages: memory.maximum, points: counted.points, constants };
};
