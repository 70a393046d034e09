import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openLog, readLog, temporaryDirectory } from './builders.ts';

const writer = path.join(import.meta.dirname, 'crash-writer.ts');

/** Runs the writer until it answered for `enough` records, kills it a moment later, and gives the ids it printed. */
const runAndKill = async (directory: string, enough: number, laterMs: number): Promise<string[]> => {
  const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let errors = '';
  let kill: NodeJS.Timeout | undefined;
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString();
  });
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString('latin1');
    if (kill === undefined && printed.length > enough * 37) kill = setTimeout(() => child.kill('SIGKILL'), laterMs);
  });
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  expect([signal, errors]).toEqual(['SIGKILL', '']);
  // The last line may be cut: whether that id was printed is unknown.
  return printed.split('\n').slice(0, -1);
};

test('a process killed at any moment loses no record that it answered for', async () => {
  const directory = temporaryDirectory();
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    acknowledged.push(...(await runAndKill(directory, 1 + round * 60, Math.random() * 60)));
    const log = await openLog(directory);
    await log.close();
    const { records, problems } = readLog(directory);
    expect(problems).toEqual([]);
    const logged = records.map(({ record }) => record.decision_id);
    const kept = new Set(logged);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    // In the order in which they were answered for, and with the values beside them.
    const answered = new Set(acknowledged);
    expect(logged.filter((id) => answered.has(id))).toEqual(acknowledged);
    expect(records.every(({ aside }) => aside['/input/user'] !== undefined)).toBe(true);
  }
  const log = await openLog(directory);
  for (const id of [acknowledged[0], acknowledged.at(-1)]) expect(await log.find(id ?? '')).toContain(id);
}, 300_000);
