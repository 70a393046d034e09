import { parentPort, workerData } from 'node:worker_threads';
import { typescriptBuiltins } from '../builtins/index.ts';
import { hostBuiltins, LocalEvaluator } from '../local-evaluator.ts';
import { GoBuiltins } from './go-builtins.ts';
import { NetworkBuiltins } from './network-builtins.ts';
import type { FromWorker, ToWorker, WorkerStart } from './protocol.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');

const { rego, network: line } = workerData as WorkerStart;
let go = rego === undefined ? undefined : new GoBuiltins(rego);
const network = line === undefined ? undefined : new NetworkBuiltins(line);
const typescript = hostBuiltins(typescriptBuiltins);
const versions = new Map<number, { readonly bundle: string; readonly evaluator: LocalEvaluator }>();
const send = (message: FromWorker): void => port.postMessage(message);

const handle = (message: ToWorker): void => {
  if (message.kind === 'go') {
    go = new GoBuiltins(message.rego);
    return;
  }
  if (message.kind === 'load') {
    const builtins = (name: string) => network?.builtin(name) ?? typescript(name) ?? go?.builtin(name);
    const { image, version } = message;
    versions.set(version, { bundle: image.bundle, evaluator: new LocalEvaluator(() => image, builtins) });
    return;
  }
  const version = versions.get(message.version);
  if (message.kind === 'unload') {
    versions.delete(message.version);
    version?.evaluator.close();
    return;
  }
  if (version === undefined) throw new Error(`version ${message.version} was never loaded`);
  const { deadlineMs, task } = message;
  network?.begin({ bundle: version.bundle, nowNs: task.nowNs }, deadlineMs);
  const evaluation = version.evaluator.evaluate(task);
  go?.end();
  send({ kind: 'evaluated', evaluation });
  go?.renew();
};

port.on('message', handle);
send({ kind: 'ready' });
