// The long form of the drain test: `npm run soak:drain` (50 stops; `--stops N` for another number, `--write` to keep
// the result in test/load/drain.md).
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { drainRounds } from './drain-rounds.ts';

const { values } = parseArgs({
  options: { stops: { type: 'string', default: '50' }, write: { type: 'boolean', default: false } },
});
const { stops, answered, failed, lost } = await drainRounds(Number(values.stops), (stop, count) =>
  process.stderr.write(`stop ${stop + 1} of ${values.stops}: ${count} answers so far\n`),
);
const text =
  `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${os.availableParallelism()} cores, ` +
  `Node ${process.versions.node}: ${stops} stops under load, ${answered.http} decisions answered over HTTP and ${answered.grpc} ` +
  `over gRPC, ${failed.length} requests failed, ${lost.length} answered decisions lost.\n`;
process.stdout.write(text);
for (const reason of failed) process.stdout.write(`failed: ${reason}\n`);
if (values.write) writeFileSync(path.join(import.meta.dirname, 'drain.md'), `# npm run soak:drain\n\n${text}`);
if (failed.length + lost.length > 0) process.exitCode = 1;
