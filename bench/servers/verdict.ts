import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, root } from '../../test/support/server-process.ts';
import { type Running, start, writeFiles } from '../processes.ts';
import type { Evaluated } from '../scenario.ts';
import { grpcLane, httpLane, type Lane } from '../wire/lane.ts';
import { grpcRequest, httpRequest, readGrpc, readHttp } from '../wire/verdict.ts';
import type { Contender } from './contender.ts';

const server = 'Verdict';
const command = path.join(root, 'bin', 'verdict');

export interface Ports {
  readonly http: number;
  readonly grpc: number;
}

/** Asks a Verdict whose bundle, named as the scenario, is the scenario's. */
export const verdictLanes = (scenario: Evaluated, ports: Ports): readonly Lane[] => [
  httpLane({
    server,
    remembers: true,
    port: ports.http,
    encode: (asked) => httpRequest(scenario, asked),
    read: readHttp,
  }),
  grpcLane({
    server,
    remembers: true,
    port: ports.grpc,
    encode: (asked) => grpcRequest(scenario, asked),
    read: readGrpc,
  }),
];

const version = (): string =>
  (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** Verdict with every default on a built bundle, so its decision log is on disk before an answer leaves. */
export const startVerdict = async (scenario: Evaluated, folder: string): Promise<Contender> => {
  const sources = path.join(folder, scenario.name);
  const bundle = `${sources}.tar.gz`;
  writeFiles(sources, scenario.rego);
  execFileSync(command, ['build', sources, '--out', bundle], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, VERDICT_SKIP_SETUP: '1' },
  });
  const ports = { http: await freePort(), grpc: await freePort() };
  const running = await serveVerdict({ folder, ports, bundle });
  return { name: server, version: version(), running, lanes: verdictLanes(scenario, ports) };
};

/** Starts the command on a bundle, its state below `folder`. */
export const serveVerdict = async (options: {
  readonly folder: string;
  readonly ports: Ports;
  readonly bundle: string;
  readonly settings?: readonly string[];
}): Promise<Running> => {
  const { folder, ports, bundle, settings = [] } = options;
  const own = [
    `server.http.port=${ports.http}`,
    `server.grpc.port=${ports.grpc}`,
    `server.admin.port=${await freePort()}`,
    `storage.dir=${path.join(folder, 'state')}`,
  ];
  const sets = [...own, ...settings].flatMap((set) => ['--set', set]);
  const ready = `http://127.0.0.1:${ports.http}/health?bundles`;
  return start({ folder, command: [command, 'serve', '--bundle', bundle, ...sets], ready });
};
