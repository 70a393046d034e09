import { Worker } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import { PolicyError } from '../model.ts';
import type { JoinAnswer, JoinRequest } from './joined-data.ts';
import { joinData } from './joined-data.ts';

const file = new URL(import.meta.url.endsWith('.ts') ? './data-worker.ts' : './data-worker.js', import.meta.url);

/** Data up to this is joined where it is needed (a few milliseconds); starting a thread would take longer. */
const INLINE_BYTES = 256 << 10;

/** Joins data; much of it on a thread of its own, so that decisions do not wait. */
export const joinDataAside = async (request: JoinRequest): Promise<JoinAnswer> => {
  const bytes = request.reads.reduce((sum, { data }) => sum + data.length, request.own.length);
  if (bytes <= INLINE_BYTES) return joinData(request);
  try {
    return await new Promise<JoinAnswer>((resolve, reject) => {
      const worker = new Worker(file, { workerData: request, env: {}, name: 'verdict-links' });
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread ended (${code})`)));
    });
  } catch (error) {
    const message = `the data of linked bundles cannot be joined: ${messageOf(error)}`;
    throw new PolicyError('DATA_INVALID', message, { cause: error });
  }
};
