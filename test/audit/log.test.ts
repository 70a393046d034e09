import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { auditDefaults, auditSchema, openSegmentLog } from '../../src/audit/index.ts';
import { systemClock, uuidv7 } from '../../src/canonical/index.ts';
import {
  append,
  content,
  openLog,
  readLog,
  settingsWith,
  someFacts,
  temporaryDirectory,
  watchedFiles,
} from './builders.ts';

const segmentsOf = (directory: string): string[] => readdirSync(directory).filter((name) => name.endsWith('.seg'));

test('a record is found as soon as its callback ran, and others are not', async () => {
  const log = await openLog(temporaryDirectory());
  const id = await append(log, content('{"n":1}'));
  expect(JSON.parse((await log.find(id)) ?? '')).toMatchObject({ decision_id: id, input: { n: 1 } });
  expect(await log.find(uuidv7(Date.now()))).toBeUndefined();
  expect(await log.find('no id at all')).toBeUndefined();
});

test('all records of a turn go in one write, and are answered for in order after it', async () => {
  const files = watchedFiles();
  const log = await openLog(temporaryDirectory(), {}, { files });
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    for (let at = 0; at < 300; at++) {
      log.append(someFacts(), log.prepare(content(`${at}`)), () => {
        order.push(`${at} after ${files.writes.length}`);
        if (at === 299) resolve();
      });
    }
    expect(files.writes).toEqual([]);
  });
  expect(files.writes).toHaveLength(1);
  expect(order).toEqual(Array.from({ length: 300 }, (_, at) => `${at} after 1`));
});

test('indexes go on without a gap after a restart, in the same segment', async () => {
  const directory = temporaryDirectory();
  const ids: string[] = [];
  for (let round = 0; round < 3; round++) {
    const log = await openLog(directory);
    ids.push(await append(log, content(`${round}`)), await append(log, content('[]')));
    await log.close();
  }
  const { records, problems } = readLog(directory);
  expect(problems).toEqual([]);
  expect(records.map(({ record }) => record.decision_id)).toEqual(ids);
  expect(segmentsOf(directory)).toHaveLength(1);
  const log = await openLog(directory);
  for (const id of ids) expect(await log.find(id)).toContain(id);
});

test('segments are sealed by size, and their records are found, also after a restart', async () => {
  const directory = temporaryDirectory();
  let log = await openLog(directory, { sealBytes: 65_536, erasable: ['/input/name'] });
  const ids: string[] = [];
  for (let at = 0; at < 120; at++) ids.push(await append(log, content(`{"name":"n${at}","x":"${'y'.repeat(2_000)}"}`)));
  const check = async () => {
    for (const [at, id] of ids.entries()) expect(JSON.parse((await log.find(id)) ?? '').input.name).toBe(`n${at}`);
  };
  await check();
  await log.close();
  expect(segmentsOf(directory).length).toBeGreaterThan(3);
  expect(readLog(directory).problems).toEqual([]);
  log = await openLog(directory);
  await check();
});

test('a segment ends at 65,536 records exactly, in the middle of a turn', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  const prepared = log.prepare(content('0'));
  const first = someFacts();
  await new Promise<void>((resolve) => {
    for (let at = 0; at < 65_540; at++) {
      log.append(at === 0 ? first : someFacts(), prepared, () => at === 65_539 && resolve());
    }
  });
  expect(segmentsOf(directory)).toEqual(['0000000000000000.seg', '0000000000065536.seg']);
  expect(await log.find(first.decisionId)).toContain(first.decisionId);
  await log.close();
  const { records, problems } = readLog(directory);
  expect([problems, records.length]).toEqual([[], 65_540]);
});

test('a segment is sealed when it is old enough', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { syncSeconds: 0.1, sealSeconds: 1 });
  await append(log, content('1'));
  const file = path.join(directory, '0000000000000000.seg');
  await expect.poll(() => readFileSync(file).toString('latin1').endsWith('SEAL'), { timeout: 20_000 }).toBe(true);
  const id = await append(log, content('2'));
  expect(await log.find(id)).toContain('"index":1,');
  expect(segmentsOf(directory)).toHaveLength(2);
});

test('ids that do not follow the clock are found: it may step back', async () => {
  const log = await openLog(temporaryDirectory());
  const ids = [
    '01900000-0000-7000-8000-000000000000',
    'zzz',
    uuidv7(Date.now()),
    'é"\\',
    '00000000-0000-7000-8000-000000000000',
  ];
  for (const decisionId of ids) await append(log, content('{}'), { decisionId });
  for (const id of ids) expect(JSON.parse((await log.find(id)) ?? '{}').decision_id).toBe(id);
});

test('a record whose input names another decision is not taken for it', async () => {
  const log = await openLog(temporaryDirectory());
  const [decoy, wanted] = [uuidv7(1), uuidv7(2)].map((id, at) => ({ id, at }));
  await append(log, content(`{"decision_id":"${wanted?.id}"}`), { decisionId: decoy?.id ?? '' });
  await append(log, content('"right"'), { decisionId: wanted?.id ?? '' });
  expect(JSON.parse((await log.find(wanted?.id ?? '')) ?? '').input).toBe('right');
});

