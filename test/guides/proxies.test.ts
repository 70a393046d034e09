import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeAuthority } from '../support/certificates.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { freePort, root, temporaryFolder } from '../support/server-process.ts';

const example = (file: string): string => readFileSync(path.join(root, 'docs/guides/examples', file), 'utf8');

const QUESTIONS = [
  '/v1/data/todo/allow',
  '/v0/data/todo/allow',
  '/v1/batch/data/todo/allow',
  '/access/v1/evaluation',
  '/access/v1/evaluations',
  '/todo/access/v1/evaluation',
  '/a-2/access/v1/search/subject',
  '/.well-known/authzen-configuration',
  '/.well-known/authzen-configuration/todo',
];
const OTHERS = [
  '/',
  '/health',
  '/health/ready',
  '/metrics',
  '/v1/data',
  '/v1/batch/data',
  '/v1/bundles',
  '/v1/decisions/x',
  '/v2/data/x',
  '/access/v2/evaluation',
  '/A/access/v1/evaluation',
  '/.well-known/authzen-configurations',
  '/.well-known/other',
  '/xwell-known/authzen-configuration',
];

interface Route {
  readonly match: { readonly safe_regex: { readonly regex: string } };
}

const found = (value: unknown): Route[] =>
  typeof value !== 'object' || value === null
    ? []
    : 'safe_regex' in ((value as Partial<Route>).match ?? {})
      ? [value as Route]
      : Object.values(value).flatMap(found);

const patterns = {
  'nginx.conf': () => new RegExp(/location ~ "([^"]+)"/.exec(example('nginx.conf'))?.[1] ?? 'none'),
  'envoy.yaml': () => new RegExp(`^(?:${found(parse(example('envoy.yaml')))[0]?.match.safe_regex.regex ?? 'none'})$`),
};

test.each(Object.entries(patterns))('%s lets through the paths of questions and nothing else', (_, patternOf) => {
  const pattern = patternOf();
  expect(QUESTIONS.filter((where) => !pattern.test(where))).toEqual([]);
  expect(OTHERS.filter((where) => pattern.test(where))).toEqual([]);
});

const has = (tool: string, argument: string): boolean => spawnSync(tool, [argument]).status === 0;

const place = temporaryFolder('proxies');
const authority = makeAuthority('test authority');
const client = authority.issue('client');
let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp({
    bundles: { todo: path.join(root, 'policies/todo') },
    sets: ['authzen.baseUrl=https://pdp.example.com', 'authzen.bundle=todo'],
  });
});

afterAll(async () => {
  await pdp?.stop();
  place.remove();
});

/** The example as it is, but for addresses and places of files. */
const adapted = (file: string, port: number): string => {
  const dir = path.join(place.folder, file);
  mkdirSync(dir, { recursive: true });
  const { cert, key } = authority.issue('localhost', '127.0.0.1');
  for (const [name, text] of Object.entries({ 'server.pem': cert + key, 'callers-ca.pem': authority.cert }))
    writeFileSync(path.join(dir, name), text);
  const text = example(file)
    .replace('8443', String(port))
    .replaceAll(/\/etc\/(?:nginx|envoy)\/verdict/g, dir)
    .replaceAll('server.key', 'server.pem')
    .replace('127.0.0.1:8181', new URL(pdp.urls.http).host)
    .replace('port_value: 8181', `port_value: ${new URL(pdp.urls.http).port}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/${name};`,
  );
  const whole = text.replace('http {', `http { access_log off; ${temporary.join(' ')}`);
  const changed = path.join(dir, file);
  writeFileSync(changed, whole);
  return changed;
};

const proxies = [
  {
    name: 'nginx',
    there: has('nginx', '-v'),
    file: 'nginx.conf',
    run: (file: string) => ['-c', file, '-e', 'stderr', '-g', `daemon off; pid ${file}.pid;`],
  },
  {
    name: 'envoy',
    there: has('envoy', '--version'),
    file: 'envoy.yaml',
    run: (file: string) => ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error'],
  },
];

interface Got {
  readonly status: number;
  readonly text: string;
}

const caller = (port: number, agent: Agent) => (where: string, body?: unknown) =>
  new Promise<Got>((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const method = body === undefined ? 'GET' : 'POST';
    const request = httpsRequest({ host: '127.0.0.1', port, path: where, method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });

// As with the languages of the other examples: a machine without this proxy checks the patterns alone.
describe.each(proxies.filter(({ there }) => there))('behind $name, as its example has it', ({ name, file, run }) => {
  test('questions, batches and metadata are answered, all else is not, and nobody without a certificate', async () => {
    const port = await freePort();
    const proxy = spawn(name, run(adapted(file, port)), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    proxy.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = once(proxy, 'exit');
    const agent = new Agent({ ca: authority.cert, cert: client.cert, key: client.key, keepAlive: false });
    const call = caller(port, agent);
    try {
      while (proxy.exitCode === null && (await call('/').catch(() => undefined)) === undefined) await sleep(50);
      expect(proxy.exitCode, said).toBeNull();
      const question = { subject: { type: 'u', id: 'x' }, action: { name: 'y' }, resource: { type: 'z', id: '1' } };
      expect(JSON.parse((await call('/v1/data/todo/allow', { input: question })).text)).toMatchObject({
        result: false,
      });
      expect(await call('/v0/data/todo/allow', question)).toMatchObject({ status: 200 });
      const batch = await call('/v1/batch/data/todo/allow', { inputs: { a: question, b: question } });
      expect(JSON.parse(batch.text)).toMatchObject({ responses: { a: { result: false }, b: { result: false } } });
      for (const where of ['/access/v1/evaluation', '/todo/access/v1/evaluation'])
        expect(JSON.parse((await call(where, question)).text)).toMatchObject({ decision: false });
      for (const below of ['', '/todo']) {
        const metadata = JSON.parse((await call(`/.well-known/authzen-configuration${below}`)).text);
        expect(metadata).toMatchObject({ policy_decision_point: `https://pdp.example.com${below}` });
      }
      for (const where of [...OTHERS, '/v1/data/../../health', '/v1/data/%2e%2e/%2e%2e/health'])
        expect(await call(where), where).toMatchObject({ status: 404 });
      const stranger = caller(port, new Agent({ ca: authority.cert, keepAlive: false }));
      const turnedAway = await stranger('/v1/data/todo/allow', {}).catch(() => ({ status: 400 }));
      expect(turnedAway.status).toBe(400);
    } finally {
      proxy.kill('SIGTERM');
      await ended;
    }
  }, 60_000);
});
