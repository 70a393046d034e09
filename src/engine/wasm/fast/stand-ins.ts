import type { WrittenFunction } from './assembler.ts';
import { decimalFunctions } from './decimals.ts';
import { digitFunctions } from './digits.ts';
import { fractionFunctions } from './fractions.ts';
import { textFunctions } from './texts.ts';
import { none, valueFunctions } from './values.ts';

const is = (name: string): string => `local.get $id global.get ${name} i32.eq`;
const operation = (name: string, code: string): string => `${is(name)} if ${code} call $number return end`;

/** In the place of a call of a host builtin of one operand. */
const one: WrittenFunction = {
  parameters: '$id:i32 $context:i32 $a:i32',
  locals: '$x:i64 $places:i32 $unit:i64 $whole:i64 $fraction:i32 $result:i32',
  results: 'i32',
  code: `
    ;; What leaves this block is the host's.
    block
      local.get $a call $decimal local.set $places local.tee $x ${none} i64.eq
      if
        ${is('$sum')}
        if
          local.get $a call $total local.tee $result i32.eqz br_if 2
          local.get $result
          return
        end
        ${is('$to_number')} i32.eqz br_if 1
        local.get $a i32.load8_u 0 i32.const 4 i32.eq local.get $a i32.load8_u 0 i32.const 8 i32.eq
        i32.or i32.eqz br_if 1
        local.get $a i32.load 8 local.get $a i32.load 4 call $digits local.tee $x ${none} i64.eq br_if 1
        local.get $x call $number
        return
      end
      ${is('$to_number')}
      if
        local.get $a
        return
      end
      ${is('$abs')}
      if
        local.get $x call $size local.tee $x local.get $places call $written
        ;; With 19 digits Go writes its float.
        i32.const 0 local.get $x i64.const 1000000000000000000 i64.lt_u local.get $places i32.eqz i32.or select
        local.tee $result i32.eqz br_if 1
        local.get $result
        return
      end
      i64.const 10 local.get $places call $power local.set $unit
      local.get $x local.get $unit i64.div_s local.set $whole
      local.get $x local.get $unit i64.rem_s i64.eqz i32.eqz local.set $fraction
      ;; Halves go away from zero.
      ${operation(
        '$round',
        `local.get $unit i64.const 2 i64.div_s
         i64.const 0 local.get $unit i64.const 2 i64.div_s i64.sub
         local.get $x i64.const 0 i64.ge_s select
         local.get $x i64.add local.get $unit i64.div_s`,
      )}
      ;; Between -1 and 0 OPA's whole part has no sign.
      ${operation(
        '$ceil',
        `local.get $whole
         local.get $fraction local.get $whole i64.const 0 i64.ge_s i32.and i64.extend_i32_u i64.add`,
      )}
      ${operation(
        '$floor',
        `local.get $whole
         local.get $fraction local.get $whole i64.const 0 i64.lt_s i32.and i64.extend_i32_u i64.sub`,
      )}
    end
    local.get $id local.get $context local.get $a call $host1`,
};

const decimalOperation = (name: string, call: string): string => `
      ${is(name)}
      if
        local.get $x local.get $places local.get $y local.get $others call ${call} local.tee $result i32.eqz br_if 1
        local.get $result
        return
      end`;

