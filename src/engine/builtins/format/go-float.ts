// Floats as Go's strconv.FormatFloat writes them: exact decimals of the binary value, rounded half to even.

interface Digits {
  /** Significant digits, none for zero. */
  readonly digits: string;
  /** The value is 0.digits x 10^point. */
  readonly point: number;
}

interface Binary {
  readonly negative: boolean;
  /** The value is mantissa x 2^exponent. */
  readonly mantissa: bigint;
  readonly exponent: number;
}

const view = new DataView(new ArrayBuffer(8));

const binaryOf = (value: number): Binary => {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  return {
    negative: bits >> 63n === 1n,
    mantissa: biased === 0 ? fraction : fraction | (1n << 52n),
    exponent: Math.max(biased, 1) - 1075,
  };
};

const exactDigits = ({ mantissa, exponent }: Binary): Digits => {
  if (mantissa === 0n) return { digits: '', point: 0 };
  const scaled = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const all = String(scaled);
  return { digits: all.replace(/0+$/, ''), point: all.length + Math.min(exponent, 0) };
};

const shortestDigits = (value: number): Digits => {
  if (value === 0) return { digits: '', point: 0 };
  const [mantissa = '', exponent] = Math.abs(value).toExponential().split('e');
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
};

/** Cut after `count` digits, rounded to the nearest, ties to even. */
const cut = ({ digits, point }: Digits, count: number): Digits => {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: '', point: 0 };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const odd = count > 0 && Number(kept[count - 1]) % 2 === 1;
  const up = rest > '5' || (rest === '5' && odd);
  if (!up) return { digits: kept.replace(/0+$/, ''), point: kept === '' ? 0 : point };
  const raised = String(BigInt(`0${kept}`) + 1n);
  const grown = raised.length > count ? 1 : 0;
  return { digits: raised.padStart(count, '0').replace(/0+$/, ''), point: point + grown };
};

const fixed = ({ digits, point }: Digits, places: number): string => {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (places <= 0) return whole;
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, places)) + digits;
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`;
};

const scientific = ({ digits, point }: Digits, places: number, letter: string): string => {
  const fraction = places > 0 ? `.${digits.slice(1, places + 1).padEnd(places, '0')}` : '';
  const exponent = digits === '' ? 0 : point - 1;
  return `${digits[0] ?? '0'}${fraction}${letter}${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
};

const general = (value: number, binary: Binary, precision: number, letter: string): string => {
  const shortest = precision < 0;
  const wanted = precision === 0 ? 1 : precision;
  const found = shortest ? shortestDigits(value) : cut(exactDigits(binary), wanted);
  const count = found.digits.length;
  const places = shortest ? count : wanted;
  let limit = places > count && count >= found.point ? count : places;
  if (shortest) limit = 6;
  const exponent = found.point - 1;
  if (count > 0 && (exponent < -4 || exponent >= limit)) return scientific(found, Math.min(places, count) - 1, letter);
  return fixed(found, Math.max(count - found.point, 0));
};

const hexadecimal = ({ mantissa, exponent }: Binary, precision: number, upper: boolean): string => {
  const one = 1n << 60n;
  let bits = mantissa << 8n;
  let power = mantissa === 0n ? 0 : exponent + 52;
  while (bits !== 0n && (bits & one) === 0n) {
    bits <<= 1n;
    power--;
  }
  if (precision >= 0 && precision < 15) {
    const kept = 60n - BigInt(precision * 4);
    const extra = bits & ((1n << kept) - 1n);
    bits >>= kept;
    const half = 1n << (kept - 1n);
    if (extra > half || (extra === half && (bits & 1n) === 1n)) bits++;
    bits <<= kept;
    if ((bits & (one << 1n)) !== 0n) {
      bits >>= 1n;
      power++;
    }
  }
  const digits = (bits & (one - 1n)).toString(16).padStart(15, '0');
  const shown = precision < 0 ? digits.replace(/0+$/, '') : digits.slice(0, precision).padEnd(precision, '0');
  const size = String(Math.abs(power)).padStart(2, '0');
  const text = `0x${(bits & one) === 0n ? 0 : 1}${shown === '' ? '' : `.${shown}`}p${power < 0 ? '-' : '+'}${size}`;
  return upper ? text.toUpperCase() : text;
};

/** The text of a finite float; `precision` -1 is the shortest that means the same float. */
export const goFloat = (value: number, verb: string, precision: number): string => {
  const binary = binaryOf(value);
  const sign = binary.negative ? '-' : '';
  switch (verb) {
    case 'e':
    case 'E': {
      const digits = precision < 0 ? shortestDigits(value) : cut(exactDigits(binary), precision + 1);
      return sign + scientific(digits, precision < 0 ? Math.max(digits.digits.length - 1, 0) : precision, verb);
    }
    case 'f': {
      if (precision < 0) {
        const digits = shortestDigits(value);
        return sign + fixed(digits, Math.max(digits.digits.length - digits.point, 0));
      }
      const exact = exactDigits(binary);
      return sign + fixed(cut(exact, exact.point + precision), precision);
    }
    case 'g':
      return sign + general(value, binary, precision, 'e');
    case 'G':
      return sign + general(value, binary, precision, 'E');
    case 'b':
      return `${sign}${binary.mantissa}p${binary.exponent < 0 ? '-' : '+'}${Math.abs(binary.exponent)}`;
    default:
      return sign + hexadecimal(binary, precision, verb === 'X');
  }
};
