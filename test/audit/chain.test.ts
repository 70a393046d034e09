import { copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { catalogMemory, type LogMemory } from '../../src/audit/index.ts';
import { frame } from '../../src/audit/store/frame.ts';
import { append, content, openLog, temporaryDirectory } from './builders.ts';

const BIG = 'x'.repeat(5_000);

/** A stopped log of several sealed segments and an open one; `firsts` are the indexes at which they begin. */
const makeLog = async (memory?: () => LogMemory) => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { sealBytes: 65_536 }, memory === undefined ? {} : { memory });
  const ids: string[] = [];
  for (let at = 0; at < 40; at++) ids.push(await append(log, content(`"${at} ${BIG}"`)));
  await log.close();
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .sort();
  const at = (place: number): string => path.join(directory, names.at(place) ?? '');
  return { directory, ids, names, at, firsts: names.map((name) => Number.parseInt(name, 10)) };
};

type Options = Parameters<typeof openLog>[2];

/** What a log that is opened says of itself, in its warnings, its pages and its counts. */
const look = async (directory: string, options: Options = {}) => {
  const warnings: string[] = [];
  const log = await openLog(directory, {}, { onWarning: (sentence) => warnings.push(sentence), ...options });
  const { missing, damaged, records } = await log.reader.search({}, { limit: 1_000 });
  const { missingRecords, damagedSegments } = log.condition();
  return {
    log,
    warnings,
    missing,
    damaged,
    indexes: records.map(({ index }) => index),
    missingRecords,
    damagedSegments,
  };
};

test('a log that is whole says nothing', async () => {
  const { directory } = await makeLog();
  const found = await look(directory);
  expect(found).toMatchObject({ warnings: [], missing: [], damaged: [], missingRecords: 0, damagedSegments: 0 });
});

test('a beginning that was taken away is told at every start and by every search', async () => {
  const { directory, at, firsts } = await makeLog();
  rmSync(at(0));
  const to = (firsts[1] as number) - 1;
  for (let start = 0; start < 2; start++) {
    const { log, warnings, missing, missingRecords } = await look(directory);
    expect(missing).toEqual([{ from: 0, to, why: 'beginning' }]);
    expect(missingRecords).toBe(to + 1);
    expect(warnings).toEqual([expect.stringContaining(`records 0 to ${to} are missing`)]);
    const followed = await log.reader.follow({}, { limit: 1, from: 0 });
    expect(followed.missing).toEqual(missing);
    await log.close();
  }
});

test('a middle that was taken away is told, and records go on', async () => {
  const { directory, at, firsts } = await makeLog();
  rmSync(at(1));
  const { missing, log } = await look(directory);
  expect(missing).toEqual([{ from: firsts[1], to: (firsts[2] as number) - 1, why: 'gap' }]);
  expect(await log.find(await append(log, content('1')))).toContain('"index":40,');
});

test('segments that an operator declares as taken away are not missing; others still are', async () => {
  const { directory, at, firsts } = await makeLog();
  rmSync(at(0));
  rmSync(at(1));
  writeFileSync(path.join(directory, 'begin'), `${firsts[1]}\n`);
  const { log, missing } = await look(directory);
  expect(missing).toEqual([{ from: firsts[1], to: (firsts[2] as number) - 1, why: 'beginning' }]);
  // Read again at every look: no restart is needed.
  writeFileSync(path.join(directory, 'begin'), `${firsts[2]}\n`);
  expect((await log.reader.search({}, { limit: 1 })).missing).toEqual([]);
  expect(log.condition().missingRecords).toBe(0);
});

test.each(['', 'nonsense', '-1', '999999'])('a file begin that says %j declares nothing', async (text) => {
  const { directory, at, firsts } = await makeLog();
  rmSync(at(0));
  writeFileSync(path.join(directory, 'begin'), text);
  expect((await look(directory)).missing).toEqual([{ from: 0, to: (firsts[1] as number) - 1, why: 'beginning' }]);
});

