import { Worker } from 'node:worker_threads';
import type { DataImage } from '../data-image.ts';
import { makeDataImage } from '../data-image.ts';
import type { ModuleErrorCode } from '../model.ts';
import { ModuleError } from '../model.ts';
import type { PolicyModule } from '../wasm/policy-module.ts';

export type ImageAnswer = { readonly image: DataImage } | { readonly code: ModuleErrorCode; readonly message: string };

const file = new URL(import.meta.url.endsWith('.ts') ? './image-worker.ts' : './image-worker.js', import.meta.url);

/** Data up to this is parsed where it is loaded (a few milliseconds); starting a thread would take longer. */
const inlineBytes = 256 << 10;

/** The image of a version's data. Large data is parsed on a thread of its own: a million members take seconds. */
export const loadDataImage = async (policy: PolicyModule, data: Uint8Array): Promise<DataImage> => {
  if (data.length <= inlineBytes) return makeDataImage(policy, data);
  const answer = await new Promise<ImageAnswer>((resolve, reject) => {
    const worker = new Worker(file, { workerData: { policy, data }, env: {}, name: 'verdict-data' });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new ModuleError('MODULE_DATA_INVALID', `the data thread ended (${code})`)));
  });
  if ('image' in answer) return answer.image;
  throw new ModuleError(answer.code, answer.message);
};
