import { parentPort, workerData } from 'node:worker_threads';
import type { JoinRequest } from './joined-data.ts';
import { joinData } from './joined-data.ts';

parentPort?.postMessage(joinData(workerData as JoinRequest));
