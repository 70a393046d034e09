import type { WrittenFunction } from './assembler.ts';
import { none } from './values.ts';

// Each operation makes the float that Go would make, and the exact decimal, where there is one: decimals.ts.

/** The exact sum of two decimals, none when it has too many digits. */
const exactSum: WrittenFunction = {
  parameters: '$x:i64 $places:i32 $y:i64 $others:i32',
  locals: '',
  results: 'i64 i32',
  code: `
    block
      local.get $x ${none} i64.eq local.get $y ${none} i64.eq i32.or br_if 0
      loop
        local.get $places local.get $others i32.lt_s
        if
          local.get $x call $size i64.const 400000000000000000 i64.ge_u br_if 2
          local.get $x i64.const 10 i64.mul local.set $x
          local.get $places i32.const 1 i32.add local.set $places
          br 1
        end
        local.get $others local.get $places i32.lt_s
        if
          local.get $y call $size i64.const 400000000000000000 i64.ge_u br_if 2
          local.get $y i64.const 10 i64.mul local.set $y
          local.get $others i32.const 1 i32.add local.set $others
          br 1
        end
      end
      local.get $x local.get $y i64.add local.get $places
      return
    end
    ${none} i32.const 0`,
};

/** The sum of two floats; 0, which is none, when the host has to say it. */
const added: WrittenFunction = {
  parameters: '$high:i64 $exponent:i32 $negative:i32 $bits:i64 $other:i32 $minus:i32',
  locals: '$low:i64',
  results: 'i64 i32 i32',
  code: `
    block
      ;; The larger one first.
      local.get $exponent local.get $other i32.lt_s
      local.get $exponent local.get $other i32.eq local.get $high local.get $bits i64.lt_u i32.and i32.or
      if
        local.get $high local.get $bits local.set $high local.set $bits
        local.get $exponent local.get $other local.set $exponent local.set $other
        local.get $negative local.get $minus local.set $negative local.set $minus
      end
      local.get $exponent local.get $other i32.sub local.tee $other i32.const 63 i32.gt_u br_if 0
      i64.const 0
      local.get $bits i64.const 64 local.get $other i64.extend_i32_u i64.sub i64.shl
      local.get $other i32.eqz select local.set $low
      local.get $bits local.get $other i64.extend_i32_u i64.shr_u local.set $bits
      local.get $negative local.get $minus i32.eq
      if
        local.get $high local.get $bits i64.add local.tee $bits local.get $high i64.lt_u
        if
          local.get $low i64.const 1 i64.shr_u local.get $low i64.const 1 i64.and i64.or
          local.get $bits i64.const 63 i64.shl i64.or local.set $low
          local.get $bits i64.const 1 i64.shr_u i64.const -9223372036854775808 i64.or local.set $bits
          local.get $exponent i32.const 1 i32.add local.set $exponent
        end
        local.get $bits local.get $low local.get $exponent call $nearest local.get $negative
        return
      end
      local.get $high local.get $bits i64.sub local.get $low i64.eqz i32.eqz i64.extend_i32_u i64.sub
      local.tee $high i64.eqz br_if 0
      i64.const 0 local.get $low i64.sub local.set $low
      local.get $high i64.clz local.tee $bits i64.eqz i32.eqz
      if
        local.get $high local.get $bits i64.shl
        local.get $low i64.const 64 local.get $bits i64.sub i64.shr_u i64.or local.set $high
        local.get $low local.get $bits i64.shl local.set $low
        local.get $exponent local.get $bits i32.wrap_i64 i32.sub local.set $exponent
      end
      local.get $high local.get $low local.get $exponent call $nearest local.get $negative
      return
    end
    i64.const 0 i32.const 0 i32.const 0`,
};

/** The exact product of two decimals, none when it has too many digits. */
const exactProduct: WrittenFunction = {
  parameters: '$x:i64 $places:i32 $y:i64 $others:i32',
  locals: '',
  results: 'i64 i32',
  code: `
    block
      local.get $x ${none} i64.eq local.get $y ${none} i64.eq i32.or br_if 0
      ;; Products of 60 bits are exact.
      local.get $x call $size i64.clz local.get $y call $size i64.clz i64.add i64.const 68 i64.lt_s br_if 0
      local.get $places local.get $others i32.add i32.const 18 i32.gt_s br_if 0
      local.get $x local.get $y i64.mul local.get $places local.get $others i32.add
      return
    end
    ${none} i32.const 0`,
};

