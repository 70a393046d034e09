import type { WrittenFunction } from './assembler.ts';
import { isLarge, none } from './values.ts';

// Comparisons of now (0013). What is made of now only rises or only falls, so of many comparisons of the same value those
// with the nearest numbers ahead change first: they are kept, and asked of the host in the end, which finds the moment.
// Sums and differences with integers are compared as now itself is. By other steps, the first comparison of a value is the
// host's, which sees that it is made of now; what was made then is kept, and all later ones of it are answered here.
//
// A record: the next one at byte 0, the steps at 4 (0 for none), the value at 8 (its whole part) and 16 (what is behind the
// point, in 10^-18), two calls, at 24 the one that changes when the number is reached, at 56 when it is passed, and at 88
// whether the value falls. A call: how far ahead its number is, in the same parts, at 0 and 8, the builtin at 16, and its
// operands at 20, 24 and 28, of which the first is 0 where there is no call.

export const mostRecords = 8;

/** What is kept in one evaluation, with the names in the code; they are addresses, 0 of nothing. */
export const keptOfNow: readonly (readonly [exported: string, name: string])[] = [
  ['verdict.windows', '$windows'],
  ['verdict.moment', '$moment'],
];

/** Whether two operands that tell what was done to now are the same, from an item on. */
const same: WrittenFunction = {
  parameters: '$a:i32 $b:i32 $item:i32',
  locals: '$x:i64 $places:i32 $length:i32',
  results: 'i32',
  code: `
    block
      local.get $a local.get $b i32.eq
      if
        i32.const 1
        return
      end
      local.get $a call $isString local.get $b call $isString i32.and
      if
        local.get $a i32.load 4 local.tee $length local.get $b i32.load 4 i32.ne br_if 1
        local.get $a i32.load 8 local.get $b i32.load 8 local.get $length call $sameBytes
        return
      end
      local.get $a i32.load8_u 0 local.get $b i32.load8_u 0 i32.ne br_if 0
      local.get $a i32.load8_u 0 i32.const 3 i32.eq
      if
        local.get $a call $decimal local.set $places local.tee $x ${none} i64.eq br_if 1
        local.get $b call $decimal local.get $places i32.eq local.set $length
        local.get $x i64.eq local.get $length i32.and
        return
      end
      local.get $a i32.load8_u 0 i32.const 5 i32.ne br_if 0
      local.get $a i32.load 8 local.tee $length local.get $b i32.load 8 i32.ne br_if 0
      block
        loop
          local.get $item local.get $length i32.ge_u br_if 1
          local.get $a i32.load 4 local.get $item i32.const 3 i32.shl i32.add i32.load 4
          local.get $b i32.load 4 local.get $item i32.const 3 i32.shl i32.add i32.load 4
          i32.const 0 call $same i32.eqz br_if 2
          local.get $item i32.const 1 i32.add local.set $item
          br 0
        end
      end
      i32.const 1
      return
    end
    i32.const 0`,
};

const sameBytes: WrittenFunction = {
  parameters: '$a:i32 $b:i32 $length:i32',
  locals: '',
  results: 'i32',
  code: `
    block
      loop
        local.get $length i32.eqz br_if 1
        local.get $length i32.const 1 i32.sub local.tee $length local.get $a i32.add i32.load8_u 0
        local.get $length local.get $b i32.add i32.load8_u 0 i32.eq br_if 0
      end
      i32.const 0
      return
    end
    i32.const 1`,
};

/** A number’s whole part, none where it is none here, and what is behind the point in 10^-18, with its sign. */
const parts: WrittenFunction = {
  parameters: '$value:i32',
  locals: '$x:i64 $places:i32 $unit:i64',
  results: 'i64 i64',
  code: `
    local.get $value call $decimal local.set $places local.tee $x ${none} i64.eq local.get $places i32.eqz i32.or
    if
      local.get $x i64.const 0
      return
    end
    local.get $x i64.const 10 local.get $places call $power local.tee $unit i64.div_s
    local.get $x local.get $unit i64.rem_s i64.const 10 i32.const 18 local.get $places i32.sub call $power i64.mul`,
};

/** Below 0, 0 or above it, as the first number is below the second, the same, or above. */
const order: WrittenFunction = {
  parameters: '$whole:i64 $part:i64 $others:i64 $other:i64',
  locals: '',
  results: 'i32',
  code: `
    local.get $whole local.get $others i64.eq
    if
      local.get $part local.set $whole
      local.get $other local.set $others
    end
    local.get $whole local.get $others i64.gt_s local.get $whole local.get $others i64.lt_s i32.sub`,
};

/** The record of a number that was made of now by such steps; 0 when there is none. */
const record: WrittenFunction = {
  parameters: '$steps:i32 $whole:i64 $part:i64',
  locals: '$at:i32',
  results: 'i32',
  code: `
    global.get $windows local.set $at
    block
      loop
        local.get $at i32.eqz br_if 1
        block
          local.get $at i64.load 8 local.get $whole i64.ne br_if 0
          local.get $at i64.load 16 local.get $part i64.ne br_if 0
          ;; The first item is the side, which each call has its own.
          local.get $at i32.load 4 local.get $steps i32.const 1 call $same br_if 2
        end
        local.get $at i32.load 0 local.set $at
        br 0
      end
    end
    local.get $at`,
};

