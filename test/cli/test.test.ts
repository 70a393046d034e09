import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failing, good } from './policies.ts';
import { cli, folderOf } from './run.ts';

test('tests that pass give a tally and exit code 0', async () => {
  const { code, stdout } = await cli(['test', '.'], { cwd: folderOf(good) });
  expect(stdout).toBe('2 tests: 2 passed\n');
  expect(code).toBe(0);
});

test('verbose shows each test with its place', async () => {
  const { stdout } = await cli(['test', '.', '--verbose'], { cwd: folderOf(good) });
  expect(stdout).toMatch(/^shop_test$/m);
  expect(stdout).toMatch(/PASS test_buyers_may shop_test\.rego:5 \(\d+\.\d ms\)/);
});

test('a failed test is shown with its place and what it printed, and the exit code is 4', async () => {
  const { code, stdout } = await cli(['test', '.'], { cwd: folderOf(failing) });
  expect(code).toBe(4);
  expect(stdout).toMatch(/FAIL test_everybody_may more_test\.rego:3/);
  expect(stdout).toContain('      asking for bob');
  expect(stdout).not.toContain('test_buyers_may');
  expect(stdout).toContain('3 tests: 2 passed, 1 failed');
});

const refusing = {
  'exp.rego':
    'package exp\n\ndefault decision := {"allow": false, "reasons": ["too much"]}\n\n' +
    'decision := {"allow": true, "reasons": []} if input.amount <= data.limits.a\n',
  'data.json': '{"limits": {"a": 100}}',
  'exp_test.rego':
    'package exp_test\n\ntest_small if data.exp.decision.allow with input as {"amount": 500, "many": numbers.range(1, 500)}\n',
};

test('a failed test shows what the references of its expression stood for, cut where that is long', async () => {
  const { stdout } = await cli(['test', '.'], { cwd: folderOf(refusing) });
  expect(stdout).toContain('not true at exp_test.rego:3:15: test_small if data.exp.decision.allow with input as');
  expect(stdout).toContain(
    '\n        data.exp.decision.allow = false\n' +
      '        data.exp.decision = {"allow": false, "reasons": ["too much"]}\n',
  );
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(250);
  expect(stdout).not.toContain('did not hold');
});

test('--explain shows the rules that a failed test tried, and what stopped them', async () => {
  const cwd = folderOf(refusing);
  const { code, stdout } = await cli(['test', '.', '--explain'], { cwd });
  expect(code).toBe(4);
  expect(stdout).toMatch(/^ {6}data\.exp_test\.test_small did not hold {2}exp_test\.rego:3$/m);
  expect(stdout).toMatch(/^ {8}data\.exp\.decision did not hold {2}exp\.rego:5$/m);
  expect(stdout).toContain('stopped at input.amount <= data.limits.a  exp.rego:5\n');
  expect(stdout).toMatch(/^ +input\.amount = 500$/m);
  const document = (await cli(['test', '.', '--explain', '--output', 'json'], { cwd })).json();
  expect(document).toMatchObject({
    results: [
      {
        values: [{ name: 'data.exp.decision.allow', value: 'false' }, { name: 'data.exp.decision' }, {}],
        steps: [{ rule: 'data.exp_test.test_small', held: false }],
      },
    ],
  });
});

test('--run chooses tests by name', async () => {
  const { code, stdout } = await cli(['test', '.', '--run', 'buyers'], { cwd: folderOf(failing) });
  expect(stdout).toBe('1 test: 1 passed\n');
  expect(code).toBe(0);
});

test.each([
  [['test', '.', '--run', 'no_such_test'], 'no tests match no_such_test'],
  [['test', 'shop.rego', 'data.json'], 'no tests in shop.rego, data.json'],
])('%j finds nothing to run, which is no success', async (argv, message) => {
  const { code, stderr } = await cli(argv, { cwd: folderOf(good) });
  expect(stderr).toContain(message);
  expect(code).toBe(4);
});

test('coverage names the lines that no test reaches, and a threshold above it fails', async () => {
  const files = { ...good, 'shop.rego': `${good['shop.rego']}\nallow if input.user == "carol"\n` };
  const cwd = folderOf({
    ...files,
    'shop_test.rego': 'package shop_test\n\ntest_it if data.shop.allow with input as {"user": "alice"}\n',
    'more.rego': 'package more\n\nx := {"a": y, "b": y} if input.never\n\ny := input.z\n',
  });
  const run = await cli(['test', '.', '--coverage'], { cwd });
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/^coverage: \d/m);
  expect(run.stdout).toMatch(/more\.rego: 0 %, not covered: 3/);
  expect(run.stdout).not.toMatch(/\d\.\d\d/);
  expect(run.stdout).not.toMatch(/\b(\d+), \1\b/);
  const short = await cli(['test', '.', '--threshold', '100'], { cwd });
  expect(short.code).toBe(4);
  expect(short.stderr).toMatch(/coverage is \d+(\.\d+)? %, wanted 100 %/);
  expect(await cli(['test', '.', '--threshold', '10'], { cwd })).toMatchObject({ code: 0 });
});

test('in JSON every result is data', async () => {
  const run = await cli(['test', '.', '--output', 'json', '--coverage'], { cwd: folderOf(failing) });
  expect(run.code).toBe(4);
  const { results, coverage } = run.json() as { results: { name: string; outcome: string }[]; coverage: unknown };
  expect(results.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
    'test_buyers_may passed',
    'test_everybody_may failed',
    'test_others_may_not passed',
  ]);
  expect(coverage).toMatchObject({ coverage: expect.any(Number) });
});

test('tests that do not compile are exit code 3', async () => {
  const cwd = folderOf({ ...good, 'shop_test.rego': 'package shop_test\n\ntest_x if data.shop.allow with\n' });
  const { code, stderr } = await cli(['test', '.'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain('shop_test.rego:');
});

const root = path.join(import.meta.dirname, '..', '..');

test.each(readdirSync(path.join(root, 'policies')))(
  'the tests of the sample %s pass and cover it whole',
  async (name) => {
    const { code, stdout } = await cli(['test', `policies/${name}`, '--threshold', '100'], { cwd: root });
    expect(stdout).toContain('coverage: 100 %');
    expect(code).toBe(0);
  },
);

test.each(readdirSync(path.join(root, 'policies')))(
  'the sample %s is tidy and passes the strict check',
  async (name) => {
    expect(await cli(['fmt', '--check', `policies/${name}`], { cwd: root })).toMatchObject({ code: 0, stdout: '' });
    expect(await cli(['check', '--strict', `policies/${name}`], { cwd: root })).toMatchObject({ code: 0 });
  },
);

test("tests that need another bundle's functions say which folder is missing", async () => {
  const cwd = folderOf({
    'travel/travel.rego': 'package travel\n\nallow if data.people.manages(input.a)\n',
    'travel/travel_test.rego': 'package travel_test\n\ntest_a if data.travel.allow with input as {"a": 1}\n',
    'people/people.rego': 'package people\n\nmanages(x) if x == 1\n',
  });
  const alone = await cli(['test', 'travel'], { cwd });
  expect(alone).toMatchObject({ code: 3, stderr: expect.stringContaining('name its folder, too') });
  expect((await cli(['test', 'travel', 'people'], { cwd })).code).toBe(0);
});