/** The product of two floats. */
const multiplied: WrittenFunction = {
  parameters: '$high:i64 $exponent:i32 $negative:i32 $bits:i64 $other:i32 $minus:i32',
  locals: '$low:i64 $middle:i64 $cross:i64',
  results: 'i64 i32 i32',
  code: `
    ;; 64 by 64 bits, in halves.
    local.get $high i64.const 0xffffffff i64.and local.get $bits i64.const 0xffffffff i64.and i64.mul local.set $low
    local.get $high i64.const 32 i64.shr_u local.get $bits i64.const 0xffffffff i64.and i64.mul
    local.get $low i64.const 32 i64.shr_u i64.add local.set $middle
    local.get $high i64.const 0xffffffff i64.and local.get $bits i64.const 32 i64.shr_u i64.mul
    local.get $middle i64.const 0xffffffff i64.and i64.add local.set $cross
    local.get $high i64.const 32 i64.shr_u local.get $bits i64.const 32 i64.shr_u i64.mul
    local.get $middle i64.const 32 i64.shr_u i64.add
    local.get $cross i64.const 32 i64.shr_u i64.add local.set $high
    local.get $cross i64.const 32 i64.shl local.get $low i64.const 0xffffffff i64.and i64.or local.set $low
    local.get $exponent local.get $other i32.add i32.const 64 i32.add local.set $exponent
    local.get $high i64.const 0 i64.ge_s
    if
      local.get $high i64.const 1 i64.shl local.get $low i64.const 63 i64.shr_u i64.or local.set $high
      local.get $low i64.const 1 i64.shl local.set $low
      local.get $exponent i32.const 1 i32.sub local.set $exponent
    end
    local.get $high local.get $low local.get $exponent call $nearest
    local.get $negative local.get $minus i32.ne`,
};

/** The exact quotient of two decimals, none when it has too many digits. */
const exactQuotient: WrittenFunction = {
  parameters: '$x:i64 $places:i32 $y:i64 $others:i32',
  locals: '$top:i64 $bottom:i64 $behind:i32',
  results: 'i64 i32',
  code: `
    block
      local.get $x ${none} i64.eq local.get $y ${none} i64.eq i32.or br_if 0
      local.get $x call $size local.set $top
      local.get $y call $size local.set $bottom
      local.get $places local.get $others i32.sub local.set $behind
      block
        loop
          local.get $top local.get $bottom i64.rem_u i64.eqz br_if 1
          local.get $top i64.const 100000000000000000 i64.ge_u br_if 2
          local.get $top i64.const 10 i64.mul local.set $top
          local.get $behind i32.const 1 i32.add local.set $behind
          br 0
        end
      end
      local.get $top local.get $bottom i64.div_u local.set $top
      block
        loop
          local.get $behind i32.const 0 i32.ge_s br_if 1
          local.get $top i64.const 100000000000000000 i64.ge_u br_if 2
          local.get $top i64.const 10 i64.mul local.set $top
          local.get $behind i32.const 1 i32.add local.set $behind
          br 0
        end
      end
      local.get $behind i32.const 18 i32.gt_s br_if 0
      i64.const 0 local.get $top i64.sub local.get $top local.get $x local.get $y i64.xor i64.const 0 i64.lt_s select
      local.get $behind
      return
    end
    ${none} i32.const 0`,
};

/** The quotient of two floats. */
const divided: WrittenFunction = {
  parameters: '$high:i64 $exponent:i32 $negative:i32 $bits:i64 $other:i32 $minus:i32',
  locals: '',
  results: 'i64 i32 i32',
  code: `
    local.get $high i64.const 0 local.get $bits local.get $exponent local.get $other i32.sub call $quotient
    local.get $negative local.get $minus i32.ne`,
};

export const fractionFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$exactSum', exactSum],
  ['$added', added],
  ['$exactProduct', exactProduct],
  ['$multiplied', multiplied],
  ['$exactQuotient', exactQuotient],
  ['$divided', divided],
];
