import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import { changedDataImage, makeDataImage } from '../data-image.ts';
import { ModuleError } from '../model.ts';
import type { ImageAnswer, ImageRequest } from './image-thread.ts';

const { policy, data, original } = workerData as ImageRequest;

const answer = (): ImageAnswer => {
  try {
    const changed = original === undefined ? undefined : changedDataImage(original.image, original.text, data);
    return { image: changed ?? makeDataImage(policy, data), isChanged: changed !== undefined };
  } catch (thrown) {
    const code = thrown instanceof ModuleError ? thrown.code : 'MODULE_DATA_INVALID';
    return { code, message: messageOf(thrown) };
  }
};

parentPort?.postMessage(answer());
