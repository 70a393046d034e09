import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Resolution } from '../../src/decision/model.ts';
import type { LocalPolicyStore } from '../../src/policy/index.ts';
import type { Contents } from './archives.ts';
import { type Bench, bench, push } from './stores.ts';

let machine: Bench;

beforeAll(() => {
  machine = bench();
});

afterAll(() => machine.end());

beforeEach(() => machine.fresh());

const serve = async (bundles: { readonly [name: string]: Contents }, options = {}): Promise<LocalPolicyStore> => {
  const store = await machine.open(options);
  for (const [name, contents] of Object.entries(bundles)) await push(store, name, contents);
  return store;
};

/** What a resolution stands for, as a person would write it. */
const said = (found: Resolution): unknown => {
  if (found.kind === 'rule') return [found.target.version.name, found.target.entrypoint, ...found.target.below];
  if (found.kind === 'data') return { [found.version.name]: JSON.parse(found.json) };
  if (found.kind === 'unknown') return 'unknown';
  return new Map(found.parts.map(({ at, part }) => [at.join('/'), said(part)]));
};

/** The value that a resolution gives, composites put together. */
const value = async (found: Resolution): Promise<unknown> => {
  if (found.kind === 'data') return JSON.parse(found.json);
  if (found.kind === 'unknown') return undefined;
  if (found.kind === 'rule') {
    const { version, entrypoint, below } = found.target;
    const answer = await version.module.evaluate({ entrypoint, below, strictErrors: false });
    if (answer.kind === 'failed') throw new Error(answer.message);
    return answer.kind === 'defined' ? JSON.parse(answer.json) : undefined;
  }
  const whole: { [key: string]: unknown } = {};
  for (const { at, part } of found.parts) {
    const inner = await value(part);
    if (inner === undefined) continue;
    let object = whole;
    for (const segment of at.slice(0, -1)) {
      object[segment] ??= {};
      object = object[segment] as typeof whole;
    }
    const last = at.at(-1);
    if (last === undefined) return inner;
    object[last] = inner;
  }
  return whole;
};

const app: Contents = {
  'rbac.rego': `package app.rbac

roles.admin contains "read"

roles.user contains "look"

allow if input.never

level := {"deep": [10, {"x": 1}]}

helper(x) := x
`,
  'acl.rego': 'package app.acl\n\nanswer := 42\n',
  'data.json': '{"app": {"users": {"u1": {"age": 1.50}, "u2": [1, 2]}, "rbac": {"size": 3}}}',
};

const users: Contents = { '.manifest': '{"roots": ["people/staff"]}', 'people/staff/data.json': '{"u9": true}' };

const guests: Contents = {
  '.manifest': '{"roots": ["people/guests", "people/rules"]}',
  'people/guests/data.json': '{"g1": null}',
  'rules.rego': 'package people.rules\n\nopen := true\n',
};

test('a path means its rule, what lies below one, its data, or nothing', async () => {
  const store = await serve({ app });
  const at = (...path: string[]): unknown => said(store.current.resolve(path));
  expect(at('app', 'acl', 'answer')).toEqual(['app', 'app/acl/answer']);
  expect(at('app', 'rbac')).toEqual(['app', 'app/rbac']);
  expect(at('app', 'rbac', 'level', 'deep', '1', 'x')).toEqual(['app', 'app/rbac/level', 'deep', '1', 'x']);
  expect(at('app', 'rbac', 'roles')).toEqual(['app', 'app/rbac', 'roles']);
  expect(at('app', 'users', 'u1')).toEqual({ app: { age: 1.5 } });
  expect(at('app', 'users', 'u2', '1')).toEqual({ app: 2 });
  expect(at('app', 'rbac', 'size')).toEqual({ app: 3 });
  for (const path of [
    'app/none',
    'app/rbac/none',
    'app/rbac/helper',
    'app/users/u3',
    'app/users/u2/2',
    'other',
    'app/users/u2/01',
  ]) {
    expect(at(...path.split('/')), path).toBe('unknown');
  }
});

