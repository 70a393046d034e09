import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import { makeDataImage } from '../data-image.ts';
import { ModuleError } from '../model.ts';
import type { PolicyModule } from '../wasm/policy-module.ts';
import type { ImageAnswer } from './image-thread.ts';

const { policy, data } = workerData as { readonly policy: PolicyModule; readonly data: Uint8Array };

const answer = (): ImageAnswer => {
  try {
    return { image: makeDataImage(policy, data) };
  } catch (thrown) {
    const code = thrown instanceof ModuleError ? thrown.code : 'MODULE_DATA_INVALID';
    return { code, message: messageOf(thrown) };
  }
};

parentPort?.postMessage(answer());
