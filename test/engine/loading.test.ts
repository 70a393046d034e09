import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadedModule, ModuleErrorCode } from '../../src/engine/index.ts';
import { checkJson, ModuleError } from '../../src/engine/index.ts';
import type { Workbench } from './workbench.ts';
import { dataOf, openWorkbench } from './workbench.ts';

let bench: Workbench;
let wasm: Uint8Array;
beforeAll(async () => {
  bench = await openWorkbench();
  wasm = await bench.compile('x := input.a\ny := data.z');
});
afterAll(() => bench.close());

const refusal = async (bytes: Uint8Array, data = '{}', isServing = false): Promise<ModuleError> => {
  try {
    await bench
      .engine({ engine: { isServing: () => isServing } })
      .load({ name: 'p@7', wasm: bytes, data: dataOf(data) });
  } catch (thrown) {
    if (thrown instanceof ModuleError) return thrown;
    throw thrown;
  }
  throw new Error('loaded');
};

const code = async (bytes: Uint8Array, data?: string): Promise<ModuleErrorCode> => (await refusal(bytes, data)).code;

/** The module with one import, export or other name replaced by another of the same length. */
const renamed = (from: string, to: string): Uint8Array => {
  const copy = Buffer.from(wasm);
  const at = copy.indexOf(from);
  expect(at).toBeGreaterThan(0);
  copy.write(to, at);
  return copy;
};

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

describe('modules that are refused', () => {
  test('anything that is no Wasm', async () => {
    expect(await code(Buffer.from(''))).toBe('MODULE_INVALID');
    expect(await code(Buffer.from('{"a":1}'))).toBe('MODULE_INVALID');
    expect(await code(Uint8Array.of(...header.slice(0, 4), 2, 0, 0, 0))).toBe('MODULE_INVALID');
    expect(await code(Uint8Array.of(...header, 99, 0))).toBe('MODULE_INVALID');
  });

  test('a module cut anywhere', async () => {
    for (let part = 1; part < 20; part++) {
      const cut = wasm.subarray(0, Math.floor((wasm.length * part) / 20));
      expect(['MODULE_INVALID', 'MODULE_FOREIGN']).toContain(await code(cut));
    }
  });

  test('a module with a changed byte is refused with a code of its own, or is still a module', async () => {
    for (let at = 8; at < wasm.length; at += Math.floor(wasm.length / 60)) {
      const copy = Uint8Array.from(wasm);
      copy[at] = (copy[at] ?? 0) ^ 0x55;
      const outcome = await bench
        .engine({ budget: { instructions: 1_000_000 } })
        .load({ name: 'p@7', wasm: copy, data: dataOf('{}') })
        .then(
          () => 'loaded',
          (thrown: unknown) => (thrown instanceof ModuleError ? thrown.code : thrown),
        );
      expect(['loaded', 'MODULE_INVALID', 'MODULE_FOREIGN', 'MODULE_BUILTIN_UNKNOWN', 'MODULE_DATA_INVALID']).toContain(
        outcome,
      );
    }
  });

  test('modules that other compilers make', async () => {
    expect(await code(Uint8Array.of(...header))).toBe('MODULE_FOREIGN');
    expect(await code(renamed('opa_builtin3', 'opa_builtin9'))).toBe('MODULE_FOREIGN');
    expect(await code(renamed('env', 'wsi'))).toBe('MODULE_FOREIGN');
    expect(await code(renamed('opa_heap_ptr_get', 'opa_heap_ptr_got'))).toBe('MODULE_FOREIGN');
    expect(await code(renamed('opa_wasm_abi_minor_version', 'opa_wasm_abi_minor_versiom'))).toBe('MODULE_FOREIGN');
  });

  test('a policy that needs the network, by the name of the builtin', async () => {
    for (const call of ['http.send({"method": "get", "url": "http://localhost"})', 'net.lookup_ip_addr("localhost")']) {
      const name = call.slice(0, call.indexOf('('));
      const error = await refusal(await bench.compile(`x := ${call}`));
      expect([error.code, error.message]).toEqual([
        'MODULE_BUILTIN_UNKNOWN',
        `p@7: ${name} needs the network, and engine.network.hosts allows no host`,
      ]);
    }
  });

  test('a builtin that OPA does not know, by its name', async () => {
    const source = await bench.compile('x := semver.is_valid(input)');
    const copy = Buffer.from(source);
    const at = copy.indexOf('semver.is_valid\0');
    copy.write('my.own_function', at);
    expect((await refusal(copy)).message).toContain('my.own_function is no builtin of OPA');
  });

  test.each(['', '[]', '1', '{"a":}', '\u0000'])('data that is no object: %j', async (data) => {
    expect(await code(wasm, data)).toBe('MODULE_DATA_INVALID');
  });

  test.each([true, false])(
    'large data that is no object is refused as small data is, serving: %s',
    async (isServing) => {
      const large = `{"z":"${'x'.repeat(300_000)}",}`;
      expect((await refusal(wasm, large, isServing)).code).toBe('MODULE_DATA_INVALID');
    },
  );
});

