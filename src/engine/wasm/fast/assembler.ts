import { leb128 } from '../reader.ts';

/** A function in Wasm's text form, without folded instructions. Names begin with `$`. */
export interface WrittenFunction {
  /** `$name:i32 $other:i64` */
  readonly parameters: string;
  /** Variables, in the same form; they begin at zero. */
  readonly locals: string;
  /** `i32 i64` */
  readonly results: string;
  readonly code: string;
}

export const I32 = 0x7f;
const I64 = 0x7e;

const words = (text: string): readonly string[] => text.match(/\S+/g) ?? [];

const typesOf = (text: string): readonly number[] => words(text).map((word) => (word.endsWith('i64') ? I64 : I32));

/** The entry of a function's type in a section of types. */
export const typeOf = ({ parameters, results }: WrittenFunction): readonly number[] => {
  const [given, made] = [typesOf(parameters), typesOf(results)];
  return [0x60, given.length, ...given, made.length, ...made];
};

const noBlockValue = 0x40;

type Operands = 'none' | 'unsigned' | 'signed' | 'block' | 'memory';

const row = (operands: Operands, list: string): readonly (readonly [string, readonly [number, Operands]])[] =>
  list.split(' ').map((entry) => {
    const [name = '', opcode = ''] = entry.split(':');
    return [name, [Number.parseInt(opcode, 16), operands]];
  });

const instructions: ReadonlyMap<string, readonly [opcode: number, operands: Operands]> = new Map([
  ...row('block', 'block:02 loop:03 if:04'),
  ...row('none', 'end:0b return:0f select:1b'),
  ...row('unsigned', 'br:0c br_if:0d call:10 local.get:20 local.set:21 local.tee:22 global.get:23 global.set:24'),
  ...row('memory', 'i32.load:28 i64.load:29 i32.load8_u:2d i32.store:36 i64.store:37 i32.store8:3a i32.store16:3b'),
  ...row('signed', 'i32.const:41 i64.const:42'),
  ...row(
    'none',
    'i32.eqz:45 i32.eq:46 i32.ne:47 i32.lt_s:48 i32.lt_u:49 i32.gt_s:4a i32.gt_u:4b i32.le_u:4d i32.ge_s:4e i32.ge_u:4f',
  ),
  ...row(
    'none',
    'i64.eqz:50 i64.eq:51 i64.ne:52 i64.lt_s:53 i64.lt_u:54 i64.gt_s:55 i64.gt_u:56 i64.ge_s:59 i64.ge_u:5a',
  ),
  ...row('none', 'i32.add:6a i32.sub:6b i32.mul:6c i32.div_u:6e i32.rem_u:70 i32.and:71 i32.or:72 i32.shl:74'),
  ...row('none', 'i64.add:7c i64.sub:7d i64.mul:7e i64.div_s:7f i64.div_u:80 i64.rem_s:81 i64.rem_u:82'),
  ...row(
    'none',
    'i64.clz:79 i64.and:83 i64.or:84 i64.xor:85 i64.shl:86 i64.shr_u:88 i32.wrap_i64:a7 i64.extend_i32_s:ac i64.extend_i32_u:ad',
  ),
]);

const signed = (value: bigint): readonly number[] => {
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    // What is left is the sign of the last byte.
    if (rest === ((low & 0x40) === 0 ? 0n : -1n)) return [...out, low];
    out.push(low | 0x80);
  }
};

/** The body of a function, as in a section of code. Names that are no variable's have their numbers in `names`. */
export const assemble = (written: WrittenFunction, names: ReadonlyMap<string, number>): Uint8Array => {
  const { parameters, locals, code } = written;
  const variables = new Map(words(`${parameters} ${locals}`).map((word, at) => [word.replace(/:.*/, ''), at]));
  const own = typesOf(locals);
  const all = words(code.replaceAll(/;;.*$/gm, ''));
  const out: number[] = [own.length, ...own.flatMap((type) => [1, type])];
  for (let at = 0; at < all.length; at++) {
    const word = all[at] as string;
    const [opcode, operands] = instructions.get(word) ?? [];
    if (opcode === undefined) throw new Error(`no such instruction: ${word}`);
    out.push(opcode);
    if (operands === 'none') continue;
    if (operands === 'block') {
      out.push(noBlockValue);
      continue;
    }
    const operand = all[++at] as string;
    const value = operand.startsWith('$') ? (word.startsWith('local.') ? variables : names).get(operand) : operand;
    if (value === undefined) throw new Error(`${word}: no such name: ${operand}`);
    // The alignment is a hint: none is given.
    if (operands === 'memory') out.push(0);
    out.push(...(operands === 'signed' ? signed(BigInt(value)) : leb128(Number(value))));
  }
  return Uint8Array.from([...out, 0x0b]);
};
