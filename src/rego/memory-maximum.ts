const memorySection = 5;
const pageBytes = 65_536;

const readVarint = (bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } => {
  let value = 0;
  let scale = 1;
  for (let at = from; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('the module ends inside a number');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at + 1 };
    scale *= 0x80;
  }
};

const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];

/**
 * The same Wasm module with a maximum on its (only) memory. Go writes none, so without this one builtin call could
 * take 4 GiB. Throws an Error when the bytes are no module with one memory.
 */
export const withMemoryMaximum = (module: Uint8Array, maximumBytes: number): Uint8Array => {
  let at = 8;
  while (at < module.length) {
    const size = readVarint(module, at + 1);
    if (module[at] !== memorySection) {
      at = size.next + size.value;
      continue;
    }
    const memories = readVarint(module, size.next);
    const minimum = readVarint(module, memories.next + 1);
    if (memories.value !== 1) throw new Error(`the module has ${memories.value} memories, not one`);
    const pages = Math.floor(maximumBytes / pageBytes);
    if (pages < minimum.value)
      throw new Error(`the module needs ${minimum.value} pages of memory, ${pages} are allowed`);
    const body = [1, 1, ...varint(minimum.value), ...varint(pages)];
    const section = Uint8Array.from([memorySection, ...varint(body.length), ...body]);
    const rest = module.subarray(size.next + size.value);
    const changed = new Uint8Array(at + section.length + rest.length);
    changed.set(module.subarray(0, at));
    changed.set(section, at);
    changed.set(rest, at + section.length);
    return changed;
  }
  throw new Error('the module has no memory section');
};
