import type { WasmReader } from './reader.ts';
import { invalidModule } from './reader.ts';

/** Instructions that the counter looks at. */
export const OPCODE = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
} as const;

type Pass = (reader: WasmReader) => void;

// What is not understood to its last byte is refused: whoever can make us misread where an instruction ends can hide
// a loop from the counter. V8 takes more than OPA's compiler writes, as wider types and memories with numbers.

const noBlockValue = 0x40;

export const isNumberType = (byte: number): boolean => byte >= 0x7c && byte <= 0x7f;

const foreignType = (reader: WasmReader): never => {
  throw invalidModule(`has a type that cannot be counted, at byte ${reader.at}`);
};

const valueType: Pass = (reader) => {
  if (!isNumberType(reader.byte())) foreignType(reader);
};

const nothing: Pass = () => {};
const index: Pass = (reader) => reader.skipNumber(5);

const blockType: Pass = (reader) => {
  const first = reader.byte();
  if (first === noBlockValue || isNumberType(first)) return;
  // A number of a type otherwise, which is not negative; the forms of one byte from 0x40 on are.
  if (first >= 0x40 && first < 0x80) foreignType(reader);
  if (first >= 0x80) reader.skipNumber(4);
};

const branchTable: Pass = (reader) => {
  for (let count = reader.u32(); count >= 0; count--) reader.skipNumber(5);
};

const typedSelect: Pass = (reader) => {
  for (let count = reader.u32(); count > 0; count--) valueType(reader);
};

// Above the alignment a bit says that the number of a memory follows.
const highestAlignment = 4;

const memoryAccess: Pass = (reader) => {
  if (reader.u32() > highestAlignment) throw invalidModule(`names a memory by number, at byte ${reader.at}`);
  reader.skipNumber(5);
};

// Saturating conversions. Copies and fills of memory are refused: one of them is one point, however much it moves.
const prefixed: Pass = (reader) => {
  const operation = reader.u32();
  if (operation > 7) throw invalidModule(`has an instruction that cannot be counted (fc ${operation})`);
};

const operands = (): readonly (Pass | undefined)[] => {
  const table: (Pass | undefined)[] = Array.from({ length: 256 }, () => undefined);
  const set = (from: number, to: number, pass: Pass): void => {
    for (let opcode = from; opcode <= to; opcode++) table[opcode] = pass;
  };
  set(0x00, 0x01, nothing);
  set(0x02, 0x04, blockType);
  set(0x05, 0x05, nothing);
  set(0x0b, 0x0b, nothing);
  set(0x0c, 0x0d, index);
  set(0x0e, 0x0e, branchTable);
  set(0x0f, 0x0f, nothing);
  set(0x10, 0x10, index);
  set(0x11, 0x11, (reader) => {
    index(reader);
    index(reader);
  });
  set(0x1a, 0x1b, nothing);
  set(0x1c, 0x1c, typedSelect);
  set(0x20, 0x22, index);
  set(0x28, 0x3e, memoryAccess);
  set(0x3f, 0x40, index);
  set(0x41, 0x41, index);
  set(0x42, 0x42, (reader) => reader.skipNumber(10));
  set(0x43, 0x43, (reader) => reader.skip(4));
  set(0x44, 0x44, (reader) => reader.skip(8));
  set(0x45, 0xc4, nothing);
  set(0xfc, 0xfc, prefixed);
  return table;
};

const passes = operands();

/**
 * Passes what follows an instruction. Throws MODULE_INVALID for one that OPA's compiler does not write, and where it
 * names a global that is not one of the first `globals`: what is added to a module is none of its own code's business.
 */
export const passOperands = (opcode: number, reader: WasmReader, globals: number): void => {
  if (opcode === OPCODE.globalGet || opcode === OPCODE.globalSet) {
    if (reader.u32() >= globals) throw invalidModule(`names a global that it does not have, at byte ${reader.at}`);
    return;
  }
  const pass = passes[opcode];
  if (pass === undefined) throw invalidModule(`has an instruction that cannot be counted (${opcode.toString(16)})`);
  pass(reader);
};

/** Passes the declaration of a function's local variables. */
export const passLocals = (reader: WasmReader): void => {
  for (let groups = reader.u32(); groups > 0; groups--) {
    reader.skipNumber(5);
    valueType(reader);
  }
};

const notPlain = 255;

const quick = 1;
const slow = 16;

// Divisions, remainders and square roots; growing the memory.
const slowOpcodes = [0x40, 0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82, 0x91, 0x95, 0x9f, 0xa3];

/** By opcode, how long an instruction takes, in that of a simple one. */
export const weights = Uint8Array.from({ length: 256 }, (_, opcode) => (slowOpcodes.includes(opcode) ? slow : quick));

const counted: readonly number[] = [OPCODE.block, OPCODE.loop, OPCODE.if, OPCODE.end, OPCODE.i32Const];

/**
 * By opcode: of an instruction that takes as long as a simple one, and that nobody looks at, how many numbers follow
 * it, none of which says anything; `notPlain` of all others.
 */
export const plainNumbers = Uint8Array.from(passes, (pass, opcode) => {
  if (counted.includes(opcode) || slowOpcodes.includes(opcode)) return notPlain;
  if (pass === nothing) return 0;
  return pass === index ? 1 : notPlain;
});
