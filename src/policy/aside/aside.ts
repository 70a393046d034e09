import { Worker } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import type { RegoProblem } from '../../rego/index.ts';
import type { PolicyErrorCode } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { Answer, Request, Task } from './tasks.ts';

/** What a thread answers: a refusal loses its class on the way, and nothing else. */
export type Told<Name extends Task = Task> = { readonly value: Answer<Name> } | { readonly refusal: Refusal };

export interface Refusal {
  readonly code: PolicyErrorCode;
  readonly message: string;
  readonly problems: readonly RegoProblem[];
}

export const refusalOf = ({ code, message, problems }: PolicyError): Refusal => ({ code, message, problems });

export const errorOf = ({ code, message, problems }: Refusal): PolicyError =>
  new PolicyError(code, message, { problems });

const file = new URL(import.meta.url.endsWith('.ts') ? './aside-worker.ts' : './aside-worker.js', import.meta.url);

/**
 * Does a task on a thread of its own, so that no decision waits for it. Rejects with the PolicyError that the task
 * throws, and with DATA_INVALID when the thread fails, as it does where the data does not fit into its memory.
 */
export const aside = async <Name extends Task>(name: Name, request: Request<Name>): Promise<Answer<Name>> => {
  let told: Told<Name>;
  try {
    told = await new Promise((resolve, reject) => {
      const worker = new Worker(file, { workerData: { name, request }, env: {}, name: 'verdict-content' });
      let said: Told<Name> | undefined;
      worker.once('message', (message: Told<Name>) => {
        said = message;
      });
      worker.once('error', reject);
      // Once it is gone: a process that ends, or starts the next one, while a thread is taken down can be hit by that.
      worker.once('exit', (code) => {
        if (said === undefined) reject(new Error(`the thread ended (${code})`));
        else resolve(said);
      });
    });
  } catch (error) {
    throw new PolicyError('DATA_INVALID', `the data cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if ('refusal' in told) throw errorOf(told.refusal);
  return told.value;
};

/** Content up to this is read where it is needed (a few milliseconds); starting a thread would take longer. */
export const INLINE_BYTES = 256 << 10;
