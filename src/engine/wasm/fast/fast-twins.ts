import { exportedFunction } from '../functions.ts';
import { OPCODE, passLocals, passOperands } from '../instructions.ts';
import type { WasmReader } from '../reader.ts';
import { leb128 } from '../reader.ts';
import type { Change, Section } from '../sections.ts';
import { changedCode, exportOf, onlySection, SECTION, sectionReader, withEntries, withSections } from '../sections.ts';
import { assemble, I32, typeOf } from './assembler.ts';
import { fastFunctions, fastTwins } from './stand-ins.ts';
import { keptOfNow } from './windows.ts';

/** The name of the exported global that the number of a builtin is put into; undefined for those that have none. */
export const fastTwinExport = (name: string): string | undefined =>
  fastTwins.has(name) ? `verdict.${name}` : undefined;

/** -1, which is no builtin’s number, as signed LEB128. */
const unused = 0x7f;

interface Function {
  readonly index: number;
  readonly type: number;
}

/** The imported functions by their names. Imports were checked before: there is a memory among them, and no global. */
const importedFunctions = (wasm: Uint8Array, section: Section): ReadonlyMap<string, Function> => {
  const reader = sectionReader(wasm, section);
  const found = new Map<string, Function>();
  for (let count = reader.u32(); count > 0; count--) {
    reader.name();
    const name = reader.name();
    if (reader.byte() === 0) found.set(name, { index: found.size, type: reader.u32() });
    else if (reader.byte() === 1) for (let limit = 2; limit > 0; limit--) reader.u32();
    else reader.u32();
  }
  return found;
};

/** The calls in a function's body of what has another number now. */
const redirected = (body: WasmReader, globals: number, numbers: ReadonlyMap<number, Uint8Array>): readonly Change[] => {
  passLocals(body);
  const changes: Change[] = [];
  while (!body.done) {
    const opcode = body.byte();
    if (opcode !== OPCODE.call) {
      passOperands(opcode, body, globals);
      continue;
    }
    const from = body.at;
    const code = numbers.get(body.u32());
    if (code !== undefined) changes.push({ from, to: body.at, code });
  }
  return changes;
};

const hasTwins = (wasm: Uint8Array, sections: readonly Section[]): boolean => {
  const data = sections.find(({ id }) => id === SECTION.data);
  if (data === undefined) return false;
  const bytes = Buffer.from(wasm.buffer, wasm.byteOffset + data.start, data.end - data.start);
  return bytes.includes('__vt.') && [...fastTwins.keys()].some((name) => bytes.includes(`${name}\0`));
};

/**
 * Answers calls of host twins in the module itself where their operands are integers of a moderate size, for which
 * Wasm reckons as Go does: all others go to the host as before. Calls of the host's functions for builtins become
 * calls of functions that are put at the end, and the host says in globals which builtins have which numbers. Other
 * functions keep their numbers. Modules without twins stay as they are. Throws MODULE_INVALID.
 */
export const withFastTwins = (wasm: Uint8Array, sections: readonly Section[]): Uint8Array => {
  if (!hasTwins(wasm, sections)) return wasm;
  const only = (id: number, what: string): Section => onlySection(sections, id, what);
  const count = (section: Section): number => sectionReader(wasm, section).u32();
  const [types, functions] = [only(SECTION.type, 'types'), only(SECTION.function, 'functions')];
  const [globals, exported] = [only(SECTION.global, 'globals'), only(SECTION.export, 'exports')];
  const imported = importedFunctions(wasm, only(SECTION.import, 'imports'));
  const malloc = exportedFunction(wasm, exported, 'opa_malloc');
  const [host0, host1, host2, host3] = [0, 1, 2, 3].map((operands) => imported.get(`opa_builtin${operands}`));
  if (malloc === undefined || host0 === undefined || host1 === undefined) return wasm;
  if (host2 === undefined || host3 === undefined) return wasm;

  const [firstType, firstGlobal, first] = [count(types), count(globals), imported.size + count(functions)];
  const numbers = new Map<string, number>([
    ...fastFunctions.map(([name], at) => [name, first + at] as const),
    ...[...fastTwins.values()].map((name, at) => [name, firstGlobal + at] as const),
    ...keptOfNow.map(([, name], at) => [name, firstGlobal + fastTwins.size + at] as const),
    ['$malloc', malloc],
    ['$host0', host0.index],
    ['$host1', host1.index],
    ['$host2', host2.index],
    ['$host3', host3.index],
  ]);
  const number = (name: string): Uint8Array => Uint8Array.from(leb128(numbers.get(name) as number));
  const instead = new Map([
    [host0.index, number('$fast0')],
    [host1.index, number('$fast1')],
    [host2.index, number('$fast2')],
    [host3.index, number('$fast3')],
  ]);
  const newTypes = fastFunctions.map(([, written]) => typeOf(written));
  const bodies = fastFunctions.map(([, written]) => assemble(written, numbers));
  const newGlobals = [...[...fastTwins.keys()].map(() => unused), ...keptOfNow.map(() => 0)].map((value) => [
    ...[I32, 0x01, 0x41, value, OPCODE.end],
  ]);
  const exportedNames = [...[...fastTwins.keys()].map((name) => `verdict.${name}`), ...keptOfNow.map(([name]) => name)];
  const newExports = exportedNames.map((name, at) => exportOf(name, 3, firstGlobal + at));
  const replaced = new Map<number, Buffer>([
    [SECTION.type, withEntries(wasm, types, newTypes)],
    [
      SECTION.function,
      withEntries(
        wasm,
        functions,
        bodies.map((_, at) => leb128(firstType + at)),
      ),
    ],
    [SECTION.global, withEntries(wasm, globals, newGlobals)],
    [SECTION.export, withEntries(wasm, exported, newExports)],
    [
      SECTION.code,
      changedCode(wasm, only(SECTION.code, 'code'), (body) => redirected(body, firstGlobal, instead), bodies),
    ],
  ]);
  return withSections(wasm, sections, replaced);
};
