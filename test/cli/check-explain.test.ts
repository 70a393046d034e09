import { expect, test } from 'vitest';
import { cli, folderOf } from './run.ts';

const entrypoint = '# METADATA\n# entrypoint: true\n';
const module = (...rules: string[]): string => `package exp\n\n${rules.join('\n\n')}\n`;

const lineOf = async (rules: readonly string[], flags: readonly string[] = []): Promise<string> => {
  const { code, stdout, stderr } = await cli(['check', ...flags, 'p'], {
    cwd: folderOf({ 'p/exp.rego': module(...rules) }),
  });
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^no problems in 1 file/);
  return stdout.split('\n').slice(1).join('\n').trimEnd();
};

test.each([
  [
    'the places that rules read',
    [
      `${entrypoint}decision if {\n\tinput.subject.id == input.action.name\n\tadmin(input.subject)\n}`,
      'admin(s) if s.role == "x"',
    ],
    'exp/decision: remembered per input.action.name, input.subject.id, input.subject.role',
  ],
  [
    'more places than fit a line',
    [`${entrypoint}decision := [input.a, input.b, input.c, input.d, input.e, input.f]`],
    'exp/decision: remembered per input.a, input.b, input.c, input.d and 2 more places',
  ],
  ['names that are no words', [`${entrypoint}decision := input["x y"]`], 'exp/decision: remembered per input["x y"]'],
  ['no place', [`${entrypoint}decision := data.exp_limits`], 'exp/decision: remembered once for all inputs'],
  [
    'all of the input',
    [`${entrypoint}decision if {\n\tsome k\n\tinput[k] == 1\n}`],
    'exp/decision: remembered per input as a whole, which p/exp.rego:7:2 reads',
  ],
  [
    'chance',
    [`${entrypoint}decision if {\n\tinput.a == 1\n\tsome_chance > 1\n}`, 'some_chance := rand.intn("x", 3)'],
    'exp/decision: not remembered where rand.intn is called: p/exp.rego:10:16',
  ],
  [
    'a time to live',
    ['# METADATA\n# entrypoint: true\n# custom:\n#   cache:\n#     ttl: 30s\ndecision := [input.a, rand.intn("x", 3)]'],
    'exp/decision: remembered for 30s per input.a',
  ],
  [
    'windows of time',
    [`${entrypoint}decision if {\n\ttime.now_ns() < input.until\n\tio.jwt.decode(input.token)[1].sub == "x"\n}`],
    "exp/decision: remembered per input.token, input.until, until a token's nbf or exp or the clock changes it",
  ],
  [
    'tokens',
    [`${entrypoint}decision := io.jwt.decode(input.token)[1].sub`],
    "exp/decision: remembered per input.token, until a token's nbf or exp",
  ],
  [
    'office hours',
    [`${entrypoint}decision if time.clock(time.now_ns())[0] < 18`],
    'exp/decision: remembered once for all inputs, until the clock changes it',
  ],
  [
    'a token and the clock',
    [`${entrypoint}decision if {\n\tio.jwt.decode(input.token)\n\tnow < input.until\n}`, 'now := time.now_ns()'],
    "exp/decision: remembered per input.token, input.until, until a token's nbf or exp or the clock changes it",
  ],
])('check says in a line what an answer is remembered by: %s', async (_what, rules, line) => {
  expect(await lineOf(rules)).toBe(line);
});

test('with --explain-cache it says where each place is read, why it is no smaller one, and what is called', async () => {
  const rules = [
    `${entrypoint}decision if {\n\tinput.user\n\tinput.roles[_] == data.limits.role\n\ttime.clock([time.now_ns() % 10, "UTC"])[0] == 8\n}`,
  ];
  expect((await lineOf(rules, ['--explain-cache'])).split('\n')).toEqual([
    'exp/decision: not remembered where time.now_ns is called: p/exp.rego:8:14',
    '  reads of the input',
    '    input.roles  p/exp.rego:7:2  all below it: what follows is no constant name',
    '    input.user   p/exp.rego:6:2  whether it is there, and of which kind',
    '  reads of the data',
    '    data.limits.role  p/exp.rego:7:20',
    '  calls',
    '    time.now_ns  p/exp.rego:8:14  time',
  ]);
});

test('with --explain-index it says which rules are found by what they compare, and why others are not', async () => {
  const many = Array.from({ length: 20 }, (_, n) => `allow if {\n\tinput.action == "a${n}"\n\tinput.n == ${n}\n}`);
  const rules = [...many, 'allow if input.n > 100', 'small if input.a == "x"', 'small if input.a == "y"'];
  expect((await lineOf(rules, ['--explain-index'])).split('\n').slice(3)).toEqual([
    'data.exp.allow: 21 definitions, p/exp.rego:3:1',
    '  20 found by input.action',
    '  1 tried in turn (p/exp.rego:103:1): they compare no place with a constant text or number',
    'data.exp.small: 2 definitions, p/exp.rego:105:1',
    '  2 tried in turn (p/exp.rego:105:1): they are so few that finding the right one takes as long as trying them all',
  ]);
});

test('what keeps every rule from being found is told with its place', async () => {
  const many = Array.from({ length: 20 }, (_, n) => `allow if {\n\tinput.action == "a${n}"\n\tinput.n == ${n}\n}`);
  const explained = await lineOf([...many, 'other if allow with data.x as 1'], ['--explain-index']);
  expect(explained).toContain(
    'nothing is indexed: a rule replaces something other than the input by `with`, at p/exp.rego:103:16',
  );
});

test('in JSON all of it is data', async () => {
  const cwd = folderOf({ 'p/exp.rego': module(`${entrypoint}decision if input.a == time.now_ns()`) });
  const run = await cli(['check', '--output', 'json', '--explain-index', 'p'], { cwd });
  expect(run.json()).toMatchObject({
    entrypoints: [
      {
        path: 'exp/decision',
        reads: [{ path: ['a'], file: 'p/exp.rego', row: 5, col: 13 }],
        data: [],
        calls: [{ builtin: 'time.now_ns', effect: 'time', file: 'p/exp.rego', row: 5, col: 24 }],
      },
    ],
    index: { rules: [] },
  });
});

test('of many entrypoints the first are told, and all with the flag', async () => {
  const rules = Array.from({ length: 20 }, (_, n) => `${entrypoint}rule${n} := input.a`);
  const short = (await lineOf(rules)).split('\n');
  expect(short).toHaveLength(13);
  expect(short.at(-1)).toBe('and 8 more entrypoints: --explain-cache shows all');
  expect((await lineOf(rules, ['--explain-cache'])).split('\n').filter((line) => line.startsWith('exp/'))).toHaveLength(
    20,
  );
});