test('a segment that goes while the log is open is told as gone, and searches answer the rest', async () => {
  const { directory, at, firsts, names } = await makeLog();
  const { log, warnings } = await look(directory);
  rmSync(at(1));
  const page = await log.reader.search({}, { limit: 1_000 });
  const hole = { from: firsts[1] as number, to: (firsts[2] as number) - 1 };
  expect(page.missing).toEqual([{ ...hole, why: 'gone', file: names[1] }]);
  expect(page.damaged).toEqual([]);
  expect(page.records.map(({ index }) => index)).toEqual(
    Array.from({ length: 40 }, (_, index) => 39 - index).filter((index) => index < hole.from || index > hole.to),
  );
  expect(warnings).toEqual([expect.stringContaining(`${names[1]} is gone`)]);
});

test('segments whose names were swapped are told as that, and no record is missing', async () => {
  const { directory, at, names } = await makeLog();
  renameSync(at(0), path.join(directory, 'x'));
  renameSync(at(1), at(0));
  renameSync(path.join(directory, 'x'), at(1));
  const { missing, damaged, indexes, damagedSegments } = await look(directory);
  expect(missing).toEqual([]);
  expect(damaged).toEqual([
    { file: names[0], offset: 0, bytes: expect.any(Number), why: 'name' },
    { file: names[1], offset: 0, bytes: expect.any(Number), why: 'name' },
  ]);
  expect(damagedSegments).toBe(2);
  expect(indexes).toEqual(Array.from({ length: 40 }, (_, index) => 39 - index));
});

test('the open segment under a sealed name, and the other way round: all records are found', async () => {
  const { directory, at } = await makeLog();
  renameSync(at(-1), path.join(directory, 'x'));
  renameSync(at(0), at(-1));
  renameSync(path.join(directory, 'x'), at(0));
  for (let start = 0; start < 2; start++) {
    const { log, missing, damaged, indexes } = await look(directory);
    expect(missing).toEqual([]);
    expect(damaged.map(({ why }) => why).sort()).toEqual(['aside', 'name']);
    expect(indexes).toEqual(Array.from({ length: 40 + start }, (_, index) => 39 + start - index));
    await append(log, content('1'));
    await log.close();
  }
});

test('a copy over another segment: its records are missing, the copy stands twice, and the log goes on', async () => {
  const { directory, at, firsts } = await makeLog();
  copyFileSync(at(0), at(-1));
  const { log, missing, damaged } = await look(directory);
  // The lost ones were the newest: nothing but a memory outside of the folder could tell of them.
  expect(missing).toEqual([]);
  expect(damaged.map(({ why }) => why)).toEqual(expect.arrayContaining(['twice']));
  expect(await log.find(await append(log, content('1')))).toContain(`"index":${firsts.at(-1)},`);
});

test('a segment of another log is left out, whatever it is called', async () => {
  const one = await makeLog();
  const other = await makeLog();
  copyFileSync(other.at(1), one.at(1));
  const { missing, damaged, log } = await look(one.directory);
  expect(missing).toEqual([{ from: one.firsts[1], to: (one.firsts[2] as number) - 1, why: 'gap' }]);
  expect(damaged).toEqual([expect.objectContaining({ why: 'origin' })]);
  expect(await log.find(other.ids[one.firsts[1] as number] ?? '')).toBeUndefined();
});

/** The bytes with the checksum of the frame whose payload lies from `start` to `end` made anew. */
const withChecksum = (bytes: Buffer, start: number, end: number): Buffer => {
  const framed = frame(bytes.subarray(start, end));
  return Buffer.concat([bytes.subarray(0, start - 8), framed, bytes.subarray(end)]);
};

/** Exchanges two neighbouring records of the same length. */
const swapRecords = (file: string): void => {
  const bytes = readFileSync(file);
  const starts = [...bytes.toString('latin1').matchAll(/\{"format":1,"type"/g)].map(({ index }) => index - 8);
  const [a, b, c] = [starts[2] as number, starts[3] as number, starts[4] as number];
  const swapped = [bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)];
  writeFileSync(file, Buffer.concat(swapped));
};

test('records that were swapped within a sealed segment are told, by a search and after a start', async () => {
  const { directory, at, names } = await makeLog();
  swapRecords(at(0));
  const { log, warnings, damaged, indexes } = await look(directory);
  const place = { file: names[0], offset: expect.any(Number), bytes: expect.any(Number), why: 'order' };
  expect(damaged).toEqual([place, place]);
  expect(indexes).toHaveLength(40);
  await log.close();
  expect(warnings).toEqual(Array.from({ length: 2 }, () => expect.stringContaining('a record of another place')));
});

