import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogFiles } from '../../src/audit/index.ts';
import { nodeFiles } from '../../src/audit/index.ts';
import { append, content, openLog, readLog, temporaryDirectory, watchedFiles } from './builders.ts';

const failure = (code: string): Error => Object.assign(new Error(`${code}: from a test`), { code });

/** What a disk does with one write. */
const disk: { readonly [kind: string]: LogFiles['write'] } = {
  whole: (...call) => nodeFiles.write(...call),
  short: (fd, bytes, offset, length, position) =>
    nodeFiles.write(fd, bytes, offset, Math.max(1, length >> 2), position),
  none: () => 0,
  lost: () => {
    throw failure('EIO');
  },
  landed: (...call) => {
    nodeFiles.write(...call);
    throw failure('EIO');
  },
  full: (fd, bytes, offset, length, position) => {
    nodeFiles.write(fd, bytes, offset, length >> 1, position);
    throw failure('ENOSPC');
  },
};

const kinds = Object.keys(disk);
const many = fc.array(fc.constantFrom('whole', 'short', ...kinds), { maxLength: 40 });

test('whatever a disk does with writes: what was answered for is in the log, once and in order, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(many, fc.array(fc.boolean(), { maxLength: 10 }), async (writes, truncations) => {
      const directory = temporaryDirectory();
      const kind = writes.values();
      const fails = truncations.values();
      const files = watchedFiles({
        write: (...call) => (disk[kind.next().value ?? 'whole'] ?? nodeFiles.write)(...call),
        truncate: (...call) => {
          if (fails.next().value === true) throw failure('EIO');
          nodeFiles.truncate(...call);
        },
      });
      const log = await openLog(directory, { erasable: ['/input/user'] }, { files });
      const answeredFor: string[] = [];
      for (let at = 0; at < 12; at++) {
        const some = Array.from({ length: 1 + (at % 3) }, () => append(log, content(`{"user":"u${at % 4}"}`)));
        for (const outcome of await Promise.allSettled(some)) {
          if (outcome.status === 'fulfilled') answeredFor.push(outcome.value);
          else expect(outcome.reason).toMatchObject({ code: 'AUDIT_UNWRITABLE' });
        }
      }
      for (const id of answeredFor) expect(await log.find(id)).toContain(id);
      await log.close();
      const { records } = readLog(directory);
      const decisions = records.filter(({ record, setAside }) => record.type === 'decision' && !setAside);
      expect(decisions.map(({ record }) => record.decision_id)).toEqual(answeredFor);
      expect(decisions.every(({ aside }) => !Object.values(aside).includes(undefined))).toBe(true);
      // A disk that fails to the end leaves bytes that nobody could take back: recovery's, not a reader's.
      const again = await openLog(directory);
      await again.close();
      expect(readLog(directory).problems).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('a slow disk: records are answered for while a sync lasts, one sync runs at a time, and the end waits for it', async () => {
  const directory = temporaryDirectory();
  const syncs: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const files = watchedFiles({
    datasync: async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => syncs.push(resolve));
      running -= 1;
    },
  });
  const log = await openLog(directory, { syncSeconds: 0.01 }, { files });
  const ids = [await append(log, content('0'))];
  await expect.poll(() => syncs.length).toBe(1);
  for (let at = 1; at < 20; at++) ids.push(await append(log, content(`${at}`)));
  expect(log.health()).toEqual({ writable: true });
  let ended = false;
  const closing = log.close().then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  const release = setInterval(() => {
    for (const resolve of syncs.splice(0)) resolve();
  }, 5);
  await closing;
  clearInterval(release);
  expect(most).toBe(1);
  const { records, problems } = readLog(directory);
  expect([problems, records.map(({ record }) => record.decision_id)]).toEqual([[], ids]);
});

test('a sync that fails under load refuses from then on, and keeps all that was answered for', async () => {
  const directory = temporaryDirectory();
  let fail = (): void => {};
  const files = watchedFiles({
    datasync: () =>
      new Promise((_, reject) => {
        fail = () => reject(failure('EIO'));
      }),
  });
  const log = await openLog(directory, { syncSeconds: 0.01 }, { files });
  const answeredFor: string[] = [];
  let refused = 0;
  for (let at = 0; at < 50; at++) {
    if (at === 20) {
      await expect.poll(() => log.stats().unsyncedMs).toBeGreaterThan(10);
      fail();
      await expect.poll(() => log.health().writable).toBe(false);
    }
    await append(log, content(`${at}`)).then(
      (id) => answeredFor.push(id),
      (error) => {
        refused += 1;
        expect(error).toMatchObject({ code: 'AUDIT_UNWRITABLE', message: expect.stringContaining('a sync failed') });
      },
    );
  }
  expect([answeredFor.length, refused]).toEqual([20, 30]);
  expect(log.health().reason).toContain('until a restart');
  await log.close();
  const { records, problems } = readLog(directory);
  expect([problems, records.map(({ record }) => record.decision_id)]).toEqual([[], answeredFor]);
});
