import { readFileSync } from 'node:fs';
import path from 'node:path';
import { post, type Received } from '../../test/load/client.ts';
import { freePort, root } from '../../test/support/server-process.ts';
import { start, writeFiles } from '../processes.ts';
import { inputOf, type Scenario } from '../scenario.ts';
import { type Asked, httpLane, type Lane, type Told } from '../wire/lane.ts';
import type { Contender } from './contender.ts';
import { batchInput } from './opa.ts';

const encode = (scenario: Scenario, asked: Asked): Buffer => {
  const [question] = asked.questions;
  return asked.isBatch || question === undefined
    ? post(`/${scenario.name}/access/v1/evaluations`, JSON.stringify(batchInput(scenario, asked)))
    : post(`/v1/data/${scenario.name}/allow`, JSON.stringify({ input: inputOf(scenario, question) }));
};

const read = ({ head, body }: Received, { isBatch }: Asked): Told => {
  const cache = /\r\nverdict-cache: (\w+)/i.exec(head)?.[1];
  const told = JSON.parse(body) as { result: boolean; evaluations: readonly { readonly decision: boolean }[] };
  return {
    permits: isBatch ? told.evaluations.map(({ decision }) => decision) : [told.result],
    ...(cache === undefined ? {} : { cache }),
  };
};

/** Asks a Verdict whose bundle, named as the scenario, is the scenario's. */
export const verdictLane = (scenario: Scenario, port: number): Lane =>
  httpLane({ server: 'Verdict', remembers: true, port, encode: (asked) => encode(scenario, asked), read });

const version = (): string =>
  (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** Verdict as it comes: every default, so its decision log is on disk before an answer leaves. */
export const startVerdict = async (scenario: Scenario, folder: string): Promise<Contender> => {
  const bundle = path.join(folder, scenario.name);
  writeFiles(bundle, scenario.rego);
  const port = await freePort();
  const running = await serveVerdict({ folder, port, bundle });
  return { name: 'Verdict', version: version(), running, lanes: [verdictLane(scenario, port)] };
};

/** Starts the command on a bundle, its state below `folder`. */
export const serveVerdict = async (options: {
  readonly folder: string;
  readonly port: number;
  readonly bundle: string;
  readonly settings?: readonly string[];
}) => {
  const { folder, port, bundle, settings = [] } = options;
  const state = path.join(folder, 'state');
  const own = [
    `server.http.port=${port}`,
    'server.grpc.port=0',
    `server.admin.port=${await freePort()}`,
    `storage.dir=${state}`,
  ];
  const sets = [...own, ...settings].flatMap((set) => ['--set', set]);
  const command = [path.join(root, 'bin', 'verdict'), 'serve', '--bundle', bundle, ...sets];
  return start({ folder, command, ready: `http://127.0.0.1:${port}/health?bundles` });
};
