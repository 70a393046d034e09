import { afterAll, expect, test } from 'vitest';
import { openToolchain } from '../../src/rego/index.ts';
import { file, policy, problemsOf } from './sources.ts';

const toolchain = openToolchain();
afterAll(() => toolchain.close());

/** What a compiled module says of itself: its entrypoints and the builtins that it calls on its host. */
const describe = (wasm: Uint8Array): { readonly entrypoints: string[]; readonly builtins: string[] } => {
  const memory = new WebAssembly.Memory({ initial: 5 });
  const none = (): number => 0;
  const calls = Object.fromEntries([0, 1, 2, 3, 4].map((count) => [`opa_builtin${count}`, none]));
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  const env = { memory, opa_abort: none, opa_println: none, ...calls };
  const exports = new WebAssembly.Instance(module, { env }).exports as {
    [name: string]: (...args: number[]) => number;
  };
  const namesOf = (table: number): string[] => {
    const bytes = Buffer.from(memory.buffer);
    const at = exports.opa_json_dump!(table);
    return Object.keys(JSON.parse(bytes.toString('utf8', at, bytes.indexOf(0, at))) as object).sort();
  };
  return { entrypoints: namesOf(exports.entrypoints!()), builtins: namesOf(exports.builtins!()) };
};

const builtinsOf = async (text: string, entrypoint: string): Promise<readonly string[]> =>
  (await toolchain.compile(policy(text), [entrypoint])).entrypoints[0]!.builtins;

test('a compiled module has exactly the entrypoints asked for, rules and packages', async () => {
  const sources = policy('package a.b\n\nx := y\n\ny := input.y\n\nz := x');
  const { wasm, entrypoints } = await toolchain.compile(sources, ['a/b/x', 'a/b']);
  expect(describe(wasm).entrypoints).toEqual(['a/b', 'a/b/x']);
  expect(entrypoints.map(({ path }) => path)).toEqual(['a/b/x', 'a/b']);
});

test('the same sources give the same bytes', async () => {
  const modules = ['a', 'b', 'c', 'd'].map((name) =>
    file(`${name}.rego`, `package ${name}\n\nx := sprintf("%v", [input.${name}])\n\ny contains z if some z in data.q`),
  );
  const first = await toolchain.compile({ modules }, ['a/x', 'b', 'c/y']);
  const second = await toolchain.compile({ modules: modules.toReversed() }, ['a/x', 'b', 'c/y']);
  expect(Buffer.compare(first.wasm, second.wasm)).toBe(0);
});

test('an entrypoint reaches the builtins of all that its rules use, and no others', async () => {
  const text = `package a
import data.a.lib

x if y
y if lib.check(input.z)
alone := yaml.marshal(input)
lib.check(v) if { lower(v) == "z" } else := regex.match("a", v)
default dyn := false
dyn if data.a.late[input.k]
late.one := units.parse("1K")
late.two := semver.is_valid("1")
`;
  expect(await builtinsOf(text, 'a/x')).toEqual(expect.arrayContaining(['lower', 'regex.match']));
  expect(await builtinsOf(text, 'a/x')).not.toContain('yaml.marshal');
  expect(await builtinsOf(text, 'a/dyn')).toEqual(expect.arrayContaining(['units.parse', 'semver.is_valid']));
  expect(await builtinsOf(text, 'a/alone')).toEqual(['eq', 'yaml.marshal']);
  expect(await builtinsOf(text, 'a')).toEqual(expect.arrayContaining(['yaml.marshal', 'lower', 'units.parse']));
});

test('an entrypoint reads the places of the input that all its rules can look at, and no others', async () => {
  const text = `package a

allow if { user.role == "admin"; not input.blocked }
allow if lib(input.resource.owner)
user := input.subject
lib(owner) if owner == user.id
whole if count(input) == 1
part if { x := input.a; x.b == 1 }
`;
  const paths = ['a/allow', 'a/whole', 'a/part'];
  const { entrypoints } = await toolchain.compile({ modules: [file('a.rego', text)] }, paths);
  expect(entrypoints.map(({ reads }) => reads)).toEqual([
    [
      { path: ['blocked'], shape: true },
      { path: ['resource', 'owner'] },
      { path: ['subject'], shape: true },
      { path: ['subject', 'id'] },
      { path: ['subject', 'role'] },
    ],
    [{ path: [] }],
    [{ path: ['a'], shape: true }, { path: ['a', 'b'] }],
  ]);
});

test('mocks count beside what they replace: targets and values, builtins and functions', async () => {
  const text = `x if y > 0 with time.now_ns as 1
y := time.now_ns()
fake(s) := hex.encode(s)
z if w != "" with crypto.sha256 as fake
w := crypto.sha256("a")
u if upper("a") == "a" with upper as lower
`;
  expect(await builtinsOf(text, 'policy/x')).toContain('time.now_ns');
  expect(await builtinsOf(text, 'policy/z')).toEqual(expect.arrayContaining(['crypto.sha256', 'hex.encode']));
  expect(await builtinsOf(text, 'policy/u')).toEqual(expect.arrayContaining(['upper', 'lower']));
});

