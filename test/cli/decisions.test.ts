import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { cli, type Run } from './run.ts';

let pdp: Pdp;

const ask = (subject: string, resource: string, where = '/v1/data/todo/decision') =>
  pdp.ask(where, {
    input: { subject: { id: subject }, action: { name: 'can_delete_todo' }, resource: { id: resource } },
  });

beforeAll(async () => {
  pdp = await startPdp({ bundles: { todo: 'policies/todo' } });
  for (let at = 1; at <= 5; at++) await ask('rick', `r${at}`);
  await ask('morty', 'm1', '/v1/data/nowhere');
});

afterAll(() => pdp?.stop());

const verdict = (argv: readonly string[], around: Parameters<typeof cli>[1] = {}): Promise<Run> =>
  cli([...argv, '--set', `storage.dir=${path.join(pdp.dir, 'storage')}`], {
    ...around,
    env: { VERDICT_SERVER: pdp.urls.admin, ...around.env },
  });

interface Page {
  readonly decisions: readonly { readonly [member: string]: unknown }[];
  readonly next?: string;
}

const resources = (run: Run): unknown[] => (run.json() as Page).decisions.map(({ resource }) => resource);

test('decisions are listed newest first, under headings', async () => {
  const { code, stdout, stderr } = await verdict(['decisions', '--from', '1h']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [heading, newest, ...others] = stdout.trimEnd().split('\n');
  expect(heading).toMatch(/^TIME \(UTC\) +OUTCOME +PATH +CALLER +SUBJECT +ACTION +RESOURCE +POLICY +CACHE +ID$/);
  expect(newest).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +undefined +nowhere +anonymous +morty +can_delete_todo +m1 +- /,
  );
  expect(others).toHaveLength(5);
  expect(others[0]).toMatch(/todo\/decision +anonymous +rick +can_delete_todo +r5 +todo@1 +\w+ +[0-9a-f-]{36}$/);
});

test('filters narrow, and search is the same as no command', async () => {
  const json = ['--output', 'json'];
  expect(resources(await verdict(['decisions', '--subject', 'morty', ...json]))).toEqual(['m1']);
  expect(resources(await verdict(['decisions', 'search', '--path', 'data.todo', '--limit', '2', ...json]))).toEqual([
    'r5',
    'r4',
  ]);
  const two = ['decisions', '--resource', 'r1', '--resource', 'm1', ...json];
  expect(resources(await verdict(two))).toEqual(['m1', 'r1']);
  expect(resources(await verdict(['decisions', '--bundle', 'todo', '--bundle-version', 'v2', ...json]))).toEqual([]);
  expect((await verdict(['decisions', '--subject', 'nobody'])).stdout).toBe('no decisions\n');
});

test('a search goes on at its cursor, and --all needs none', async () => {
  const first = await verdict(['decisions', '--subject', 'rick', '--limit', '3', '--output', 'json']);
  const { next } = first.json() as Page;
  expect(resources(first)).toEqual(['r5', 'r4', 'r3']);
  const argv = ['decisions', '--subject', 'rick', '--cursor', String(next), '--output', 'json'];
  expect(resources(await verdict(argv))).toEqual(['r2', 'r1']);
  expect(resources(await verdict(['decisions', '--subject', 'rick', '--all', '--output', 'json']))).toHaveLength(5);
  expect((await verdict(['decisions', '--limit', '1'])).stderr).toMatch(/^there are more: --cursor \S+\n$/);
});

test('on a terminal outcomes have colours and lines fit, and NO_COLOR takes the colours away', async () => {
  const coloured = await verdict(['decisions', '--limit', '1'], { tty: true });
  expect(coloured.stdout).toContain('\u001b[2mundefined\u001b[22m');
  const { stdout } = await verdict(['decisions', '--subject', 'rick'], { tty: true, env: { NO_COLOR: '1' } });
  expect(stdout).not.toContain('\u001b');
  expect(stdout).toContain('…');
  // Time, the outcome's word, cache and id keep their widths, the others at least six characters: 129 in all at the least.
  for (const line of stdout.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(129);
});

test.each([
  [['--from', 'yesterday'], '--from'],
  [['--to', '5 apples'], '--to'],
  [['--limit', '0'], '--limit'],
  [['--limit', '1', '--all'], '--all'],
])('a wrong option is wrong usage, and named: %j', async (options, name) => {
  const { code, stderr } = await verdict(['decisions', ...options]);
  expect(code).toBe(2);
  expect(stderr).toContain(name);
});

test('what the server does not take is told in its words', async () => {
  const { code, stderr } = await verdict(['decisions', '--bundle-version', 'x']);
  expect(code).toBe(1);
  expect(stderr).toContain('version: wanted');
});

test.each(['--limit', '--last'])('tail %s shows the newest records under headings, the newest last', async (option) => {
  const { code, stdout } = await verdict(['decisions', 'tail', option, '2', '--subject', 'rick']);
  expect(code).toBe(0);
  const [heading, ...lines] = stdout.trimEnd().split('\n');
  expect(heading).toMatch(/^TIME \(UTC\) +OUTCOME +PATH .* ID$/);
  expect(lines.map((line) => /r\d/.exec(line)?.[0])).toEqual(['r4', 'r5']);
  expect((await verdict(['decisions', 'tail', '--subject', 'nobody'])).stdout).toBe('no decisions\n');
});

test('tail --follow has one heading, and on a terminal lines that fit below it', async () => {
  const follow = async (tty: boolean): Promise<string[]> => {
    const ending = new AbortController();
    let shown = '';
    const run = verdict(['decisions', 'tail', '--follow', '--limit', '2', '--subject', 'rick', '--path', 'todo'], {
      tty,
      env: { NO_COLOR: '1' },
      ending: ending.signal,
      onStdout: (text) => {
        shown += text;
      },
    });
    await expect.poll(() => shown.split('\n').length).toBe(4);
    ending.abort();
    return (await run).stdout.trimEnd().split('\n');
  };
  const wide = await follow(false);
  const narrow = await follow(true);
  for (const lines of [wide, narrow]) {
    expect(lines[0]).toMatch(/^TIME \(UTC\) .* POLICY .* ID$/);
    for (const line of lines.slice(1)) expect(line.indexOf('todo@')).toBe(lines[0]?.indexOf('POLICY'));
  }
  expect(wide[1]).toContain('can_delete_todo');
  for (const line of narrow) expect(line.length).toBeLessThanOrEqual(129);
});

test('tail --follow shows what is decided from now on, until it is ended', async () => {
  const ending = new AbortController();
  let shown = '';
  const run = verdict(['decisions', 'tail', '--follow', '--last', '1', '--subject', 'summer', '--output', 'json'], {
    ending: ending.signal,
    onStdout: (text) => {
      shown += text;
    },
  });
  await ask('summer', 's1');
  await expect.poll(() => shown).toContain('"s1"');
  await ask('rick', 'r6');
  await ask('summer', 's2');
  await expect.poll(() => shown).toContain('"s2"');
  ending.abort();
  const { code, stdout } = await run;
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { resource: string }).resource)).toEqual(['s1', 's2']);
});

test('following without a server, or without the right, fails at once', async () => {
  const gone = await cli(['decisions', 'tail', '--follow'], {
    env: { VERDICT_SERVER: 'http://127.0.0.1:9', VERDICT_TOKEN: 'x' },
  });
  expect(gone).toMatchObject({ code: 1 });
  const refused = await verdict(['decisions', 'tail', '--follow'], { env: { VERDICT_TOKEN: 'x' } });
  expect(refused).toMatchObject({ code: 5 });
});
