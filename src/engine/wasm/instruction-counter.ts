import { invalidModule, leb128, WasmReader } from './reader.ts';

/** Under this name the counter is exported; OPA exports nothing like it. */
export const counterExport = 'verdict.points';

/** What the counter holds until the host sets it: enough for the start function and for loading data. */
export const fullCounter = 0x7fff_ffff;

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** A section's content, from the byte after its length to its end. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** Cuts a module into its sections. Throws MODULE_INVALID. */
export const sectionsOf = (wasm: Uint8Array): readonly Section[] => {
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (magic.some((byte, at) => wasm[at] !== byte)) throw invalidModule('is no Wasm binary of version 1');
  const reader = new WasmReader(wasm, magic.length);
  const sections: Section[] = [];
  while (!reader.done) {
    const id = reader.byte();
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    if (id > SECTION.dataCount) throw invalidModule(`has a section of unknown kind ${id}`);
    sections.push({ id, start, end: reader.at });
  }
  return sections;
};

const nothing = (): void => {};
const index = (reader: WasmReader): void => reader.skipNumber(5);

const blockType = (reader: WasmReader): void => reader.skipNumber(5);

const branchTable = (reader: WasmReader): void => {
  for (let count = reader.u32(); count >= 0; count--) reader.skipNumber(5);
};

const typedSelect = (reader: WasmReader): void => reader.skip(reader.u32());

const memoryAccess = (reader: WasmReader): void => {
  reader.skipNumber(5);
  reader.skipNumber(5);
};

// Saturating conversions. Copies and fills of memory are refused: one of them is one point, however much it moves.
const prefixed = (reader: WasmReader): void => {
  const operation = reader.u32();
  if (operation > 7) throw invalidModule(`has an instruction that cannot be counted (fc ${operation})`);
};

const operands = (): readonly (((reader: WasmReader) => void) | undefined)[] => {
  const table: (((reader: WasmReader) => void) | undefined)[] = Array.from({ length: 256 }, () => undefined);
  const set = (from: number, to: number, skip: (reader: WasmReader) => void): void => {
    for (let opcode = from; opcode <= to; opcode++) table[opcode] = skip;
  };
  set(0x00, 0x01, nothing);
  set(0x02, 0x04, blockType);
  set(0x05, 0x05, nothing);
  set(0x0b, 0x0b, nothing);
  set(0x0c, 0x0d, index);
  set(0x0e, 0x0e, branchTable);
  set(0x0f, 0x0f, nothing);
  set(0x10, 0x10, index);
  set(0x11, 0x11, memoryAccess);
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

const skipOperands = operands();
const LOOP = 0x03;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;

/**
 * Offsets within a function's body at which a point is counted: its entry and the head of each loop. `globals` is how
 * many the module has: it must not name the one that is added.
 */
const countingPoints = (body: WasmReader, globals: number): readonly number[] => {
  for (let groups = body.u32(); groups > 0; groups--) {
    body.skipNumber(5);
    body.skip(1);
  }
  const points = [body.at];
  while (!body.done) {
    const opcode = body.byte();
    if (opcode === GLOBAL_GET || opcode === GLOBAL_SET) {
      if (body.u32() >= globals) throw invalidModule(`names a global that it does not have, at byte ${body.at}`);
      continue;
    }
    const skip = skipOperands[opcode];
    if (skip === undefined) throw invalidModule(`has an instruction that cannot be counted (${opcode.toString(16)})`);
    skip(body);
    if (opcode === LOOP) points.push(body.at);
  }
  return points;
};

/** `counter = counter - 1; if (counter < 0) unreachable` */
const countOne = (global: number): Uint8Array => {
  const at = leb128(global);
  return Uint8Array.of(
    ...[GLOBAL_GET, ...at, 0x41, 1, 0x6b, GLOBAL_SET, ...at],
    ...[GLOBAL_GET, ...at, 0x41, 0, 0x48, 0x04, 0x40, 0x00, 0x0b],
  );
};

class Output {
  private readonly chunks: Uint8Array[] = [];
  length = 0;

  bytes(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  number(value: number): void {
    this.bytes(Uint8Array.from(leb128(value)));
  }

  all(): Buffer {
    return Buffer.concat(this.chunks, this.length);
  }
}

const countedCode = (wasm: Uint8Array, section: Section, globals: number): { code: Buffer; points: number } => {
  const reader = new WasmReader(wasm, section.start, section.end);
  const one = countOne(globals);
  const out = new Output();
  const bodies = reader.u32();
  out.number(bodies);
  let points = 0;
  for (let count = bodies; count > 0; count--) {
    const body = reader.part(reader.u32());
    let from = body.at;
    const places = countingPoints(body, globals);
    points += places.length;
    out.number(body.end - from + places.length * one.length);
    for (const place of places) {
      out.bytes(wasm.subarray(from, place));
      out.bytes(one);
      from = place;
    }
    out.bytes(wasm.subarray(from, body.end));
  }
  if (!reader.done) throw invalidModule('has more code than functions');
  return { code: out.all(), points };
};

/** A vector section with one entry more at its end. */
const withEntry = (wasm: Uint8Array, section: Section, entry: readonly number[]): Buffer => {
  const reader = new WasmReader(wasm, section.start, section.end);
  const count = leb128(reader.u32() + 1);
  return Buffer.concat([Uint8Array.from(count), wasm.subarray(reader.at, section.end), Uint8Array.from(entry)]);
};

export interface CountedModule {
  readonly wasm: Uint8Array;
  /** Places at which a point is counted. */
  readonly points: number;
}

/**
 * Puts the instruction counter into a module: a global that every function entry and every loop head decrements, and
 * that traps when it falls below zero. Functions keep their numbers, so the name section stays true. The module must
 * import no globals. Throws MODULE_INVALID for what it does not understand.
 */
export const withCounter = (wasm: Uint8Array, sections: readonly Section[]): CountedModule => {
  const only = (id: number, what: string): Section => {
    const [found, ...more] = sections.filter((section) => section.id === id);
    if (found === undefined || more.length > 0) throw invalidModule(`has not exactly one section of ${what}`);
    return found;
  };
  const globalSection = only(SECTION.global, 'globals');
  const globals = new WasmReader(wasm, globalSection.start, globalSection.end).u32();
  const { code, points } = countedCode(wasm, only(SECTION.code, 'code'), globals);
  const name = Buffer.from(counterExport);
  const replaced = new Map<number, Buffer>([
    // An i32, mutable, that starts full.
    [SECTION.global, withEntry(wasm, globalSection, [0x7f, 0x01, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x0b])],
    [
      SECTION.export,
      withEntry(wasm, only(SECTION.export, 'exports'), [...leb128(name.length), ...name, 3, ...leb128(globals)]),
    ],
    [SECTION.code, code],
  ]);
  const out = new Output();
  out.bytes(wasm.subarray(0, 8));
  for (const section of sections) {
    const content = replaced.get(section.id) ?? wasm.subarray(section.start, section.end);
    out.bytes(Uint8Array.of(section.id));
    out.number(content.length);
    out.bytes(content);
  }
  return { wasm: out.all(), points };
};