test('builtins in comprehensions, heads, else branches, templates and every are found', async () => {
  const text = `x := [hex.encode(a) | some a in input.b]
y[base64url.encode(input.k)] := uuid.parse(input.v)
z := 1 if input.z else := json.patch({}, []) if every k in input.ks { startswith(trim_space(k), "a") }
t := $"{strings.reverse(input.n)}"
`;
  const { wasm, entrypoints } = await toolchain.compile(policy(text), ['policy']);
  const known = entrypoints[0]!.builtins;
  const wanted = ['hex.encode', 'base64url.encode', 'uuid.parse', 'json.patch', 'trim_space', 'strings.reverse'];
  expect(known).toEqual(expect.arrayContaining(wanted));
  const imported = describe(wasm).builtins.map((name) => name.replace(/^__vt\./, ''));
  expect(known).toEqual(expect.arrayContaining(imported));
});

test('tests are left out: their modules, and their rules in other modules', async () => {
  const modules = [
    file('a.rego', 'package a\n\nx := 1\n\n# METADATA\n# title: t\ntest_x if yaml.marshal(x)'),
    file('a_test.rego', 'package a\n\nx := 2\n\ntest_y if http.send({})'),
  ];
  const { wasm, entrypoints } = await toolchain.compile({ modules }, ['a']);
  expect(entrypoints).toEqual([{ path: 'a', builtins: [], reads: [] }]);
  expect(describe(wasm).builtins).toEqual([]);
});

test('entrypoints that name nothing, or a function, are all named', async () => {
  const problems = await problemsOf(toolchain.compile(policy('f(x) := x'), ['policy/f', 'policy/g', 'policy']));
  expect(problems.map(({ message }) => message)).toEqual([
    'the entrypoint "policy/f" is a function',
    'the entrypoint "policy/g" names no rule and no package',
  ]);
});

test('sources that do not compile are refused with their places', async () => {
  const [problem] = await problemsOf(toolchain.compile(policy('x := y'), ['policy/x']));
  expect(problem).toMatchObject({ code: 'rego_unsafe_var_error', file: 'policy.rego', row: 3, excerpt: 'x := y' });
});

test('Rego v0 compiles beside v1', async () => {
  const modules = [file('old.rego', 'package a\n\nx { input.x }'), file('new.rego', 'package a\n\ny if x')];
  const { wasm } = await toolchain.compile({ modules, regoVersions: { 'old.rego': 0 } }, ['a/y']);
  expect(describe(wasm).entrypoints).toEqual(['a/y']);
});

test('a whole query becomes the only entrypoint of a module', async () => {
  const { wasm, entrypoints } = await toolchain.compileQuery(
    policy('x := upper("a")'),
    'data.policy.x = y; hex.encode("a", z)',
  );
  expect(describe(wasm)).toEqual({ entrypoints: ['eval'], builtins: ['hex.encode'] });
  const reads = [{ path: [] }];
  expect(entrypoints).toEqual([{ path: 'eval', builtins: ['eq', 'hex.encode', 'upper'], reads }]);
});

test('a query that does not parse is refused with its place in the query', async () => {
  const [problem] = await problemsOf(toolchain.compileQuery({ modules: [] }, 'x := '));
  expect(problem).toMatchObject({ code: 'rego_parse_error', row: 1, excerpt: 'x := ' });
});

test('rules that are regrouped keep their entrypoints, reads and annotations; what groups them is not seen', async () => {
  const rules = Array.from(
    { length: 40 },
    (_, n) => `# METADATA\n# title: rule ${n}\npermit if { input.a == "${n}"; input.b == ${n} }`,
  );
  const sources = policy(rules.join('\n\n'));
  const { wasm, entrypoints } = await toolchain.compile(sources, ['policy/permit', 'policy']);
  expect(Buffer.from(wasm).includes('"__vd"')).toBe(true);
  expect(describe(wasm).entrypoints).toEqual(['policy', 'policy/permit']);
  const reads = [{ path: ['a'] }, { path: ['b'] }];
  expect(entrypoints).toMatchObject([
    { path: 'policy/permit', reads },
    { path: 'policy', reads },
  ]);
  const found = await toolchain.check(sources);
  expect(found).toMatchObject({ packages: ['policy'], rules: ['policy/permit'], dataReferences: [] });
  expect(found.annotations).toHaveLength(40);
  expect(Buffer.compare((await toolchain.compile(sources, ['policy/permit', 'policy'])).wasm, wasm)).toBe(0);
});

test('few rules are compiled as written', async () => {
  const { wasm } = await toolchain.compile(policy('permit if input.a == "x"\n\npermit if input.a == "y"'), [
    'policy/permit',
  ]);
  expect(Buffer.from(wasm).includes('__vd')).toBe(false);
});

test('the name under which compiled rules are grouped is refused, with its place', async () => {
  const [problem] = await problemsOf(toolchain.compile(policy('x := data.__vd.g0'), ['policy/x']));
  expect(problem).toMatchObject({
    code: 'rego_compile_error',
    row: 3,
    message: 'the name __vd is kept for compiled rules',
  });
});

test('membership as a value beside arithmetic compiles, also where only another rule is an entrypoint', async () => {
  const text = 'package p\n\nallow if {\n\thelper\n\tinput.n + 1 == 3\n}\n\nhelper := input.role in ["a", "b"]\n';
  const { entrypoints } = await toolchain.compile(policy(text), ['p/allow']);
  expect(entrypoints[0]?.builtins).toContain('plus');
});
