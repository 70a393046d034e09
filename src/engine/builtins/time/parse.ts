import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand } from '../operands.ts';
import { isInstant } from './instant.ts';
import { type LayoutPart, layoutParts, namedLayouts } from './layout.ts';
import { daysIn, secondsSince1970 } from './rfc3339.ts';

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = 'January February March April May June July August September October November December'.split(' ');

const bad = (): BuiltinError => new BuiltinError('cannot parse the time as the layout says');
const outOfRange = (what: string): BuiltinError => new BuiltinError(`cannot parse the time: ${what} out of range`);

/** What has been read of a time; absent is what the layout did not ask for. */
interface Fields {
  year: number;
  month?: number;
  day?: number;
  yearDay?: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  half?: 'AM' | 'PM';
  isUtc: boolean;
  /** Seconds east. */
  offset?: number;
}

/** A text that is read from its beginning on. */
class Text {
  rest: string;

  constructor(text: string) {
    this.rest = text;
  }

  /** What the pattern, anchored by its caller, finds here; it is an error when it finds nothing. */
  take(pattern: RegExp): string {
    const found = pattern.exec(this.rest)?.[0];
    if (found === undefined) throw bad();
    this.rest = this.rest.slice(found.length);
    return found;
  }

  number(pattern: RegExp): number {
    return Number(this.take(pattern));
  }

  within(pattern: RegExp, least: number, most: number, what: string): number {
    const value = this.number(pattern);
    if (value < least || value > most) throw outOfRange(what);
    return value;
  }

  /** One of the names, in any case; its place among them. */
  name(names: readonly string[]): number {
    const at = names.findIndex((name) => this.rest.slice(0, name.length).toLowerCase() === name.toLowerCase());
    this.rest = this.rest.slice(names[at]?.length ?? 0);
    if (at < 0) throw bad();
    return at;
  }

  /** Text that the layout has as it is; any number of spaces stands for any other. */
  literal(text: string): void {
    for (const piece of text.match(/ +|[^ ]+/g) ?? []) {
      if (piece.startsWith(' ')) {
        if (this.rest !== '' && !this.rest.startsWith(' ')) throw bad();
        this.rest = this.rest.replace(/^ +/, '');
      } else {
        if (!this.rest.startsWith(piece)) throw bad();
        this.rest = this.rest.slice(piece.length);
      }
    }
  }
}

const oneOrTwo = /^\d\d?/;
const two = /^\d\d/;

/** A point or comma and digits, of which nine count. */
const fractionNs = (text: string): number => Number(text.slice(1, 10).padEnd(9, '0'));

type Read = (text: Text, fields: Fields, next: string | undefined) => void;

const readSecond =
  (digits: RegExp): Read =>
  (text, fields, next) => {
    fields.second = text.within(digits, 0, 59, 'second');
    // A fraction may follow where the layout has none.
    if (/^[.,]\d/.test(text.rest) && !/^[.,]/.test(next ?? '')) fields.nanosecond = fractionNs(text.take(/^.\d+/));
  };

const readDays =
  (field: 'day' | 'yearDay', form: RegExp): Read =>
  (text, fields) => {
    fields[field] = text.number(form);
  };

const readHalf =
  (form: RegExp): Read =>
  (text, fields) => {
    fields.half = text.take(form).toUpperCase() as 'AM' | 'PM';
  };

const readWithin =
  (field: 'month' | 'hour' | 'minute', form: RegExp, least: number, most: number): Read =>
  (text, fields) => {
    fields[field] = text.within(form, least, most, field);
  };

const readName =
  (names: readonly string[], isMonth: boolean): Read =>
  (text, fields) => {
    const at = text.name(names);
    if (isMonth) fields.month = at + 1;
  };

const short = (names: readonly string[]): string[] => names.map((name) => name.slice(0, 3));

const zoneName =
  /^(?:ChST|MeST|GMT(?:[+-](?:0*(?:2[0-3]|1?\d)(?!\d)))?|[+-]0*(?:2[0-3]|1?\d)(?!\d)|(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z]))/;

const readers: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['January', readName(months, true)],
  ['Jan', readName(short(months), true)],
  ['Monday', readName(days, false)],
  ['Mon', readName(short(days), false)],
  [
    'MST',
    (text, fields) => {
      if (text.rest.startsWith('UTC')) fields.isUtc = true;
      text.take(fields.isUtc && text.rest.startsWith('UTC') ? /^UTC/ : zoneName);
    },
  ],
  ['01', readWithin('month', two, 1, 12)],
  ['1', readWithin('month', oneOrTwo, 1, 12)],
  ['02', readDays('day', two)],
  ['2', readDays('day', oneOrTwo)],
  ['_2', readDays('day', /^ ?\d\d?/)],
  ['002', readDays('yearDay', /^\d{3}/)],
  ['__2', readDays('yearDay', /^ {0,2}\d{1,3}/)],
  ['15', readWithin('hour', oneOrTwo, 0, 23)],
  ['03', readWithin('hour', two, 0, 12)],
  ['3', readWithin('hour', oneOrTwo, 0, 12)],
  ['04', readWithin('minute', two, 0, 59)],
  ['4', readWithin('minute', oneOrTwo, 0, 59)],
  ['05', readSecond(two)],
  ['5', readSecond(oneOrTwo)],
  [
    '06',
    (text, fields) => {
      const year = Number(text.take(/^(?:\d\d|[+-]\d)/));
      fields.year = year + (year >= 69 ? 1900 : 2000);
    },
  ],
  [
    '2006',
    (text, fields) => {
      fields.year = text.number(/^\d{4}/);
    },
  ],
  ['PM', readHalf(/^(?:AM|PM)/)],
  ['pm', readHalf(/^(?:am|pm)/)],
]);

