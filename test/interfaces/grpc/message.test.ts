import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DecideBatchRequestSchema,
  DecideRequestSchema,
} from '../../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { readDecide, readDecideBatch } from '../../../src/interfaces/grpc/request.ts';
import { jsonToValue, valueToJson } from '../../../src/interfaces/grpc/value.ts';
import { RequestError } from '../../../src/interfaces/wire/index.ts';

const sent = (input: { readonly input: { readonly case: 'json' | 'value'; readonly value: unknown } }) => ({
  kind: input.input.case,
  bytes: input.input.case === 'json' ? input.input.value : toBinary(ValueSchema, input.input.value as Value),
});

const inputs = fc.oneof(
  fc.uint8Array().map((value) => ({ input: { case: 'json' as const, value } })),
  fc.jsonValue({ maxDepth: 4 }).map((json) => ({
    input: { case: 'value' as const, value: fromBinary(ValueSchema, jsonToValue(JSON.stringify(json))) },
  })),
);
const options = fc.record({ strictErrors: fc.boolean(), bypassCache: fc.boolean(), resultAsValue: fc.boolean() });
const paths = fc.string({ unit: 'binary' });

describe('what is read and written by hand is what the generated code reads and writes', () => {
  test('DecideRequest', () => {
    fc.assert(
      fc.property(paths, inputs, options, (path, input, chosen) => {
        const bytes = toBinary(DecideRequestSchema, create(DecideRequestSchema, { path, input, options: chosen }));
        expect(readDecide(bytes)).toEqual({ path, input: sent(input), options: chosen });
      }),
    );
  });

  test('DecideBatchRequest', () => {
    fc.assert(
      fc.property(paths, inputs, fc.array(inputs, { maxLength: 5 }), options, (path, common, variants, chosen) => {
        const questions = { case: 'variants', value: { common, variants } } as const;
        const message = create(DecideBatchRequestSchema, { path, questions, options: chosen });
        expect(readDecideBatch(toBinary(DecideBatchRequestSchema, message))).toEqual({
          path,
          questions: { kind: 'variants', common: sent(common), variants: variants.map(sent) },
          options: chosen,
        });
      }),
    );
  });

  test('google.protobuf.Value, there and back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
        const bytes = jsonToValue(JSON.stringify(json));
        const normal: unknown = JSON.parse(JSON.stringify(json));
        expect(toJson(ValueSchema, fromBinary(ValueSchema, bytes))).toEqual(normal);
        expect(JSON.parse(valueToJson(bytes, 'value', 512))).toEqual(normal);
      }),
    );
  });

  test('whatever bytes come, they are read or refused with a place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const read of [readDecide, readDecideBatch, (value: Uint8Array) => valueToJson(value, 'value', 64)]) {
          try {
            read(bytes);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(RequestError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('messages that two readers could read differently', () => {
  const refusal = (read: () => unknown): string => {
    try {
      read();
    } catch (thrown) {
      if (thrown instanceof RequestError) return `${thrown.code}: ${thrown.message}`;
      throw thrown;
    }
    return 'taken';
  };
  const bytes = (...parts: readonly (number | string)[]): Uint8Array =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))));

  test('a path twice', () => {
    expect(refusal(() => readDecide(bytes(10, 1, 'a', 10, 1, 'b')))).toMatch(/^body_malformed: .*field 1 came twice/);
  });

  test('an input of two kinds', () => {
    const both = bytes(18, 7, 10, 2, 32, 1, 18, 1, '1');
    expect(refusal(() => readDecide(both))).toBe('body_malformed: Input: both value and json');
  });

  test('a path that is no UTF-8, and a message that is cut off', () => {
    expect(refusal(() => readDecide(bytes(10, 1, 0xff)))).toContain('no UTF-8 (at byte 3)');
    expect(refusal(() => readDecide(bytes(10, 9, 'a')))).toContain('(at byte 3)');
  });

  test('fields that this version does not know are skipped', () => {
    expect(readDecide(bytes(10, 1, 'a', 0xf8, 0x06, 1))).toMatchObject({ path: 'a' });
  });

  test.each([
    [[], 'a value without a kind'],
    [[8, 0, 32, 1], 'a value of two kinds'],
    [[17, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f], 'a number that JSON has not'],
    [[50, 4, 10, 2, 32, 1], 'taken'],
    [[50, 2, 10, 0], 'a value without a kind (in /0)'],
    [[42, 5, 10, 3, 10, 1, 97], 'a value without a kind (in /a)'],
  ] as const)('the value %j: %s', (value, wanted) => {
    expect(refusal(() => valueToJson(Buffer.from(value as readonly number[]), 'value', 64))).toContain(wanted);
  });

  test('a value that is nested deeper than the limit is refused before the stack ends', () => {
    const deep = (levels: number): Uint8Array => jsonToValue(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    expect(valueToJson(deep(64), 'value', 64)).toHaveLength(128);
    expect(refusal(() => valueToJson(deep(65), 'value', 64))).toContain('nested deeper than 64 (in /0/0');
  });
});
