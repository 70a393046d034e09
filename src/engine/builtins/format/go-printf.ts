import { byteOf, bytesOfText } from './byte-text.ts';
import { goFloat } from './go-float.ts';
import { canBackquote, goQuote, goQuoteRune, isPrintable } from './go-quote.ts';

/** What `sprintf` hands to Go's fmt: a 64-bit integer, a larger one, a float, a text. */
export type Argument =
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'big'; readonly value: bigint }
  | { readonly kind: 'float64'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string };

const typeNames = { int64: 'int64', big: '*big.Int', float64: 'float64', string: 'string' } as const;

interface Flags {
  sharp: boolean;
  zero: boolean;
  plus: boolean;
  minus: boolean;
  space: boolean;
  /** `%#v` and `%+v`: meant for Go's own syntax. */
  sharpV: boolean;
  plusV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

const noFlags = (): Flags => ({
  sharp: false,
  zero: false,
  plus: false,
  minus: false,
  space: false,
  sharpV: false,
  plusV: false,
  width: undefined,
  precision: undefined,
});

// fmt itself takes no larger widths and precisions.
const MOST = 1_000_000;

const runes = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

const padding = (flags: Flags, count: number): string =>
  (flags.zero && !flags.minus ? '0' : ' ').repeat(Math.max(count, 0));

const padded = (flags: Flags, text: string): string => {
  const fill = padding(flags, (flags.width ?? 0) - runes(text));
  return flags.minus ? text + fill : fill + text;
};

const withoutZero = (flags: Flags): Flags => ({ ...flags, zero: false });

const badVerb = (verb: string, argument: Argument, flags: Flags): string =>
  `%!${verb}(${typeNames[argument.kind]}=${printed(argument, 'v', flags)})`;

const signOf = (negative: boolean, { plus, space }: Flags): string => (negative ? '-' : plus ? '+' : space ? ' ' : '');

const bases: { readonly [verb: string]: number } = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

const integer = (value: bigint, verb: string, flags: Flags): string => {
  const base = bases[verb] as number;
  const negative = value < 0n;
  const { precision, width } = flags;
  if (precision === 0 && value === 0n) return padding(withoutZero(flags), width ?? 0);
  const sign = signOf(negative, flags);
  let least = precision ?? 0;
  if (precision === undefined && flags.zero && !flags.minus && width !== undefined) least = width - sign.length;
  let digits = (negative ? -value : value).toString(base).padStart(least, '0');
  if (verb === 'X') digits = digits.toUpperCase();
  if (flags.sharp) {
    if (base === 2) digits = `0b${digits}`;
    else if (base === 8 && !digits.startsWith('0')) digits = `0${digits}`;
    else if (base === 16) digits = `0${verb === 'X' ? 'X' : 'x'}${digits}`;
  }
  if (verb === 'O') digits = `0o${digits}`;
  return padded(withoutZero(flags), sign + digits);
};

const REPLACEMENT = '\ufffd';
const runeOf = (value: bigint): string => {
  const isRune = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return isRune ? String.fromCodePoint(Number(value)) : REPLACEMENT;
};

const unicode = (value: bigint, flags: Flags): string => {
  const code = BigInt.asUintN(64, value);
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(flags.precision ?? 0, 4), '0');
  const character = code <= 0x10ffffn ? runeOf(code) : '';
  const shown = flags.sharp && character !== '' && character !== REPLACEMENT && isPrintable(character);
  return padded(withoutZero(flags), `U+${digits}${shown ? ` '${character}'` : ''}`);
};

const int64 = (argument: Argument & { kind: 'int64' }, verb: string, flags: Flags): string => {
  const { value } = argument;
  if (verb in bases) return integer(value, verb, flags);
  if (verb === 'c') return padded(flags, runeOf(value));
  if (verb === 'q') return padded(flags, goQuoteRune(runeOf(value), flags.plus));
  return verb === 'U' ? unicode(value, flags) : badVerb(verb, argument, flags);
};

/** math/big formats its integers itself, a little differently from fmt. */
const bigInteger = (value: bigint, verb: string, flags: Flags): string => {
  const base = verb === 's' ? 10 : bases[verb];
  if (base === undefined) return `%!${verb}(big.Int=${value})`;
  const negative = value < 0n;
  const sign = signOf(negative, { ...flags, plus: flags.plus || flags.plusV });
  const sharp = flags.sharp || flags.sharpV;
  const marks: { readonly [verb: string]: string } = { b: '0b', o: '0', x: '0x', X: '0X' };
  const prefix = verb === 'O' ? '0o' : sharp ? (marks[verb] ?? '') : '';
  let digits = (negative ? -value : value).toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  if (flags.precision !== undefined) digits = digits.padStart(flags.precision, '0');
  const room = (flags.width ?? 0) - sign.length - prefix.length - digits.length;
  if (room <= 0) return sign + prefix + digits;
  if (flags.minus) return sign + prefix + digits + ' '.repeat(room);
  if (flags.zero && flags.precision === undefined) return sign + prefix + '0'.repeat(room) + digits;
  return ' '.repeat(room) + sign + prefix + digits;
};

