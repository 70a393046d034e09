import { afterAll, expect, test } from 'vitest';
import { openToolchain, RegoError } from '../../src/rego/index.ts';
import { file, json, policy, problemsOf } from './sources.ts';

const toolchain = openToolchain();
afterAll(() => toolchain.close());

const todo = [
  file(
    'todo/todo.rego',
    `# METADATA
# title: To-do lists
package todo

import data.org.teams

# METADATA
# entrypoint: true
# custom: {cache: {ttl: 5}}
default allow := false

allow if input.user in teams.admins

limits[name] := data.todo.settings[name] if some name in input.names

double(x) := x * 2

test_inside if double(2) == 4
`,
  ),
  file(
    'todo/todo_test.rego',
    'package todo_test\n\ntest_outside if data.todo.double(1) == 2\n\ntodo_test_later if false\n',
  ),
];

test('a check says what the sources are: packages, rules, METADATA, foreign data, tests', async () => {
  const found = await toolchain.check({ modules: todo });
  expect(found).toEqual({
    packages: ['todo'],
    rules: ['todo/allow', 'todo/limits'],
    annotations: [
      {
        path: 'todo',
        scope: 'package',
        file: 'todo/todo.rego',
        row: 1,
        annotations: { scope: 'package', title: 'To-do lists' },
      },
      {
        path: 'todo/allow',
        scope: 'document',
        file: 'todo/todo.rego',
        row: 7,
        annotations: { scope: 'document', entrypoint: true, custom: { cache: { ttl: 5 } } },
      },
    ],
    dataReferences: [
      { path: ['org', 'teams', 'admins'], file: 'todo/todo.rego', row: 12, col: 24 },
      { path: ['todo', 'settings'], file: 'todo/todo.rego', row: 14, col: 17 },
    ],
    testReferences: [],
    tests: 2,
    warnings: [],
  });
});

test('a reference that ends above a package is not the sources own: others put data beside it', async () => {
  const { dataReferences } = await toolchain.check(
    policy('package a.b\n\nx := 1\n\nz := data.a.b.x\n\ny := data.a[input.k].c.d'),
  );
  expect(dataReferences).toEqual([{ path: ['a'], file: 'policy.rego', row: 7, col: 6 }]);
});

test('every problem is named with its place and the line as it stands, not the first ten', async () => {
  const rules = Array.from({ length: 25 }, (_, at) => `\tp${at} if nowhere${at} == 1`);
  const problems = await problemsOf(toolchain.check(policy(`package p\n${rules.join('\n')}`)));
  expect(problems).toHaveLength(25);
  expect(problems[24]).toEqual({
    code: 'rego_unsafe_var_error',
    message: 'var nowhere24 is unsafe',
    file: 'policy.rego',
    row: 26,
    col: 9,
    excerpt: '\tp24 if nowhere24 == 1',
  });
});

test('problems of several files stand in order of file and row', async () => {
  const modules = [
    file('b.rego', 'package b\n\nx if {\n'),
    file('a.rego', 'package a\n\ny { true }\n'),
    file('c.rego', ''),
  ];
  const problems = await problemsOf(toolchain.check({ modules }));
  expect(problems.map(({ file, row, code }) => `${file}:${row} ${code}`)).toEqual([
    'a.rego:3 rego_parse_error',
    'b.rego:4 rego_parse_error',
    'c.rego:1 rego_parse_error',
  ]);
});

test('the message of a refusal names the first place and how many more there are', async () => {
  const call = toolchain.check(policy('package a\n\nx := y\n\nz := w'));
  await expect(call).rejects.toThrow('policy.rego:3:6: var y is unsafe (and 1 more)');
  await expect(call).rejects.toBeInstanceOf(RegoError);
});

test('a type error says what was wanted', async () => {
  const [problem] = await problemsOf(toolchain.check(policy('x := upper(1)')));
  expect(problem).toMatchObject({ code: 'rego_type_error', row: 3, col: 6 });
  expect(problem?.message).toContain('want: (x: string');
});

test('what only strict mode refuses is a warning otherwise', async () => {
  const sources = policy('package a\n\nimport data.unused\n\nx := 1 if { y := 2 }');
  const { warnings } = await toolchain.check(sources);
  expect(warnings.map(({ row, message }) => [row, message])).toEqual([
    [3, 'import data.unused unused'],
    [5, 'assigned var y unused'],
  ]);
  expect(await problemsOf(toolchain.check(sources, { strict: true }))).toEqual(warnings);
});

test('in strict mode an unused import hides no type error', async () => {
  const sources = policy('package a\n\nimport data.unused\n\nx := upper(1)');
  const problems = await problemsOf(toolchain.check(sources, { strict: true }));
  expect(problems.map(({ code }) => code)).toEqual(['rego_type_error', 'rego_compile_error']);
});

test('each file is read in its own version of Rego', async () => {
  const modules = [
    file('old.rego', 'package a\n\nallow { input.x }'),
    file('new.rego', 'package a\n\ndeny if input.y'),
  ];
  expect((await toolchain.check({ modules, regoVersions: { 'old.rego': 0 } })).rules).toEqual(['a/allow', 'a/deny']);
  expect((await problemsOf(toolchain.check({ modules }))).map(({ file }) => file)).toContain('old.rego');
  expect((await problemsOf(toolchain.check({ modules, regoVersion: 0 }))).map(({ file }) => file)).toContain(
    'new.rego',
  );
});

test('data that a rule would hide is refused, and so is data that is no object', async () => {
  const [conflict] = await problemsOf(toolchain.check(policy('x := 1', { data: json({ policy: { x: 2 } }) })));
  expect(conflict).toMatchObject({ file: 'policy.rego', row: 3, message: expect.stringContaining('policy/x') });
  const [noObject] = await problemsOf(toolchain.check(policy('x := 1', { data: json([]) })));
  expect(noObject).toEqual({ code: 'data_invalid', message: 'the data is no JSON object' });
});

test('a rule name that Wasm cannot dispatch to is refused: it would make every dynamic call undefined', async () => {
  const [problem] = await problemsOf(toolchain.check(policy('other["\\u0007"] := 1')));
  expect(problem).toMatchObject({ row: 3, message: expect.stringContaining('cannot represent') });
});

test('names from JavaScript objects are names like any other', async () => {
  const { rules } = await toolchain.check(policy('package __proto__.constructor\n\ntoString := 1'));
  expect(rules).toEqual(['__proto__/constructor/toString']);
});

test('a package without rules is no document, unless one below it has rules', async () => {
  const modules = ['a', 'a.b', 'c'].map((name) => file(`${name}.rego`, `package ${name}\n`));
  const rule = file('rule.rego', 'package a.b.d\n\nx := 1\n\ntest_x if x == 1');
  const { packages } = await toolchain.check({ modules: [...modules, rule] });
  expect(packages).toEqual(['a', 'a/b', 'a/b/d']);
  expect((await toolchain.compile({ modules: [...modules, rule] }, packages)).entrypoints).toHaveLength(3);
});

test('a check says what tests refer to that no rule meets and no test replaces', async () => {
  const tests = file(
    'p_test.rego',
    'package p_test\n\nimport data.q\n\ntest_a if data.p.x with data.m as 1\n\ntest_b if not q.y\n\ntest_c if data.m == 1\n',
  );
  const { testReferences } = await toolchain.check({ modules: [file('p.rego', 'package p\n\nx := 1\n'), tests] });
  expect(testReferences).toEqual([{ path: ['q', 'y'], file: 'p_test.rego', row: 7, col: 15 }]);
});
