import { Worker } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import { AuditError } from '../../decision/model.ts';
import type { PageReply, PageRequest } from './page.ts';
import type { ReadingAnswer } from './reading-worker.ts';

const file = new URL(import.meta.url.endsWith('.ts') ? './reading-worker.ts' : './reading-worker.js', import.meta.url);

/** Requests that may wait for the thread; each takes at most its own bound of time. */
const MOST_WAITING = 32;
/** Past its own bound by so much, a request is stuck: its thread is replaced. */
const PATIENCE_MS = 10_000;
const HEAP_MB = 256;

export interface ReadingThread {
  /** Runs requests one at a time, in order. Rejects with AUDIT_BUSY or AUDIT_SEARCH_FAILED. */
  read(request: PageRequest): Promise<PageReply>;
  close(): Promise<void>;
}

const failed = (why: string, cause?: unknown): AuditError =>
  new AuditError('AUDIT_SEARCH_FAILED', `the log could not be searched: ${why}`, { cause });

/** A thread that reads pages; it starts with the first request and does not keep the process alive. */
export const readingThread = (): ReadingThread => {
  let worker: Worker | undefined;
  let waiting = 0;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const present = (): Worker => {
    if (worker !== undefined) return worker;
    const started = new Worker(file, {
      env: {},
      name: 'verdict-log',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    started.on('error', () => {});
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    started.unref();
    worker = started;
    return started;
  };

  const exchange = (request: PageRequest): Promise<PageReply> =>
    new Promise((resolve, reject) => {
      if (closed) throw failed('the log is closed');
      const target = present();
      const end = (): void => {
        clearTimeout(timer);
        target.off('message', heard).off('error', broken).off('exit', exited);
        target.unref();
      };
      const fail = (why: string, cause?: unknown): void => {
        end();
        void target.terminate();
        if (worker === target) worker = undefined;
        reject(failed(why, cause));
      };
      const broken = (error: unknown): void => fail(messageOf(error), error);
      const exited = (code: number): void => fail(`the reading thread ended (${code})`);
      const heard = (answer: ReadingAnswer): void => {
        end();
        if ('page' in answer) resolve(answer.page);
        else reject(failed(answer.failure));
      };
      const timer = setTimeout(() => fail('it took too long'), request.most.ms + PATIENCE_MS);
      target.on('message', heard).on('error', broken).on('exit', exited);
      target.ref();
      target.postMessage(request);
    });

  return {
    read: async (request) => {
      if (waiting >= MOST_WAITING)
        throw new AuditError('AUDIT_BUSY', `${waiting} searches of the log are under way: try again in a moment`);
      waiting += 1;
      const turn = last.then(() => exchange(request));
      last = turn.catch(() => undefined);
      try {
        return await turn;
      } finally {
        waiting -= 1;
      }
    },
    close: async () => {
      closed = true;
      await worker?.terminate();
    },
  };
};