/** Whether what is made of now falls while now rises: 1 or 0; less where that is unknown. */
const falling: WrittenFunction = {
  parameters: '$steps:i32',
  locals: '$at:i32 $end:i32 $step:i32 $length:i32 $falls:i32 $x:i64',
  results: 'i32',
  code: `
    block
      local.get $steps i32.load 4 local.tee $at
      local.get $steps i32.load 8 i32.const 3 i32.shl i32.add local.set $end
      loop
        local.get $at i32.const 8 i32.add local.tee $at local.get $end i32.ge_u
        if
          local.get $falls
          return
        end
        local.get $at i32.load 4 local.tee $step i32.load8_u 0 i32.const 5 i32.ne br_if 1
        ;; Without another operand it is a rounding.
        local.get $step i32.load 8 i32.const 3 i32.ne br_if 0
        local.get $step i32.load 4 local.tee $step i32.load 4 i32.load 4 local.tee $length i32.const 3 i32.eq
        if
          ;; A product or a quotient.
          local.get $step i32.load 20 call $decimal local.set $length local.tee $x ${none} i64.eq br_if 2
          local.get $x i64.const 0 i64.lt_s local.get $falls i32.ne local.set $falls
          br 1
        end
        ;; A difference, when now is what is taken away.
        local.get $length i32.const 5 i32.ne br_if 0
        local.get $step i32.load 12 call $integer i64.eqz local.get $falls i32.eq local.set $falls
        br 0
      end
    end
    i32.const -1`,
};

/** Whether a value is now with sums and differences of integers: 1, -1 when it falls; 0 when it is not, or not surely. */
const linear: WrittenFunction = {
  parameters: '$steps:i32 $made:i64',
  locals: '$at:i32 $end:i32 $step:i32 $length:i32 $sign:i32 $x:i64 $other:i64',
  results: 'i32',
  code: `
    block
      global.get $moment i32.eqz br_if 0
      global.get $moment call $integer local.tee $x ${none} i64.eq br_if 0
      i32.const 1 local.set $sign
      local.get $steps i32.load 4 local.tee $at
      local.get $steps i32.load 8 i32.const 3 i32.shl i32.add local.set $end
      loop
        local.get $at i32.const 8 i32.add local.tee $at local.get $end i32.ge_u
        if
          local.get $sign i32.const 0 local.get $x local.get $made i64.eq select
          return
        end
        local.get $at i32.load 4 local.tee $step i32.load8_u 0 i32.const 5 i32.ne br_if 1
        local.get $step i32.load 8 i32.const 3 i32.ne br_if 1
        local.get $step i32.load 4 local.tee $step i32.load 4 i32.load 4 local.tee $length i32.const 3 i32.eq br_if 1
        local.get $step i32.load 20 call $integer local.tee $other ${none} i64.eq br_if 1
        local.get $length i32.const 5 i32.eq
        if
          i64.const 0 local.get $other i64.sub local.set $other
          local.get $step i32.load 12 call $integer i64.eqz i32.eqz
          if
            i64.const 0 local.get $x i64.sub local.set $x
            i64.const 0 local.get $other i64.sub local.set $other
            i32.const 0 local.get $sign i32.sub local.set $sign
          end
        end
        local.get $x local.get $other i64.add local.tee $x ${isLarge} i32.eqz br_if 0
      end
    end
    i32.const 0`,
};

/** Makes a record, when there are not too many; 0 when there are. */
const remember: WrittenFunction = {
  parameters: '$steps:i32 $falls:i32 $whole:i64 $part:i64',
  locals: '$at:i32 $count:i32',
  results: 'i32',
  code: `
    global.get $windows local.set $at
    block
      loop
        local.get $at i32.eqz br_if 1
        local.get $at i32.load 0 local.set $at
        local.get $count i32.const 1 i32.add local.tee $count i32.const ${mostRecords} i32.lt_u br_if 0
        i32.const 0
        return
      end
    end
    i32.const 92 call $malloc local.tee $at global.get $windows i32.store 0
    local.get $at local.get $steps i32.store 4
    local.get $at local.get $whole i64.store 8
    local.get $at local.get $part i64.store 16
    local.get $at i32.const 0 i32.store 44
    local.get $at i32.const 0 i32.store 76
    local.get $at local.get $falls i32.store 88
    local.get $at global.set $windows
    local.get $at`,
};

/** The record of now itself, made when there is none yet; 0 when there are too many. */
const recordOfNow: WrittenFunction = {
  parameters: '$now:i64',
  locals: '$record:i32',
  results: 'i32',
  code: `
    i32.const 0 local.get $now i64.const 0 call $record local.tee $record
    if
      local.get $record
      return
    end
    i32.const 0 i32.const 0 local.get $now i64.const 0 call $remember`,
};

/** Keeps a call in its place when its number is nearer than that of the one there. */
const keep: WrittenFunction = {
  parameters: '$at:i32 $whole:i64 $part:i64 $id:i32 $a:i32 $b:i32 $c:i32',
  locals: '',
  results: '',
  code: `
    local.get $at i32.load 20
    if
      local.get $whole local.get $part local.get $at i64.load 0 local.get $at i64.load 8 call $order
      i32.const 0 i32.lt_s i32.eqz
      if
        return
      end
    end
    local.get $at local.get $whole i64.store 0
    local.get $at local.get $part i64.store 8
    local.get $at local.get $id i32.store 16
    local.get $at local.get $a i32.store 20
    local.get $at local.get $b i32.store 24
    local.get $at local.get $c i32.store 28`,
};

export const windowFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$same', same],
  ['$sameBytes', sameBytes],
  ['$parts', parts],
  ['$order', order],
  ['$record', record],
  ['$falling', falling],
  ['$linear', linear],
  ['$remember', remember],
  ['$recordOfNow', recordOfNow],
  ['$keep', keep],
];
