import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Recent } from '../../src/decision/recent.ts';

const MOST = 100;
const MOST_EACH = 40;

interface Step {
  readonly kind: 'get' | 'set' | 'delete';
  readonly key: string;
  readonly bytes: number;
}

/** The same by a list that is searched from end to end, the oldest first. */
const model = () => {
  let list: { readonly key: string; readonly value: number; readonly bytes: number }[] = [];
  let evictions = 0;
  const without = (key: string) => list.filter((entry) => entry.key !== key);
  const bytes = () => list.reduce((sum, entry) => sum + entry.bytes, 0);
  return {
    get: (key: string) => {
      const found = list.find((entry) => entry.key === key);
      if (found !== undefined) list = [...without(key), found];
      return found?.value;
    },
    set: (key: string, value: number, size: number) => {
      list = without(key);
      if (size > MOST_EACH) return;
      list.push({ key, value, bytes: size });
      for (; bytes() > MOST; evictions++) list.shift();
    },
    delete: (key: string) => {
      list = without(key);
    },
    state: () => ({ size: list.length, bytes: bytes(), evictions }),
  };
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('get', 'set', 'set', 'set', 'delete'),
  key: fc.constantFrom(...'abcdefgh'),
  bytes: fc.integer({ min: 0, max: MOST_EACH + 5 }),
});

test('the entries that were not used for longest go, whatever was done before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new Recent<number>(MOST, MOST_EACH);
      const expected = model();
      for (const [at, { kind, key, bytes }] of steps.entries()) {
        if (kind === 'get') expect(cache.get(key)).toBe(expected.get(key));
        else if (kind === 'delete') {
          cache.delete(key);
          expected.delete(key);
        } else {
          cache.set(key, at, bytes);
          expected.set(key, at, bytes);
        }
        const { size, bytes: held, evictions } = cache;
        expect({ size, bytes: held, evictions }).toEqual(expected.state());
      }
    }),
    { numRuns: 2_000 },
  );
});
