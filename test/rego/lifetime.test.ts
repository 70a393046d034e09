import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { opaVersion, openToolchain, type Toolchain, type ToolchainOptions } from '../../src/rego/index.ts';
import { loadModule } from '../../src/rego/module-file.ts';
import { policy } from './sources.ts';

const open = (options?: ToolchainOptions): Toolchain => {
  const toolchain = openToolchain(options);
  onTestFinished(() => toolchain.close());
  return toolchain;
};

const endless = policy(
  'test_endless if { some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j == -1 }',
);

/** Every rule makes a string twice as long as the one before. */
const doubling = policy(
  [
    's0 := "0123456789abcdef"',
    ...Array.from({ length: 40 }, (_, at) => `s${at + 1} := concat("", [s${at}, s${at}])`),
  ].join('\n'),
);

const works = async (toolchain: Toolchain): Promise<void> => {
  expect((await toolchain.evaluate({ modules: [] }, '1 + 1 == 2')).bindings).toEqual([{ result: true }]);
};

test('the version is known before anything is loaded', () => {
  const { version } = open();
  expect(version.opa).toBe(opaVersion);
  expect(version.digest).toMatch(/^[0-9a-f]{64}$/);
});

test('a test that runs for ever ends at its deadline, and the next call works', async () => {
  const toolchain = open();
  await works(toolchain);
  expect(toolchain.restarts()).toBe(0);
  await expect(toolchain.test(endless, { deadlineMs: 300 })).rejects.toMatchObject({ code: 'TOOLCHAIN_DEADLINE' });
  await works(toolchain);
  expect(toolchain.restarts()).toBe(1);
});

test('the default deadline holds for calls that name none', async () => {
  const toolchain = open({ defaultDeadlineMs: 1_000 });
  await expect(toolchain.test(endless)).rejects.toMatchObject({ code: 'TOOLCHAIN_DEADLINE' });
});

test('a policy that takes all the memory ends with its own code, and the next call works', async () => {
  const toolchain = open({ memoryBytes: 64 << 20 });
  const call = toolchain.evaluate(doubling, 'count(data.policy.s40)');
  await expect(call).rejects.toMatchObject({
    code: 'TOOLCHAIN_MEMORY',
    message: expect.stringMatching(/memory of 67108864 bytes .*; a server gives it more by policy\.compileMemoryBytes/),
  });
  await works(toolchain);
});

test('a request that the module cannot read is a crash, and the next call works', async () => {
  const toolchain = open();
  const context = { nowNs: 1n << 64n, seed: new Uint8Array(32) };
  const call = toolchain.evaluate({ modules: [] }, '1', { context });
  await expect(call).rejects.toMatchObject({ code: 'TOOLCHAIN_CRASHED' });
  await works(toolchain);
});

test('calls made at once run one after the other, also past one that fails', async () => {
  const toolchain = open();
  const bad = toolchain.check(policy('x := y'));
  const slow = toolchain.test(endless, { deadlineMs: 200 });
  const good = toolchain.evaluate({ modules: [] }, '1');
  await expect(bad).rejects.toMatchObject({ code: 'REGO_INVALID' });
  await expect(slow).rejects.toMatchObject({ code: 'TOOLCHAIN_DEADLINE' });
  expect((await good).bindings).toHaveLength(1);
});

test('closing ends the running call and refuses every later one', async () => {
  const toolchain = open();
  const started = new Promise((resolve) => {
    const running = toolchain.test(endless, { onProgress: resolve });
    running.catch(() => {});
    onTestFinished(() => expect(running).rejects.toMatchObject({ code: 'TOOLCHAIN_CLOSED' }));
  });
  await started;
  await toolchain.close();
  await expect(toolchain.check({ modules: [] })).rejects.toMatchObject({ code: 'TOOLCHAIN_CLOSED' });
});

test('a maximum below what the module needs is refused at the first call', async () => {
  await expect(open({ memoryBytes: 1 << 20 }).check({ modules: [] })).rejects.toThrow('pages of memory');
});

test('a module that is missing, damaged, or not the one of the digest is refused', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'verdict-toolchain-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const load = (): Promise<WebAssembly.Module> => loadModule(pathToFileURL(`${folder}/`), 256 << 20);
  await expect(load()).rejects.toMatchObject({ code: 'TOOLCHAIN_UNAVAILABLE' });
  await writeFile(path.join(folder, 'rego.wasm.sha256'), `${'0'.repeat(64)}\n`);
  await writeFile(path.join(folder, 'rego.wasm.br'), 'not compressed');
  await expect(load()).rejects.toMatchObject({ code: 'TOOLCHAIN_UNAVAILABLE' });
  await writeFile(path.join(folder, 'rego.wasm.br'), await promisify(brotliCompress)(Buffer.from('\0asm\x01\0\0\0')));
  await expect(load()).rejects.toThrow(`SHA-256 ${'0'.repeat(64)} was expected`);
});
