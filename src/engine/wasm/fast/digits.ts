import type { WrittenFunction } from './assembler.ts';
import { none } from './values.ts';

// A float as Go writes it: with the fewest digits that mean no other float. What is behind the point is reckoned in 124
// bits, with four before them for the digit.

const half = '576460752303423488';

/** A number of 128 bits times ten. */
const timesTen = (high: string, low: string, carry: string): string => `
      local.get ${low} i64.const 3 i64.shl local.tee ${carry}
      local.get ${low} i64.const 1 i64.shl i64.add
      local.get ${high} i64.const 3 i64.shl local.get ${low} i64.const 61 i64.shr_u i64.or
      local.get ${high} i64.const 1 i64.shl local.get ${low} i64.const 63 i64.shr_u i64.or
      i64.add local.set ${high}
      local.tee ${low} local.get ${carry} i64.lt_u i64.extend_i32_u local.get ${high} i64.add local.set ${high}`;

/**
 * Puts the digits behind the point at an address; where they end, 0 when the host has to say it. The first digit at
 * which rounding down or up stays between the middles to the float's neighbours is the last; `width` is how far these
 * are away. `begun` is whether a digit other than zero stands before the point.
 */
const fraction: WrittenFunction = {
  parameters: '$high:i64 $low:i64 $wideHigh:i64 $wideLow:i64 $begun:i32 $text:i32',
  locals: '$carry:i64 $digit:i32 $down:i32 $up:i32',
  results: 'i32',
  code: `
    loop
      ${timesTen('$high', '$low', '$carry')}
      ${timesTen('$wideHigh', '$wideLow', '$carry')}
      local.get $high i64.const 60 i64.shr_u i32.wrap_i64 local.set $digit
      local.get $high i64.const 0xfffffffffffffff i64.and local.set $high
      local.get $high local.get $wideHigh i64.lt_u
      local.get $high local.get $wideHigh i64.eq local.get $low local.get $wideLow i64.lt_u i32.and
      i32.or local.set $down
      local.get $low local.get $wideLow i64.add local.get $low i64.lt_u i64.extend_i32_u
      local.get $high i64.add local.get $wideHigh i64.add i64.const 60 i64.shr_u i64.eqz i32.eqz local.set $up
      local.get $down local.get $up i32.or
      if
        ;; Where the neighbours begin at another digit, Go compares others.
        local.get $begun i32.eqz
        if
          i32.const 0
          return
        end
        local.get $down local.get $up i32.and
        if
          local.get $high i64.const ${half} i64.gt_u
          local.get $high i64.const ${half} i64.eq
          local.get $low i64.eqz i32.eqz local.get $digit i32.const 1 i32.and i32.or i32.and
          i32.or local.set $up
        end
        local.get $text local.get $digit local.get $up i32.add local.tee $digit i32.const 48 i32.add i32.store8 0
        i32.const 0 local.get $text i32.const 1 i32.add local.get $digit i32.const 9 i32.gt_u select
        return
      end
      local.get $text local.get $digit i32.const 48 i32.add i32.store8 0
      local.get $text i32.const 1 i32.add local.set $text
      local.get $begun local.get $digit i32.or local.set $begun
      br 0
    end
    i32.const 0`,
};

/** Puts a point behind the first digit instead of at an address, and the exponent at the end; where that ends. */
const scientific: WrittenFunction = {
  parameters: '$start:i32 $point:i32 $end:i32',
  locals: '$exponent:i32',
  results: 'i32',
  code: `
    local.get $point local.get $start i32.sub i32.const 1 i32.sub local.set $exponent
    loop
      local.get $point local.get $point i32.const 1 i32.sub i32.load8_u 0 i32.store8 0
      local.get $point i32.const 1 i32.sub local.tee $point
      local.get $start i32.const 1 i32.add i32.gt_u br_if 0
    end
    local.get $point i32.const 46 i32.store8 0
    local.get $end i32.const 0x2b65 i32.store16 0
    local.get $end local.get $exponent i32.const 10 i32.div_u i32.const 48 i32.add i32.store8 2
    local.get $end local.get $exponent i32.const 10 i32.rem_u i32.const 48 i32.add i32.store8 3
    local.get $end i32.const 4 i32.add`,
};

