import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AuditReader, RecordFilter, RecordPage } from '../../../src/audit/index.ts';
import type { Outcome } from '../../../src/decision/model.ts';
import { append, content, openLog, temporaryDirectory } from '../builders.ts';

interface Found {
  readonly index: number;
  readonly type: string;
  readonly [member: string]: unknown;
}

const recordsOf = (page: Pick<RecordPage, 'bytes'>): Found[] =>
  JSON.parse(`[${Buffer.from(page.bytes).toString()}]`) as Found[];

const indexesOf = (page: Pick<RecordPage, 'bytes'>): number[] => recordsOf(page).map(({ index }) => index);

/** All pages of a search, one after another. */
const everything = async (
  reader: AuditReader,
  filter: RecordFilter,
  limit: number,
  between: () => Promise<unknown> = async () => {},
): Promise<number[]> => {
  const found: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.search(filter, { limit, cursor });
    expect(page.records.length).toBeLessThanOrEqual(limit);
    found.push(...indexesOf(page));
    cursor = page.next;
    await between();
  } while (cursor !== undefined);
  return found;
};

test('records come newest first, with their input as it was sent, and without line breaks', async () => {
  const log = await openLog(temporaryDirectory());
  const first = await append(log, content('{"n":\n 1.0}'));
  const second = await append(log, content('2'), { outcome: 'refuse' });
  const page = await log.reader.search({}, { limit: 10 });
  expect(recordsOf(page).map(({ decision_id: id }) => id)).toEqual([second, first]);
  expect(page).toMatchObject({ partial: false, damaged: [], scanned: { records: 2 } });
  expect(page.next).toBeUndefined();
  const [at] = page.records;
  const text = Buffer.from(page.bytes).toString();
  expect(text).toContain('{"n":  1.0}');
  expect(JSON.parse(text.slice(at?.start, at?.end))).toMatchObject({ decision_id: second, index: 1 });
});

const t0 = Date.UTC(2026, 0, 1);

test.each<[string, RecordFilter, number[]]>([
  ['subject', { subject: ['alice'] }, [0]],
  ['action', { action: ['read'] }, [1, 0]],
  ['resource', { resource: ['7'] }, [0]],
  ['outcome', { outcome: ['refuse', 'failed'] }, [2, 1]],
  ['caller', { caller: ['gateway'] }, [2]],
  ['path', { path: ['todo'] }, [1, 0]],
  ['path, whole', { path: ['todo/allow'] }, [0]],
  ['wire', { wire: ['opa.v0'] }, [1]],
  ['cache', { cache: ['miss'] }, [2]],
  ['bundle', { bundle: ['shop'] }, [2]],
  ['version', { version: [3] }, [1, 0]],
  ['bundle and version of one policy', { bundle: ['shop'], version: [3] }, []],
  ['token by its jti', { token: ['j1'] }, [1]],
  ['token by its claims', { token: ['c'.repeat(64)] }, [1]],
  ['token by the digits that stand in an input', { token: ['c'.repeat(16)] }, [1]],
  ['token by its issuer', { token: ['https://issuer'] }, [1]],
  ['from', { fromMs: t0 + 1_000 }, [2, 1]],
  ['to, which is not included', { toMs: t0 + 1_000 }, [0]],
  ['several together', { outcome: ['refuse'], path: ['todo'], action: ['read'] }, [1]],
  ['bundles that a reader is restricted to', { within: ['todo'] }, [1, 0]],
  ['nothing that is there', { subject: ['nobody'] }, []],
])('a filter finds its records: %s', async (_, filter, expected) => {
  const log = await openLog(temporaryDirectory());
  await append(log, content('{"subject":{"id":"alice"},"action":{"name":"read"},"resource":{"id":"7"}}'), {
    timestampMs: t0,
  });
  await append(log, content('{"subject":{"id":"b\\u006fb"},"action":{"name":"read"}}'), {
    timestampMs: t0 + 1_000,
    outcome: 'refuse',
    path: ['todo', 'list'],
    wire: 'opa.v0',
    tokens: [{ issuer: 'https://issuer', id: 'j1', claimsDigest: 'c'.repeat(64) }] as never,
  });
  await append(log, content(), {
    timestampMs: t0 + 2_000,
    outcome: 'failed',
    path: ['todos'],
    cache: 'miss',
    caller: { kind: 'token', name: 'gateway', roles: ['ask'] },
    policies: [{ name: 'shop', version: 9, digest: 'd', revision: '', dataRevision: 'e' }],
  });
  // Older than their ids by more than a search allows for: only cuts by time look at ids.
  const found = indexesOf(await log.reader.search({ events: true, ...filter }, { limit: 10 }));
  expect(found).toEqual(expected);
});