test('numbers of data keep their text', async () => {
  const store = await serve({ app });
  expect(store.current.resolve(['app', 'users', 'u1'])).toMatchObject({ kind: 'data', json: '{"age":1.50}' });
});

test('a path above several bundles is an object of their parts', async () => {
  const store = await serve({ users, guests });
  expect(said(store.current.resolve(['people']))).toEqual(
    new Map<string, unknown>([
      ['staff', { users: { u9: true } }],
      ['rules', ['guests', 'people/rules']],
      ['guests', { guests: { g1: null } }],
    ]),
  );
  expect(said(store.current.resolve([]))).toEqual(
    new Map<string, unknown>([
      ['people/staff', { users: { u9: true } }],
      ['people/rules', ['guests', 'people/rules']],
      ['people/guests', { guests: { g1: null } }],
    ]),
  );
});

test('a bundle with a root elsewhere still leaves room for others beside its data', async () => {
  const spread = {
    '.manifest': '{"roots": ["people/admins", "zoo"]}',
    'people/admins/data.json': '{"a1": 1}',
    'zoo/data.json': '{}',
  };
  const store = await serve({ spread, users });
  expect(said(store.current.resolve(['people']))).toEqual(
    new Map([
      ['admins', { spread: { a1: 1 } }],
      ['staff', { users: { u9: true } }],
    ]),
  );
});

test("every path gives the value that OPA's interpreter gives", async () => {
  const store = await serve({ app, users, guests });
  const modules = [app, users, guests].flatMap((bundle) =>
    Object.entries(bundle)
      .filter(([name]) => name.endsWith('.rego'))
      .map(([path, text]) => ({ path, text: String(text) })),
  );
  const data = Buffer.from(
    '{"app": {"users": {"u1": {"age": 1.50}, "u2": [1, 2]}, "rbac": {"size": 3}}, "people": {"staff": {"u9": true}, "guests": {"g1": null}}}',
  );
  const opa = async (path: readonly string[]): Promise<unknown> => {
    const query = ['data', ...path.map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `["${segment}"]`))].join(
      '',
    );
    const found = await machine.toolchain.evaluate({ modules, data }, `x := json.marshal(${query})`);
    const text = found.bindings[0]?.x;
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  };
  const paths = [
    '',
    'app',
    'app/acl',
    'app/acl/answer',
    'app/rbac',
    'app/rbac/roles',
    'app/rbac/roles/admin',
    'app/rbac/roles/admin/read',
    'app/rbac/allow',
    'app/rbac/size',
    'app/rbac/level/deep/1',
    'app/users',
    'app/users/u2/0',
    'app/none',
    'people',
    'people/rules',
    'people/rules/open',
    'people/guests',
    'people/guests/g1',
    'people/staff',
    'none/at/all',
  ];
  for (const text of paths) {
    const path = text === '' ? [] : text.split('/');
    expect(await value(store.current.resolve(path)), text).toEqual(await opa(path));
  }
});

test('where entrypoints are named, other rules are not served, also inside their package', async () => {
  const manifest = '{"metadata": {"verdict": {"entrypoints": ["app/acl/answer", "app/rbac"]}}}';
  const store = await serve({
    app: { ...app, 'acl.rego': `${app['acl.rego']}\nhidden := 1\n`, '.manifest': manifest },
  });
  const at = (...path: string[]): unknown => said(store.current.resolve(path));
  expect(at('app', 'acl', 'hidden')).toBe('unknown');
  expect(at('app', 'acl')).toEqual(new Map([['answer', ['app', 'app/acl/answer']]]));
  expect(at('app', 'rbac', 'level')).toEqual(['app', 'app/rbac', 'level']);
  expect(at('app')).toEqual(
    new Map<string, unknown>([
      ['acl/answer', ['app', 'app/acl/answer']],
      ['rbac', ['app', 'app/rbac']],
      ['users', { app: { u1: { age: 1.5 }, u2: [1, 2] } }],
    ]),
  );
});