/** The value of a float from 0.0001 to 2^56 that is no integer; 0, which is no value, for others. */
const printed: WrittenFunction = {
  parameters: '$bits:i64 $exponent:i32 $negative:i32',
  locals: '$places:i64 $wide:i64 $whole:i64 $high:i64 $low:i64 $at:i32 $start:i32 $point:i32 $end:i32',
  results: 'i32',
  code: `
    block
      i32.const -8 local.get $exponent i32.sub i32.const 69 i32.gt_u br_if 0
      i32.const 0 local.get $exponent i32.sub i64.extend_i32_u local.set $places
      local.get $places i64.const 64 i64.lt_u
      if
        local.get $bits local.get $places i64.shr_u local.set $whole
        local.get $bits i64.const 64 local.get $places i64.sub i64.shl local.tee $low
        i64.eqz br_if 1
        local.get $low i64.const 4 i64.shr_u local.set $high
        local.get $low i64.const 60 i64.shl local.set $low
      end
      local.get $places i64.const 64 i64.ge_u
      if
        i64.const 124 local.get $places i64.sub local.set $low
        local.get $bits i64.const 64 local.get $low i64.sub i64.shr_u local.set $high
        local.get $bits local.get $low i64.shl local.set $low
      end
      ;; The header of a number, 22 bytes, the point, and up to 26 bytes behind it.
      i32.const 72 call $malloc local.tee $at i32.const 0x203 i32.store16 0
      local.get $at i32.const 42 i32.add local.set $point
      local.get $whole local.get $point call $write local.set $start
      local.get $point i32.const 46 i32.store8 0
      i64.const 123 local.get $places i64.sub local.set $wide
      local.get $high local.get $low
      i64.const 1 local.get $wide i64.shl i64.const 0 local.get $wide i64.const 64 i64.ge_u select
      i64.const 0 i64.const 1 local.get $wide i64.shl local.get $wide i64.const 64 i64.ge_u select
      local.get $whole i64.eqz i32.eqz local.get $point i32.const 1 i32.add call $fraction
      local.tee $end i32.eqz br_if 0
      ;; Below 0.0001 there is an exponent.
      local.get $whole i64.eqz local.get $point i32.load 1 i32.const 0x30303030 i32.eq i32.and br_if 0
      local.get $whole i64.const 1000000 i64.ge_u
      if
        local.get $start local.get $point local.get $end call $scientific local.set $end
      end
      local.get $negative
      if
        local.get $start i32.const 1 i32.sub local.tee $start i32.const 45 i32.store8 0
      end
      local.get $at local.get $start i32.store 8
      local.get $at local.get $end local.get $start i32.sub i32.store 12
      local.get $at i32.const 0 i32.store8 16
      local.get $at
      return
    end
    i32.const 0`,
};

/** The value of a float, which is none or the result for a decimal, which may be none; 0, which is no value, for others. */
const result: WrittenFunction = {
  parameters: '$bits:i64 $exponent:i32 $negative:i32 $digits:i64 $places:i32',
  locals: '$made:i32',
  results: 'i32',
  code: `
    local.get $digits i64.eqz
    if
      i64.const 0 call $number
      return
    end
    local.get $bits i64.eqz
    if
      i32.const 0
      return
    end
    local.get $digits ${none} i64.ne
    if
      local.get $bits local.get $exponent local.get $digits local.get $places call $checked local.tee $made
      if
        local.get $made
        return
      end
    end
    local.get $bits local.get $exponent local.get $negative call $printed`,
};

/** The whole part of a float without its sign, and whether there is more; less than 0 when it has more than 62 bits. */
const whole: WrittenFunction = {
  parameters: '$bits:i64 $exponent:i32',
  locals: '$places:i64',
  results: 'i64 i32',
  code: `
    block
      i32.const -2 local.get $exponent i32.sub i32.const 125 i32.gt_u br_if 0
      i32.const 0 local.get $exponent i32.sub i64.extend_i32_u local.tee $places i64.const 64 i64.ge_u
      if
        i64.const 0 i32.const 1
        return
      end
      local.get $bits local.get $places i64.shr_u
      local.get $bits i64.const 64 local.get $places i64.sub i64.shl i64.eqz i32.eqz
      return
    end
    i64.const -1 i32.const 0`,
};

export const digitFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$fraction', fraction],
  ['$scientific', scientific],
  ['$printed', printed],
  ['$result', result],
  ['$whole', whole],
];
