import { OPCODE, passLocals, passOperands, weightOf } from './instructions.ts';
import { invalidModule, leb128, signedLeb128, WasmReader } from './reader.ts';

/** Under this name the counter is exported; OPA exports nothing like it. */
export const counterExport = 'verdict.points';

/** The most that the counter holds. */
export const fullCounter = 0x7fff_ffff;

/** What it holds until the host sets it: many times what a policy takes to start, and some 0.02 s. */
const startPoints = 20_000_000;

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

/** Instructions for which a point is counted, so that long code without loops costs what it takes. */
const instructionsPerPoint = 32;

interface CountingPoint {
  /** Where it is put, from the start of the module. */
  readonly at: number;
  readonly cost: number;
}

/** A block that is open: where it is a loop's or the function's own, with the weight of the code before it. */
interface Open {
  readonly at?: number;
  readonly before: number;
}

/**
 * Places within a function's body at which points are counted: its entry and the head of each loop. Each costs one
 * point and more for the length of the code that it stands for, inner loops included: whatever branches are taken,
 * that is the most that runs before the next place. `globals` is how many the module has: the body must not name the
 * one that is added.
 */
const countingPoints = (body: WasmReader, globals: number): readonly CountingPoint[] => {
  passLocals(body);
  const open: Open[] = [{ at: body.at, before: 0 }];
  const points: CountingPoint[] = [];
  let weight = 0;
  while (!body.done) {
    const opcode = body.byte();
    if (opcode === OPCODE.globalGet || opcode === OPCODE.globalSet) {
      if (body.u32() >= globals) throw invalidModule(`names a global that it does not have, at byte ${body.at}`);
    } else passOperands(opcode, body);
    weight += weightOf(opcode);
    if (opcode === OPCODE.loop) open.push({ at: body.at, before: weight });
    else if (opcode === OPCODE.block || opcode === OPCODE.if) open.push({ before: weight });
    else if (opcode === OPCODE.end) {
      const closed = open.pop();
      if (closed === undefined) throw invalidModule(`closes a block that is not open, at byte ${body.at}`);
      const cost = 1 + Math.floor((weight - closed.before) / instructionsPerPoint);
      if (closed.at !== undefined) points.push({ at: closed.at, cost });
    }
  }
  if (open.length > 0) throw invalidModule(`ends a function within a block, at byte ${body.at}`);
  return points.sort((a, b) => a.at - b.at);
};

/** `counter = counter - cost; if (counter < 0) unreachable` */
const countdown = (global: number, cost: number): Uint8Array => {
  const at = leb128(global);
  const { globalGet, globalSet } = OPCODE;
  return Uint8Array.of(
    ...[globalGet, ...at, 0x41, ...signedLeb128(cost), 0x6b, globalSet, ...at],
    ...[globalGet, ...at, 0x41, 0, 0x48, OPCODE.if, 0x40, 0x00, OPCODE.end],
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
  const out = new Output();
  const bodies = reader.u32();
  out.number(bodies);
  let points = 0;
  for (let count = bodies; count > 0; count--) {
    const body = reader.part(reader.u32());
    let from = body.at;
    const places = countingPoints(body, globals).map(({ at, cost }) => ({ at, code: countdown(globals, cost) }));
    points += places.length;
    out.number(places.reduce((length, { code }) => length + code.length, body.end - from));
    for (const { at, code } of places) {
      out.bytes(wasm.subarray(from, at));
      out.bytes(code);
      from = at;
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
 * Puts the instruction counter into a module: a global that every function entry and every loop head lowers, and
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
    // A mutable i32.
    [SECTION.global, withEntry(wasm, globalSection, [0x7f, 0x01, 0x41, ...signedLeb128(startPoints), OPCODE.end])],
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