test('a subject is found as the text it means, however it was escaped', async () => {
  const log = await openLog(temporaryDirectory());
  await append(log, content('{"subject":{"id":"b\\u006fb"}}'));
  expect(indexesOf(await log.reader.search({ subject: ['bob'] }, { limit: 10 }))).toEqual([0]);
});

test('events are among the records when they are asked for, and fit filters that they can fit', async () => {
  const log = await openLog(temporaryDirectory());
  await append(log, content('1'));
  await log.note({ event: 'activation', by: 'ci', details: { bundle: 'todo', version: 3 } });
  const find = async (filter: RecordFilter) => indexesOf(await log.reader.search(filter, { limit: 10 }));
  expect(await find({})).toEqual([0]);
  expect(await find({ events: true })).toEqual([1, 0]);
  expect(await find({ events: true, bundle: ['todo'], version: [3] })).toEqual([1, 0]);
  expect(await find({ events: true, caller: ['ci'] })).toEqual([1]);
  expect(await find({ events: true, subject: ['x'] })).toEqual([]);
  expect(await find({ events: true, within: ['todo'] })).toEqual([0]);
});

test('values that lie beside the log are filled in, also those that a filter looks at', async () => {
  const log = await openLog(temporaryDirectory(), { erasable: ['/input/name'] });
  await append(log, content('{"name":"x","n":1}'));
  const long = Array.from({ length: 900 }, (_, at) => ({
    name: `bundle-${at}`,
    version: at + 1,
    digest: 'd'.repeat(64),
    revision: '',
    dataRevision: 'e'.repeat(64),
  }));
  await append(log, content('2'), { policies: long });
  const [second, first] = recordsOf(await log.reader.search({}, { limit: 10 }));
  expect(first).toMatchObject({ input: { name: 'x', n: 1 } });
  expect(first).not.toHaveProperty('side');
  expect(second?.policies).toHaveLength(900);
  expect(indexesOf(await log.reader.search({ bundle: ['bundle-899'] }, { limit: 10 }))).toEqual([1]);
});

test('pages, one after another, are the whole filtered list, whatever is appended meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Outcome>('permit', 'refuse', 'failed'), { maxLength: 60 }),
      fc.integer({ min: 1, max: 25 }),
      fc.constantFrom<RecordFilter>({}, { outcome: ['refuse'] }, { outcome: ['permit', 'failed'] }),
      fc.boolean(),
      async (outcomes, limit, filter, appends) => {
        const log = await openLog(temporaryDirectory(), { sealBytes: 65_536 });
        for (const outcome of outcomes) await append(log, content(`"${'x'.repeat(3_000)}"`), { outcome });
        const wanted = outcomes.flatMap((outcome, index) =>
          filter.outcome === undefined || filter.outcome.includes(outcome) ? [index] : [],
        );
        const more = () => (appends ? append(log, content('0'), { outcome: 'refuse' }) : Promise.resolve());
        expect(await everything(log.reader, filter, limit, more)).toEqual(wanted.reverse());
        await log.close();
      },
    ),
    { numRuns: 25 },
  );
});

