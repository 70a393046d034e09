import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { stringify } from 'yaml';
import { post } from '../../test/load/client.ts';
import { freePort, root } from '../../test/support/server-process.ts';
import { start, writeFiles } from '../processes.ts';
import type { Scenario } from '../scenario.ts';
import { checkResources, httpBody, readCheckResources, readHttp } from '../wire/cerbos.ts';
import { grpcLane, httpLane } from '../wire/lane.ts';
import type { Contender } from './contender.ts';

const VERSION = '0.51.0';

/** Cerbos' server from npm, fetched once: it is no dependency of the project. */
const program = (): string => {
  const folder = path.join(root, '.cache', 'bench', `cerbos-${VERSION}`);
  if (!existsSync(path.join(folder, 'node_modules', 'cerbos'))) {
    process.stderr.write(`fetching cerbos ${VERSION} from npm into ${path.relative(process.cwd(), folder)} (94 MB)\n`);
    mkdirSync(folder, { recursive: true });
    const install = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `cerbos@${VERSION}`];
    try {
      execFileSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'] });
    } catch (cause) {
      const remedy = 'without a network leave it out: --servers opa,verdict';
      throw new Error(`cerbos ${VERSION} could not be fetched (npm ${install.join(' ')}); ${remedy}`, { cause });
    }
  }
  // The package's own command stays between us and its child: the program itself is what is measured.
  const { platform, arch } = process;
  return createRequire(path.join(folder, 'x')).resolve(`@cerbos/cerbos-${platform}-${arch}`);
};

const config = (folder: string, ports: { readonly http: number; readonly grpc: number }): string =>
  stringify({
    server: { httpListenAddr: `127.0.0.1:${ports.http}`, grpcListenAddr: `127.0.0.1:${ports.grpc}` },
    storage: { driver: 'disk', disk: { directory: path.join(folder, 'policies'), watchForChanges: false } },
    audit: {
      enabled: true,
      backend: 'file',
      accessLogsEnabled: false,
      decisionLogsEnabled: true,
      file: { path: path.join(folder, 'decisions.log') },
    },
    telemetry: { disabled: true },
  });

/** Cerbos with its decision log in a file; what it logs of its own goes to /dev/null. */
export const startCerbos = async (scenario: Scenario, folder: string): Promise<Contender> => {
  const ports = { http: await freePort(), grpc: await freePort() };
  writeFiles(path.join(folder, 'policies'), scenario.cerbos);
  writeFiles(folder, new Map([['config.yaml', config(folder, ports)]]));
  const command = [program(), 'server', '--config', path.join(folder, 'config.yaml'), '--log-level', 'error'];
  const running = await start({ folder, command, ready: `http://127.0.0.1:${ports.http}/_cerbos/health` });
  const server = 'Cerbos';
  const http = httpLane({
    server,
    port: ports.http,
    encode: (asked) => post('/api/check/resources', httpBody(asked)),
    read: ({ body }, asked) => readHttp(body, asked),
  });
  const grpc = grpcLane({ server, port: ports.grpc, encode: checkResources, read: readCheckResources });
  return { name: server, version: VERSION, running, lanes: [http, grpc] };
};
