import type { WrittenFunction } from './assembler.ts';
import { none } from './values.ts';

// Floats of 64 bits, as Go rounds them: to the nearest, ties to the even one.

/** The float nearest to 128 bits, of which the first is set: ties go to the even one. */
const nearest: WrittenFunction = {
  parameters: '$high:i64 $low:i64 $exponent:i32',
  locals: '',
  results: 'i64 i32',
  code: `
    local.get $low i64.const -9223372036854775808 i64.gt_u
    local.get $low i64.const -9223372036854775808 i64.eq local.get $high i32.wrap_i64 i32.const 1 i32.and i32.and
    i32.or
    if
      local.get $high i64.const 1 i64.add local.tee $high i64.eqz
      if
        i64.const -9223372036854775808 local.set $high
        local.get $exponent i32.const 1 i32.add local.set $exponent
      end
    end
    local.get $high local.get $exponent`,
};

/**
 * The float nearest to a quotient times a power of two. Neither number is zero. `more` are bits that follow those of the
 * first, fewer than the quotient has left.
 */
const quotient: WrittenFunction = {
  parameters: '$top:i64 $more:i64 $bottom:i64 $exponent:i32',
  locals: '$bits:i64 $carry:i64',
  results: 'i64 i32',
  code: `
    local.get $top local.get $bottom i64.div_u local.set $bits
    local.get $top local.get $bottom i64.rem_u local.set $top
    block
      loop
        local.get $bits i64.const 0 i64.lt_s br_if 1
        local.get $top i64.const 63 i64.shr_u local.set $carry
        local.get $top i64.const 1 i64.shl local.get $more i64.const 63 i64.shr_u i64.or local.set $top
        local.get $more i64.const 1 i64.shl local.set $more
        local.get $bits i64.const 1 i64.shl local.set $bits
        local.get $exponent i32.const 1 i32.sub local.set $exponent
        local.get $carry i64.eqz i32.eqz local.get $top local.get $bottom i64.ge_u i32.or
        if
          local.get $top local.get $bottom i64.sub local.set $top
          local.get $bits i64.const 1 i64.or local.set $bits
        end
        br 0
      end
    end
    local.get $bits
    ;; What is left over: nothing, less than half of the last bit, a half, or more.
    local.get $top i64.eqz i32.eqz
    local.get $top local.get $bottom local.get $top i64.sub i64.ge_u i32.add
    local.get $top local.get $bottom local.get $top i64.sub i64.gt_u i32.add
    i64.extend_i32_u i64.const 62 i64.shl
    local.get $exponent call $nearest`,
};

/** The float nearest to a decimal above zero. */
const float: WrittenFunction = {
  parameters: '$digits:i64 $places:i32',
  locals: '$shift:i32',
  results: 'i64 i32',
  code: `
    local.get $digits i64.clz i32.wrap_i64 local.set $shift
    local.get $digits local.get $shift i64.extend_i32_u i64.shl i64.const 0
    i64.const 5 local.get $places call $power
    i32.const 0 local.get $shift i32.sub local.get $places i32.sub
    call $quotient`,
};

/** The float of a number of 20 digits with 3 to 27 of them behind the point, which has 67 bits without it; 0 for others. */
const longFloat: WrittenFunction = {
  parameters: '$value:i32',
  locals: '$text:i32 $end:i32 $negative:i32 $point:i32 $digit:i32 $count:i32 $tens:i32 $high:i64 $low:i64',
  results: 'i64 i32 i32',
  code: `
    block
      local.get $value i32.load8_u 0 i32.const 3 i32.ne br_if 0
      local.get $value i32.load8_u 1 i32.const 2 i32.ne br_if 0
      local.get $value i32.load 8 local.tee $text local.get $value i32.load 12 i32.add local.set $end
      local.get $text i32.load8_u 0 i32.const 45 i32.eq local.tee $negative local.get $text i32.add local.set $text
      local.get $text local.get $end call $tens local.set $tens local.set $end
      loop
        local.get $text local.get $end i32.ge_u br_if 1
        local.get $text i32.load8_u 0 i32.const 48 i32.sub local.tee $digit i32.const 9 i32.gt_u
        if
          local.get $digit i32.const -2 i32.ne local.get $point i32.or br_if 2
          local.get $text i32.const 1 i32.add local.set $point
        end
        local.get $digit i32.const 9 i32.le_u
        if
          ;; Ten times what there is: the 20th digit takes more than 64 bits.
          local.get $count local.get $digit i32.or i32.eqz i32.eqz local.get $count i32.add local.tee $count
          i32.const 20 i32.gt_u br_if 2
          local.get $count i32.const 20 i32.eq
          if
            local.get $low i64.const 32 i64.shr_u i64.const 10 i64.mul
            local.get $low i64.const 0xffffffff i64.and i64.const 10 i64.mul i64.const 32 i64.shr_u i64.add
            i64.const 32 i64.shr_u local.set $high
          end
          local.get $low i64.const 10 i64.mul local.set $low
          local.get $low local.get $digit i64.extend_i32_u i64.add local.get $low i64.lt_u
          i64.extend_i32_u local.get $high i64.add local.set $high
          local.get $low local.get $digit i64.extend_i32_u i64.add local.set $low
        end
        local.get $text i32.const 1 i32.add local.tee $text local.get $end i32.lt_u br_if 0
      end
      local.get $point i32.eqz local.get $count i32.const 20 i32.ne i32.or br_if 0
      local.get $end local.get $point i32.sub local.get $tens i32.sub local.tee $count i32.const 3 i32.sub i32.const 24 i32.gt_u br_if 0
      local.get $high i64.const 60 i64.shl local.get $low i64.const 4 i64.shr_u i64.or
      local.get $low i64.const 60 i64.shl
      i64.const 5 local.get $count call $power
      i32.const 4 local.get $count i32.sub
      call $quotient local.get $negative
      return
    end
    i64.const 0 i32.const 0 i32.const 0`,
};

/** The float of a value, whose decimal may be none, and whether it is negative; 0 for what has none here. */
const floatOf: WrittenFunction = {
  parameters: '$value:i32 $digits:i64 $places:i32',
  locals: '',
  results: 'i64 i32 i32',
  code: `
    local.get $digits ${none} i64.eq
    if
      local.get $value call $longFloat
      return
    end
    local.get $digits call $size local.get $places call $float
    local.get $digits i64.const 0 i64.lt_s`,
};

export const floatFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$nearest', nearest],
  ['$quotient', quotient],
  ['$float', float],
  ['$longFloat', longFloat],
  ['$floatOf', floatOf],
];
