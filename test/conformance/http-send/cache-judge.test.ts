// What responses are kept from one question to the next, by OPA's server and by ours, asked the same of the same server.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders, RequestListener } from 'node:http';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/canonical/index.ts';
import { defaultEngineSettings } from '../../../src/engine/index.ts';
import { openWorkbench, type Workbench } from '../../engine/workbench.ts';
import { type Loopback, openLoopback } from '../../support/loopback.ts';
import { opa } from '../../support/opa.ts';
import { freePort, temporaryFolder } from '../../support/server-process.ts';

type Answer = readonly [status: number, headers: OutgoingHttpHeaders];
type Case = readonly [answers: readonly Answer[], members: object];

const dated = (control: string): Answer => [200, { date: 'now', 'cache-control': control }];
const minute = 'max-age=60';
const forced = { force_cache: true, force_cache_duration_seconds: 60 };
const ignoring = { headers: { 'x-a': '1', 'x-b': '2' }, cache_ignored_headers: ['x-a'] };

/** What the server answers, one after the other, the last for good; and what the request has beside `cache`. */
const cases: { readonly [name: string]: Case } = {
  'an age': [[dated(minute)], {}],
  'an age among others': [[dated(`public, ${minute}, a=b=c`)], {}],
  'an age without a date': [[[200, { 'cache-control': minute }]], {}],
  'an age that is none': [[dated('max-age="60"')], {}],
  'an age in capitals': [[dated('Max-Age=60')], {}],
  'an age beyond all bounds': [[dated('max-age=99999999999')], {}],
  'no-store': [[dated(`${minute}, no-store`)], {}],
  'an end far away': [[[200, { expires: 'Fri, 31 Dec 9999 23:59:59 GMT' }]], {}],
  'an end that is no date': [[[200, { expires: '0' }]], {}],
  'a stale one that holds': [
    [
      [200, { etag: '"a"', 'x-old': '1' }],
      [304, { ...dated(minute)[1], etag: '"b"' }],
    ],
    {},
  ],
  'a stale one that holds, without an age': [
    [
      [200, { etag: '"a"' }],
      [304, {}],
    ],
    {},
  ],
  'a stale one that holds, without a date': [
    [
      [200, { etag: '"a"' }],
      [304, { 'cache-control': minute }],
      [200, {}],
    ],
    {},
  ],
  'a stale one that is replaced': [[[200, { 'last-modified': 'x' }], dated(minute)], {}],
  'a stale one that is replaced, without a date': [
    [
      [200, { etag: '"a"' }],
      [200, { 'cache-control': minute }],
    ],
    {},
  ],
  'a stale one and a server that fails': [
    [
      [200, { etag: '"a"' }],
      [503, {}],
    ],
    {},
  ],
  'a stale one with headers to ignore': [
    [
      [200, { etag: '"a"' }],
      [200, {}],
    ],
    ignoring,
  ],
  'by force': [[dated('no-store')], forced],
  'by force, of a failure': [[[503, {}]], forced],
  'by force, for no time': [[[200, {}]], { ...forced, force_cache_duration_seconds: 0 }],
  deserialized: [[dated(minute)], { caching_mode: 'deserialized' }],
  'in a mode that is none': [[dated(minute)], { caching_mode: 'other' }],
};

const names = Object.keys(cases);

/** Answers a case's list to each of the two who ask, from its beginning; the body says what was asked. */
const answers = (): RequestListener => {
  const asked = new Map<string, number>();
  return (request, response) => {
    const [, , at = ''] = (request.url ?? '').split('/');
    const [list] = cases[names[Number(at)] ?? ''] ?? [[]];
    const times = asked.get(request.url ?? '') ?? 0;
    asked.set(request.url ?? '', times + 1);
    const [status, headers] = list[Math.min(times, list.length - 1)] ?? [500, {}];
    response.sendDate = false;
    const date = headers.date === undefined ? {} : { date: new Date().toUTCString() };
    response.writeHead(status, { ...headers, ...date, connection: 'close' });
    const { 'if-none-match': etag, 'if-modified-since': since, 'x-a': a } = request.headers;
    response.end(status === 304 ? undefined : JSON.stringify({ times, etag, since, a }));
  };
};

type Ask = (input: object) => Promise<unknown>;

/** What three questions were answered, and how often the server was asked for them. Dates are those of the moment. */
const threeTimes = async (server: Loopback, ask: Ask, url: string, members: object): Promise<unknown[]> => {
  const told: unknown[] = [];
  for (let round = 0; round < 3; round++) {
    const before = server.seen.length;
    const answer = JSON.stringify(await ask({ method: 'get', url, raise_error: false, cache: true, ...members }));
    const plain = answer.replace(/"date":\[[^\]]*\]/, '"date":[]').replace(/\S+:\d+: (?=eval_)/, '');
    told.push(server.seen.length - before, JSON.parse(plain));
  }
  return told;
};

describe.skipIf(opa === undefined)('responses that are kept, as OPA keeps them', () => {
  let server: Loopback;
  let bench: Workbench;
  let child: ChildProcess;
  let askOpa: Ask;
  let askVerdict: Ask;
  const { folder, remove } = temporaryFolder('http-cache');

  beforeAll(async () => {
    server = await openLoopback(answers());
    const rule = 'sent := http.send(input)';
    await writeFile(path.join(folder, 'p.rego'), `package p\n\n${rule}\n`);
    const port = await freePort();
    const args = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--disable-telemetry', 'p.rego'];
    child = spawn(opa ?? 'opa', args, { cwd: folder, stdio: 'ignore' });
    askOpa = async (input) => {
      const body = JSON.stringify({ input });
      const response = await fetch(`http://127.0.0.1:${port}/v1/data/p/sent`, { method: 'POST', body });
      return ((await response.json()) as { readonly result: unknown }).result;
    };
    bench = await openWorkbench();
    const network = { ...defaultEngineSettings.network, hosts: ['127.0.0.1'] };
    const policy = await bench.policy(rule, { engine: { clock: systemClock, network } });
    askVerdict = async (input) => JSON.parse(await policy.answer('p/sent', { input }));
    const isUp = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isUp())) await setTimeout(50);
  }, 120_000);
  afterAll(async () => {
    child.kill();
    await bench.close();
    await server.close();
    remove();
  });

  test.each(names)('%s', async (name) => {
    const [, members] = cases[name] ?? [[], {}];
    const at = names.indexOf(name);
    const theirs = await threeTimes(server, askOpa, server.at(`/opa/${at}`), members);
    const ours = await threeTimes(server, askVerdict, server.at(`/verdict/${at}`), members);
    expect(ours).toEqual(theirs);
  });
});
