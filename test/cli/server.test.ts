import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { broken, failing, good, goodPolicy } from './policies.ts';
import { cli, folderOf, type Run } from './run.ts';

let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp();
});

afterAll(() => pdp?.stop());

/** A command against the server, which finds the operator token by itself. */
const verdict = (argv: readonly string[], around: Parameters<typeof cli>[1] = {}): Promise<Run> =>
  cli([...argv, '--set', `storage.dir=${path.join(pdp.dir, 'storage')}`], {
    ...around,
    env: { VERDICT_SERVER: pdp.urls.admin, ...around.env },
  });

const write = (cwd: string, name: string, text: string): void => {
  mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
  writeFileSync(path.join(cwd, name), text);
};

test('a directory is pushed, activated, listed, replaced and rolled back', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(good).map(([name, text]) => [`shop/${name}`, text])));
  const pushed = await verdict(['push', 'shop', 'shop'], { cwd });
  expect(pushed.stderr).toBe('');
  expect(pushed.code).toBe(0);
  expect(pushed.stdout).toMatch(/^shop@1 pushed: 2 tests passed, digest [0-9a-f]{12}$/m);

  expect((await verdict(['activate', 'shop', '1'])).stdout).toMatch(/^shop@1 is active \(epoch \d+\)\n$/);
  expect((await verdict(['push', 'shop', 'shop', '--activate'], { cwd })).stdout).toContain('shop@1 was there already');

  write(cwd, 'shop/shop.rego', `${goodPolicy}\nallow if input.user == "bob"\n`);
  write(cwd, 'shop/shop_test.rego', 'package shop_test\n\ntest_bob if data.shop.allow with input as {"user": "bob"}\n');
  expect((await verdict(['push', 'shop', 'shop', '--activate'], { cwd })).stdout).toContain('shop@2 pushed, active');
  expect((await pdp.ask('/v1/data/shop/allow', { input: { user: 'bob' } })).json).toMatchObject({ result: true });

  const listed = await verdict(['versions', 'shop']);
  expect(listed.stdout).not.toMatch(/^2 .*rollback/m);
  const [heading, second, first] = listed.stdout.split('\n');
  expect(heading).toMatch(/^VERSION {2}STATE +DIGEST +REVISION +PUSHED \(UTC\) +BY +TESTS {2}NOTES$/);
  expect(second).toMatch(/^2 +active +[0-9a-f]{12} .* operator +1/);
  expect(first).toMatch(/^1 +retired, rollback goes here +[0-9a-f]{12} .* operator +2/);
  const json = (await verdict(['versions', 'shop', '--output', 'json'])).json() as { versions: { version: number }[] };
  expect(json.versions.map(({ version }) => version)).toEqual([2, 1]);

  const dry = await verdict(['rollback', 'shop', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stdout: 'shop@1 would be active again, in place of shop@2\n' });
  expect((await verdict(['rollback', 'shop'])).stdout).toMatch(/^shop@1 is active again/);
  expect((await pdp.ask('/v1/data/shop/allow', { input: { user: 'bob' } })).json).toMatchObject({ result: false });
  expect((await verdict(['versions', 'shop'])).stdout).not.toContain('rollback goes here');
  expect(await verdict(['rollback', 'shop', '--dry-run'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('shop has no version that was active before'),
  });
});

test('a bundle file is pushed as it is, from a path and from stdin', async () => {
  const cwd = folderOf({ 'p/filed.rego': 'package filed\n\nx := 1\n' });
  expect(await cli(['build', 'p'], { cwd })).toMatchObject({ code: 0 });
  const sent = await verdict(['push', 'filed', 'p.tar.gz', '--output', 'json'], { cwd });
  expect(sent.code, sent.stdout).toBe(0);
  expect(sent.json()).toMatchObject({ created: true, version: { name: 'filed', version: 1, state: 'pushed' } });
  const again = await verdict(['push', 'filed', '-'], { stdin: readFileSync(path.join(cwd, 'p.tar.gz')) });
  expect(again.stdout).toContain('filed@1 was there already');
  const garbage = await verdict(['push', 'filed', '-'], { stdin: 'no archive' });
  expect(garbage).toMatchObject({ code: 1, stdout: '' });
});

