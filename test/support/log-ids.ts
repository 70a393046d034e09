import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './server-process.ts';

const DECISION_ID = /"decision_id":"([^"]+)"/;

/**
 * Ids of all decisions in a log as a stranger reads it: a process of its own, which shares no code with the writer.
 * Rejects when it finds fault with the log.
 */
export const readDecisionIds = async (storage: string): Promise<Set<string>> => {
  const reader = path.join(root, 'test', 'support', 'log-reader.mjs');
  const child = spawn(process.execPath, [reader, path.join(storage, 'audit')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ids = new Set<string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const id = DECISION_ID.exec(line)?.[1];
    if (id !== undefined) ids.add(id);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the reader found fault with the log and ended with ${code}`);
  return ids;
};