test('a loaded module names its entrypoints and builtins', async () => {
  const module = await bench.engine().load({
    name: 'p@1',
    wasm: await bench.compile('a := crypto.sha256(input)\nb := time.now_ns()\nc := count(input)'),
    data: dataOf('{}'),
  });
  expect(module.entrypoints).toEqual(['p/a', 'p/b', 'p/c']);
  expect(module.builtins).toEqual(['crypto.sha256', 'time.now_ns']);
});

test('an engine that is closed loads nothing', async () => {
  const engine = bench.engine();
  await engine.close();
  await expect(engine.load({ name: 'p@1', wasm, data: dataOf('{}') })).rejects.toThrow(ModuleError);
});

test.each([
  ['read by the first instance before anything is served', false],
  ['read by a thread and copied in several parts', true],
])('large data that is %s is all there, in the first instance and in those after it', async (_how, isServing) => {
  // Some 36 bytes of memory for each byte of text: more than one part, and the last one not whole.
  const names = Array.from({ length: 20_000 }, (_, at) => `name-${at}`);
  const data = JSON.stringify({ z: Object.fromEntries(names.map((name, at) => [name, [at, `${name}!`]])) });
  const rego = `x := data.z[input.a]
count_all := count(data.z)
endless := count([1 | some a in numbers.range(1, 9000); some b in numbers.range(1, 9000); a == b])`;
  const policy = await bench.policy(rego, {
    data,
    budget: { instructions: 5_000_000 },
    engine: { isServing: () => isServing },
  });
  const holds = async (): Promise<void> => {
    expect(await policy.answer('p/count_all')).toBe('20000');
    for (const at of [0, 9_999, 19_999])
      expect(await policy.answer('p/x', { input: { a: `name-${at}` } })).toBe(`[${at},"name-${at}!"]`);
  };
  await holds();
  for (let round = 0; round < 3; round++) {
    expect(await policy.answer('p/endless')).toBe('budget_exceeded');
    // At once, before a spare can be whole, and later.
    await holds();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  await policy.module.close();
});

test('the version after one that read its data itself takes over what did not change', async () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `name-${at}`);
  const textOf = (change: string): string =>
    JSON.stringify({ z: Object.fromEntries(names.map((name, at) => [name, at === 7 ? change : name])) });
  const engine = bench.engine({ engine: { isServing: () => false } });
  const compiled = await bench.compile('x := data.z[input.a]');
  let replaces: LoadedModule | undefined;
  for (const change of ['first', 'second', 'third']) {
    const source = { name: 'p@1', wasm: compiled, data: dataOf(textOf(change)) };
    const module: LoadedModule = await engine.load({ ...source, ...(replaces === undefined ? {} : { replaces }) });
    for (const [name, value] of [
      ['name-7', change],
      ['name-8', 'name-8'],
    ]) {
      const { json: input } = checkJson(Buffer.from(JSON.stringify({ a: name })));
      const evaluation = await module.evaluate({ entrypoint: 'p/x', below: [], strictErrors: false, input });
      expect(evaluation).toMatchObject({ kind: 'defined', json: JSON.stringify(value) });
    }
    await replaces?.close();
    replaces = module;
  }
});

test('a process that does nothing else waits for a module with large data', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'verdict-loading-'));
  try {
    const members = Array.from({ length: 100_000 }, (_, n) => [`member ${n}`, n]);
    writeFileSync(path.join(folder, 'data.json'), JSON.stringify({ z: Object.fromEntries(members) }));
    writeFileSync(path.join(folder, 'policy.wasm'), wasm);
    const doors = ['engine', 'canonical'].map((name) => new URL(`../../src/${name}/index.ts`, import.meta.url).href);
    const program = `
      import { readFileSync } from 'node:fs';
      import { defaultEngineSettings, engineOptions, openEngine } from '${doors[0]}';
      import { systemClock } from '${doors[1]}';
      const engine = openEngine({ ...engineOptions(defaultEngineSettings), clock: systemClock, isServing: () => true });
      const [wasm, data] = ['policy.wasm', 'data.json'].map((name) => readFileSync(name));
      await engine.load({ name: 'p@7', wasm, data });
      console.log('loaded');`;
    writeFileSync(path.join(folder, 'load.mjs'), program);
    expect(execFileSync(process.execPath, ['load.mjs'], { cwd: folder, encoding: 'utf8' })).toBe('loaded\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