test('a policy that does not compile is exit code 3, with every problem in the files of the directory', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(broken).map(([name, text]) => [`p/${name}`, text])));
  const { code, stdout, stderr } = await verdict(['push', 'broken', 'p'], { cwd });
  expect(code).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^p\/shop\.rego:4:\d+: var nobody is unsafe/m);
  expect(stderr).toContain('  4 | \tinput.user == nobody');
  expect(stderr).toMatch(/^p\/other\/other\.rego:3:/m);
});

test('a policy whose tests fail is exit code 4, and the failed test is named', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(failing).map(([name, text]) => [`p/${name}`, text])));
  const { code, stderr } = await verdict(['push', 'failing', 'p'], { cwd });
  expect(code).toBe(4);
  expect(stderr).toContain('test_everybody_may');
  expect(stderr).toContain('p/more_test.rego:3');
});

test('roots that another active bundle owns are exit code 5', async () => {
  const cwd = folderOf({ 'p/shop.rego': 'package shop\n\nmine := true\n' });
  const other = await verdict(['push', 'thief', 'p', '--activate'], { cwd });
  expect(other.code).toBe(5);
  expect(other.stderr).toContain('shop');
});

test('what the server does not have is exit code 1, in its words', async () => {
  const unknown = await verdict(['versions', 'nothing']);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toMatch(/^verdict: .+/);
  const json = await verdict(['activate', 'shop', '99', '--output', 'json']);
  expect(json.code).toBe(1);
  expect(json.json()).toMatchObject({ error: { code: 'VERSION_UNKNOWN' } });
});

test('a token is made, shown once, used, limited to its roles and bundles, and revoked', async () => {
  const made = await verdict(['token', 'create', 'ci', '--role', 'author', '--bundle', 'shop', '--expires', '90d']);
  expect(made.code, made.stderr).toBe(0);
  expect(made.stdout).toMatch(/^vdt_\S+\n$/);
  expect(made.stderr).toMatch(/token ci \(author; (?:all bundles|bundle \w+)\), expires \d{4}-/);
  const secret = made.stdout.trim();

  const cwd = folderOf({ 'ci.token': `${secret}\n`, 'p/a.rego': 'package other\n\nx := 1\n' });
  const asCi = (argv: readonly string[]): Promise<Run> => verdict([...argv, '--token-file', 'ci.token'], { cwd });
  expect(await asCi(['versions', 'shop'])).toMatchObject({ code: 0 });
  expect(await asCi(['push', 'other', 'p'])).toMatchObject({ code: 5 });
  expect(await asCi(['token', 'list'])).toMatchObject({ code: 5 });

  const listed = await verdict(['token', 'list']);
  expect(listed.stdout).toMatch(/^ci +valid +author +shop +/m);
  expect(listed.stdout + listed.stderr).not.toContain(secret);
  expect((await verdict(['token', 'revoke', 'ci'])).stdout).toBe('token ci is revoked\n');
  expect(await asCi(['versions', 'shop'])).toMatchObject({ code: 5, stdout: '' });
  expect((await verdict(['token', 'list'])).stdout).toMatch(/^ci +revoked/m);
});

test('a token without an end says so, and one of no known role is refused', async () => {
  const early = await verdict(['token', 'create', 'early', '--role', 'ask', '--bundle', 'shop', '--bundle', 'shpo']);
  expect(early).toMatchObject({ code: 0, stdout: expect.stringMatching(/^vdt_/) });
  expect(early.stderr).toContain('the server has no bundle shpo');
  expect(early.stderr).not.toContain('no bundle shop\n');
  const found = await verdict(['decisions', '--bundle', 'shpo']);
  expect(found).toMatchObject({ code: 0, stdout: 'no decisions\n' });
  expect(found.stderr).toContain('the server has no bundle shpo');
  const made = await verdict(['token', 'create', 'gate', '--role', 'ask', '--output', 'json']);
  expect(made.json()).toMatchObject({
    token: { name: 'gate', roles: ['ask'] },
    secret: expect.stringMatching(/^vdt_/),
  });
  expect(made.stderr).toBe('');
  const refused = await verdict(['token', 'create', 'king', '--role', 'king']);
  expect(refused.code).toBe(2);
});