/** In the place of a call of a host builtin of two operands. */
const two: WrittenFunction = {
  parameters: '$id:i32 $context:i32 $a:i32 $b:i32',
  locals: '$x:i64 $places:i32 $y:i64 $others:i32 $result:i32',
  results: 'i32',
  code: `
    ;; What leaves this block is the host's.
    block
      ;; What leaves this one is that of decimals.
      block
        local.get $a call $integer local.tee $x ${none} i64.eq br_if 0
        local.get $b call $integer local.tee $y ${none} i64.eq br_if 0
        ${operation('$plus', 'local.get $x local.get $y i64.add')}
        ${operation('$minus', 'local.get $x local.get $y i64.sub')}
        ${operation('$and', 'local.get $x local.get $y i64.and')}
        ${operation('$or', 'local.get $x local.get $y i64.or')}
        ${is('$format_int')}
        if
          local.get $y i64.const 10 i64.ne br_if 2
          local.get $x call $formatted
          return
        end
        ${is('$mul')}
        if
          ;; A product of 62 bits is exact here; the host's always is.
          local.get $x call $size i64.clz local.get $y call $size i64.clz i64.add i64.const 66 i64.lt_s br_if 2
          local.get $x local.get $y i64.mul call $number
          return
        end
        local.get $y i64.eqz br_if 1
        ${operation('$rem', 'local.get $x local.get $y i64.rem_s')}
        ;; A quotient of zero has a sign.
        local.get $x i64.eqz br_if 1
        local.get $x local.get $y i64.rem_s i64.eqz i32.eqz br_if 0
        ${operation('$div', 'local.get $x local.get $y i64.div_s')}
        br 1
      end
      ${is('$indexof')}
      if
        local.get $a local.get $b call $found local.tee $x i64.const -1 i64.lt_s br_if 1
        local.get $x call $number
        return
      end
      ${is('$concat')}
      if
        local.get $a local.get $b call $joined local.tee $result i32.eqz br_if 1
        local.get $result
        return
      end
      ${is('$plus')} ${is('$minus')} ${is('$mul')} ${is('$div')} i32.or i32.or i32.or i32.eqz br_if 0
      local.get $a call $decimal local.set $places local.tee $x ${none} i64.eq br_if 0
      local.get $b call $decimal local.set $others local.tee $y ${none} i64.eq br_if 0
      ;; Zeros have signs, which show.
      local.get $x i64.eqz local.get $y i64.eqz i32.or br_if 0
      ${decimalOperation('$plus', '$added')}
      ${decimalOperation('$mul', '$multiplied')}
      ${decimalOperation('$div', '$divided')}
      i64.const 0 local.get $y i64.sub local.set $y
      ${decimalOperation('$minus', '$added')}
    end
    local.get $id local.get $context local.get $a local.get $b call $host2`,
};

/** In the place of a call of a host builtin of three operands. */
const three: WrittenFunction = {
  parameters: '$id:i32 $context:i32 $a:i32 $b:i32 $c:i32',
  locals: '$offset:i64 $count:i64 $result:i32',
  results: 'i32',
  code: `
    ;; What leaves this block is the host's.
    block
      ${is('$substring')} i32.eqz br_if 0
      local.get $b call $integer local.tee $offset ${none} i64.eq br_if 0
      local.get $c call $integer local.tee $count ${none} i64.eq br_if 0
      local.get $a local.get $offset local.get $count call $part local.tee $result i32.eqz br_if 0
      local.get $result
      return
    end
    local.get $id local.get $context local.get $a local.get $b local.get $c call $host3`,
};

/** All functions. The last three stand in for the host's. */
export const fastFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ...valueFunctions,
  ...decimalFunctions,
  ...digitFunctions,
  ...fractionFunctions,
  ...textFunctions,
  ['$fast1', one],
  ['$fast2', two],
  ['$fast3', three],
];

/** Twins that may be answered in the module, with the names that their numbers have in the code. */
export const fastTwins: ReadonlyMap<string, string> = new Map([
  ['__vt.abs', '$abs'],
  ['__vt.bits.and', '$and'],
  ['__vt.bits.or', '$or'],
  ['__vt.ceil', '$ceil'],
  ['__vt.concat', '$concat'],
  ['__vt.div', '$div'],
  ['__vt.floor', '$floor'],
  ['__vt.format_int', '$format_int'],
  ['__vt.indexof', '$indexof'],
  ['__vt.minus', '$minus'],
  ['__vt.mul', '$mul'],
  ['__vt.plus', '$plus'],
  ['__vt.rem', '$rem'],
  ['__vt.round', '$round'],
  ['__vt.substring', '$substring'],
  ['__vt.sum', '$sum'],
  ['__vt.to_number', '$to_number'],
]);
