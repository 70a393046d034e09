import type { WrittenFunction } from './assembler.ts';
import { isLarge, none } from './values.ts';

// Numbers with a fraction, as Go reckons with them: each is read into the nearest float of 64 bits, and so is the
// result. Up to 18 digits no two decimals mean the same float, so where the float of the exact decimal result is that
// of the result, Go prints this decimal; otherwise its digits are searched (digits.ts). A decimal is its digits, with a
// sign, and the number of its places behind the point; a float is its 64 bits, of which the first is set, and its power
// of two.

/** The decimal that a value is: up to 19 digits, with at most 18 places behind the point, and no zero with a sign. */
const decimal: WrittenFunction = {
  parameters: '$value:i32',
  locals: '$text:i32 $end:i32 $length:i32 $negative:i32 $point:i32 $digit:i32 $digits:i64 $places:i32',
  results: 'i64 i32',
  code: `
    block
      local.get $value call $integer local.tee $digits ${none} i64.ne
      if
        local.get $digits i32.const 0
        return
      end
      local.get $value i32.load8_u 0 i32.const 3 i32.ne br_if 0
      local.get $value i32.load8_u 1 i32.const 2 i32.ne br_if 0
      i64.const 0 local.set $digits
      local.get $value i32.load 8 local.tee $text local.get $value i32.load 12 i32.add local.set $end
      local.get $text i32.load8_u 0 i32.const 45 i32.eq local.tee $negative local.get $text i32.add local.set $text
      local.get $text local.get $end call $tens local.set $digit local.set $end
      local.get $digit i32.const 99 i32.gt_s br_if 0
      i32.const 0 local.get $digit i32.sub local.set $places
      ;; 19 digits and a point.
      local.get $end local.get $text i32.sub local.tee $length i32.const 1 i32.sub i32.const 19 i32.gt_u br_if 0
      loop
        local.get $text i32.load8_u 0 i32.const 48 i32.sub local.tee $digit i32.const 9 i32.le_u
        if
          local.get $digits i64.const 10 i64.mul local.get $digit i64.extend_i32_u i64.add local.set $digits
        end
        local.get $digit i32.const 9 i32.gt_u
        if
          ;; One point, with digits behind it.
          local.get $digit i32.const -2 i32.ne br_if 2
          local.get $point br_if 2
          local.get $text i32.const 1 i32.add local.tee $point local.get $end i32.eq br_if 2
          local.get $places local.get $end local.get $point i32.sub i32.add local.set $places
        end
        local.get $text i32.const 1 i32.add local.tee $text local.get $end i32.lt_u br_if 0
      end
      local.get $point i32.eqz local.get $length i32.const 19 i32.gt_u i32.and br_if 0
      local.get $digits ${isLarge} br_if 0
      local.get $digits i64.eqz local.get $negative i32.and br_if 0
      block
        loop
          local.get $places i32.const 0 i32.ge_s br_if 1
          local.get $digits i64.const 400000000000000000 i64.ge_u br_if 2
          local.get $digits i64.const 10 i64.mul local.set $digits
          local.get $places i32.const 1 i32.add local.set $places
          br 0
        end
      end
      local.get $places i32.const 18 i32.gt_s br_if 0
      i64.const 0 local.get $digits i64.sub local.get $digits local.get $negative select
      local.get $places
      return
    end
    ${none} i32.const -1`,
};

/** Where the exponent of a number's text begins, and the exponent of up to two digits: 0 without one, 100 for others. */
const tens: WrittenFunction = {
  parameters: '$start:i32 $end:i32',
  locals: '$at:i32 $sign:i32 $value:i32',
  results: 'i32 i32',
  code: `
    local.get $end local.set $at
    block
      ;; The sign of the exponent and its digits are the last four bytes.
      loop
        local.get $at i32.const 1 i32.sub local.tee $at local.get $start i32.le_u br_if 1
        local.get $at i32.load8_u 0 i32.const 32 i32.or i32.const 101 i32.ne
        if
          local.get $end local.get $at i32.sub i32.const 4 i32.lt_u br_if 1
          br 2
        end
      end
      local.get $at i32.const 1 i32.add local.tee $start i32.load8_u 0 local.tee $sign i32.const 43 i32.eq
      local.get $sign i32.const 45 i32.eq i32.or local.get $start i32.add local.set $start
      block
        local.get $end local.get $start i32.sub i32.const 1 i32.sub i32.const 1 i32.gt_u br_if 0
        loop
          local.get $value i32.const 10 i32.mul local.get $start i32.load8_u 0 i32.add i32.const 48 i32.sub local.set $value
          local.get $start i32.const 1 i32.add local.tee $start local.get $end i32.lt_u br_if 0
        end
        local.get $at
        i32.const 0 local.get $value i32.sub local.get $value local.get $sign i32.const 45 i32.eq select
        return
      end
      local.get $at i32.const 100
      return
    end
    local.get $end i32.const 0`,
};

