import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { append, content, openLog, readLog, temporaryDirectory, watchedFiles } from './builders.ts';

const SEGMENT = '0000000000000000.seg';
/** For tests that start a log once for every byte: generous, since other tests run beside them. */
const MANY_STARTS_MS = 300_000;

/** A stopped log of six small records, and where in its file each begins. */
const makeLog = async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  const ids: string[] = [];
  for (let at = 0; at < 6; at++) ids.push(await append(log, content(`${at}`), { policies: [] }));
  await log.close();
  const bytes = readFileSync(path.join(directory, SEGMENT));
  const starts = [...bytes.toString('latin1').matchAll(/\{"format":1,"type"/g)].map(({ index }) => index - 8);
  return { directory, ids, bytes, starts };
};

/** Hundreds of starts: none of them is about what a sync does. */
const files = watchedFiles({ datasync: async () => {}, syncDirectory: async () => {} });

const copyOf = (directory: string, change: (segment: string) => void): string => {
  const copy = temporaryDirectory();
  cpSync(directory, copy, { recursive: true });
  change(path.join(copy, SEGMENT));
  return copy;
};

test(
  'a log cut at any byte of its last two records goes on after the last whole one',
  async () => {
    const { directory, ids, bytes, starts } = await makeLog();
    for (let end = starts[4] as number; end < bytes.length; end += 1) {
      const copy = copyOf(directory, (segment) => truncateSync(segment, end));
      const whole = end < (starts[5] as number) ? 4 : 5;
      const log = await openLog(copy, {}, { files });
      const next = await append(log, content('"next"'));
      await log.close();
      const { records, problems } = readLog(copy);
      expect(problems).toEqual([]);
      expect(records.map(({ record }) => record.decision_id)).toEqual([...ids.slice(0, whole), next]);
      rmSync(copy, { recursive: true });
    }
  },
  MANY_STARTS_MS,
);

test.each([
  ['zeroed', (byte: number) => (byte === 0 ? 1 : 0)],
  ['flipped', (byte: number) => byte ^ 0x10],
])(
  'with any byte of its last two records %s, no damaged record is taken and no sound one is lost',
  async (_, damage) => {
    const { directory, ids, bytes, starts } = await makeLog();
    for (let at = starts[4] as number; at < bytes.length; at += 1) {
      const warnings: string[] = [];
      const copy = copyOf(directory, (segment) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = damage(bytes[at] as number);
        writeFileSync(segment, damaged);
      });
      const log = await openLog(copy, {}, { files, onWarning: (sentence) => warnings.push(sentence) });
      const next = await append(log, content('"next"'));
      const lost = at < (starts[5] as number) ? 4 : 5;
      const found = await Promise.all(ids.map(async (id) => (await log.find(id)) !== undefined));
      expect(found).toEqual(ids.map((__, index) => index !== lost));
      expect(await log.find(next)).toContain(`"index":${lost === 4 ? 6 : 5},`);
      // The torn end, or the file that was set aside and the record that is missing since.
      expect(warnings).toHaveLength(lost === 5 ? 1 : 2);
      await log.close();
      expect(readLog(copy).problems).toEqual([]);
      // Nothing is gone: what was cut or set aside is kept.
      expect(readdirSync(copy).filter((name) => /\.torn-|\.corrupt/.test(name))).toHaveLength(1);
      rmSync(copy, { recursive: true });
    }
  },
  MANY_STARTS_MS,
);

test('zeros after the last record, as a power failure leaves them, are cut', async () => {
  const { directory, ids, bytes } = await makeLog();
  const copy = copyOf(directory, (segment) => writeFileSync(segment, Buffer.concat([bytes, Buffer.alloc(4_096)])));
  const log = await openLog(copy);
  expect(await log.find(ids[5] ?? '')).toContain('"index":5,');
  await log.close();
  expect(readFileSync(path.join(copy, SEGMENT)).length).toBe(bytes.length);
});

