// CRC32C (Castagnoli, as in iSCSI and ext4): what node:zlib offers is the other polynomial.
const polynomial = 0x82f63b78 | 0;

/** Eight tables of 256: table k is the effect of a byte that k more bytes follow. */
const tables = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  tables[byte] = crc;
}
for (let index = 256; index < tables.length; index++) {
  const before = tables[index - 256] as number;
  tables[index] = (before >>> 8) ^ (tables[before & 0xff] as number);
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] as number;
const entry = (index: number): number => tables[index] as number;

/** CRC32C of `bytes[start, end)`, going on from `previous` (0 at the beginning). Unsigned. */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length, previous = 0): number => {
  let crc = ~previous;
  let next = start;
  for (const last = end - 8; next <= last; next += 8) {
    const first =
      at(bytes, next) | (at(bytes, next + 1) << 8) | (at(bytes, next + 2) << 16) | (at(bytes, next + 3) << 24);
    const low = crc ^ first;
    crc =
      entry(1792 + (low & 0xff)) ^
      entry(1536 + ((low >>> 8) & 0xff)) ^
      entry(1280 + ((low >>> 16) & 0xff)) ^
      entry(1024 + (low >>> 24)) ^
      entry(768 + at(bytes, next + 4)) ^
      entry(512 + at(bytes, next + 5)) ^
      entry(256 + at(bytes, next + 6)) ^
      entry(at(bytes, next + 7));
  }
  for (; next < end; next++) crc = (crc >>> 8) ^ entry((crc ^ at(bytes, next)) & 0xff);
  return ~crc >>> 0;
};

/** Product of two polynomials modulo ours, bits reflected as in the CRC itself. */
const multiply = (a: number, b: number): number => {
  let product = 0;
  let factor = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ polynomial : factor >>> 1;
  }
  return product;
};

/** x to the power of 8 * 2^k, for k = 0 ... 31. */
const powers = new Int32Array(32);
let power = 1 << 30;
for (let squaring = 0; squaring < 3; squaring++) power = multiply(power, power);
for (let k = 0; k < powers.length; k++) {
  powers[k] = power;
  power = multiply(power, power);
}

/** What `length` further bytes do to a CRC that stands before them; made once, for `crcJoin`. */
export const crcShift = (length: number): number => {
  let shift = 1 << 31;
  for (let k = 0, rest = length; rest > 0; k++, rest >>>= 1) {
    if (rest & 1) shift = multiply(shift, powers[k] as number);
  }
  return shift;
};

/** The CRC of A followed by B, from the CRC of each and `crcShift(length of B)`: B is not read again. */
export const crcJoin = (crcA: number, shiftB: number, crcB: number): number => (multiply(shiftB, crcA) ^ crcB) >>> 0;
