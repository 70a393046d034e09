import { existsSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { corpus, keptCases } from './corpus.ts';
import { targetOf } from './target.ts';
import { targets } from './targets.ts';

const kept = targets.flatMap((target) => keptCases(target.name).map((found) => ({ ...found, target })));
const used = targets.filter((target) => kept.some((found) => found.target === target));

describe('cases that failed once', () => {
  beforeAll(async () => {
    for (const target of used) await target.open();
  });
  afterAll(async () => {
    for (const target of used) await target.close();
  });

  test.each(kept)('$target.name/$file', ({ target, text }) => expect(target.replay(text)).resolves.toBeUndefined());

  test('every folder of the corpus belongs to a target', () => {
    const folders = existsSync(corpus) ? readdirSync(corpus) : [];
    expect(targets.map(({ name }) => name)).toEqual(expect.arrayContaining(folders));
  });
});

describe('a target', () => {
  const noThousand = targetOf<readonly number[]>({
    name: 'lists',
    cases: fc.array(fc.nat()),
    check: (list) => {
      if (list.some((item) => item >= 1_000)) throw new Error('a thousand is too many');
    },
    write: (list) => JSON.stringify(list),
    read: (text) => JSON.parse(text) as readonly number[],
  });

  test('finds a case that fails, makes it small, and fails on it again', async () => {
    const finding = await noThousand.fuzz({ seed: 1, milliseconds: 60_000 });
    expect(finding).toEqual({ problem: 'a thousand is too many', text: '[1000]', seed: 1 });
    await expect(noThousand.replay('[1000]')).rejects.toThrow('a thousand is too many');
    await expect(noThousand.replay('[999]')).resolves.toBeUndefined();
  });
});
