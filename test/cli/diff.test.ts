import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unifiedDiff } from '../../src/cli/screen/diff.ts';

/** Applies a unified diff to a text, checking that everything it says of the text is so. */
const apply = (text: string, diff: readonly string[]): string => {
  const before = text.split('\n').slice(0, -1);
  const after: string[] = [];
  let at = 0;
  for (const line of diff.slice(2)) {
    const header = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(line);
    if (header !== null) {
      const start = Number(header[1]) - 1;
      after.push(...before.slice(at, start));
      at = start;
      expect(after.length).toBe(Number(header[3]) - 1);
    } else if (line.startsWith('+')) after.push(line.slice(1));
    else {
      expect(before[at]).toBe(line.slice(1));
      if (line.startsWith(' ')) after.push(line.slice(1));
      at++;
    }
  }
  return [...after, ...before.slice(at)].map((line) => `${line}\n`).join('');
};

const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '', '\tx'), { maxLength: 40 })
  .map((lines) => lines.map((line) => `${line}\n`).join(''));

test('a diff, applied to the text before, gives the text after', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff('f', before, after);
      if (before === after) expect(diff).toEqual([]);
      else expect(apply(before, diff)).toBe(after);
    }),
  );
});
