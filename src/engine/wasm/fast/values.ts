import type { WrittenFunction } from './assembler.ts';

// How OPA's runtime lays out values (wasm/src/value.h): the type in byte 0. A number (3) says in byte 1 what it holds:
// 1 for an integer of 64 bits at byte 8, 2 for a text, its address at byte 8 and its length at byte 12. A string (4, or 8
// as a constant) has its length at byte 4 and its address at byte 8, an array (5) its elements' address at byte 4 and
// their number at byte 8; an element is the address of its index and, at byte 4, that of its value.

/** Stands for what is no integer, or none that is reckoned with here. */
export const none = 'i64.const -9223372036854775808';

/** Whether the integer on the stack is outside of +-4 x 10^18: two of them can be added. Now is within until 2096. */
export const isLarge = 'i64.const 4000000000000000000 i64.add i64.const 8000000000000000000 i64.gt_u';

/** The integer of a text as JSON writes it. A zero with a sign or before other digits is none: its spelling matters. */
const digits: WrittenFunction = {
  parameters: '$text:i32 $length:i32',
  locals: '$negative:i32 $digit:i32 $value:i64',
  results: 'i64',
  code: `
    block
      local.get $length i32.eqz br_if 0
      local.get $text i32.load8_u 0 i32.const 45 i32.eq local.tee $negative
      if
        local.get $text i32.const 1 i32.add local.set $text
        local.get $length i32.const 1 i32.sub local.set $length
      end
      ;; 1 to 19 digits.
      local.get $length i32.const 1 i32.sub i32.const 18 i32.gt_u br_if 0
      local.get $text i32.load8_u 0 i32.const 48 i32.eq
      local.get $length i32.const 1 i32.gt_u local.get $negative i32.or
      i32.and br_if 0
      loop
        local.get $text i32.load8_u 0 i32.const 48 i32.sub local.tee $digit i32.const 9 i32.gt_u br_if 1
        local.get $value i64.const 10 i64.mul local.get $digit i64.extend_i32_u i64.add local.set $value
        local.get $text i32.const 1 i32.add local.set $text
        local.get $length i32.const 1 i32.sub local.tee $length br_if 0
      end
      local.get $value ${isLarge} br_if 0
      i64.const 0 local.get $value i64.sub local.get $value local.get $negative select
      return
    end
    ${none}`,
};

/** The integer that a value is. */
const integer: WrittenFunction = {
  parameters: '$value:i32',
  locals: '$found:i64',
  results: 'i64',
  code: `
    block
      local.get $value i32.load8_u 0 i32.const 3 i32.ne br_if 0
      local.get $value i32.load8_u 1 i32.const 2 i32.eq
      if
        local.get $value i32.load 8 local.get $value i32.load 12 call $digits
        return
      end
      local.get $value i64.load 8 local.tee $found ${isLarge} br_if 0
      local.get $found
      return
    end
    ${none}`,
};

/** Writes an integer's digits so that they end before an address; where they begin. */
const write: WrittenFunction = {
  parameters: '$x:i64 $at:i32',
  locals: '$rest:i64',
  results: 'i32',
  code: `
    local.get $x i64.const 0 local.get $x i64.sub local.get $x i64.const 0 i64.gt_s select local.set $rest
    loop
      local.get $at i32.const 1 i32.sub local.tee $at
      local.get $rest i64.const 10 i64.rem_u i32.wrap_i64 i32.const 48 i32.add
      i32.store8 0
      local.get $rest i64.const 10 i64.div_u local.tee $rest i64.eqz i32.eqz br_if 0
    end
    local.get $x i64.const 0 i64.lt_s
    if
      local.get $at i32.const 1 i32.sub local.tee $at i32.const 45 i32.store8 0
    end
    local.get $at`,
};

/** Whether a variable's integer has 32 bits. */
const isInt32 = (x: string): string => `local.get ${x} local.get ${x} i32.wrap_i64 i64.extend_i32_s i64.eq`;

/** A number's value. OPA's runtime takes 32 bits for all of an integer, so a longer one is a text. */
const number: WrittenFunction = {
  parameters: '$x:i64',
  locals: '$at:i32 $start:i32',
  results: 'i32',
  code: `
    ${isInt32('$x')}
    if
      i32.const 24 call $malloc local.tee $at i32.const 0x103 i32.store16 0
      local.get $at local.get $x i64.store 8
      local.get $at
      return
    end
    ;; The text stands behind the number: 20 bytes are enough.
    i32.const 44 call $malloc local.tee $at i32.const 0x203 i32.store16 0
    local.get $at
    local.get $x local.get $at i32.const 44 i32.add call $write local.tee $start
    i32.store 8
    local.get $at local.get $at i32.const 44 i32.add local.get $start i32.sub i32.store 12
    local.get $at i32.const 0 i32.store8 16
    local.get $at`,
};

/** A string's value. */
const formatted: WrittenFunction = {
  parameters: '$x:i64',
  locals: '$at:i32 $start:i32',
  results: 'i32',
  code: `
    i32.const 33 call $malloc local.tee $at i32.const 4 i32.store16 0
    local.get $at
    local.get $x local.get $at i32.const 32 i32.add call $write local.tee $start
    i32.store 8
    local.get $at local.get $at i32.const 32 i32.add local.get $start i32.sub i32.store 4
    local.get $at i32.const 0 i32.store8 32
    local.get $at`,
};

/** The sum of an array of integers; 0, which is no value, when it is none. */
const total: WrittenFunction = {
  parameters: '$list:i32',
  locals: '$at:i32 $end:i32 $x:i64 $sum:i64',
  results: 'i32',
  code: `
    block
      local.get $list i32.load8_u 0 i32.const 5 i32.ne br_if 0
      local.get $list i32.load 4 local.tee $at
      local.get $list i32.load 8 i32.const 3 i32.shl i32.add local.set $end
      block
        loop
          local.get $at local.get $end i32.eq br_if 1
          local.get $at i32.load 4 call $integer local.tee $x ${none} i64.eq br_if 2
          local.get $sum local.get $x i64.add local.tee $sum ${isLarge} br_if 2
          local.get $at i32.const 8 i32.add local.set $at
          br 0
        end
      end
      local.get $sum call $number
      return
    end
    i32.const 0`,
};

export const valueFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$digits', digits],
  ['$integer', integer],
  ['$write', write],
  ['$number', number],
  ['$formatted', formatted],
  ['$total', total],
];
