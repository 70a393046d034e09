/**
 * Rego values, without loss: numbers are their decimal text, sets and objects may hold any value, and a string whose
 * bytes are no UTF-8 (a decoder's result) stays bytes.
 */
export type RegoValue = null | boolean | RegoNumber | string | RegoBytes | readonly RegoValue[] | RegoObject | RegoSet;

/** A number as its text: `1`, `-0.5`, `1e400`, `9007199254740993`. Two texts can be one number: use `compareValues`. */
export class RegoNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A string whose bytes are not valid UTF-8. Valid strings are always JavaScript strings. */
export class RegoBytes {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** A set: items in Rego's order, none twice. Make one with `regoSet`, which sorts. */
export class RegoSet {
  readonly items: readonly RegoValue[];
  constructor(sortedItems: readonly RegoValue[]) {
    this.items = sortedItems;
  }

  has(item: RegoValue): boolean {
    const { items } = this;
    const found = items[firstNotBelow(items.length, (at) => items[at] as RegoValue, item)];
    return found !== undefined && equalValues(found, item);
  }
}

export type RegoEntry = readonly [key: RegoValue, value: RegoValue];

/** An object: entries in Rego's order of their keys, no key twice. Make one with `regoObject`, which sorts. */
export class RegoObject {
  readonly entries: readonly RegoEntry[];
  constructor(sortedEntries: readonly RegoEntry[]) {
    this.entries = sortedEntries;
  }

  /** The value under a key, or undefined. */
  get(key: RegoValue): RegoValue | undefined {
    const { entries } = this;
    const entry = entries[firstNotBelow(entries.length, (at) => (entries[at] as RegoEntry)[0], key)];
    return entry !== undefined && equalValues(entry[0], key) ? entry[1] : undefined;
  }
}

const rank = (value: RegoValue): number => {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (value instanceof RegoNumber) return 2;
  if (typeof value === 'string' || value instanceof RegoBytes) return 3;
  if (Array.isArray(value)) return 4;
  return value instanceof RegoObject ? 5 : 6;
};

const utf8 = new TextEncoder();

/** The UTF-8 (or raw) bytes of a Rego string. */
export const bytesOf = (text: string | RegoBytes): Uint8Array =>
  typeof text === 'string' ? utf8.encode(text) : text.bytes;

// UTF-16 code units order as UTF-8 bytes do once surrogates stand above all other units.
const orderOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10_000 : unit);

const compareText = (a: string | RegoBytes, b: string | RegoBytes): number => {
  if (a === b) return 0;
  if (typeof a !== 'string' || typeof b !== 'string') return Buffer.compare(bytesOf(a), bytesOf(b));
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const difference = a.charCodeAt(at) - b.charCodeAt(at);
    if (difference !== 0) return orderOf(a.charCodeAt(at)) - orderOf(b.charCodeAt(at));
  }
  return a.length - b.length;
};

interface Decimal {
  readonly negative: boolean;
  /** Digits without leading or trailing zeros; empty for zero. */
  readonly digits: string;
  /** The value is 0.digits x 10^exponent. */
  readonly exponent: number;
}

const decimalOf = (text: string): Decimal => {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return { negative: false, digits: '', exponent: 0 };
  const whole = match[2] ?? '';
  const raw = whole + (match[3] ?? '');
  const stripped = raw.replace(/^0+/, '');
  const digits = stripped.replace(/0+$/, '');
  const exponent = whole.length - (raw.length - stripped.length) + Number(match[4] ?? 0);
  return { negative: match[1] === '-' && digits !== '', digits, exponent: digits === '' ? 0 : exponent };
};

const plainInteger = /^[1-9]\d*$/;

const compareNumbers = (a: string, b: string): number => {
  if (a === b) return 0;
  if (a.length < 16 && b.length < 16 && /^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return Number(a) - Number(b);
  if (plainInteger.test(a) && plainInteger.test(b)) return a.length - b.length || (a < b ? -1 : 1);
  const x = decimalOf(a);
  const y = decimalOf(b);
  if (x.negative !== y.negative) return x.negative ? -1 : 1;
  const sign = x.negative ? -1 : 1;
  if (x.digits === '' || y.digits === '') return x.digits === y.digits ? 0 : x.digits === '' ? -sign : sign;
  if (x.exponent !== y.exponent) return x.exponent < y.exponent ? -sign : sign;
  return x.digits === y.digits ? 0 : x.digits < y.digits ? -sign : sign;
};

const compareLists = (a: readonly RegoValue[], b: readonly RegoValue[]): number => {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const order = compareValues(a[at] as RegoValue, b[at] as RegoValue);
    if (order !== 0) return order;
  }
  return a.length - b.length;
};

const compareObjects = (a: RegoObject, b: RegoObject): number => {
  const shorter = Math.min(a.entries.length, b.entries.length);
  for (let at = 0; at < shorter; at++) {
    const [keyA, valueA] = a.entries[at] as RegoEntry;
    const [keyB, valueB] = b.entries[at] as RegoEntry;
    const order = compareValues(keyA, keyB) || compareValues(valueA, valueB);
    if (order !== 0) return order;
  }
  return a.entries.length - b.entries.length;
};

/**
 * Rego's order over all values: null, booleans, numbers (by value), strings (by UTF-8 bytes), arrays, objects, sets.
 * Negative, zero or positive, as for `Array.prototype.sort`.
 */
export const compareValues = (a: RegoValue, b: RegoValue): number => {
  if (a === b) return 0;
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  if (typeof a === 'boolean') return a ? 1 : -1;
  if (a instanceof RegoNumber) return compareNumbers(a.text, (b as RegoNumber).text);
  if (typeof a === 'string' || a instanceof RegoBytes) return compareText(a, b as string | RegoBytes);
  if (a instanceof RegoObject) return compareObjects(a, b as RegoObject);
  if (a instanceof RegoSet) return compareLists(a.items, (b as RegoSet).items);
  return compareLists(a as readonly RegoValue[], b as readonly RegoValue[]);
};

export const equalValues = (a: RegoValue, b: RegoValue): boolean => compareValues(a, b) === 0;

/** Where a value stands, or would stand, in a list in Rego's order. */
export const firstNotBelow = (length: number, valueAt: (at: number) => RegoValue, wanted: RegoValue): number => {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareValues(valueAt(middle), wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** A set of the items given, in any order, repeats allowed. */
export const regoSet = (items: Iterable<RegoValue>): RegoSet => {
  const sorted = [...items].sort(compareValues);
  return new RegoSet(sorted.filter((item, at) => at === 0 || !equalValues(sorted[at - 1] as RegoValue, item)));
};

/** An object of the entries given, in any order; of equal keys the last wins. */
export const regoObject = (entries: Iterable<RegoEntry>): RegoObject => {
  const sorted = [...entries].map((entry, at) => ({ entry, at }));
  sorted.sort((a, b) => compareValues(a.entry[0], b.entry[0]) || a.at - b.at);
  const last = sorted.filter(({ entry }, at) => {
    const next = sorted[at + 1];
    return next === undefined || !equalValues(entry[0], next.entry[0]);
  });
  return new RegoObject(last.map(({ entry }) => entry));
};

/** A Rego number from a JavaScript integer. */
export const regoInteger = (value: number | bigint): RegoNumber => new RegoNumber(String(value));