test('a decision is shown by its id, or by the answer that it left in', async () => {
  const asked = await pdp.ask('/v1/data/shop/allow', '{"input": {"user": "alice", "n": 12345678901234567890}}');
  const id = asked.headers.get('verdict-decision-id')!;
  const shown = await verdict(['decisions', 'show', id]);
  expect(shown.code, shown.stderr).toBe(0);
  expect(shown.stdout).toMatch(new RegExp(`^decision_id: ${id}$`, 'm'));
  expect(shown.stdout).toContain('alice');
  expect(shown.stdout).toContain('12345678901234567890');
  const answer = `HTTP/1.1 200 OK\r\nVerdict-Decision-Id: ${id}\r\n\r\n{"result": true}\n`;
  expect((await verdict(['decisions', 'show', '-'], { stdin: answer })).stdout).toBe(shown.stdout);
  const json = await verdict(['decisions', 'show', id, '--output', 'json']);
  expect(json.stdout).toContain('12345678901234567890');
  expect(json.json()).toMatchObject({ decision_id: id });
  expect(await verdict(['decisions', 'show', '-'], { stdin: 'nothing here' })).toMatchObject({ code: 2 });
  const two = `HTTP/1.1 200 OK\r\nVerdict-Decision-Id: ${id}, ${id.replace(/.$/, '0')}\r\n\r\n{}`;
  const many = await verdict(['decisions', 'show', '-'], { stdin: two });
  expect(many).toMatchObject({ code: 2, stdout: '' });
  expect(many.stderr).toContain(`has 2 decisions: show one of them by its id: ${id}, `);
  expect(await verdict(['decisions', 'show', '01890a5d-ac96-774b-bcce-b302099a8057'])).toMatchObject({ code: 1 });
});

test('a running server is asked by path, and says which version answered', async () => {
  const argv = ['eval', 'data.shop.allow', '--server', pdp.urls.http, '--input', '-'];
  const asked = await cli(argv, { stdin: '{"user": "alice"}' });
  expect(asked).toMatchObject({ code: 0, stdout: 'true\n' });
  expect(asked.stderr).toMatch(/[0-9a-f-]{36} {2}shop@1 {2}(miss|hit)/);
  const nowhere = await cli(['eval', 'shop/nowhere', '--server', pdp.urls.http]);
  expect(nowhere).toMatchObject({ code: 0, stdout: 'undefined\n' });
  expect(nowhere.stderr).toMatch(
    /^warning: .*no active bundle answers data\.shop\.nowhere: nothing stands there, or it is no entrypoint$/m,
  );
  const slip = await cli(['eval', 'shop/alow', '--server', pdp.urls.http]);
  expect(slip.stderr).toMatch(/no active bundle answers data\.shop\.alow: .*; did you mean data\.shop\.allow\?$/m);
  const admin = await cli(['eval', 'shop/allow', '--server', pdp.urls.admin]);
  expect(admin.code).toBe(1);
  expect(admin.stderr).toContain('eval asks a decision listener');
  const json = await cli([...argv, '--output', 'json'], { stdin: '{"user": "bob"}' });
  expect(json.json()).toMatchObject({ result: false });
  const refused = await cli(argv, { stdin: '{"verdict": {}}' });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('the server answered 400');
});

test('a command for the admin API that is sent to a decision listener names the address that it needs', async () => {
  const { code, stderr } = await verdict(['versions', 'shop', '--server', pdp.urls.http]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('not the admin API') });
});

test('a slip in a role, a bundle or an outcome is named', async () => {
  const role = await verdict(['token', 'create', 'slip', '--role', 'autor']);
  expect(role.stderr).toContain('"autor": wanted roles out of ask, author');
  expect((await verdict(['versions', 'nope'])).stderr).toContain('no bundle nope was pushed');
  const outcome = await verdict(['decisions', '--outcome', 'deny']);
  expect(outcome).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('permit, refuse, data, undefined, failed; not "deny"'),
  });
});

