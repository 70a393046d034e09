import type { OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../../src/canonical/index.ts';
import type { Engine, LoadedModule } from '../../../src/engine/index.ts';
import { checkJson, defaultEngineSettings } from '../../../src/engine/index.ts';
import type { Loopback } from '../../support/loopback.ts';
import { openLoopback } from '../../support/loopback.ts';
import type { Workbench } from '../workbench.ts';
import { dataOf, openWorkbench } from '../workbench.ts';

// 2025-11-22 08:26:40: what the policies' clock says at the start of each test.
const start = 1_763_800_000_000;
let now = start;
const clock: Clock = { nowMs: () => now, nowNs: () => BigInt(now) * 1_000_000n, monotonicMs: () => now - start };
const dateAt = (ms: number): string => new Date(ms).toUTCString();

const rego =
  'sent := http.send(input)\ntwice := [http.send(input).raw_body, http.send(object.union(input, {})).raw_body]';

let bench: Workbench;
let server: Loopback;
let engine: Engine;
let wasm: Uint8Array;
let todo: LoadedModule;

/** What the server answers next: [status, headers]; the body says how often it was asked. */
let answer: readonly [status: number, headers: OutgoingHttpHeaders];

const openEngine = (cacheBytes: number): Engine =>
  bench.engine({
    engine: { clock, network: { ...defaultEngineSettings.network, hosts: ['127.0.0.1'], cacheBytes } },
  });

const load = (name: string, from = engine): Promise<LoadedModule> => from.load({ name, wasm, data: dataOf('{}') });

beforeAll(async () => {
  server = await openLoopback((_request, response) => {
    const [status, headers] = answer;
    response.sendDate = false;
    response.writeHead(status, headers).end(status === 304 ? undefined : `answer ${server.seen.length}`);
  });
  bench = await openWorkbench();
  wasm = await bench.compile(rego);
  engine = openEngine(1_000_000);
  todo = await load('todo@1');
});
afterAll(async () => {
  await bench.close();
  await server.close();
});
beforeEach(() => {
  now = start;
  server.seen.length = 0;
  answer = [200, {}];
});

const evaluate = async (module: LoadedModule, request: object, entrypoint = 'p/sent') => {
  const input = checkJson(Buffer.from(JSON.stringify(request))).json;
  return await module.evaluate({ entrypoint, below: [], strictErrors: true, input });
};

/** The body of the answer, or why there is none. */
const ask = async (request: object, module = todo): Promise<string> => {
  const evaluation = await evaluate(module, { method: 'get', ...request });
  if (evaluation.kind === 'failed') return evaluation.message;
  if (evaluation.kind === 'undefined') return evaluation.kind;
  const value = JSON.parse(evaluation.json) as { readonly raw_body?: string; readonly error?: { message: string } };
  return value.raw_body ?? String(value.error?.message);
};

// Each test asks at a place of its own: what one keeps is nothing to the others.
let places = 0;
const place = (): string => server.at(`/${places++}`);

test('a response is used again in later evaluations while it is fresh, when the policy asks for it', async () => {
  const request = { url: place(), cache: true };
  answer = [200, { date: dateAt(start), 'cache-control': 'private, max-age=60' }];
  expect(await ask(request)).toBe('answer 1');
  now = start + 59_999;
  expect(await ask(request)).toBe('answer 1');
  now = start + 60_000;
  expect(await ask(request)).toBe('answer 2');
  expect(await ask({ url: request.url })).toBe('answer 3');
});

test.each([
  ['nothing', {}],
  ['no date to count from', { 'cache-control': 'max-age=60' }],
  ['an age that is no number', { date: dateAt(start), 'cache-control': 'max-age="60"' }],
  ['no-store', { date: dateAt(start), 'cache-control': 'max-age=60, no-store' }],
  ['a name in capitals', { date: dateAt(start), 'cache-control': 'Max-Age=60' }],
  ['an age that has passed', { date: dateAt(start - 61_000), 'cache-control': 'max-age=60' }],
  ['an end that has passed', { expires: dateAt(start) }],
  ['an end that is no date', { expires: '0' }],
])('a response that says %s is asked for again', async (_what, headers) => {
  const request = { url: place(), cache: true };
  answer = [200, headers];
  expect(await ask(request)).toBe('answer 1');
  expect(await ask(request)).toBe('answer 2');
});

test.each([
  ['Expires', { expires: dateAt(start + 1_000) }],
  ['Expires in the form of RFC 850', { expires: 'Saturday, 22-Nov-25 08:26:41 GMT' }],
  ['Expires in the form of asctime', { expires: 'Sat Nov 22 08:26:41 2025' }],
  ['the far end of the calendar', { expires: 'Fri, 31 Dec 9999 23:59:59 GMT' }],
  ['a very large age', { date: dateAt(start), 'cache-control': 'max-age=99999999999' }],
])('a response is fresh until what it says with %s', async (_what, headers) => {
  const request = { url: place(), cache: true };
  answer = [200, headers];
  expect([await ask(request), await ask(request)]).toEqual(['answer 1', 'answer 1']);
});

test('a stale response is used again when the server says that it still holds', async () => {
  const request = { url: place(), cache: true, headers: { 'x-mine': '1' } };
  const date = dateAt(start);
  answer = [200, { date, 'cache-control': 'max-age=1', etag: '"a"', 'last-modified': date, 'x-old': 'yes' }];
  expect(await ask(request)).toBe('answer 1');
  now = start + 2_000;
  answer = [304, { date: dateAt(now), 'cache-control': 'max-age=1', etag: '"b"' }];
  expect(await ask(request)).toBe('answer 1');
  expect(server.seen[1]?.headers).toMatchObject({
    'if-none-match': '"a"',
    'if-modified-since': date,
    'x-mine': '1',
  });
  expect(await evaluate(todo, { method: 'get', ...request })).toMatchObject({
    json: expect.stringContaining('"etag":["\\"b\\""]'),
  });
  expect(server.seen).toHaveLength(2);
  now = start + 4_000;
  answer = [200, { date: dateAt(now), 'cache-control': 'max-age=1' }];
  expect([await ask(request), await ask(request)]).toEqual(['answer 3', 'answer 3']);
});

test('a server that neither confirms nor replaces a stale response is asked as at first', async () => {
  const request = { url: place(), cache: true };
  answer = [200, { etag: '"a"' }];
  await ask(request);
  answer = [503, {}];
  expect(await ask(request)).toBe('answer 3');
  expect(server.seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"a"', undefined]);
});

test('force_cache stands for what the response says', async () => {
  const request = { url: place(), force_cache: true, force_cache_duration_seconds: 5 };
  answer = [200, { 'cache-control': 'no-store' }];
  expect(await ask(request)).toBe('answer 1');
  now = start + 4_999;
  expect(await ask(request)).toBe('answer 1');
  now = start + 5_000;
  expect(await ask(request)).toBe('answer 2');
  expect(await ask({ ...request, force_cache_duration_seconds: 0 })).toBe('answer 3');
});

test('statuses that may be gone the next time are not kept, and mode names that are none keep nothing', async () => {
  const forced = { force_cache: true, force_cache_duration_seconds: 60 };
  const request = { url: place(), ...forced };
  answer = [503, {}];
  expect([await ask(request), await ask(request)]).toEqual(['answer 1', 'answer 2']);
  answer = [404, {}];
  expect([await ask(request), await ask(request)]).toEqual(['answer 3', 'answer 3']);
  answer = [200, {}];
  const modes = (caching_mode: unknown) => ({ url: place(), ...forced, caching_mode });
  for (const [mode, times] of [
    ['serialized', 1],
    ['deserialized', 1],
    ['other', 2],
    [1, 2],
  ] as const) {
    const asked = server.seen.length;
    const one = modes(mode);
    await ask(one);
    await ask(one);
    expect(server.seen.length - asked).toBe(times);
  }
});

test('within one evaluation a request is sent once, an error too, and every status when `cache` is set', async () => {
  const url = place();
  const answered = async (request: object): Promise<unknown> => {
    server.seen.length = 0;
    const evaluation = await evaluate(todo, { method: 'get', ...request }, 'p/twice');
    return evaluation.kind === 'defined' ? JSON.parse(evaluation.json) : evaluation.kind;
  };
  expect(await answered({ url })).toEqual(['answer 1', 'answer 1']);
  answer = [503, {}];
  expect(await answered({ url })).toEqual(['answer 1', 'answer 2']);
  expect(await answered({ url, cache: true })).toEqual(['answer 1', 'answer 1']);
});

test('headers that are to be ignored do not tell requests apart', async () => {
  const url = place();
  const forced = { url, force_cache: true, force_cache_duration_seconds: 60 };
  const traced = (id: string, ...ignored: string[]) => ({
    ...forced,
    headers: { 'x-trace': id, 'x-kind': 'k' },
    cache_ignored_headers: ignored,
  });
  expect(await ask(traced('1', 'x-trace'))).toBe('answer 1');
  expect(await ask(traced('2', 'x-trace', 'x-other'))).toBe('answer 1');
  expect(server.seen[0]?.headers['x-trace']).toBe('1');
  expect(await ask(traced('2', 'X-Trace'))).toBe('answer 2');
  expect(await ask({ ...forced, headers: { 'x-kind': 'k' } })).toBe('answer 1');
});

test.each([
  [{ cache: 'yes' }, 'invalid value for "cache" field'],
  [{ force_cache: 1 }, 'invalid value for "force_cache" field'],
  [{ force_cache: true }, "'force_cache' set but 'force_cache_duration_seconds' parameter is missing"],
  [{ force_cache: true, force_cache_duration_seconds: '5' }, 'strconv.ParseInt: parsing "\\"5\\"": invalid syntax'],
  [{ force_cache: true, force_cache_duration_seconds: 1.5 }, 'strconv.ParseInt: parsing "1.5": invalid syntax'],
  [{ force_cache: true, force_cache_duration_seconds: 1e10 }, ': value out of range'],
  [{ headers: { a: 'b' }, cache_ignored_headers: 'a' }, 'cache_ignored_headers must be an array of strings'],
  [{ headers: { a: 'b' }, cache_ignored_headers: [1] }, 'cache_ignored_headers must be an array of strings'],
])('%j is refused as OPA refuses it', async (fields, message) => {
  expect(await ask({ url: place(), ...fields })).toContain(message);
  expect(server.seen).toHaveLength(0);
});

test('a bundle never sees what another one asked; the next version of the same one does', async () => {
  const request = { url: place(), force_cache: true, force_cache_duration_seconds: 60 };
  expect(await ask(request)).toBe('answer 1');
  const other = await load('other@1');
  expect(await ask(request, other)).toBe('answer 2');
  const next = await load('todo@2');
  expect(await ask(request, next)).toBe('answer 1');
  await next.close();
  expect(await ask(request)).toBe('answer 1');
  await other.close();
  // Its last version went, and with it what it had kept.
  const later = await load('other@2');
  expect(await ask(request, later)).toBe('answer 3');
  expect(await ask(request)).toBe('answer 1');
  await later.close();
});

test('what is kept is bounded: the longest unused gives way, and at 0 nothing is kept', async () => {
  const forced = { force_cache: true, force_cache_duration_seconds: 60 };
  const [first, second, third] = [place(), place(), place()].map((url) => ({ url, ...forced }));
  const small = await load('todo@1', openEngine(3_000));
  for (const request of [first, second, first, third]) await ask(request ?? {}, small);
  expect(server.seen).toHaveLength(3);
  expect(await ask(first ?? {}, small)).toBe('answer 1');
  expect(await ask(second ?? {}, small)).toBe('answer 4');
  const none = await load('todo@1', openEngine(0));
  expect([await ask(first ?? {}, none), await ask(first ?? {}, none)]).toEqual(['answer 5', 'answer 6']);
});

test('an answer that may be used again ends with the response that it rests on', async () => {
  const boundaryOf = async (request: object, headers: OutgoingHttpHeaders): Promise<number | undefined> => {
    answer = [200, headers];
    const { basis } = await evaluate(todo, { method: 'get', url: place(), ...request });
    expect(basis.volatile).toBe(true);
    return basis.boundaryNs === undefined ? undefined : Number(basis.boundaryNs - BigInt(now) * 1_000_000n);
  };
  const date = dateAt(start - 10_000);
  const aged = { date, 'cache-control': 'max-age=60' };
  expect(await boundaryOf({ cache: true }, aged)).toBe(50e9);
  expect(await boundaryOf({ cache: true }, { expires: dateAt(start + 7_000) })).toBe(7e9);
  expect(await boundaryOf({ force_cache: true, force_cache_duration_seconds: 3 }, aged)).toBe(3e9);
  for (const stale of ['no-store', 'max-age=5', 'max-age=x']) {
    expect(await boundaryOf({ cache: true }, { date, 'cache-control': stale })).toBe(1);
  }
  expect(await boundaryOf({ cache: true }, {})).toBeUndefined();
  // Who does not ask for it is not held to it: METADATA alone then says how long the answer may be used.
  expect(await boundaryOf({}, aged)).toBeUndefined();
});

test('an evaluation fails when its record could not hold what it was answered', async () => {
  const policy = await bench.policy(
    'many := [http.send({"method": "get", "url": concat("", [input, format_int(i, 10)])}).status_code | some i in numbers.range(1, 4)]',
    {
      budget: { resultBytes: 2_000 },
      engine: { network: { ...defaultEngineSettings.network, hosts: ['127.0.0.1'] } },
    },
  );
  const url = server.at('/');
  expect(await policy.answer('p/many', { input: url })).toBe('[200,200,200,200]');
  answer = [200, { 'x-long': 'x'.repeat(700) }];
  expect(await policy.answer('p/many', { input: url })).toBe('too_large');
});
