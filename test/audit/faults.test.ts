import { openSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { LogFiles } from '../../src/audit/index.ts';
import { nodeFiles } from '../../src/audit/index.ts';
import { systemClock } from '../../src/canonical/index.ts';
import { append, content, openLog, readLog, temporaryDirectory, watchedFiles } from './builders.ts';

const failure = (code: string): Error => Object.assign(new Error(`${code}: from a test`), { code });

type Write = LogFiles['write'];

/** How a write can fail: with nothing, a part, or all of it on the disk. */
const faults: readonly (readonly [string, Write])[] = [
  [
    'a write that is lost',
    () => {
      throw failure('EIO');
    },
  ],
  [
    'a write that lands but reports failure',
    (...call) => {
      nodeFiles.write(...call);
      throw failure('EIO');
    },
  ],
  [
    'a write that fills the disk half way',
    (fd, bytes, offset, length, position) => {
      nodeFiles.write(fd, bytes, offset, Math.floor(length / 2), position);
      throw failure('ENOSPC');
    },
  ],
];

test.each(faults)('%s is refused, wherever it comes, and leaves no trace', async (_, fault) => {
  // Writes of the run: records 0, a side value and record 1, record 2 ... each of them fails once.
  for (let failing = 1; failing <= 5; failing++) {
    const directory = temporaryDirectory();
    let writes = 0;
    const files = watchedFiles({
      write: (...call) => {
        writes += 1;
        return (writes === failing ? fault : nodeFiles.write)(...call);
      },
    });
    const log = await openLog(directory, { erasable: ['/input/user'] }, { files });
    const acknowledged: string[] = [];
    let refused = 0;
    for (let at = 0; at < 6; at++) {
      await append(log, content(at === 1 || at === 3 ? `{"user":"u${at}"}` : `${at}`)).then(
        (id) => acknowledged.push(id),
        (error) => {
          refused += 1;
          expect(error).toMatchObject({ code: 'AUDIT_UNWRITABLE', message: expect.stringMatching(/EIO|ENOSPC/) });
        },
      );
    }
    expect(refused).toBe(1);
    expect(log.health()).toEqual({ writable: true });
    for (const id of acknowledged) expect(await log.find(id)).toContain(id);
    await log.close();
    const { records, problems } = readLog(directory);
    expect(problems).toEqual([]);
    const decisions = records.filter(({ record }) => record.type === 'decision');
    expect(decisions.map(({ record }) => record.decision_id)).toEqual(acknowledged);
    expect(decisions.every(({ aside }) => !Object.values(aside).includes(undefined))).toBe(true);
    const pause = records.find(({ record }) => record.event === 'pause');
    expect(pause?.record).toMatchObject({ by: 'audit', details: { refused: 1 } });
  }
});

test('short writes are gone on with', async () => {
  const directory = temporaryDirectory();
  const files = watchedFiles({
    write: (fd, bytes, offset, length, position) => nodeFiles.write(fd, bytes, offset, Math.min(length, 7), position),
  });
  const log = await openLog(directory, {}, { files });
  const ids = await Promise.all(Array.from({ length: 5 }, (_, at) => append(log, content(`${at}`))));
  const { records, problems } = readLog(directory);
  expect([problems, records.map(({ record }) => record.decision_id)]).toEqual([[], ids]);
});

test('a failed write that cannot be taken back is taken back before the next one', async () => {
  const directory = temporaryDirectory();
  let broken = false;
  const files = watchedFiles({
    write: (...call) => {
      const written = nodeFiles.write(...call);
      if (broken) throw failure('EIO');
      return written;
    },
    truncate: (...call) => {
      if (broken) throw failure('EIO');
      nodeFiles.truncate(...call);
    },
  });
  const log = await openLog(directory, {}, { files });
  await append(log, content('1'));
  broken = true;
  await expect(append(log, content(`"${'long'.repeat(500)}"`))).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
  broken = false;
  await append(log, content('2'));
  expect(readLog(directory).problems).toEqual([]);
});

test('what is written and not yet on the disk has an age, until the sync that covers it has ended', async () => {
  const syncs: (() => void)[] = [];
  const files = watchedFiles({ datasync: () => new Promise((resolve) => syncs.push(() => resolve(undefined))) });
  let nowMs = 1_000;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const log = await openLog(temporaryDirectory(), { syncSeconds: 0.01 }, { files, clock });
  expect(log.stats().unsyncedMs).toBe(0);
  await append(log, content('1'));
  nowMs += 250;
  expect(log.stats().unsyncedMs).toBe(250);
  await expect.poll(() => syncs.length).toBe(1);
  await append(log, content('2'));
  nowMs += 50;
  // The first record may still be on its way to the disk: its age counts.
  expect(log.stats().unsyncedMs).toBe(300);
  syncs[0]?.();
  await expect.poll(() => log.stats().unsyncedMs).toBe(50);
  await expect.poll(() => syncs.length).toBe(2);
  syncs[1]?.();
  await expect.poll(() => log.stats().unsyncedMs).toBe(0);
});

test('a full disk refuses every record, says so, and recovers by itself', async () => {
  const directory = temporaryDirectory();
  const warnings: string[] = [];
  let full = false;
  const files = watchedFiles({
    write: (...call) => {
      if (full) throw failure('ENOSPC');
      return nodeFiles.write(...call);
    },
  });
  const log = await openLog(directory, {}, { files, onWarning: (sentence) => warnings.push(sentence) });
  await append(log, content('1'));
  full = true;
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => append(log, content('2'))));
  expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  expect(log.health()).toEqual({ writable: false, reason: 'ENOSPC: from a test' });
  expect(log.stats()).toMatchObject({ records: 1, pauses: 1, refusedRecords: 4 });
  expect(log.stats().failedWrites).toBeGreaterThan(0);
  full = false;
  // No record comes: the log tries by itself.
  await expect.poll(() => log.health().writable, { timeout: 20_000 }).toBe(true);
  await append(log, content('3'));
  expect(log.stats()).toMatchObject({ records: 3, pauses: 1, refusedRecords: 4, waitingRecords: 0, segments: 1 });
  await log.close();
  const { records, problems } = readLog(directory);
  expect(problems).toEqual([]);
  expect(records.map(({ record }) => record.event ?? record.input)).toEqual([1, 'pause', 3]);
  expect(records[1]?.record.details).toMatchObject({ refused: 4, reason: 'ENOSPC: from a test' });
  expect(warnings).toHaveLength(2);
});

