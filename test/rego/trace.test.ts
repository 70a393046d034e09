import { afterAll, expect, test } from 'vitest';
import { openToolchain, regoFromJson, type TraceLevel, traceAt } from '../../src/rego/index.ts';

const toolchain = openToolchain();
afterAll(() => toolchain.close());

const policy = `package p

default allow := false

allow if {
	trace("checking")
	input.user == "alice"
	owner
}

allow if input.admin

owner if {
	some x in data.owners
	x == input.user
}
`;

const traceOf = async (level: TraceLevel): Promise<string[]> => {
  const sources = { modules: [{ path: 'p.rego', text: policy }], data: Buffer.from('{"owners":["bob","carol"]}') };
  const input = regoFromJson('{"user":"alice"}');
  const { trace = '' } = await toolchain.evaluate(sources, 'data.p.allow', { input, trace: true });
  return traceAt(trace, level)
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ {2,}/, ' ').replace('data.p.allow = _', 'data.p.allow'));
};

// As `opa eval --explain LEVEL --format pretty` of OPA 1.22.2 prints them.
test('notes are shown with the queries that led to them', async () => {
  expect(await traceOf('notes')).toEqual([
    'query:1 Enter data.p.allow',
    'p.rego:5 | Enter data.p.allow',
    'p.rego:6 | | Note "checking"',
  ]);
});

test('fails are shown with the queries that led to them, each once', async () => {
  expect(await traceOf('fails')).toEqual([
    'query:1 Enter data.p.allow',
    'p.rego:5 | Enter data.p.allow',
    'p.rego:13 | | Enter data.p.owner',
    'p.rego:15 | | | Fail x = input.user',
    'p.rego:15 | | | Fail x = input.user',
    'p.rego:8 | | Fail data.p.owner',
  ]);
});

test('full is all but unification, and debug is all', async () => {
  const full = await traceOf('full');
  expect(full).toContain('p.rego:14 | | | Redo x = data.owners[__local0__]');
  expect(full.some((line) => line.includes('Unify'))).toBe(false);
  const debug = await traceOf('debug');
  expect(debug).toContain('p.rego:15 | | | Unify "alice" = "bob"');
  expect(debug.filter((line) => !/\| Unify /.test(line))).toEqual(full);
});

test('a message of several lines stays whole', () => {
  const trace = 'query:1  Enter x\np.rego:2 | Note "a\nb"\np.rego:3 | Fail y\n';
  expect(traceAt(trace, 'notes')).toBe('query:1  Enter x\np.rego:2 | Note "a\nb"\n');
});