test('a segment with a damaged header is set aside, and its records are still found', async () => {
  const { directory, ids, bytes } = await makeLog();
  for (const at of [0, 9, 30]) {
    const copy = copyOf(directory, (segment) => {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8((bytes[at] as number) ^ 1, at);
      writeFileSync(segment, damaged);
    });
    const log = await openLog(copy);
    await append(log, content('"next"'));
    expect(await log.find(ids[3] ?? '')).toContain('"index":3,');
    await log.close();
    const names = readdirSync(copy);
    expect(names).toContain(`${SEGMENT}.corrupt`);
    expect(names).toContain('0000000000000006.seg');
    // A second start finds them as well.
    const again = await openLog(copy);
    expect(await again.find(ids[0] ?? '')).toContain('"index":0,');
    expect(await again.find(await append(again, content('1')))).toContain('"index":7,');
    await again.close();
  }
});

test('a header that was cut begins anew', async () => {
  const { directory, bytes } = await makeLog();
  for (const end of [0, 5, 8, 20, bytes.indexOf('{"format":1,"type"') - 9]) {
    const copy = copyOf(directory, (segment) => truncateSync(segment, end));
    const log = await openLog(copy);
    await append(log, content('1'));
    await log.close();
    expect(readLog(copy)).toMatchObject({ problems: [], records: [{ index: 0 }] });
  }
});

test('a segment that lost its seal is checked and sealed again', async () => {
  const directory = temporaryDirectory();
  let log = await openLog(directory, { sealBytes: 65_536 });
  const ids: string[] = [];
  for (let at = 0; at < 60; at++) ids.push(await append(log, content(`"${'x'.repeat(3_000)}"`)));
  await log.close();
  const segment = path.join(directory, SEGMENT);
  const bytes = readFileSync(segment);
  const damages: ((file: string) => void)[] = [
    (file) => truncateSync(file, bytes.length - 3),
    (file) => truncateSync(file, bytes.lastIndexOf('{"sealed":') - 8),
    (file) => writeFileSync(file, Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)])),
  ];
  for (const damage of damages) {
    damage(segment);
    log = await openLog(directory, { sealBytes: 65_536 });
    for (const id of ids) expect(await log.find(id)).toContain(id);
    await log.close();
    expect(readFileSync(segment)).toEqual(bytes);
    expect(readLog(directory).problems).toEqual([]);
  }
});

test('a side file that was cut or damaged loses no record', async () => {
  const directory = temporaryDirectory();
  let log = await openLog(directory, { erasable: ['/input/user'] });
  const ids: string[] = [];
  for (let at = 0; at < 3; at++) ids.push(await append(log, content(`{"user":"user-${at}"}`)));
  await log.close();
  const side = path.join(directory, '0000000000000000.side');
  const bytes = readFileSync(side);
  const users = async (): Promise<unknown[]> => {
    const found = await Promise.all(ids.map((id) => log.find(id)));
    return found.map((text) => JSON.parse(text ?? '')).map(({ input, side: gone }) => gone ?? input.user);
  };
  const gone = ['/input/user'];
  for (const [damaged, wanted] of [
    [bytes.subarray(0, -5), ['user-0', 'user-1', gone]],
    [Buffer.from(bytes.toString('latin1').replace('user-1', 'user-X'), 'latin1'), ['user-0', gone, 'user-2']],
  ] as const) {
    const copy = copyOf(directory, () => {});
    writeFileSync(path.join(copy, '0000000000000000.side'), damaged);
    log = await openLog(copy, { erasable: ['/input/user'] });
    expect(await users()).toEqual(wanted);
    expect(await log.find(await append(log, content('{"user":"new"}')))).toContain('"new"');
    await log.close();
  }
});

test('damage in a sealed segment hides the damaged record alone', async () => {
  const directory = temporaryDirectory();
  let log = await openLog(directory, { sealBytes: 65_536 });
  const ids: string[] = [];
  for (let at = 0; at < 40; at++) ids.push(await append(log, content(`"${'x'.repeat(3_000)}"`)));
  await log.close();
  const segment = path.join(directory, SEGMENT);
  const bytes = readFileSync(segment);
  bytes.writeUInt8(0x78 ^ 1, bytes.indexOf('xxxx'));
  writeFileSync(segment, bytes);
  log = await openLog(directory);
  expect(await log.find(ids[0] ?? '')).toBeUndefined();
  for (const id of ids.slice(1)) expect(await log.find(id)).toContain(id);
  await log.close();
  expect(readLog(directory).problems.length).toBeGreaterThan(0);
});