test('a segment that cannot be created is tried again', async () => {
  const directory = temporaryDirectory();
  let failing = true;
  const files = watchedFiles({
    open: (...call) => {
      if (failing) throw failure('EMFILE');
      return nodeFiles.open(...call);
    },
  });
  const log = await openLog(directory, {}, { files });
  await expect(append(log, content('1'))).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
  failing = false;
  await append(log, content('2'));
  await log.close();
  expect(readLog(directory)).toMatchObject({ problems: [], records: [{ index: 0 }, { record: { event: 'pause' } }] });
});

test('who asked is told what failed, and operators where', async () => {
  const directory = temporaryDirectory();
  const warnings: string[] = [];
  const files = watchedFiles({ open: () => openSync(path.join(directory, 'gone', 'file'), 'r') });
  const log = await openLog(directory, {}, { files, onWarning: (sentence) => warnings.push(sentence) });
  await expect(append(log, content('1'))).rejects.toMatchObject({
    code: 'AUDIT_UNWRITABLE',
    message: 'the log cannot be written: ENOENT: no such file or directory, open',
  });
  expect(log.health()).toEqual({ writable: false, reason: 'ENOENT: no such file or directory, open' });
  expect(warnings).toEqual([
    `audit log ${directory} takes no records: ENOENT: no such file or directory, open '${directory}/gone/file'`,
  ]);
  await log.close();
});

test('a failed sync is never tried again: the log takes no records until a restart', async () => {
  const directory = temporaryDirectory();
  let syncs = 0;
  const files = watchedFiles({
    datasync: async () => {
      syncs += 1;
      throw failure('EIO');
    },
  });
  const log = await openLog(directory, { syncSeconds: 0.1 }, { files });
  const id = await append(log, content('1'));
  await expect.poll(() => log.health().writable, { timeout: 20_000 }).toBe(false);
  await expect(append(log, content('2'))).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
  expect(log.health().reason).toContain('sync failed');
  expect(await log.find(id)).toContain(id);
  await log.close();
  expect(syncs).toBe(1);
  const again = await openLog(directory);
  await append(again, content('3'));
  expect(readLog(directory)).toMatchObject({ problems: [], records: [{ index: 0 }, { index: 1 }] });
});

test('what was written is synced in the background, once, and the directory after a file was made', async () => {
  let [data, directories] = [0, 0];
  const files = watchedFiles({
    datasync: async (fd) => {
      data += 1;
      await nodeFiles.datasync(fd);
    },
    syncDirectory: async (name) => {
      directories += 1;
      await nodeFiles.syncDirectory(name);
    },
  });
  const log = await openLog(temporaryDirectory(), { syncSeconds: 0.1 }, { files });
  expect([data, directories]).toEqual([0, 2]);
  await append(log, content('1'));
  await expect.poll(() => [data, directories], { timeout: 20_000 }).toEqual([1, 3]);
  await log.close();
  expect([data, directories]).toEqual([1, 3]);
});

test('on a full disk the log goes on when there is room to go on with, not when one small record happens to fit', async () => {
  let free = Number.POSITIVE_INFINITY;
  let looks = 0;
  const files = watchedFiles({
    freeBytes: () => {
      looks += 1;
      return free;
    },
    write: (...call) => {
      if (call[3] > free) throw failure('ENOSPC');
      return nodeFiles.write(...call);
    },
  });
  const sentences: string[] = [];
  const directory = temporaryDirectory();
  const log = await openLog(directory, {}, { files, onWarning: (sentence) => sentences.push(sentence) });
  await append(log, content('1'));
  free = 2_000;
  const large = content(`"${'x'.repeat(5_000)}"`);
  for (const what of [large, content('2'), large, content('3')])
    await expect(append(log, what)).rejects.toMatchObject({ message: expect.stringContaining('ENOSPC') });
  expect(log.health()).toMatchObject({ writable: false, reason: expect.stringContaining('ENOSPC') });
  // The log tries by itself, too.
  const before = looks;
  await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(before);
  expect(log.health().writable).toBe(false);
  free = 2_000_000;
  await append(log, content('4'));
  expect(log.health()).toEqual({ writable: true });
  await log.close();
  expect(sentences).toEqual([
    expect.stringContaining('takes no records: ENOSPC'),
    expect.stringContaining('takes records again'),
  ]);
  const { records, problems } = readLog(directory);
  expect(problems).toEqual([]);
  expect(records.map(({ record }) => record.input ?? record.event)).toEqual([1, 4, 'pause']);
  expect(records.at(-1)?.record).toMatchObject({ details: { refused: 4 } });
});