test('a changed byte in a sealed segment is told after a start, though nobody searches', async () => {
  const { directory, at, names } = await makeLog();
  const bytes = readFileSync(at(1));
  bytes.writeUInt8(0x78 ^ 1, bytes.indexOf('xxxx'));
  writeFileSync(at(1), bytes);
  const warnings: string[] = [];
  const log = await openLog(directory, {}, { onWarning: (sentence) => warnings.push(sentence) });
  await expect.poll(() => warnings, { timeout: 20_000 }).toEqual([expect.stringContaining(`${names[1]} is damaged`)]);
  expect(log.condition()).toEqual({ damagedSegments: 1, missingRecords: 0 });
});

test('a damaged header of a sealed segment is told, and its records are found under its name', async () => {
  const { directory, at, names } = await makeLog();
  const bytes = readFileSync(at(0));
  bytes.writeUInt8((bytes[20] as number) ^ 1, 20);
  writeFileSync(at(0), bytes);
  const { damaged, missing, indexes } = await look(directory);
  expect(damaged).toEqual([{ file: names[0], offset: 0, bytes: expect.any(Number), why: 'bytes' }]);
  expect([missing, indexes.length]).toEqual([[], 40]);
});

test('a record with a right checksum that is no JSON is damage, and hides no other', async () => {
  const { directory, at, names } = await makeLog();
  const bytes = readFileSync(at(0));
  const start = bytes.indexOf('{"format":1,"type"');
  const end = start + bytes.readUInt32BE(start - 8);
  bytes.write('!', start + '{"format":1,"type"'.length);
  writeFileSync(at(0), withChecksum(bytes, start, end));
  const { warnings, damaged, indexes } = await look(directory);
  expect(damaged).toEqual([{ file: names[0], offset: start - 8, bytes: end - start + 8, why: 'bytes' }]);
  expect(indexes).toEqual(Array.from({ length: 39 }, (_, index) => 39 - index));
  expect(warnings).toEqual([expect.stringContaining(`${names[0]} is damaged`)]);
});

// ---- what is remembered outside of the folder

const memoryIn = (file: string): (() => LogMemory) => {
  let now = 0;
  return () => catalogMemory(new DatabaseSync(file), () => (now += 1));
};

test('newest segments that were taken away are told, and no index is given twice', async () => {
  const memory = memoryIn(path.join(temporaryDirectory(), 'catalog.db'));
  const { directory, at, firsts } = await makeLog(memory);
  rmSync(at(-1));
  rmSync(at(-2));
  const hole = { from: firsts.at(-2) as number, to: 39 };
  const first = await look(directory, { memory });
  expect(first.missing).toEqual([{ ...hole, why: 'end' }]);
  expect(first.warnings).toEqual([expect.stringContaining(`records ${hole.from} to 39 are missing`)]);
  expect(await first.log.find(await append(first.log, content('1')))).toContain('"index":40,');
  await first.log.close();
  // From now on the segments show it by themselves.
  expect((await look(directory)).missing).toEqual([{ ...hole, why: 'gap' }]);
});

test('an older copy that was put back lacks what was written since', async () => {
  const memory = memoryIn(path.join(temporaryDirectory(), 'catalog.db'));
  const { directory } = await makeLog(memory);
  const copy = temporaryDirectory();
  cpSync(directory, copy, { recursive: true });
  const log = await openLog(directory, {}, { memory });
  for (let at = 0; at < 3; at++) await append(log, content('1'));
  await log.close();
  expect((await look(copy, { memory })).missing).toEqual([{ from: 40, to: 42, why: 'end' }]);
});

test('a folder that was emptied is told: another log was here', async () => {
  const memory = memoryIn(path.join(temporaryDirectory(), 'catalog.db'));
  const { directory } = await makeLog(memory);
  for (const name of readdirSync(directory)) rmSync(path.join(directory, name));
  const { warnings } = await look(directory, { memory });
  expect(warnings).toEqual([expect.stringMatching(/an earlier one, verdict-\w{24}, of 40 records or more/)]);
});
