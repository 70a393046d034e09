import type { WrittenFunction } from './assembler.ts';

// Strings in which a byte is a character, and such as are put together as they are.

/** Whether a value is a string. */
const isString: WrittenFunction = {
  parameters: '$value:i32',
  locals: '',
  results: 'i32',
  code: `
    local.get $value i32.load8_u 0 i32.const 4 i32.eq local.get $value i32.load8_u 0 i32.const 8 i32.eq i32.or`,
};

/** Copies bytes; where the copy ends. */
const copy: WrittenFunction = {
  parameters: '$from:i32 $length:i32 $to:i32',
  locals: '',
  results: 'i32',
  code: `
    block
      loop
        local.get $length i32.eqz br_if 1
        local.get $to local.get $from i32.load8_u 0 i32.store8 0
        local.get $from i32.const 1 i32.add local.set $from
        local.get $to i32.const 1 i32.add local.set $to
        local.get $length i32.const 1 i32.sub local.set $length
        br 0
      end
    end
    local.get $to`,
};

/** A string of so many bytes, which stand behind it and are yet to be written. */
const emptyString: WrittenFunction = {
  parameters: '$length:i32',
  locals: '$at:i32',
  results: 'i32',
  code: `
    local.get $length i32.const 13 i32.add call $malloc local.tee $at i32.const 4 i32.store16 0
    local.get $at local.get $length i32.store 4
    local.get $at local.get $at i32.const 12 i32.add i32.store 8
    local.get $at i32.const 12 i32.add local.get $length i32.add i32.const 0 i32.store8 0
    local.get $at`,
};

/** Whether a string has one byte for each character. */
const isAscii: WrittenFunction = {
  parameters: '$value:i32',
  locals: '$at:i32 $end:i32',
  results: 'i32',
  code: `
    local.get $value i32.load 8 local.tee $at local.get $value i32.load 4 i32.add local.set $end
    block
      loop
        local.get $at local.get $end i32.eq br_if 1
        local.get $at i32.load8_u 0 i32.const 127 i32.gt_u
        if
          i32.const 0
          return
        end
        local.get $at i32.const 1 i32.add local.set $at
        br 0
      end
    end
    i32.const 1`,
};

/** The string of so many characters from an offset; 0, which is no value, when the host has to say it. */
const part: WrittenFunction = {
  parameters: '$value:i32 $offset:i64 $count:i64',
  locals: '$length:i64 $made:i32',
  results: 'i32',
  code: `
    block
      local.get $offset i64.const 0 i64.lt_s br_if 0
      local.get $value call $isString i32.eqz br_if 0
      local.get $value call $isAscii i32.eqz br_if 0
      local.get $value i32.load 4 i64.extend_i32_u local.tee $length
      local.get $offset local.get $length local.get $offset i64.lt_u select local.set $offset
      local.get $length local.get $offset i64.sub local.tee $length
      ;; Less than none is all the rest.
      local.get $count local.get $length local.get $count i64.lt_u select local.set $count
      local.get $count i32.wrap_i64 call $emptyString local.set $made
      local.get $value i32.load 8 local.get $offset i32.wrap_i64 i32.add
      local.get $count i32.wrap_i64 local.get $made i32.const 12 i32.add call $copy local.set $made
      local.get $made local.get $count i32.wrap_i64 i32.sub i32.const 12 i32.sub
      return
    end
    i32.const 0`,
};

/** Where a string stands in another, -1 when it does not; less when the host has to say it. */
const found: WrittenFunction = {
  parameters: '$value:i32 $wanted:i32',
  locals: '$start:i32 $at:i32 $last:i32 $first:i32 $length:i32 $passed:i32',
  results: 'i64',
  code: `
    block
      local.get $value call $isString i32.eqz br_if 0
      local.get $wanted call $isString i32.eqz br_if 0
      local.get $wanted i32.load 4 local.tee $length i32.eqz br_if 0
      local.get $value call $isAscii i32.eqz br_if 0
      local.get $wanted i32.load 8 local.set $first
      local.get $value i32.load 8 local.tee $start local.tee $at
      local.get $value i32.load 4 local.get $length i32.sub i32.add local.set $last
      local.get $value i32.load 4 local.get $length i32.lt_u
      if
        i64.const -1
        return
      end
      loop
        i32.const 0 local.set $passed
        block
          loop
            local.get $at local.get $passed i32.add i32.load8_u 0
            local.get $first local.get $passed i32.add i32.load8_u 0 i32.ne br_if 1
            local.get $passed i32.const 1 i32.add local.tee $passed local.get $length i32.lt_u br_if 0
          end
          local.get $at local.get $start i32.sub i64.extend_i32_u
          return
        end
        local.get $at i32.const 1 i32.add local.tee $at local.get $last i32.le_u br_if 0
      end
      i64.const -1
      return
    end
    i64.const -2`,
};

/** The strings of an array with another between them; 0, which is no value, when the host has to say it. */
const joined: WrittenFunction = {
  parameters: '$between:i32 $list:i32',
  locals: '$at:i32 $end:i32 $length:i32 $made:i32 $to:i32',
  results: 'i32',
  code: `
    block
      local.get $between call $isString i32.eqz br_if 0
      local.get $list i32.load8_u 0 i32.const 5 i32.ne br_if 0
      local.get $list i32.load 8 i32.eqz br_if 0
      local.get $list i32.load 4 local.tee $at local.get $list i32.load 8 i32.const 3 i32.shl i32.add local.set $end
      loop
        local.get $at i32.load 4 call $isString i32.eqz br_if 1
        local.get $length local.get $at i32.load 4 i32.load 4 i32.add local.get $between i32.load 4 i32.add
        local.tee $length
        ;; Longer ones are the host’s to refuse.
        i32.const 1048576 i32.gt_u br_if 1
        local.get $at i32.const 8 i32.add local.tee $at local.get $end i32.lt_u br_if 0
      end
      local.get $length local.get $between i32.load 4 i32.sub call $emptyString local.tee $made
      i32.const 12 i32.add local.set $to
      local.get $list i32.load 4 local.set $at
      loop
        local.get $at i32.load 4 i32.load 8 local.get $at i32.load 4 i32.load 4 local.get $to call $copy local.set $to
        local.get $at i32.const 8 i32.add local.tee $at local.get $end i32.lt_u
        if
          local.get $between i32.load 8 local.get $between i32.load 4 local.get $to call $copy local.set $to
          br 1
        end
      end
      local.get $made
      return
    end
    i32.const 0`,
};

export const textFunctions: readonly (readonly [name: string, WrittenFunction])[] = [
  ['$isString', isString],
  ['$copy', copy],
  ['$emptyString', emptyString],
  ['$isAscii', isAscii],
  ['$part', part],
  ['$found', found],
  ['$joined', joined],
];