test('a second writer is refused, by the process that holds the log', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await expect(openLog(directory)).rejects.toMatchObject({
    code: 'AUDIT_UNUSABLE',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await log.close();
  await append(await openLog(directory), content('1'));
});

/** A directory with a log that was stopped, its lock file's name, and what this process writes into it. */
const stoppedLog = async () => {
  const directory = temporaryDirectory();
  const file = path.join(directory, 'lock');
  const log = await openLog(directory);
  const own = JSON.parse(readFileSync(file, 'utf8')) as { readonly [name: string]: unknown };
  await log.close();
  return { directory, file, own };
};

test('the lock of a process that is gone is taken over', async () => {
  const { directory, file, own } = await stoppedLog();
  // The same id as ours, of a process that started at another time, and one that never was.
  const dead = [JSON.stringify({ ...own, started: '1' }), JSON.stringify({ ...own, pid: 2 ** 22 + 1 })];
  for (const text of dead) {
    writeFileSync(file, text);
    await (await openLog(directory)).close();
    expect(existsSync(file)).toBe(false);
  }
});

test('the lock of another machine or container holds as long as it is touched', async () => {
  const { directory, file, own } = await stoppedLog();
  writeFileSync(file, JSON.stringify({ ...own, pid: 1, boot: 'elsewhere' }));
  const heartbeat = setInterval(() => utimesSync(file, Date.now() / 1000, Date.now() / 1000), 100);
  try {
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'AUDIT_UNUSABLE' });
  } finally {
    clearInterval(heartbeat);
  }
  // Touched a moment ago, and then no more.
  await (await openLog(directory)).close();
  writeFileSync(file, JSON.stringify({ ...own, boot: 'elsewhere' }));
  utimesSync(file, 1, 1);
  await (await openLog(directory)).close();
  expect(existsSync(file)).toBe(false);
});

test('a directory that cannot be one is refused in one sentence', async () => {
  const directory = temporaryDirectory();
  writeFileSync(path.join(directory, 'file'), '');
  await expect(openLog(path.join(directory, 'file'))).rejects.toMatchObject({ code: 'AUDIT_UNUSABLE' });
});

test('segments without an origin are no log to go on with', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await append(log, content('1'));
  await log.close();
  writeFileSync(path.join(directory, 'origin'), '');
  await expect(openLog(directory)).rejects.toMatchObject({ code: 'AUDIT_CORRUPT' });
  expect(existsSync(path.join(directory, 'lock'))).toBe(false);
});

test('files are private to their owner', async () => {
  const directory = path.join(temporaryDirectory(), 'log');
  const log = await openLog(directory, { erasable: ['/input'] });
  await append(log, content('1'));
  for (const name of readdirSync(directory)) expect(statSync(path.join(directory, name)).mode & 0o077).toBe(0);
  expect(statSync(directory).mode & 0o077).toBe(0);
});

test('a closed log refuses records', async () => {
  const log = await openLog(temporaryDirectory());
  await append(log, content('1'));
  await log.close();
  await expect(append(log, content('2'))).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
  await expect(log.note({ event: 'stop', by: 'a', details: {} })).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
  expect(log.health().writable).toBe(false);
});

test('a callback that throws keeps no answer from another', async () => {
  const log = await openLog(temporaryDirectory());
  const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
  const listeners = process.listeners('uncaughtException').slice(0, -1);
  for (const listener of listeners) process.off('uncaughtException', listener);
  const answered = new Promise<void>((resolve) => {
    log.append(someFacts(), log.prepare(content('1')), () => {
      throw new Error('from a callback');
    });
    log.append(someFacts(), log.prepare(content('2')), () => resolve());
  });
  await answered;
  expect(await thrown).toMatchObject({ message: 'from a callback' });
  for (const listener of listeners) process.on('uncaughtException', listener);
});

test('with durability memory, answers do not wait, records are found, and what waits is bounded', async () => {
  const directory = temporaryDirectory();
  const warnings: string[] = [];
  let blocked = false;
  const files = watchedFiles();
  const { write } = files;
  const log = await openSegmentLog({
    dir: directory,
    settings: settingsWith({ durability: 'memory', memoryBytes: 131_072 }),
    clock: systemClock,
    onWarning: (sentence) => warnings.push(sentence),
    files: {
      ...files,
      write: (...call) => {
        if (blocked) throw new Error('the disk is gone');
        return write(...call);
      },
    },
  });
  expect(warnings).toEqual([expect.stringContaining('can be lost')]);
  const id = await append(log, content('"first"'));
  expect(files.writes).toEqual([]);
  expect(await log.find(id)).toContain('"first"');
  blocked = true;
  let taken = 0;
  const fill = async (): Promise<void> => {
    for (; taken < 10_000; taken++) await append(log, content(`"${'x'.repeat(1_000)}"`));
  };
  await expect(fill()).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
  expect(taken).toBeGreaterThan(30);
  expect(taken).toBeLessThan(131);
  expect(log.health()).toEqual({ writable: false, reason: 'the disk is gone' });
  blocked = false;
  await append(log, content('"later"'));
  await log.close();
  const { records, problems } = readLog(directory);
  expect(problems).toEqual([]);
  expect(records.filter(({ record }) => record.type === 'decision')).toHaveLength(taken + 2);
  expect(records.find(({ record }) => record.event === 'pause')?.record.details).toMatchObject({ refused: 1 });
});

test('the schema gives the defaults and refuses what it does not know', () => {
  const validate = new Ajv({ useDefaults: true, strict: true, allowUnionTypes: true }).compile({
    type: 'object',
    properties: { audit: auditSchema },
  });
  const config: { audit?: unknown } = {};
  expect(validate(config)).toBe(true);
  expect(config.audit).toEqual(auditDefaults);
  for (const audit of [
    { durability: 'disk' },
    { unknown: 1 },
    { mask: { drop: ['/subject'] } },
    { mask: { drop: ['input'] } },
    { mask: { allow: ['/result'] } },
    { mask: { replace: { '/x': 1 } } },
    { erasable: ['/input/~2'] },
    { fields: { subject: ['subject'] } },
    { syncSeconds: 0 },
  ]) {
    expect(validate({ audit })).toBe(false);
  }
});
