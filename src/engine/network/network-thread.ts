import { MessageChannel, Worker } from 'node:worker_threads';
import type { NetworkCounts, NetworkLine, NetworkSettings, NetworkThreadData, ToNetwork } from './model.ts';
import { networkEvents } from './model.ts';

const file = new URL(import.meta.url.endsWith('.ts') ? './network-worker.ts' : './network-worker.js', import.meta.url);

/** The thread that does what http.send and net.lookup_ip_addr ask for, so that the deciding thread does not. */
export class NetworkThread {
  private worker: Worker | undefined;
  private readonly data: NetworkThreadData;

  constructor(settings: NetworkSettings) {
    // Shared, so that a thread that is lost takes no count with it.
    this.data = { settings, counts: new BigUint64Array(new SharedArrayBuffer(8 * networkEvents.length)) };
  }

  counts(): NetworkCounts {
    const { counts } = this.data;
    return Object.fromEntries(networkEvents.map((event, at) => [event, Number(Atomics.load(counts, at))])) as {
      readonly [event in keyof NetworkCounts]: number;
    };
  }

  /** A line for one thread that waits; it ends with the thread that has it. */
  line(): NetworkLine {
    const { port1, port2 } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    this.present().postMessage({ port: port1, signal } satisfies ToNetwork, [port1]);
    return { port: port2, signal };
  }

  /** Lets go of the responses and connections that are kept for a bundle. */
  forget(bundle: string): void {
    this.worker?.postMessage({ forget: bundle } satisfies ToNetwork);
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private present(): Worker {
    if (this.worker !== undefined) return this.worker;
    const started = new Worker(file, { workerData: this.data, env: {}, name: 'verdict-network' });
    // A new one serves the evaluation workers that start after it; the others miss their deadline and are replaced.
    started.on('error', () => {});
    started.on('exit', () => {
      if (this.worker === started) this.worker = undefined;
    });
    started.unref();
    this.worker = started;
    return started;
  }
}