const readOffset = (text: Text, fields: Fields, element: string): void => {
  if (element.startsWith('Z') && text.rest.startsWith('Z')) {
    fields.isUtc = true;
    text.take(/^Z/);
    return;
  }
  const form = element.slice(1).replace(/\d\d/g, '(\\d\\d)');
  const found = text.take(new RegExp(`^[+-]${form}`));
  const [hours = 0, minutes = 0, seconds = 0] = (found.match(/\d\d/g) ?? []).map(Number);
  // Some people write offsets of 24 hours or 60 minutes: Go takes them.
  if (hours > 24 || minutes > 60 || seconds > 60) throw outOfRange('time zone offset');
  fields.offset = ((hours * 60 + minutes) * 60 + seconds) * (found.startsWith('-') ? -1 : 1);
};

/** As many characters as the layout has: nine count, and the first may be a sign. */
const exactFraction = (text: Text, digits: number): number => {
  if (text.rest.length <= digits) throw bad();
  const found = text.rest.slice(0, digits + 1);
  text.rest = text.rest.slice(digits + 1);
  const [, sign, value] = /^[.,]([+-]?)(\d*)$/.exec(found.slice(0, 10)) ?? [];
  if (value === undefined) throw bad();
  const ns = Number(value) * 10 ** (9 - Math.min(digits, 9));
  if (sign === '-' && ns > 0) throw outOfRange('fractional second');
  return ns;
};

const readFraction = (text: Text, fields: Fields, element: string): void => {
  if (element[1] === '0') fields.nanosecond = exactFraction(text, (element.length - 1) & 0xfff);
  else if (/^[.,]\d/.test(text.rest)) fields.nanosecond = fractionNs(text.take(/^.\d+/));
};

const readPart = (
  text: Text,
  fields: Fields,
  { text: literal, element }: LayoutPart,
  next: string | undefined,
): void => {
  text.literal(literal);
  if (element === undefined) return;
  const read = readers.get(element);
  if (read) read(text, fields, next);
  else if (/^[.,]/.test(element)) readFraction(text, fields, element);
  else readOffset(text, fields, element);
};

/** Month and day of a day of the year. */
const monthAndDay = (year: number, yearDay: number): readonly [month: number, day: number] => {
  let rest = yearDay;
  for (let month = 1; month <= 12; month++) {
    const length = daysIn(year, month);
    if (rest >= 1 && rest <= length) return [month, rest];
    rest -= length;
  }
  throw outOfRange('day-of-year');
};

const dateOf = ({ year, month, day, yearDay }: Fields): readonly [month: number, day: number] => {
  if (yearDay === undefined) return [month ?? 1, day ?? 1];
  const found = monthAndDay(year, yearDay);
  const differs = (month !== undefined && month !== found[0]) || (day !== undefined && day !== found[1]);
  if (differs) throw new BuiltinError('day-of-year does not match month and day');
  return found;
};

const hourOf = ({ hour, half }: Fields): number => {
  if (half === 'PM' && hour < 12) return hour + 12;
  return half === 'AM' && hour === 12 ? 0 : hour;
};

const instantOf = (fields: Fields): bigint => {
  const [month, day] = dateOf(fields);
  if (day < 1 || day > daysIn(fields.year, month)) throw outOfRange('day');
  const clock = hourOf(fields) * 3600 + fields.minute * 60 + fields.second;
  // For Go an offset of one second west is none: it is its mark for none.
  const offset = fields.isUtc || fields.offset === -1 ? 0 : (fields.offset ?? 0);
  const seconds = secondsSince1970(fields.year, month, day) + BigInt(clock - offset);
  return seconds * 1_000_000_000n + BigInt(fields.nanosecond);
};

/** `time.parse_ns`: the names of zones are read, and mean nothing: their time counts as UTC. */
export const parseNs: Builtin = (_scope, layoutOrName, value) => {
  const name = byteStringOperand(layoutOrName, 1);
  const text = new Text(byteStringOperand(value, 2));
  const fields: Fields = { year: 0, hour: 0, minute: 0, second: 0, nanosecond: 0, isUtc: false };
  const parts = layoutParts(namedLayouts.get(name) ?? name);
  for (const [at, part] of parts.entries()) readPart(text, fields, part, parts[at + 1]?.element);
  if (text.rest !== '') throw bad();
  const ns = instantOf(fields);
  if (!isInstant(ns)) throw new BuiltinError('time outside of valid range');
  return regoInteger(ns);
};
