import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { root, temporaryFolder } from '../support/server-process.ts';
import { stepsOf } from './guide.ts';

const examples = path.join(root, 'docs', 'guides', 'examples');
const place = temporaryFolder('examples');
const policy = path.join(place.folder, 'policies', 'leave');
let pdp: Pdp;

beforeAll(async () => {
  mkdirSync(policy, { recursive: true });
  for (const page of ['test-a-policy.md', 'first-policy.md'])
    for (const step of stepsOf(page))
      if ('file' in step && step.file.startsWith('leave/'))
        writeFileSync(path.join(policy, path.basename(step.file)), step.text);
  // Another bundle is active as well, as where npm start ran before: the examples must name theirs.
  pdp = await startPdp({ bundles: { leave: policy, todo: path.join(root, 'policies', 'todo') } });
}, 120_000);

afterAll(async () => {
  await pdp?.stop();
  place.remove();
});

const has = (tool: string, ...args: string[]): boolean => spawnSync(tool, args).status === 0;

const clients: readonly { readonly name: string; readonly command: readonly string[]; readonly there: boolean }[] = [
  { name: 'Node', command: [process.execPath, 'ask.mjs'], there: true },
  { name: 'curl', command: ['sh', 'ask.sh'], there: has('curl', '--version') },
  { name: 'Python', command: ['python3', 'ask.py'], there: has('python3', '--version') },
  { name: 'Go', command: ['go', 'run', 'ask.go'], there: has('go', 'version') },
];

/** What the example says about this question, asked at that address. */
const ask = async (command: readonly string[], url: string, question: readonly string[]): Promise<string> => {
  const [program = '', ...args] = [...command, ...question];
  const env = { ...process.env, VERDICT_URL: url };
  return promisify(execFile)(program, args, { cwd: examples, env }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
};

/** A server that answers every question with this. */
const answering = async (status: number, body: string, check: (url: string) => Promise<void>): Promise<void> => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await check(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

// A language that this machine lacks is left out: the examples ask nobody to install four of them.
describe.each(clients.filter(({ there }) => there))('the example in $name', ({ command }) => {
  test('says yes to what is permitted and no to what is not', async () => {
    expect(await ask(command, pdp.urls.http, ['bob', 'approve', 'ann'])).toMatch(/^yes/);
    expect(await ask(command, pdp.urls.http, ['ann', 'approve', 'ann'])).toMatch(/^no/);
  }, 180_000);

  test('says how it is used when words are missing', async () => {
    const [program = '', ...args] = command;
    const run = promisify(execFile)(program, [...args, 'bob'], { cwd: examples });
    await expect(run).rejects.toMatchObject({ stdout: '', stderr: expect.stringContaining('usage: ') });
  }, 180_000);

  test('says no to everything that is no clear answer', async () => {
    for (const [status, body] of [
      [200, '{"decision":"true"}'],
      [200, '{}'],
      [200, 'true'],
      [500, '{"decision":true}'],
    ] as const)
      await answering(status, body, async (url) => {
        expect(await ask(command, url, ['bob', 'approve', 'ann']), body).not.toMatch(/^yes/);
      });
    expect(await ask(command, 'http://127.0.0.1:1', ['bob', 'approve', 'ann'])).toMatch(/^no/);
  }, 180_000);
});

/** The commands of a pipeline that run verdict, in order, wherever they stand in the file. */
const commandsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return value.startsWith('$VERDICT ') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(commandsOf) : [];
};

test.each(['github-actions.yml', 'gitlab-ci.yml'])(
  'the commands of %s check, test, build and push',
  async (file) => {
    const commands = commandsOf(parse(readFileSync(path.join(examples, file), 'utf8')));
    expect(commands.map((command) => command.split(' ')[1])).toEqual(['check', 'fmt', 'test', 'build', 'push']);
    const env = {
      ...process.env,
      VERDICT: path.join(root, 'bin', 'verdict'),
      VERDICT_SERVER: pdp.urls.admin,
      VERDICT_TOKEN: pdp.token,
      GITHUB_SHA: file,
      CI_COMMIT_SHA: file,
    };
    for (const command of commands) await promisify(execFile)('sh', ['-ec', command], { cwd: place.folder, env });
    const listed = await pdp.admin('GET', '/v1/bundles/leave/versions');
    expect(listed.text).toContain(`"revision":"${file}"`);
  },
  240_000,
);
