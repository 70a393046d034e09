import type { WrittenFunction } from './assembler.ts';
import { isLarge, none } from './values.ts';

// What stands in for the host's comparisons with now: windows.ts has what is kept of them.

const is = (name: string): string => `local.get $id global.get ${name} i32.eq`;

/** How what was made of now stands to another value, of any type: what is no number is below or above all of them. */
const standing: WrittenFunction = {
  parameters: '$made:i64 $behind:i64 $other:i32 $whole:i64 $part:i64',
  locals: '$type:i32',
  results: 'i32',
  code: `
    local.get $other i32.load8_u 0 local.tee $type i32.const 3 i32.ne
    if
      ;; Null and booleans, which have two types, are below.
      i32.const 1 i32.const -1 local.get $type i32.const 3 i32.lt_u local.get $type i32.const 9 i32.eq i32.or select
      return
    end
    local.get $made local.get $behind local.get $whole local.get $part call $order`,
};

const boolean: WrittenFunction = {
  parameters: '$value:i32',
  locals: '$at:i32',
  results: 'i32',
  code: `
    i32.const 8 call $malloc local.tee $at i32.const 2 i32.store8 0
    local.get $at local.get $value i32.store8 1
    local.get $at`,
};

/** In the place of a call of a comparison with now. The third operand has the side at which what was made of now stands. */
const compared: WrittenFunction = {
  parameters: '$id:i32 $context:i32 $a:i32 $b:i32 $c:i32',
  locals: `$side:i32 $made:i32 $other:i32 $whole:i64 $part:i64 $others:i64 $fraction:i64 $now:i64
    $sign:i32 $record:i32 $falls:i32 $number:i32 $order:i32 $passed:i32 $result:i32`,
  results: 'i32',
  code: `
    ;; What leaves this block is the host's.
    block
      local.get $c i32.load8_u 0 i32.const 5 i32.ne br_if 0
      local.get $c i32.load 8 i32.eqz br_if 0
      local.get $c i32.load 4 i32.load 4 call $integer local.tee $whole i64.const 1 i64.gt_u br_if 0
      local.get $whole i32.wrap_i64 local.set $side
      local.get $b local.get $a local.get $side select local.set $made
      local.get $a local.get $b local.get $side select local.set $other
      local.get $made call $parts local.set $part local.tee $whole ${none} i64.eq br_if 0
      local.get $other call $parts local.set $fraction local.set $others
      local.get $other i32.load8_u 0 i32.const 3 i32.eq local.tee $number local.get $others ${none} i64.eq i32.and br_if 0
      local.get $part i64.eqz
      if
        local.get $c local.get $whole call $linear local.set $sign
      end
      local.get $sign
      if
        global.get $moment call $integer local.tee $now call $recordOfNow local.tee $record i32.eqz br_if 1
        local.get $sign i32.const 0 i32.lt_s local.set $falls
      end
      local.get $sign i32.eqz
      if
        local.get $c local.get $whole local.get $part call $record local.tee $record i32.eqz
        if
          local.get $id local.get $context local.get $a local.get $b local.get $c call $host3
          local.tee $result i32.eqz i32.eqz
          local.get $c call $falling local.tee $falls i32.const 0 i32.ge_s i32.and
          if
            local.get $c local.get $falls local.get $whole local.get $part call $remember local.set $record
          end
          local.get $result
          return
        end
        local.get $record i32.load 88 local.set $falls
      end
      local.get $whole local.get $part local.get $other local.get $others local.get $fraction call $standing
      local.tee $order i32.const 0 local.get $order i32.sub local.get $side i32.eqz select local.set $result
      local.get $falls
      if
        i32.const 0 local.get $order i32.sub local.set $order
      end
      ;; It changes when the number is reached (0) or passed (1): \`now < x\` and \`now >= x\` when now rises to x.
      ${is('$lt')} ${is('$gte')} i32.or local.get $side i32.eq local.get $falls i32.ne local.set $passed
      ${is('$neq')}
      if
        local.get $order i32.eqz local.set $passed
      end
      local.get $number local.get $order local.get $passed i32.lt_s i32.and
      if
        local.get $sign local.get $c i32.load 8 i32.const 1 i32.ne i32.and
        if
          ;; When now is at the number: as far from now as what was made of it is.
          local.get $fraction i64.eqz i32.eqz br_if 2
          local.get $others local.get $whole i64.sub local.tee $others ${isLarge} br_if 2
        end
        local.get $falls
        if
          i64.const 0 local.get $others i64.sub local.set $others
          i64.const 0 local.get $fraction i64.sub local.set $fraction
        end
        local.get $sign local.get $c i32.load 8 i32.const 1 i32.ne i32.and
        if
          local.get $others local.get $now i64.add local.set $others
        end
        local.get $record i32.const 56 i32.const 24 local.get $passed select i32.add
        local.get $others local.get $fraction
        local.get $id local.get $a local.get $b local.get $c call $keep
      end
      ${is('$lt')} if local.get $result i32.const 0 i32.lt_s call $boolean return end
      ${is('$lte')} if local.get $result i32.const 1 i32.lt_s call $boolean return end
      ${is('$gt')} if local.get $result i32.const 0 i32.gt_s call $boolean return end
      ${is('$gte')} if local.get $result i32.const 0 i32.ge_s call $boolean return end
      local.get $result i32.eqz i32.eqz call $boolean
      return
    end
    local.get $id local.get $context local.get $a local.get $b local.get $c call $host3`,
};

/** In the place of a call of a host builtin without operands. The clock stands still in an evaluation. */
const zero: WrittenFunction = {
  parameters: '$id:i32 $context:i32',
  locals: '$result:i32',
  results: 'i32',
  code: `
    ${is('$now_ns')} i32.eqz
    if
      local.get $id local.get $context call $host0
      return
    end
    global.get $moment local.tee $result
    if
      local.get $result
      return
    end
    local.get $id local.get $context call $host0 local.tee $result global.set $moment
    local.get $result`,
};

export const comparisonFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$standing', standing],
  ['$boolean', boolean],
  ['$compared', compared],
  ['$fast0', zero],
];