test('a push and an activation warn of the roots that they give up', async () => {
  const cwd = folderOf({
    'one/a.rego': 'package lost\n\nx := 1\n',
    'one/b.rego': 'package kept\n\nx := 1\n',
    'two/b.rego': 'package kept.deeper\n\nx := 1\n',
  });
  expect((await verdict(['push', 'losing', 'one', '--activate'], { cwd })).stdout).not.toContain('given up');
  expect((await verdict(['push', 'losing', 'two'], { cwd })).stdout).toContain(
    'warning: its activation would give up the roots kept, lost of losing@1: nothing of it would answer there any more',
  );
  const given = 'warning: the roots kept, lost of losing@1 are given up: nothing of it answers there any more';
  expect((await verdict(['activate', 'losing', '2'])).stdout).toMatch(
    new RegExp(`losing@2 is active.*\\n {2}${given}`),
  );
  expect((await verdict(['rollback', 'losing'])).stdout).not.toContain('warning');
  expect((await verdict(['push', 'losing', 'two', '--activate'], { cwd })).stdout).toContain(given);
});

test('a second bundle that ends the answers to AuthZEN questions without a name says so before and when it does', async () => {
  const alone = await startPdp({ bundles: { todo: 'policies/todo' } });
  try {
    const run = (argv: readonly string[]): Promise<Run> =>
      cli([...argv, '--set', `storage.dir=${path.join(alone.dir, 'storage')}`], {
        cwd: folderOf({
          'num/num.rego': 'package num\n\nallow if input.subject.id == "1"\n',
          'odd/odd.rego': 'package num\n\nodd := 1\n',
        }),
        env: { VERDICT_SERVER: alone.urls.admin },
      });
    const body = { subject: { type: 'u', id: '1' }, action: { name: 'a' }, resource: { type: 'r', id: '1' } };
    const unnamed = async (): Promise<number> => (await alone.ask('/access/v1/evaluation', body)).status;
    expect(await unnamed()).toBe(200);

    const pushed = await run(['push', 'num', 'num']);
    expect(pushed.stdout).toContain(
      'warning: its activation would end the answers to AuthZEN questions that name no bundle (/access/v1/evaluation), ' +
        'which todo gives as the only active one: set authzen.bundle to todo, or ask under /todo/access/v1/',
    );
    expect(await unnamed()).toBe(200);
    const told =
      'AuthZEN questions that name no bundle (/access/v1/evaluation) were answered by todo while it was the only ' +
      'active one, and are a 404 now: set authzen.bundle to todo, or ask under /todo/access/v1/';
    expect((await run(['activate', 'num', '1'])).stdout).toContain(`warning: ${told}`);
    expect(await unnamed()).toBe(404);
    expect(alone.log()).toContain(told);

    const over = 'num@2 does not answer AuthZEN as the version before it did';
    expect((await run(['push', 'num', 'odd', '--activate'])).stdout).toContain(`warning: ${over}`);
    expect((await run(['rollback', 'num'])).stdout).not.toContain('warning');
  } finally {
    await alone.stop();
  }
});

test('where configuration names the bundle that answers AuthZEN, a second one changes nothing and warns of nothing', async () => {
  const named = await startPdp({ bundles: { todo: 'policies/todo' }, sets: ['authzen.bundle=todo'] });
  try {
    const cwd = folderOf({ 'num/num.rego': 'package num\n\nallow if input.x\n' });
    const env = { VERDICT_SERVER: named.urls.admin };
    const set = ['--set', `storage.dir=${path.join(named.dir, 'storage')}`];
    for (const more of [[], ['--activate']])
      expect((await cli(['push', 'num', 'num', ...more, ...set], { cwd, env })).stdout).not.toContain('warning');
  } finally {
    await named.stop();
  }
});

test('a root that an active bundle holds cannot be claimed by another, also one without rules', async () => {
  const cwd = folderOf({
    'holder/.manifest': '{"roots": ["held"]}',
    'holder/data.json': '{}',
    'claim/c.rego': 'package held.by.another\n\nx := 1\n',
  });
  expect(await verdict(['push', 'holder', 'holder', '--activate'], { cwd })).toMatchObject({ code: 0 });
  expect(await verdict(['push', 'claim', 'claim'], { cwd })).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('overlaps held, which the active bundle holder owns'),
  });
});

test('eval says where a token came from that the decision listener refuses', async () => {
  const argv = ['eval', 'todo/allow', '--server', pdp.urls.http];
  const { code, stderr } = await verdict(argv, { env: { VERDICT_TOKEN: 'vdt_gone' } });
  expect(stderr).toMatch(/the server answered 401: the token is not known here.*; it was taken from VERDICT_TOKEN\n/);
  expect(code).toBe(5);
});