test('a log is followed in the order of its records, from any place', async () => {
  const log = await openLog(temporaryDirectory(), { sealBytes: 65_536 });
  for (let at = 0; at < 60; at++) {
    await append(log, content(`"${'x'.repeat(3_000)}"`), { outcome: at % 2 === 0 ? 'permit' : 'refuse' });
  }
  const page = await log.reader.follow({ outcome: ['refuse'] }, { limit: 5, from: 20 });
  expect(indexesOf(page)).toEqual([21, 23, 25, 27, 29]);
  expect(page.upTo).toBe(30);
  const rest = await log.reader.follow({ outcome: ['refuse'] }, { limit: 100, from: page.upTo });
  expect(indexesOf(rest)).toHaveLength(15);
  expect(rest.upTo).toBe(60);
  expect(log.reader.end()).toBe(60);
  const nothing = await log.reader.follow({}, { limit: 100, from: 60 });
  expect(nothing).toMatchObject({ records: [], upTo: 60 });
});

test('a search goes on over a restart, with the cursor of the process before', async () => {
  const directory = temporaryDirectory();
  const before = await openLog(directory);
  for (let at = 0; at < 5; at++) await append(before, content(`${at}`));
  const { next } = await before.reader.search({}, { limit: 2 });
  await before.close();
  const log = await openLog(directory);
  expect(indexesOf(await log.reader.search({}, { limit: 10, cursor: next }))).toEqual([2, 1, 0]);
  expect(log.reader.end()).toBe(5);
});

test.each(['', 'x', 'AAAA', '{}', 'a'.repeat(500)])('a cursor that nobody gave is refused: %s', async (cursor) => {
  const log = await openLog(temporaryDirectory());
  await expect(log.reader.search({}, { limit: 1, cursor })).rejects.toMatchObject({ code: 'AUDIT_CURSOR_INVALID' });
});

test('a cursor of another log is refused', async () => {
  const [one, other] = [await openLog(temporaryDirectory()), await openLog(temporaryDirectory())];
  const cursor = other.reader.cursorOf(3);
  expect(other.reader.indexOf(cursor)).toBe(3);
  await expect(one.reader.search({}, { limit: 1, cursor })).rejects.toMatchObject({
    code: 'AUDIT_CURSOR_INVALID',
    message: expect.stringContaining('another log'),
  });
});

test('damage is told with its place, and costs no record but its own', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { sealBytes: 65_536 });
  for (let at = 0; at < 60; at++) await append(log, content(`"${String(at).padEnd(3_000, 'x')}"`));
  const file = path.join(directory, '0000000000000000.seg');
  const bytes = readFileSync(file);
  const at = bytes.indexOf('"5x');
  bytes.write('?', at + 100);
  writeFileSync(file, bytes);
  const page = await log.reader.search({}, { limit: 100 });
  expect(indexesOf(page)).toEqual(Array.from({ length: 60 }, (_, index) => 59 - index).filter((index) => index !== 5));
  expect(page.damaged).toEqual([
    { file: '0000000000000000.seg', offset: expect.any(Number), bytes: expect.any(Number), why: 'bytes' },
  ]);
  const [place] = page.damaged;
  expect(place?.offset).toBeLessThan(at);
  expect((place?.offset ?? 0) + (place?.bytes ?? 0)).toBeGreaterThan(at + 100);
});

test('a file that was set aside is searched too', async () => {
  const directory = temporaryDirectory();
  const before = await openLog(directory);
  for (let at = 0; at < 20; at++) await append(before, content(`"${String(at).padEnd(100, 'x')}"`));
  await before.close();
  const file = path.join(directory, '0000000000000000.seg');
  const bytes = readFileSync(file);
  bytes.write('?', bytes.indexOf('"7x') + 50);
  writeFileSync(file, bytes);
  const log = await openLog(directory);
  await append(log, content('1'));
  const whole = Array.from({ length: 21 }, (_, index) => 20 - index).filter((index) => index !== 7);
  expect(await everything(log.reader, {}, 4)).toEqual(whole);
  expect((await log.reader.search({}, { limit: 100 })).damaged).toMatchObject([
    { file: '0000000000000000.seg.corrupt', why: 'aside' },
    { file: '0000000000000000.seg.corrupt', why: 'bytes' },
  ]);
  expect(indexesOf(await log.reader.follow({}, { limit: 100, from: 6 }))).toEqual(whole.toReversed().slice(6));
});
