import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { RegoBytes } from '../../../src/rego/index.ts';
import { callScope } from './scope.ts';

const run = (name: string, ...operands: readonly Uint8Array[]) =>
  typescriptBuiltins.get(name)?.run(callScope().scope, ...operands.map((bytes) => new RegoBytes(bytes)));

const bytes = fc.uint8Array({ maxLength: 300 });

describe.each(['md5', 'sha1', 'sha256'])('crypto.%s', (name) => {
  test("is the digest of the string's bytes, whatever they are", () => {
    fc.assert(
      fc.property(bytes, (message) => {
        expect(run(`crypto.${name}`, message)).toBe(createHash(name).update(message).digest('hex'));
      }),
    );
  });
});

describe.each(['md5', 'sha1', 'sha256', 'sha512'])('crypto.hmac.%s', (name) => {
  test("is node's HMAC for messages and keys of any length, longer than a block too", () => {
    fc.assert(
      fc.property(bytes, bytes, (message, key) => {
        expect(run(`crypto.hmac.${name}`, message, key)).toBe(createHmac(name, key).update(message).digest('hex'));
      }),
      { numRuns: 300 },
    );
  });
});

test('crypto.hmac.equal compares bytes, and strings of different lengths are unequal', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(run('crypto.hmac.equal', a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(run('crypto.hmac.equal', a, Uint8Array.from(a))).toBe(true);
    }),
  );
});
