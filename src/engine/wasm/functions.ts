import { isNumberType } from './instructions.ts';
import { foreignModule } from './reader.ts';
import type { Section } from './sections.ts';
import { SECTION, sectionReader } from './sections.ts';

/** The types of a module as parameter types > result types. Throws MODULE_FOREIGN for other values than numbers. */
export const typesOf = (wasm: Uint8Array, section: Section | undefined): readonly string[] => {
  if (section === undefined) return [];
  const reader = sectionReader(wasm, section);
  const list = (): string => {
    let text = '';
    for (let count = reader.u32(); count > 0; count--) {
      const type = reader.byte();
      if (!isNumberType(type)) throw foreignModule('has a function of other values than numbers');
      text += type.toString(16);
    }
    return text;
  };
  const types: string[] = [];
  for (let count = reader.u32(); count > 0; count--) {
    if (reader.byte() !== 0x60) throw foreignModule('has a type that is no function type');
    types.push(`${list()}>${list()}`);
  }
  return types;
};

/** The number of an exported function. */
export const exportedFunction = (wasm: Uint8Array, section: Section, wanted: string): number | undefined => {
  const reader = sectionReader(wasm, section);
  for (let count = reader.u32(); count > 0; count--) {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.u32();
    if (kind === 0 && name === wanted) return index;
  }
  return undefined;
};

const importedCount = (wasm: Uint8Array, section: Section): number => {
  const reader = sectionReader(wasm, section);
  let functions = 0;
  for (let count = reader.u32(); count > 0; count--) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 0) functions++;
    // A memory, of which the import is checked, has one or two limits.
    const numbers = kind === 0 || reader.byte() === 0 ? 1 : 2;
    for (let passed = 0; passed < numbers; passed++) reader.u32();
  }
  return functions;
};

/**
 * Which of the functions that have code an exported one is, from 0; undefined where it is none of them, or not of the
 * type that is wanted.
 */
export const codeOf = (
  wasm: Uint8Array,
  sections: readonly Section[],
  name: string,
  type: string,
): number | undefined => {
  const one = (id: number): Section | undefined => sections.find((section) => section.id === id);
  const [exports, imports, functions] = [one(SECTION.export), one(SECTION.import), one(SECTION.function)];
  if (exports === undefined || imports === undefined || functions === undefined) return undefined;
  const index = exportedFunction(wasm, exports, name);
  const at = index === undefined ? -1 : index - importedCount(wasm, imports);
  const reader = sectionReader(wasm, functions);
  if (at < 0 || at >= reader.u32()) return undefined;
  for (let passed = 0; passed < at; passed++) reader.u32();
  return typesOf(wasm, one(SECTION.type))[reader.u32()] === type ? at : undefined;
};
