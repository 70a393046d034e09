// The same requests by OPA's http.send and by ours, to the same server: an answer that differs is a bug here.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultEngineSettings } from '../../../src/engine/index.ts';
import { openWorkbench, type Workbench } from '../../engine/workbench.ts';
import { type Loopback, openLoopback } from '../../support/loopback.ts';
import { opa } from '../../support/opa.ts';
import { temporaryFolder } from '../../support/server-process.ts';
import { answer, requests } from './cases.ts';

const rule = `answers[name] := http.send(object.union({"raise_error": false}, request)) if some name, request in data.requests`;

type Answers = { readonly [name: string]: unknown };

interface Told {
  readonly answers: Answers;
  /** What the server was asked, in order of the text. */
  readonly asked: readonly string[];
}

/** Places in the source are not known to Wasm. */
const withoutPlace = (text: string): string => text.replace(/^\S+:\d+: (?=eval_)/, '');

const judged = (answers: Answers): Answers =>
  JSON.parse(JSON.stringify(answers), (key, value) => (key === 'message' ? withoutPlace(String(value)) : value));

const askOpa = async (file: string, folder: string): Promise<Answers> => {
  const policy = path.join(folder, 'p.rego');
  await writeFile(policy, `package p\n\n${rule}\n`);
  const args = ['eval', '-d', policy, '-d', file, '--format', 'raw', 'data.p.answers'];
  const { stdout } = await promisify(execFile)(opa ?? 'opa', args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as Answers;
};

const askVerdict = async (bench: Workbench, data: string): Promise<Answers> => {
  const network = { ...defaultEngineSettings.network, hosts: ['127.0.0.1'], requests: 1_000 };
  const policy = await bench.policy(rule, { data, engine: { network }, entrypoints: ['p/answers'] });
  return JSON.parse(await policy.answer('p/answers')) as Answers;
};

describe.skipIf(opa === undefined)('http.send, as OPA has it', () => {
  let server: Loopback;
  let current = answer();
  let bench: Workbench;
  let theirs: Told;
  let ours: Told;
  const { folder, remove } = temporaryFolder('http-send');

  const told = async (ask: () => Promise<Answers>): Promise<Told> => {
    server.seen.length = 0;
    current = answer();
    const answers = judged(await ask());
    // Whether a request whose time is up at once, or that is refused later on, is sent at all is left to each.
    const counted = server.seen.filter(({ url }) => url !== '/perhaps');
    return { answers, asked: counted.map(({ method, url }) => `${method} ${url}`).sort() };
  };

  beforeAll(async () => {
    server = await openLoopback((request, response) => current(request, response));
    bench = await openWorkbench();
    const named = Object.entries(requests).map(([name, request]) => [name, { method: 'get', ...request }]);
    const text = JSON.stringify({ requests: Object.fromEntries(named) }).replace(/(?<=":"(?:\\")?)@/g, server.at(''));
    const file = path.join(folder, 'data.json');
    await writeFile(file, text);
    theirs = await told(() => askOpa(file, folder));
    ours = await told(() => askVerdict(bench, text));
  }, 120_000);
  afterAll(async () => {
    await bench.close();
    await server.close();
    remove();
  });

  test.each(Object.keys(requests))('%s', (name) => {
    expect(ours.answers[name]).toEqual(theirs.answers[name]);
  });

  test('the server is asked the same', () => {
    expect(theirs.asked.length).toBeGreaterThan(100);
    expect(ours.asked).toEqual(theirs.asked);
  });
});
