// The long form of the kill test: `npm run soak` (500 rounds; `--rounds N` for another number, `--write` to keep the
// result in test/crash/soak.md).
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { killRounds } from './kill-rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '500' }, write: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const startedAt = performance.now();
const result = await killRounds(
  Array.from({ length: rounds }, () => Math.floor(Math.random() * 400)),
  (round, answered) => process.stderr.write(`round ${round + 1} of ${rounds}: ${answered} answers so far\n`),
);
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(0);
const text =
  `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${os.availableParallelism()} cores, ` +
  `Node ${process.versions.node}, ${minutes} minutes: ${result.rounds} kills under load, ${result.answered} decisions answered, ` +
  `${result.recorded} recorded, ${result.lost.length} answered decisions lost.\n`;
process.stdout.write(text);
for (const id of result.lost) process.stdout.write(`lost: ${id}\n`);
if (values.write) writeFileSync(path.join(import.meta.dirname, 'soak.md'), `# npm run soak\n\n${text}`);
if (result.lost.length > 0) process.exitCode = 1;
