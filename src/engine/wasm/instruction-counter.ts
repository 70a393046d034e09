import { codeOf } from './functions.ts';
import { OPCODE, passLocals, passOperands, plainNumbers, weights } from './instructions.ts';
import type { WasmReader } from './reader.ts';
import { invalidModule, leb128, signedLeb128 } from './reader.ts';
import type { Section } from './sections.ts';
import { changedCode, exportOf, onlySection, SECTION, sectionReader, withEntries, withSections } from './sections.ts';

/** Under this name the counter is exported; OPA exports nothing like it. */
export const counterExport = 'verdict.points';

/** The most that the counter holds. */
export const fullCounter = 0x7fff_ffff;

/** What it holds until the host sets it: many times what a policy takes to start, and some 0.02 s. */
const startPoints = 20_000_000;

/** Instructions for which a point is counted, so that long code without loops costs what it takes. */
const instructionsPerPoint = 32;

interface CountingPoint {
  /** Where it is put, from the start of the module. */
  readonly at: number;
  cost: number;
}

interface Places {
  /** In their order. */
  readonly points: readonly CountingPoint[];
  /** Where the memory is grown by nothing, which says how large it is. */
  readonly sizes: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Places within a function's body at which points are counted: its entry and the head of each loop. Each costs one
 * point and more for the length of the code that it stands for, inner loops included: whatever branches are taken,
 * that is the most that runs before the next place. `globals` is how many the module has: the body must not name the
 * one that is added.
 */
const countingPoints = (body: WasmReader, globals: number): Places => {
  passLocals(body);
  const { bytes, end } = body;
  let { at } = body;
  const points: CountingPoint[] = [{ at, cost: 0 }];
  const sizes: { from: number; to: number }[] = [];
  // Of each block that is open, two numbers: the place that counts for it, or -1, and the weight of the code before it.
  const open = [0, 0];
  let weight = 0;
  let zeroAt = -1;
  while (at < end) {
    const opcode = bytes[at] as number;
    // Most code is run once, before V8 has compiled this: nothing is called for the most usual instructions.
    const numbers = plainNumbers[opcode] as number;
    if (numbers === 0 || (numbers === 1 && at + 1 < end && (bytes[at + 1] as number) < 0x80)) {
      at += 1 + numbers;
      weight++;
      continue;
    }
    body.at = at + 1;
    passOperands(opcode, body, globals);
    if (opcode === OPCODE.memoryGrow && zeroAt === at - 2) sizes.push({ from: zeroAt, to: body.at });
    if (opcode === OPCODE.i32Const && bytes[at + 1] === 0) zeroAt = at;
    at = body.at;
    weight += weights[opcode] as number;
    if (opcode === OPCODE.loop) open.push(points.push({ at, cost: 0 }) - 1, weight);
    else if (opcode === OPCODE.block || opcode === OPCODE.if) open.push(-1, weight);
    else if (opcode === OPCODE.end) {
      if (open.length === 0) throw invalidModule(`closes a block that is not open, at byte ${at}`);
      const before = open.pop() as number;
      const place = points[open.pop() as number];
      if (place !== undefined) place.cost = 1 + Math.floor((weight - before) / instructionsPerPoint);
    }
  }
  if (open.length > 0) throw invalidModule(`ends a function within a block, at byte ${at}`);
  return { points, sizes };
};

/** Points that the allocator takes beside those of its code, and bytes for which it takes one: pages that are new. */
const allocationPoints = 8;
const bytesPerPointBits = 2;

/** What an allocation costs more, of so many bytes as the first parameter says: `counter = counter - ...`. */
const allocation = (global: number): readonly number[] => {
  const at = leb128(global);
  const { globalGet, globalSet, i32Const, localGet } = OPCODE;
  const bytes = [localGet, 0, i32Const, bytesPerPointBits, 0x76];
  return [globalGet, ...at, ...bytes, 0x6b, i32Const, ...signedLeb128(allocationPoints), 0x6b, globalSet, ...at];
};

/** `counter = counter - cost; if (counter < 0) unreachable` */
const countdown = (global: number, cost: number): readonly number[] => {
  const at = leb128(global);
  const { globalGet, globalSet } = OPCODE;
  return [
    ...[globalGet, ...at, 0x41, ...signedLeb128(cost), 0x6b, globalSet, ...at],
    ...[globalGet, ...at, 0x41, 0, 0x48, OPCODE.if, 0x40, 0x00, OPCODE.end],
  ];
};

// Growing by nothing makes V8 believe that as much memory was taken as there is, and collect the garbage of the whole
// thread: in each instance once, since OPA's allocator asks so where its heap ends.
const size = Uint8Array.of(OPCODE.memorySize, 0);

export interface CountedModule {
  readonly wasm: Uint8Array;
  /** Places at which a point is counted. */
  readonly points: number;
}

/**
 * Puts the instruction counter into a module: a global that every function entry and every loop head lowers, and
 * that traps when it falls below zero. Where the memory is grown by nothing its size is asked for instead. Functions keep their numbers, so the name section stays true. The module must
 * import no globals. Throws MODULE_INVALID for what it does not understand.
 */
export const withCounter = (wasm: Uint8Array, sections: readonly Section[]): CountedModule => {
  const globalSection = onlySection(sections, SECTION.global, 'globals');
  const globals = sectionReader(wasm, globalSection).u32();
  const allocator = codeOf(wasm, sections, 'opa_malloc', '7f>7f');
  // Most places cost the same.
  const codes = new Map<number, Uint8Array>();
  const codeOfCost = (cost: number): Uint8Array => {
    const known = codes.get(cost);
    if (known !== undefined) return known;
    const made = Uint8Array.from(countdown(globals, cost));
    codes.set(cost, made);
    return made;
  };
  let points = 0;
  let functions = 0;
  const code = changedCode(wasm, onlySection(sections, SECTION.code, 'code'), (body) => {
    const places = countingPoints(body, globals);
    points += places.points.length;
    const changes = places.points.map(({ at, cost }) => ({ from: at, to: at, code: codeOfCost(cost) }));
    const [entry] = changes;
    if (functions++ === allocator && entry !== undefined) {
      entry.code = Uint8Array.of(...allocation(globals), ...entry.code);
    }
    if (places.sizes.length === 0) return changes;
    return [...changes, ...places.sizes.map((place) => ({ ...place, code: size }))].sort((a, b) => a.from - b.from);
  });
  const exported = onlySection(sections, SECTION.export, 'exports');
  const replaced = new Map<number, Buffer>([
    // A mutable i32.
    [SECTION.global, withEntries(wasm, globalSection, [[0x7f, 0x01, 0x41, ...signedLeb128(startPoints), OPCODE.end]])],
    [SECTION.export, withEntries(wasm, exported, [exportOf(counterExport, 3, globals)])],
    [SECTION.code, code],
  ]);
  return { wasm: withSections(wasm, sections, replaced), points };
};
