import { expect, test } from 'vitest';
import { cli, folderOf } from './run.ts';

const policy = (...lines: readonly string[]): { 'p/p.rego': string } => ({
  'p/p.rego': ['package p', '', '# METADATA', ...lines, 'f(x) := x', '', 'allow := f(1)', ''].join('\n'),
});

test.each([
  [['# entrypont: true'], '4:3', 'entrypont in METADATA says nothing; did you mean entrypoint?', '# entrypont: true'],
  [
    ['# title: t', '# custom:', '#   verdit: result'],
    '6:5',
    'custom.verdit in METADATA says nothing; did you mean custom.verdict?',
    '#   verdit: result',
  ],
  [
    ['# custom:', '#   cach: {ttl: 3s}'],
    '5:5',
    'custom.cach in METADATA says nothing; did you mean custom.cache?',
    '#   cach: {ttl: 3s}',
  ],
  [
    ['# custom:', '#   cache: {tll: 3s}'],
    '5:13',
    'custom.cache.tll in METADATA says nothing; did you mean custom.cache.ttl?',
    '#   cache: {tll: 3s}',
  ],
  [
    ['# custom: {authzen: {evaluatoin: true}}'],
    '4:22',
    'custom.authzen.evaluatoin in METADATA says nothing; did you mean custom.authzen.evaluation?',
    '# custom: {authzen: {evaluatoin: true}}',
  ],
  [['# colour: red'], '4:3', 'colour in METADATA says nothing <', '# colour: red'],
])('%j is warned of at its place', async (lines, place, message, excerpt) => {
  const { code, stderr } = await cli(['check', 'p'], { cwd: folderOf(policy(...lines)) });
  const [first, second] = stderr.split('\n');
  expect(first).toContain(`p/p.rego:${place}: ${message}`);
  expect(second).toBe(`  ${place.split(':')[0]} | ${excerpt}`);
  expect(stderr).toMatch(/\n1 warning\n$/);
  expect(code).toBe(0);
});

test('what METADATA can say, and what else an author keeps below custom, is no warning', async () => {
  const lines = [
    '# title: a',
    '# description: |',
    '#   entrypont: this is text',
    '# scope: document',
    '# authors: [Ann <ann@example.com>]',
    '# organizations: [us]',
    '# related_resources: [{ref: "https://example.com", description: d}]',
    '# labels: {team: x}',
    '# custom:',
    '#   severity: high',
    '#   authzen: {search: subject}',
    '#   cache: {ttl: 3s}',
  ];
  const cwd = folderOf({
    ...policy(...lines),
    'q/q.rego': 'package q\n\ntext := `\n# METADATA\n# entrypont: true\n`\n',
  });
  expect(await cli(['check', 'p'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  expect(await cli(['check', 'q'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  [['# custom:', '#   verdict: yes'], '5:5', 'custom.verdict has one value'],
  [['# custom:', '#   cache:', '#     ttl: 1 fortnight'], '6:7', 'custom.cache.ttl must be a duration'],
  [['# custom:', '#   cache: 30s'], '5:5', 'custom.cache must be an object with a ttl'],
  [['# custom:', '#   authzen: true'], '5:5', 'custom.authzen must be an object'],
  [['# schemas:', '#   - input: schema.none'], '5:7', 'input: schema.none: there is no file schemas/none.json'],
  [
    ['# schemas:', '#   - input: {type: object}', '#   - input.x: {type: strng}'],
    '6:7',
    'input.x: /type: must be equal to one',
  ],
  [['# entrypoint: true'], '4:3', 'the entrypoint p/f is no rule and no package of this bundle'],
])('%j is refused at its place', async (lines, place, message) => {
  const { code, stderr } = await cli(['check', 'p'], { cwd: folderOf(policy(...lines)) });
  expect(stderr.split('\n')[0]).toContain(`p/p.rego:${place}: ${message}`);
  expect(stderr).toMatch(/\n1 problem\n$/);
  expect(code).toBe(3);
});

test('a schema that is misspelt is guessed', async () => {
  const cwd = folderOf({ ...policy('# schemas:', '#   - input: schema.ordr'), 'p/schemas/order.json': '{}' });
  expect((await cli(['check', 'p'], { cwd })).stderr).toContain(
    'there is no file schemas/ordr.json; did you mean order?',
  );
});
