import type { WrittenFunction } from './assembler.ts';
import { comparisonFunctions } from './comparisons.ts';
import { decimalFunctions } from './decimals.ts';
import { digitFunctions } from './digits.ts';
import { floatFunctions } from './floats.ts';
import { fractionFunctions } from './fractions.ts';
import { textFunctions } from './texts.ts';
import { none, valueFunctions } from './values.ts';
import { windowFunctions } from './windows.ts';

const is = (name: string): string => `local.get $id global.get ${name} i32.eq`;
const operation = (name: string, code: string): string => `${is(name)} if ${code} call $number return end`;

/** The whole number that is made of one of 20 digits; none when the host has to say it. */
const rounded: WrittenFunction = {
  parameters: '$id:i32 $value:i32',
  locals: '$bits:i64 $exponent:i32 $negative:i32 $x:i64 $fraction:i32',
  results: 'i64',
  code: `
    block
      ${is('$round')} ${is('$ceil')} ${is('$floor')} i32.or i32.or i32.eqz br_if 0
      local.get $value call $longFloat local.set $negative local.set $exponent local.tee $bits i64.eqz br_if 0
      ${is('$round')}
      if
        ;; Halves go away from zero, in floats.
        local.get $bits local.get $exponent i32.const 0 i64.const -9223372036854775808 i32.const -64 i32.const 0
        call $added local.set $fraction local.set $exponent local.tee $bits i64.eqz br_if 1
      end
      local.get $bits local.get $exponent call $whole local.set $fraction local.tee $x i64.const 0 i64.lt_s br_if 0
      i64.const 0 local.get $x i64.sub local.get $x local.get $negative select local.set $x
      ${is('$round')}
      if
        local.get $x
        return
      end
      ;; Between -1 and 0 OPA's whole part has no sign.
      ${is('$ceil')}
      if
        local.get $x local.get $fraction local.get $x i64.const 0 i64.ge_s i32.and i64.extend_i32_u i64.add
        return
      end
      local.get $x local.get $fraction local.get $x i64.const 0 i64.lt_s i32.and i64.extend_i32_u i64.sub
      return
    end
    ${none}`,
};

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
        ${is('$to_number')} i32.eqz
        if
          local.get $id local.get $a call $rounded local.tee $x ${none} i64.eq br_if 2
          local.get $x call $number
          return
        end
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

const decimalOperation = (name: string, float: string, exact: string): string => `
      ${is(name)}
      if
        local.get $high local.get $exponent local.get $negative
        local.get $bits local.get $other local.get $minus call ${float}
        local.get $x local.get $places local.get $y local.get $others call ${exact}
        call $result local.tee $result i32.eqz br_if 1
        local.get $result
        return
      end`;

/** In the place of a call of a host builtin of two operands. */
const two: WrittenFunction = {
  parameters: '$id:i32 $context:i32 $a:i32 $b:i32',
  locals: `$x:i64 $places:i32 $y:i64 $others:i32 $result:i32
    $high:i64 $exponent:i32 $negative:i32 $bits:i64 $other:i32 $minus:i32`,
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
      local.get $a call $decimal local.set $places local.set $x
      local.get $b call $decimal local.set $others local.set $y
      ;; Zeros have signs, which show, and products of integers are exact.
      local.get $x i64.eqz local.get $y i64.eqz i32.or br_if 0
      ${is('$mul')} local.get $places local.get $others i32.or i32.eqz i32.and br_if 0
      local.get $a local.get $x local.get $places call $floatOf
      local.set $negative local.set $exponent local.tee $high i64.eqz br_if 0
      local.get $b local.get $y local.get $others call $floatOf
      local.set $minus local.set $other local.tee $bits i64.eqz br_if 0
      ${decimalOperation('$plus', '$added', '$exactSum')}
      ${decimalOperation('$mul', '$multiplied', '$exactProduct')}
      ${decimalOperation('$div', '$divided', '$exactQuotient')}
      ;; None stays none.
      i64.const 0 local.get $y i64.sub local.set $y
      local.get $minus i32.eqz local.set $minus
      ${decimalOperation('$minus', '$added', '$exactSum')}
    end
    local.get $id local.get $context local.get $a local.get $b call $host2`,
};

/** In the place of a call of a host builtin of three operands. */
const three: WrittenFunction = {
  parameters: '$id:i32 $context:i32 $a:i32 $b:i32 $c:i32',
  locals: '$offset:i64 $count:i64 $result:i32',
  results: 'i32',
  code: `
    ${['$lt', '$lte', '$gt', '$gte', '$neq'].map(is).join('\n')} i32.or i32.or i32.or i32.or
    if
      local.get $id local.get $context local.get $a local.get $b local.get $c call $compared
      return
    end
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

/** All functions. Those of `$fast0` to `$fast3` stand in for the host's. */
export const fastFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ...valueFunctions,
  ...decimalFunctions,
  ...floatFunctions,
  ...digitFunctions,
  ...fractionFunctions,
  ...textFunctions,
  ...windowFunctions,
  ...comparisonFunctions,
  ['$rounded', rounded],
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
  ['__vt.lt', '$lt'],
  ['__vt.lte', '$lte'],
  ['__vt.gt', '$gt'],
  ['__vt.gte', '$gte'],
  ['__vt.neq', '$neq'],
  ['__vt.time.now_ns', '$now_ns'],
]);
