import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { watchEventLoop } from '../../src/observability/index.ts';

const module = new URL('../../src/observability/process-watch.ts', import.meta.url).href;

// In a thread of its own: an error that nothing caught would end the test run.
const uncaughtIn = async (body: string): Promise<unknown> => {
  const source = `
    import { watchUncaught } from '${module}';
    import { parentPort } from 'node:worker_threads';
    watchUncaught((sentence, error) => parentPort.postMessage([sentence, error.message]));
    ${body}`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const [message] = await once(worker, 'message');
  await worker.terminate();
  return message;
};

test('an error that nothing caught is said in one sentence', async () => {
  expect(await uncaughtIn("setTimeout(() => { throw new Error('lost') }, 1)")).toEqual([
    'an error that nothing caught ends the process',
    'lost',
  ]);
});

test('a promise that nothing awaited is said in one sentence', async () => {
  expect(await uncaughtIn("Promise.reject(new Error('lost'))")).toEqual([
    'a rejected promise that nothing awaited ends the process',
    'lost',
  ]);
});

test('a thread that stood still is noticed', async () => {
  const blocked = new Promise<number>((resolve) => {
    const stop = watchEventLoop(
      (ms) => {
        stop();
        resolve(ms);
      },
      { checkMs: 30, blockedMs: 200 },
    );
  });
  await sleep(120);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  expect(await blocked).toBeGreaterThan(200);
});