test('a path is what its segments are, whatever characters stand in them', async () => {
  const store = await serve({ app });
  expect(store.current.resolve(['app\0acl', 'answer']).kind).toBe('unknown');
  expect(store.current.resolve(['app/acl', 'answer']).kind).toBe('unknown');
  expect(store.current.resolve(['app', 'acl/answer']).kind).toBe('unknown');
  expect(store.current.resolve(['app', '', 'acl']).kind).toBe('unknown');
  expect(store.current.resolve(['app', 'acl', 'answer']).kind).toBe('rule');
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect(store.current.resolve([name]).kind).toBe('unknown');
    expect(store.current.resolve(['app', 'users', name]).kind).toBe('unknown');
  }
});

test('a path found before is found again without a search', async () => {
  const store = await serve({ users, guests });
  const { current } = store;
  expect(current.resolve(['people'])).toBe(current.resolve(['people']));
  expect(current.resolve(['people', 'rules', 'open'])).toBe(current.resolve(['people', 'rules', 'open']));
});

test('a bundle of data alone is served', async () => {
  const store = await serve({ users });
  expect(said(store.current.resolve(['people', 'staff', 'u9']))).toEqual({ users: true });
  expect(store.current.versions.get('users')?.module.entrypoints).toEqual([]);
});

const marked = `package todo

# METADATA
# custom:
#   verdict: result
#   cache: {ttl: 5}
decision := {"allow": allow}

default allow := false
`;

test('marks of METADATA are on the rule itself, results not on what lies below it', async () => {
  const store = await serve({ todo: { 'a.rego': marked } });
  const target = (...path: string[]) => {
    const found = store.current.resolve(path);
    return found.kind === 'rule' ? found.target : undefined;
  };
  expect(target('todo', 'decision')).toMatchObject({ isResult: true, ttlMs: 5000 });
  expect(target('todo', 'decision', 'allow')).toMatchObject({ isResult: false, ttlMs: 5000 });
  expect(target('todo', 'allow')).toMatchObject({ isResult: false });
  expect(target('todo', 'allow')).not.toHaveProperty('ttlMs');
  await store.close();
  const again = await machine.open();
  expect(again.current.resolve(['todo', 'decision'])).toMatchObject({ target: { isResult: true, ttlMs: 5000 } });
});

test('AuthZEN is answered by the marked rule, else by allow under the only root that answers', async () => {
  const store = await serve({
    todo: { 'a.rego': marked, 'a_test.rego': 'package todo_test\n\ntest_x if true\n', 'data.json': '{"users": []}' },
  });
  expect(store.current.authzenPath()).toEqual(['todo', 'allow']);
  expect(store.current.authzenPath('todo')).toEqual(['todo', 'allow']);
  expect(store.current.authzenPath('none')).toBeUndefined();
  await push(store, 'todo', {
    'a.rego': marked.replace('#   verdict', '#   authzen: {evaluation: true}\n#   verdict'),
  });
  expect(store.current.authzenPath()).toEqual(['todo', 'decision']);
  await push(store, 'other', { 'b.rego': 'package other\n\nx := 1\n' });
  expect(store.current.authzenPath()).toBeUndefined();
  expect(store.current.authzenPath('other')).toBeUndefined();
  await store.close();
  const configured = await machine.open({ authzenBundle: 'todo' });
  expect(configured.current.authzenPath()).toEqual(['todo', 'decision']);
});

test('an active set is frozen: a later change makes another one', async () => {
  const store = await serve({ users });
  const before = store.current;
  expect(Object.isFrozen(before)).toBe(true);
  await push(store, 'guests', guests);
  expect(before.epoch).toBe(1);
  expect(before.versions.has('guests')).toBe(false);
  expect(said(before.resolve(['people', 'guests']))).toBe('unknown');
  expect(store.current.epoch).toBe(2);
});
