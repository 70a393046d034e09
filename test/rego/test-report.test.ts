import { afterAll, expect, test } from 'vitest';
import { openToolchain, type Progress } from '../../src/rego/index.ts';
import { file, json, policy, problemsOf } from './sources.ts';

const toolchain = openToolchain();
afterAll(() => toolchain.close());

const modules = [
  file('a.rego', 'package a.b\n\nallow if input.user in data.admins\n\nunused := 1\n'),
  file(
    'a_test.rego',
    `package a.b_test

test_admin if data.a.b.allow with input as {"user": "ann"}

test_other if {
	user := "bob"
	print("asking for", user)
	data.a.b.allow with input as {"user": user}
}

test_conflict if f(1)

f(x) := 1 if x

f(x) := 2 if x

test_cases[name] if {
	some name, user in {"one": "ann", "two": "bob"}
	data.a.b.allow with input as {"user": user}
}

todo_test_later if false
`,
  ),
];
const sources = { modules, data: json({ admins: ['ann'] }) };

test('a report has one result for each test, in order of place, with what went wrong', async () => {
  const { results, coverage } = await toolchain.test(sources);
  expect(results.map(({ durationNs, ...rest }) => rest)).toEqual([
    { package: 'a/b_test', name: 'test_admin', file: 'a_test.rego', row: 3, outcome: 'passed' },
    {
      package: 'a/b_test',
      name: 'test_other',
      file: 'a_test.rego',
      row: 5,
      outcome: 'failed',
      message: 'not true at a_test.rego:8:2: data.a.b.allow with input as {"user": user}',
      values: [
        { name: 'data.a.b.allow', value: 'undefined' },
        { name: 'user', value: '"bob"' },
      ],
      output: 'asking for bob',
    },
    {
      package: 'a/b_test',
      name: 'test_conflict',
      file: 'a_test.rego',
      row: 11,
      outcome: 'errored',
      message: expect.stringContaining('eval_conflict_error'),
    },
    {
      package: 'a/b_test',
      name: 'test_cases',
      file: 'a_test.rego',
      row: 17,
      outcome: 'failed',
      message:
        'failed cases: two; one of them is not true at a_test.rego:19:2: data.a.b.allow with input as {"user": user}',
      values: [
        { name: 'data.a.b.allow', value: 'undefined' },
        { name: 'name', value: '"two"' },
        { name: 'user', value: '"bob"' },
      ],
    },
    { package: 'a/b_test', name: 'todo_test_later', file: 'a_test.rego', row: 22, outcome: 'skipped' },
  ]);
  expect(coverage).toBeUndefined();
});

test('coverage names the lines that no test reached', async () => {
  const { coverage } = await toolchain.test(sources, { coverage: true });
  const { files } = coverage as {
    files: { [path: string]: { coverage: number; not_covered: { start: { row: number } }[] } };
  };
  expect(files['a.rego']?.not_covered.map(({ start }) => start.row)).toContain(5);
  expect(files['a.rego']?.coverage).toBeGreaterThan(0);
});

test('a filter runs the tests whose full names it matches', async () => {
  const { results } = await toolchain.test(sources, { run: 'b_test\\.test_(admin|cases)' });
  expect(results.map(({ name }) => name)).toEqual(['test_admin', 'test_cases']);
  const [problem] = await problemsOf(toolchain.test(sources, { run: '(' }));
  expect(problem).toMatchObject({ code: 'run_invalid' });
});

test('a run says how far it has come', async () => {
  const seen: Progress[] = [];
  await toolchain.test(sources, { onProgress: (progress) => seen.push(progress) });
  expect(seen.map(({ done }) => done)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(seen.every(({ stage, total }) => stage === 'test' && total === 5)).toBe(true);
});

test('tests of Rego v0 run, and two tests of one name both count', async () => {
  const { results } = await toolchain.test(
    policy('package old\n\ntest_a { true }\n\ntest_a { false }', { regoVersion: 0 }),
  );
  expect(results.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['test_a', 'passed'],
    ['test_a#01', 'failed'],
  ]);
});

test('a test cannot reach the network, and can mock it', async () => {
  const { results } = await toolchain.test(
    policy(`test_real if http.send({"method": "get", "url": "http://127.0.0.1/"}).status_code == 200
test_mocked if http.send({}).status_code == 200 with http.send as {"status_code": 200}`),
  );
  expect(results.map(({ outcome }) => outcome)).toEqual(['failed', 'passed']);
});

test('sources that do not compile are refused with every problem', async () => {
  const rules = Array.from({ length: 12 }, (_, at) => `test_${at} if nowhere${at}`).join('\n');
  expect(await problemsOf(toolchain.test(policy(rules)))).toHaveLength(12);
});