/** Puts the decimal point and the zeros back that `#` asks for. */
const sharpened = (number: string, verb: string, precision: number): string => {
  let wanted = 'vgGx'.includes(verb) ? (precision === -1 ? 6 : precision) : 0;
  const mark = verb === 'x' || verb === 'X' ? /[pP]/ : /[eEpP]/;
  const tailAt = number.search(mark);
  const body = tailAt < 0 ? number : number.slice(0, tailAt);
  const tail = tailAt < 0 ? '' : number.slice(tailAt);
  const digits = body.replace('.', '');
  // The x of 0x counts as a digit that is not zero: fmt looks no closer.
  wanted -= digits.replace(/^0+/, '').length;
  const hasPoint = body.includes('.');
  if (!hasPoint && body === '0') wanted--;
  return `${body}${hasPoint ? '' : '.'}${'0'.repeat(Math.max(wanted, 0))}${tail}`;
};

const float = (value: number, verb: string, standard: number, flags: Flags): string => {
  const precision = flags.precision ?? standard;
  const text = goFloat(value, verb, precision);
  const negative = text.startsWith('-');
  let number = negative ? text.slice(1) : text;
  if (flags.sharp && verb !== 'b') number = sharpened(number, verb, precision);
  const sign = signOf(negative, flags);
  const width = flags.width ?? 0;
  if (sign !== '' && flags.zero && !flags.minus && width > number.length + 1) {
    return sign + padding(flags, width - number.length - 1) + number;
  }
  return padded(flags, sign + number);
};

const float64 = (argument: Argument & { kind: 'float64' }, verb: string, flags: Flags): string => {
  const { value } = argument;
  if (verb === 'v') return float(value, 'g', -1, flags);
  if ('bgGxX'.includes(verb)) return float(value, verb, -1, flags);
  if ('feE'.includes(verb)) return float(value, verb, 6, flags);
  return verb === 'F' ? float(value, 'f', 6, flags) : badVerb(verb, argument, flags);
};

const cutTo = (text: string, precision: number | undefined): string =>
  precision === undefined || text.length <= precision ? text : [...text].slice(0, precision).join('');

const hexBytes = (text: string, verb: string, flags: Flags): string => {
  const bytes = bytesOfText(text).subarray(0, flags.precision);
  if (bytes.length === 0) return padding(flags, flags.width ?? 0);
  const mark = flags.sharp ? `0${verb}` : '';
  const digits = bytes.toString('hex');
  const own = verb === 'X' ? digits.toUpperCase() : digits;
  const shown = flags.space ? (own.match(/../g) ?? []).map((pair) => mark + pair).join(' ') : mark + own;
  // The width that fmt reckons with: twice as much as it writes for `# `.
  const { length } = bytes;
  const reckoned = 2 * length * (flags.space && flags.sharp ? 2 : 1) + (flags.space ? length - 1 : flags.sharp ? 2 : 0);
  const fill = padding(flags, (flags.width ?? 0) - reckoned);
  return flags.minus ? shown + fill : fill + shown;
};

const quotedText = (text: string, flags: Flags): string => {
  const own = cutTo(text, flags.precision);
  return padded(flags, flags.sharp && canBackquote(own) ? `\`${own}\`` : goQuote(own, flags.plus));
};

const string = (argument: Argument & { kind: 'string' }, verb: string, flags: Flags): string => {
  const { value } = argument;
  if (verb === 'q' || (verb === 'v' && flags.sharpV)) return quotedText(value, flags);
  if (verb === 'v' || verb === 's') return padded(flags, cutTo(value, flags.precision));
  return verb === 'x' || verb === 'X' ? hexBytes(value, verb, flags) : badVerb(verb, argument, flags);
};

const printed = (argument: Argument, verb: string, flags: Flags): string => {
  if (verb === 'T') return padded(flags, cutTo(typeNames[argument.kind], flags.precision));
  switch (argument.kind) {
    case 'int64':
      return int64(argument, verb, flags);
    case 'big':
      return bigInteger(argument.value, verb, flags);
    case 'float64':
      return float64(argument, verb, flags);
    case 'string':
      return string(argument, verb, flags);
  }
};

/** Go's fmt.Sprintf, for the arguments that OPA gives it. */
export class Printf {
  private readonly format: string;
  private readonly args: readonly Argument[];
  private readonly mostLength: number;
  private out = '';
  private at = 0;
  private next = 0;
  private reordered = false;
  private goodIndex = true;
  private afterIndex = false;

  /** @param mostLength UTF-16 units that the text may have */
  constructor(format: string, args: readonly Argument[], mostLength: number) {
    this.format = format;
    this.args = args;
    this.mostLength = mostLength;
  }

