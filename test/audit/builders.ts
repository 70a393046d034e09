import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { AuditSettings, LogFiles, SegmentLog, SegmentLogOptions } from '../../src/audit/index.ts';
import { auditDefaults, nodeFiles, openSegmentLog } from '../../src/audit/index.ts';
import { systemClock, uuidv7 } from '../../src/canonical/index.ts';
import type { AuditError, AuditLog, RecordContent, RecordFacts } from '../../src/decision/model.ts';
import type { CheckedJson } from '../../src/engine/index.ts';
import type { LogRecord } from '../support/log-reader.mjs';
import { readLog } from '../support/log-reader.mjs';

/** The log as a program that shares no code with the writer reads it. */
export { readLog };

export const checked = (text: string): CheckedJson => Buffer.from(text) as unknown as CheckedJson;

export const temporaryDirectory = (): string => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'verdict-audit-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

export const settingsWith = (changes: Partial<AuditSettings>): AuditSettings => ({ ...auditDefaults, ...changes });

export const openLog = async (
  dir: string,
  changes: Partial<AuditSettings> = {},
  options: Partial<SegmentLogOptions> = {},
): Promise<SegmentLog> => {
  const log = await openSegmentLog({ dir, settings: settingsWith(changes), clock: systemClock, ...options });
  onTestFinished(() => log.close());
  return log;
};

export const someFacts = (changes: Partial<RecordFacts> = {}): RecordFacts => ({
  wire: 'opa.v1',
  caller: { kind: 'token', name: 'shop', roles: ['ask'] },
  requestedBy: '127.0.0.1:51422',
  decisionId: uuidv7(Date.now()),
  timestampMs: 1_795_381_990_669,
  path: ['todo', 'allow'],
  outcome: 'permit',
  policies: [{ name: 'todo', version: 3, digest: 'd1', revision: 'r1', dataRevision: 'd2' }],
  epoch: 7,
  cache: 'hit',
  ageMs: 12,
  strictErrors: false,
  inputPresent: true,
  tokens: [],
  durationNs: 1_234,
  ...changes,
});

export const content = (input?: string, rest: Partial<RecordContent> = {}): RecordContent => ({
  ...(input === undefined ? {} : { input: checked(input) }),
  nonDeterministic: [],
  ...rest,
});

/** Appends one record; resolves with its id when the log answered for it, rejects with the error it gave. */
export const append = (log: AuditLog, what: RecordContent, changes: Partial<RecordFacts> = {}): Promise<string> => {
  const facts = someFacts(changes);
  return new Promise((resolve, reject) => {
    log.append(facts, log.prepare(what), (error?: AuditError) => (error ? reject(error) : resolve(facts.decisionId)));
  });
};

/** The record that a log keeps of some content, parsed, beside its exact text. */
export const recordOf = async (
  what: RecordContent,
  changes: Partial<AuditSettings> = {},
  facts: Partial<RecordFacts> = {},
) => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, changes);
  const id = await append(log, what, facts);
  const found = (await log.find(id)) ?? '';
  const { records, problems } = readLog(directory);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { text, record, aside } = records.at(-1) as LogRecord;
  return { text, record, aside, found };
};

/** Real files, with calls that a test can look at or make fail. */
export const watchedFiles = (changes: Partial<LogFiles> = {}): LogFiles & { readonly writes: number[] } => {
  const writes: number[] = [];
  return {
    ...nodeFiles,
    write: (fd, bytes, offset, length, position) => {
      writes.push(length);
      return nodeFiles.write(fd, bytes, offset, length, position);
    },
    ...changes,
    writes,
  };
};
