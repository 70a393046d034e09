import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, root, temporaryFolder } from './support/server-process.ts';

// The README's commands as a reader types them, in their order; only ports and folders are this test's own.
const blocks = [...readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (match) => match[1] ?? '',
);

const place = temporaryFolder('readme');
const run = promisify(execFile);
let ports: { http: number; admin: number };
let stop: () => Promise<number | null>;

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  VERDICT_STORAGE__DIR: path.join(place.folder, 'state'),
  VERDICT_SERVER__HTTP__PORT: String(ports.http),
  VERDICT_SERVER__GRPC__PORT: '0',
  VERDICT_SERVER__ADMIN__PORT: String(ports.admin),
  VERDICT_SERVER__DRAIN_SECONDS: '0',
  VERDICT_SERVER: `http://127.0.0.1:${ports.admin}`,
});

const shell = async (block: string): Promise<string> => {
  const text = block
    .replaceAll('127.0.0.1:8181', `127.0.0.1:${ports.http}`)
    .replaceAll('answer.txt', path.join(place.folder, 'answer.txt'))
    .replaceAll('my-todo', path.join(place.folder, 'my-todo'));
  const { stdout } = await run('sh', ['-ec', text], { cwd: root, env: environment() });
  return stdout;
};

beforeAll(async () => {
  ports = { http: await freePort(), admin: await freePort() };
  const [start] = blocks;
  const child = spawn('sh', ['-ec', `exec ${start}`], {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  stop = () => {
    // npm is not the last in its chain to hear of a signal, so the whole group gets it, as from a terminal.
    process.kill(-(child.pid as number), 'SIGTERM');
    return ended;
  };
  for (;;) {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    const ready = await fetch(`http://127.0.0.1:${ports.http}/health?bundles`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}, 120_000);

afterAll(async () => {
  await stop?.();
  place.remove();
});

test('the first screen has the five commands that a stranger types', () => {
  expect(blocks).toHaveLength(5);
  expect(blocks[0]?.trim()).toBe('npm start');
});

test('a stranger gets a decision with its reasons, version and id, reads its record, and changes the policy', async () => {
  const asked = await shell(blocks[1]!);
  expect(asked).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(asked).toMatch(/\r\nVerdict-Policy: todo@1\r\n/i);
  const { decision_id: id, result } = JSON.parse(asked.split('\r\n\r\n')[1]!);
  expect(result).toEqual({ allow: false, reasons: ['an editor may change own todos only'] });

  const shown = await shell(blocks[2]!);
  expect(shown).toContain(id);
  expect(shown).toContain('can_delete_todo');

  const pushed = await shell(blocks[3]!);
  expect(pushed).toMatch(/todo.*2/);

  const again = await shell(blocks[4]!);
  expect(again).toMatch(/\r\nVerdict-Policy: todo@2\r\n/i);
  const answer = JSON.parse(again.split('\r\n\r\n')[1]!);
  expect(answer).toEqual({ decision: true, context: { reasons: ['an admin may delete every todo'] } });
}, 120_000);