  /** Undefined when the text would be too long. */
  text(): string | undefined {
    const { format } = this;
    while (this.at < format.length) {
      const percent = format.indexOf('%', this.at);
      const end = percent < 0 ? format.length : percent;
      this.out += format.slice(this.at, end);
      this.at = end + 1;
      if (percent >= 0 && !this.verb()) break;
      if (this.out.length > this.mostLength) return undefined;
    }
    if (!this.reordered && this.next < this.args.length) this.extra();
    return this.out.length > this.mostLength ? undefined : this.out;
  }

  private extra(): void {
    const rest = this.args.slice(this.next);
    const shown = rest.map((argument) => `${typeNames[argument.kind]}=${printed(argument, 'v', noFlags())}`);
    this.out += `%!(EXTRA ${shown.join(', ')})`;
  }

  /** One verb, from behind its percent sign; false at the end of the format. */
  private verb(): boolean {
    const flags = noFlags();
    this.goodIndex = true;
    this.afterIndex = false;
    this.readFlags(flags);
    this.readIndex();
    this.readWidth(flags);
    this.readPrecision(flags);
    if (!this.afterIndex) this.readIndex();
    if (this.at >= this.format.length) {
      this.out += '%!(NOVERB)';
      return false;
    }
    const code = this.format.codePointAt(this.at) as number;
    const verb = String.fromCodePoint(code);
    this.at += verb.length;
    this.print(verb, flags);
    return true;
  }

  private print(written: string, flags: Flags): void {
    // A byte that is no UTF-8 is U+FFFD to fmt.
    const verb = byteOf(written) === undefined ? written : REPLACEMENT;
    if (verb === '%') {
      this.out += '%';
      return;
    }
    if (!this.goodIndex) {
      this.out += `%!${verb}(BADINDEX)`;
      return;
    }
    const argument = this.args[this.next];
    if (argument === undefined) {
      this.out += `%!${verb}(MISSING)`;
      return;
    }
    this.next++;
    if (verb === 'v' || verb === 'w') {
      flags.sharpV = flags.sharp;
      flags.sharp = false;
      flags.plusV = flags.plus;
      flags.plus = false;
    }
    this.out += printed(argument, verb, flags);
  }

  private readFlags(flags: Flags): void {
    for (; this.at < this.format.length; this.at++) {
      const flag = this.format[this.at];
      if (flag === '#') flags.sharp = true;
      else if (flag === '0') flags.zero = true;
      else if (flag === '+') flags.plus = true;
      else if (flag === '-') flags.minus = true;
      else if (flag === ' ') flags.space = true;
      else return;
    }
  }

  /** `[3]` before a star or the verb. */
  private readIndex(): void {
    if (this.format[this.at] !== '[') {
      this.afterIndex = false;
      return;
    }
    this.reordered = true;
    const close = this.format.indexOf(']', this.at);
    const inner = this.format.slice(this.at + 1, close);
    const index = close > 0 && /^[0-9]+$/.test(inner) && Number(inner) <= MOST ? Number(inner) - 1 : undefined;
    this.at = close < 0 ? this.at + 1 : close + 1;
    this.afterIndex = index !== undefined;
    if (index !== undefined && index >= 0 && index < this.args.length) this.next = index;
    else this.goodIndex = false;
  }

  /** Digits here, as a number; undefined without any, or with too large a one (then the format is at its end). */
  private readNumber(): number | undefined {
    const [digits = ''] = /^[0-9]*/.exec(this.format.slice(this.at, this.at + 20)) ?? [];
    if (digits === '') return undefined;
    const value = Number(digits);
    if (value > MOST) {
      this.at = this.format.length;
      return undefined;
    }
    this.at += digits.length;
    return value;
  }

  /** The integer argument for a star. */
  private starred(): number | undefined {
    this.at++;
    this.afterIndex = false;
    const argument = this.args[this.next];
    if (argument === undefined) return undefined;
    this.next++;
    if (argument.kind !== 'int64' || argument.value > BigInt(MOST) || argument.value < -BigInt(MOST)) return undefined;
    return Number(argument.value);
  }

  private readWidth(flags: Flags): void {
    if (this.format[this.at] !== '*') {
      flags.width = this.readNumber();
      if (this.afterIndex && flags.width !== undefined) this.goodIndex = false;
      return;
    }
    const width = this.starred();
    if (width === undefined) this.out += '%!(BADWIDTH)';
    flags.width = width === undefined ? undefined : Math.abs(width);
    if (width !== undefined && width < 0) {
      flags.minus = true;
      flags.zero = false;
    }
  }

  private readPrecision(flags: Flags): void {
    // A point that ends the format is its verb.
    if (this.format[this.at] !== '.' || this.at + 1 >= this.format.length) return;
    this.at++;
    if (this.afterIndex) this.goodIndex = false;
    this.readIndex();
    if (this.format[this.at] !== '*') {
      flags.precision = this.readNumber() ?? 0;
      return;
    }
    const precision = this.starred();
    if (precision === undefined || precision < 0) this.out += '%!(BADPREC)';
    else flags.precision = precision;
  }
}
