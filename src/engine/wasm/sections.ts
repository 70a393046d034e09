import { invalidModule, leb128, WasmReader } from './reader.ts';

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

/** The one section of its kind. Throws MODULE_INVALID when there is another number of them. */
export const onlySection = (sections: readonly Section[], id: number, what: string): Section => {
  const [found, ...more] = sections.filter((section) => section.id === id);
  if (found === undefined || more.length > 0) throw invalidModule(`has not exactly one section of ${what}`);
  return found;
};

export const sectionReader = (wasm: Uint8Array, section: Section): WasmReader =>
  new WasmReader(wasm, section.start, section.end);

/** Collects bytes. */
export class Output {
  private room = new Uint8Array(1 << 16);
  length = 0;

  bytes(chunk: Uint8Array): void {
    this.reserve(chunk.length);
    this.room.set(chunk, this.length);
    this.length += chunk.length;
  }

  /** As unsigned LEB128. */
  number(value: number): void {
    this.bytes(Uint8Array.from(leb128(value)));
  }

  all(): Buffer {
    return Buffer.from(this.room.buffer, 0, this.length);
  }

  private reserve(size: number): void {
    if (this.length + size <= this.room.length) return;
    const { room } = this;
    this.room = new Uint8Array(2 * (this.length + size));
    this.room.set(room);
  }
}

/** A place in a function's body that is written otherwise; what is put in where `from` is `to`. */
export interface Change {
  readonly from: number;
  readonly to: number;
  readonly code: Uint8Array;
}

/** The content of a section of code with changes of each function's body, in their order, and functions at its end. */
export const changedCode = (
  wasm: Uint8Array,
  section: Section,
  changesOf: (body: WasmReader) => readonly Change[],
  added: readonly Uint8Array[] = [],
): Buffer => {
  const reader = sectionReader(wasm, section);
  const out = new Output();
  const bodies = reader.u32();
  out.number(bodies + added.length);
  for (let count = bodies; count > 0; count--) {
    const body = reader.part(reader.u32());
    let at = body.at;
    const changes = changesOf(body);
    out.number(changes.reduce((length, { from, to, code }) => length + code.length - (to - from), body.end - at));
    for (const { from, to, code } of changes) {
      out.bytes(wasm.subarray(at, from));
      out.bytes(code);
      at = to;
    }
    out.bytes(wasm.subarray(at, body.end));
  }
  if (!reader.done) throw invalidModule('has more code than functions');
  for (const body of added) {
    out.number(body.length);
    out.bytes(body);
  }
  return out.all();
};

/** The content of a section that is a list, with entries more at its end. */
export const withEntries = (wasm: Uint8Array, section: Section, entries: readonly (readonly number[])[]): Buffer => {
  const reader = sectionReader(wasm, section);
  const count = leb128(reader.u32() + entries.length);
  return Buffer.concat([
    Uint8Array.from(count),
    wasm.subarray(reader.at, section.end),
    ...entries.map((entry) => Uint8Array.from(entry)),
  ]);
};

/** An entry of the section of exports. */
export const exportOf = (name: string, kind: number, index: number): readonly number[] => {
  const bytes = Buffer.from(name);
  return [...leb128(bytes.length), ...bytes, kind, ...leb128(index)];
};

/** The module with other contents of some sections, by their kind. */
export const withSections = (
  wasm: Uint8Array,
  sections: readonly Section[],
  replaced: ReadonlyMap<number, Buffer>,
): Buffer => {
  const out = new Output();
  out.bytes(wasm.subarray(0, 8));
  for (const section of sections) {
    const content = replaced.get(section.id) ?? wasm.subarray(section.start, section.end);
    out.bytes(Uint8Array.of(section.id));
    out.number(content.length);
    out.bytes(content);
  }
  return out.all();
};
