import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { post } from '../../test/load/client.ts';
import { freePort } from '../../test/support/server-process.ts';
import { start, writeFiles } from '../processes.ts';
import { batchInput, type Evaluated, type Files, inputOf } from '../scenario.ts';
import { type Asked, httpLane, type Lane, type Told } from '../wire/lane.ts';
import type { Contender } from './contender.ts';

const VERSION = '1.22.2';

const program = (): string => {
  const found = [path.join(os.homedir(), 'go', 'bin', 'opa'), '/usr/local/bin/opa'].find((file) => existsSync(file));
  const remedy = `go install github.com/open-policy-agent/opa@v${VERSION} (or leave it out: --servers cerbos,verdict)`;
  if (found === undefined) throw new Error(`opa is missing: ${remedy}`);
  const version = /^Version: (\S+)/.exec(execFileSync(found, ['version'], { encoding: 'utf8' }))?.[1];
  if (version !== VERSION) throw new Error(`${found} is OPA ${version}, ${VERSION} is wanted: ${remedy}`);
  return found;
};

// OPA has no batch of its own (POST /v1/batch is a part of EOPA): one rule asks the policy for every item instead.
const batchRule = ({ name }: Evaluated): string => `package batch

# METADATA
# entrypoint: true
allow := [allowed |
	some item in input.evaluations
	allowed := data.${name}.allow with input as object.union(item, {"subject": input.subject})
]
`;

/** The scenario's bundle and a rule that answers a batch. */
export const opaFiles = (scenario: Evaluated): Files =>
  new Map([...scenario.rego, ['batch.rego', batchRule(scenario)]]);

const encode = (scenario: Evaluated, asked: Asked): Buffer => {
  const [question] = asked.questions;
  return asked.isBatch || question === undefined
    ? post('/v1/data/batch/allow', JSON.stringify({ input: batchInput(scenario, asked.questions) }))
    : post(`/v1/data/${scenario.name}/allow`, JSON.stringify({ input: inputOf(scenario, question) }));
};

const read = (body: string): Told => ({
  permits: [(JSON.parse(body) as { result: boolean | boolean[] }).result].flat(),
});

/** Asks what serves `opaFiles` at a port. */
export const opaLane = (scenario: Evaluated, port: number): Lane =>
  httpLane({ server: 'OPA', port, encode: (asked) => encode(scenario, asked), read: ({ body }) => read(body) });

/** OPA as its operators run it: decision log on (to the console, which goes to /dev/null). */
export const startOpa = async (scenario: Evaluated, folder: string): Promise<Contender> => {
  const port = await freePort();
  const bundle = path.join(folder, 'bundle');
  writeFiles(bundle, opaFiles(scenario));
  const command = [
    ...[program(), 'run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error'],
    ...['--set', 'decision_logs.console=true', '--disable-telemetry', '-b', bundle],
  ];
  const running = await start({ folder, command, ready: `http://127.0.0.1:${port}/health?bundles` });
  return { name: 'OPA', version: VERSION, running, lanes: [opaLane(scenario, port)] };
};
