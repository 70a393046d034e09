import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { cli, folderOf } from './run.ts';

const conflict = { code: 'ROOTS_CONFLICT', detail: 'taken' };

/** A server that answers a push once `when` holds. */
const slow = async (when: Promise<void>) => {
  const server = createServer((request, response) => {
    request.resume();
    void when.then(() => response.writeHead(409).end(JSON.stringify(conflict)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
};

const files = { 'a.rego': 'package a\n\nx := 1\n' };

test('a push shows on a terminal for how long the server compiles', async () => {
  const seen = Promise.withResolvers<void>();
  const { url, close } = await slow(seen.promise);
  let text = '';
  const onStderr = (chunk: string): void => {
    text += chunk;
    if (/compiles and tests \.\.\. [1-9]\d* s$/.test(text)) seen.resolve();
  };
  const env = { VERDICT_TOKEN: 'vdt_x' };
  const { stderr, stdout } = await cli(['push', 'a', folderOf(files), '--server', url], { env, tty: true, onStderr });
  close();
  expect(stdout).toBe('');
  expect(stderr).toMatch(/\.\.\. \d+ s\r\u001b\[K[^\r]*taken/);
});

test('nothing of it is written where no terminal is', async () => {
  const { url, close } = await slow(Promise.resolve());
  const { stderr } = await cli(['push', 'a', folderOf(files), '--server', url], { env: { VERDICT_TOKEN: 'vdt_x' } });
  close();
  expect(stderr).not.toContain('sending');
});
