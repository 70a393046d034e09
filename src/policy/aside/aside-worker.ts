import { parentPort, workerData } from 'node:worker_threads';
import { PolicyError } from '../model.ts';
import { refusalOf, type Told } from './aside.ts';
import type { Task } from './tasks.ts';
import { tasks } from './tasks.ts';

const { name, request } = workerData as { readonly name: Task; readonly request: never };

const tell = async (): Promise<Told> => {
  try {
    return { value: await tasks[name](request) };
  } catch (error) {
    if (error instanceof PolicyError) return { refusal: refusalOf(error) };
    throw error;
  }
};

parentPort?.postMessage(await tell());
