import { Worker } from 'node:worker_threads';
import type { DataImage } from '../data-image.ts';
import { makeDataImage, shared } from '../data-image.ts';
import type { CheckedJson, ModuleErrorCode } from '../model.ts';
import { ModuleError } from '../model.ts';
import type { PolicyModule } from '../wasm/policy-module.ts';

/** An image with the text that its bytes were made from. */
export interface Original {
  readonly image: DataImage;
  readonly text: Uint8Array;
}

export interface ImageRequest {
  readonly policy: PolicyModule;
  readonly data: CheckedJson;
  /** An image of the same module, to change where little of it differs. */
  readonly original?: Original;
}

export type ImageAnswer =
  | { readonly image: DataImage; readonly isChanged: boolean }
  | { readonly code: ModuleErrorCode; readonly message: string };

const file = new URL(import.meta.url.endsWith('.ts') ? './image-worker.ts' : './image-worker.js', import.meta.url);

/** Data up to this is parsed where it is loaded (a few milliseconds); starting a thread would take longer. */
export const inlineBytes = 256 << 10;

/**
 * The image of a version's data. Large data is read on a thread of its own: a million members take seconds. What comes
 * back is the original with changes, or an original itself.
 */
export const loadDataImage = async ({ policy, data, original }: ImageRequest): Promise<Original> => {
  if (data.length <= inlineBytes) return { image: makeDataImage(policy, data), text: data };
  // Threads share it, now and when the next version is compared with it.
  const text = shared(data) as Uint8Array as CheckedJson;
  const request: ImageRequest = { policy, data: text, ...(original === undefined ? {} : { original }) };
  const answer = await new Promise<ImageAnswer>((resolve, reject) => {
    const worker = new Worker(file, { workerData: request, env: {}, name: 'verdict-data' });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new ModuleError('MODULE_DATA_INVALID', `the data thread ended (${code})`)));
  });
  if (!('image' in answer)) throw new ModuleError(answer.code, answer.message);
  const { image, isChanged } = answer;
  if (!isChanged || original === undefined) return { image, text };
  const { numbers, changes } = image;
  return { image: { ...original.image, numbers, changes }, text: original.text };
};
