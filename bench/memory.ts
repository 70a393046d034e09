// Does the server's memory stay where it is? One million different questions, the cache full early on: the resident set
// after the last must be at most 5 % over that after the first hundred thousand.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { load, post } from '../test/load/client.ts';
import { freePort, root, temporaryFolder } from '../test/support/server-process.ts';
import { pinSelf, residentBytes } from './processes.ts';
import { serveVerdict } from './servers/verdict.ts';

const { values } = parseArgs({
  options: { total: { type: 'string', default: '1000000' }, write: { type: 'boolean', default: false } },
});
const total = Number(values.total);
const step = total / 10;

const question = (n: number): Buffer =>
  post(
    '/v1/data/todo/allow',
    JSON.stringify({
      input: {
        subject: { type: 'user', id: 'CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs' },
        action: { name: 'can_update_todo' },
        // What the policy reads: a difference that it does not see would be no other question.
        resource: { type: 'todo', id: `todo-${n}`, properties: { ownerID: `owner-${n}@the-citadel.com` } },
      },
    }),
  );

pinSelf();
// 16 MiB hold well under 100,000 of these answers, so the cache is full before the first reading.
const { folder, remove } = temporaryFolder('bench');
const ports = { http: await freePort(), grpc: await freePort() };
const bundle = path.join(root, 'bundles', 'todo.tar.gz');
const verdict = await serveVerdict({ folder, ports, bundle, settings: ['cache.maxBytes=16777216'] });
try {
  const readings: number[] = [];
  for (let from = 0; from < total; from += step) {
    await load({
      port: ports.http,
      connections: 16,
      request: (n) => (n < step ? question(from + n) : undefined),
    });
    readings.push(residentBytes(verdict.pid) / 2 ** 20);
    process.stderr.write(`${from + step} questions: ${readings.at(-1)?.toFixed(1)} MiB\n`);
  }
  const first = readings[0] as number;
  const last = readings.at(-1) as number;
  const text = [
    `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}; cache of 16 MiB.`,
    '',
    '| different questions | resident MiB |',
    '|---|---|',
    ...readings.map((reading, at) => `| ${(at + 1) * step} | ${reading.toFixed(1)} |`),
    '',
    `Last over first: ${((last / first - 1) * 100).toFixed(1)} % (aim: at most 5 %).`,
    '',
  ].join('\n');
  process.stdout.write(text);
  if (values.write) writeFileSync(path.join(root, 'bench', 'memory.md'), `# bench/memory.ts\n\n${text}`);
  if (last > first * 1.05) process.exitCode = 1;
} finally {
  await verdict.stop();
  remove();
}