/** A number without its sign. */
const size: WrittenFunction = {
  parameters: '$x:i64',
  locals: '',
  results: 'i64',
  code: `
    i64.const 0 local.get $x i64.sub local.get $x local.get $x i64.const 0 i64.lt_s select`,
};

const power: WrittenFunction = {
  parameters: '$base:i64 $exponent:i32',
  locals: '$result:i64',
  results: 'i64',
  code: `
    i64.const 1 local.set $result
    block
      loop
        local.get $exponent i32.eqz br_if 1
        local.get $result local.get $base i64.mul local.set $result
        local.get $exponent i32.const 1 i32.sub local.set $exponent
        br 0
      end
    end
    local.get $result`,
};

/** The value of a decimal, as Go writes it; 0, which is no value, when that has an exponent. */
const written: WrittenFunction = {
  parameters: '$digits:i64 $places:i32',
  locals: '$at:i32 $text:i32 $rest:i64 $least:i64',
  results: 'i32',
  code: `
    block
      loop
        local.get $places i32.eqz br_if 1
        local.get $digits i64.const 10 i64.rem_s i64.eqz i32.eqz br_if 1
        local.get $digits i64.const 10 i64.div_s local.set $digits
        local.get $places i32.const 1 i32.sub local.set $places
        br 0
      end
    end
    local.get $places i32.eqz
    if
      local.get $digits call $number
      return
    end
    ;; From 0.0001 to a million.
    local.get $digits call $size local.tee $rest i64.const 10 local.get $places call $power local.tee $least i64.div_u
    i64.const 1000000 i64.ge_u
    local.get $rest local.get $least i64.const 10000 i64.div_u i64.lt_u
    i32.or local.get $places i32.const 18 i32.gt_u i32.or
    if
      i32.const 0
      return
    end
    i32.const 48 call $malloc local.tee $at i32.const 0x203 i32.store16 0
    local.get $at i32.const 48 i32.add local.set $text
    loop
      local.get $text i32.const 1 i32.sub local.tee $text
      local.get $rest i64.const 10 i64.rem_u i32.wrap_i64 i32.const 48 i32.add i32.store8 0
      local.get $rest i64.const 10 i64.div_u local.set $rest
      local.get $places i32.const 1 i32.sub local.tee $places i32.eqz
      if
        local.get $text i32.const 1 i32.sub local.tee $text i32.const 46 i32.store8 0
      end
      ;; One digit stands before the point.
      local.get $rest i64.eqz i32.eqz local.get $places i32.const 0 i32.ge_s i32.or br_if 0
    end
    local.get $digits i64.const 0 i64.lt_s
    if
      local.get $text i32.const 1 i32.sub local.tee $text i32.const 45 i32.store8 0
    end
    local.get $at local.get $text i32.store 8
    local.get $at local.get $at i32.const 48 i32.add local.get $text i32.sub i32.store 12
    local.get $at i32.const 0 i32.store8 16
    local.get $at`,
};

/** The value of a decimal when it means this float, and 0 otherwise. */
const checked: WrittenFunction = {
  parameters: '$bits:i64 $exponent:i32 $digits:i64 $places:i32',
  locals: '$rightBits:i64 $right:i32',
  results: 'i32',
  code: `
    block
      local.get $digits call $size i64.const 1000000000000000000 i64.ge_u br_if 0
      local.get $digits call $size local.get $places call $float local.set $right local.set $rightBits
      local.get $bits local.get $rightBits i64.ne local.get $exponent local.get $right i32.ne i32.or br_if 0
      local.get $digits local.get $places call $written
      return
    end
    i32.const 0`,
};

export const decimalFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$decimal', decimal],
  ['$tens', tens],
  ['$size', size],
  ['$power', power],
  ['$written', written],
  ['$checked', checked],
];
