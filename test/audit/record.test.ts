import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeenToken } from '../../src/engine/index.ts';
import { append, content, openLog, readLog, recordOf, someFacts, temporaryDirectory } from './builders.ts';

test('a record has the documented members in the documented order', async () => {
  const token: SeenToken = { issuer: 'iss', subject: 'sub', id: 'j', claimsDigest: 'ab', expires: 5, notBefore: 4 };
  const { record, text } = await recordOf(
    content('{"user":"alice","method":"GET","path":["salary","bob"]}', {
      result: '{"allow":true}',
      nonDeterministic: [
        { builtin: 'rand.intn', operands: '["a",10]', result: '9' },
        { builtin: 'time.now_ns', operands: '[]', result: '1795381990669042147' },
        { builtin: 'rand.intn', operands: '["b",10]', result: '1' },
      ],
    }),
    {},
    {
      entrypoint: 'todo/allow',
      freshUntilMs: 1_795_382_050_001,
      nowNs: 1_795_381_990_669_042_147n,
      tokens: [token],
      instructions: 300,
      trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', sampled: true },
    },
  );
  expect(record).toEqual({
    format: 1,
    type: 'decision',
    origin: record.origin,
    index: 0,
    decision_id: record.decision_id,
    timestamp: '2026-11-22T21:13:10.669Z',
    requested_by: '127.0.0.1:51422',
    wire: 'opa.v1',
    caller: { kind: 'token', name: 'shop', roles: ['ask'] },
    path: 'todo/allow',
    entrypoint: 'todo/allow',
    outcome: 'permit',
    policies: [{ name: 'todo', version: 3, digest: 'd1', revision: 'r1', data_revision: 'd2' }],
    bundles: { todo: { revision: 'r1' } },
    epoch: 7,
    cache: 'hit',
    age_ms: 12,
    fresh_until: '2026-11-22T21:14:10.001Z',
    now_ns: '1795381990669042147',
    strict: false,
    input_present: true,
    tokens: [{ iss: 'iss', sub: 'sub', jti: 'j', claims_sha256: 'ab', exp: 5, nbf: 4 }],
    metrics: { timer_server_handler_ns: 1234, counter_engine_instructions: 300 },
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    span_id: '00f067aa0ba902b7',
    subject: 'alice',
    action: 'GET',
    resource: 'salary/bob',
    input: { user: 'alice', method: 'GET', path: ['salary', 'bob'] },
    result: { allow: true },
    nd_builtin_cache: {
      'rand.intn': { '["a",10]': 9, '["b",10]': 1 },
      'time.now_ns': { '[]': Number('1795381990669042147') },
    },
  });
  expect(text).toContain('"time.now_ns":{"[]":1795381990669042147}');
  expect(Object.keys(record).join(' ')).toBe(
    'format type origin index decision_id timestamp requested_by wire caller path entrypoint outcome policies bundles epoch ' +
      'cache age_ms fresh_until now_ns strict input_present tokens metrics trace_id span_id subject action resource input ' +
      'result nd_builtin_cache',
  );
});

test('a decision of a batch names the batch', async () => {
  const batchId = '019ab6a0-0000-7000-8000-000000000001';
  const { record } = await recordOf(content(), {}, { batchId });
  expect(Object.entries(record)[5]).toEqual(['batch_decision_id', batchId]);
});

test('an absent input, a null input and a false result are three different things', async () => {
  const absent = await recordOf(content(), {}, { inputPresent: false });
  expect(absent.record).toMatchObject({ input_present: false });
  expect('input' in absent.record).toBe(false);
  const nothing = await recordOf(content('null', { result: 'false' }));
  expect(nothing.record).toMatchObject({ input_present: true, input: null, result: false });
  expect('result' in absent.record).toBe(false);
});

test('an input is spliced in as it was sent: numbers, escapes and white space keep their text', async () => {
  const sent = '{ "a": 1.0,\n\t"b": 12345678901234567890123, "c": 1E400, "d": "\\u00e9\\/é\u2028😀", "__proto__": -0 }';
  const { text, found } = await recordOf(content(sent));
  expect(text).toContain(`"input":${sent}`);
  expect(found).toBe(text);
});

test('a masked input keeps the text of everything that is not masked', async () => {
  const { text } = await recordOf(content('{"a":1.0,"b":12345678901234567890123,"c":"\\u00e9\\/","d":2}'), {
    mask: { drop: ['/input/d'], replace: {}, allow: [] },
  });
  expect(text).toContain('"input":{"a":1.0,"b":12345678901234567890123,"c":"\\u00e9\\/"}');
});

test('any input comes back as it was, value and text', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 4 }), async (json) => {
      const id = await append(log, content(json));
      const found = await log.find(id);
      expect(found).toContain(`"input":${json}`);
      expect(JSON.parse(found ?? '').input).toEqual(JSON.parse(json));
    }),
    { numRuns: 200 },
  );
  expect(readLog(directory).problems).toEqual([]);
});

test.each([
  [
    'AuthZEN',
    '{"subject":{"type":"user","id":"a"},"action":{"name":"read"},"resource":{"type":"d","id":7}}',
    'a',
    'read',
    '7',
  ],
  ['a plain object', '{"user":{"name":"bob"},"operation":"write","object":"x"}', 'bob', 'write', 'x'],
  [
    'Envoy',
    '{"attributes":{"source":{"principal":"spiffe://a"},"request":{"http":{"method":"GET","path":"/p"}}}}',
    'spiffe://a',
    'GET',
    '/p',
  ],
  ['an array of objects where a name was hoped for', '{"user":[{"a":1}],"subject":"s"}', 's', undefined, undefined],
  ['nothing known', '{"x":null,"user":null}', undefined, undefined, undefined],
  ['an array', '[{"user":"u"}]', undefined, undefined, undefined],
])('subject, action and resource of %s', async (_, input, subject, action, resource) => {
  const { record } = await recordOf(content(input));
  expect([record.subject, record.action, record.resource]).toEqual([subject, action, resource]);
});

test('fields are the same whether or not a mask makes the input be taken apart', async () => {
  const scalars = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  const values = fc.oneof(scalars, fc.record({ id: scalars, name: scalars }, { requiredKeys: [] }));
  const inputs = fc.record({ subject: values, user: values, action: values, resource: values }, { requiredKeys: [] });
  const plain = await openLog(temporaryDirectory());
  const masked = await openLog(temporaryDirectory(), { mask: { drop: ['/input/nothing'], replace: {}, allow: [] } });
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      const text = JSON.stringify(input);
      const of = async (log: typeof plain) => {
        const { subject, action, resource } = JSON.parse((await log.find(await append(log, content(text)))) ?? '');
        return { subject, action, resource };
      };
      expect(await of(plain)).toEqual(await of(masked));
    }),
    { numRuns: 150 },
  );
});

test('a field is cut at 1 KiB, between characters', async () => {
  const { record } = await recordOf(content(JSON.stringify({ user: `a${'😀'.repeat(400)}` })));
  expect(record.subject).toBe(`a${'😀'.repeat(255)}`);
});

test('hostile facts make no invalid record', async () => {
  const { record } = await recordOf(
    content('{}'),
    {},
    {
      path: ['a/b', '50%', '"\n\ud800'],
      outcome: 'failed',
      error: { code: 'engine_error', message: `"${'x'.repeat(5_000)}\u0000` },
      caller: { kind: 'token', name: '"},"outcome":"permit', roles: [] },
      ageMs: Number.NaN,
      freshUntilMs: Number.POSITIVE_INFINITY,
      durationNs: 12.7,
    },
  );
  expect(record.path).toBe('a%2Fb/50%25/"\n\ufffd');
  expect(record.caller.name).toBe('"},"outcome":"permit');
  expect(record.error.message).toHaveLength(1_027);
  expect(record).toMatchObject({ outcome: 'failed', age_ms: 0, metrics: { timer_server_handler_ns: 12 } });
});

test('an event is a record of its own', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await log.note({ event: 'activation', by: 'ann', details: { bundle: 'todo', version: 3 } });
  await append(log, content('1'));
  const [event, decision] = readLog(directory).records;
  expect(event?.record).toMatchObject({
    type: 'event',
    index: 0,
    event: 'activation',
    by: 'ann',
    details: { bundle: 'todo' },
  });
  expect(decision?.record).toMatchObject({ type: 'decision', index: 1 });
});

test('a value too large for a leaf lies beside it, and is found in its place', async () => {
  const input = JSON.stringify({ user: 'alice', blob: 'x'.repeat(100_000), number: 0 }).replace(
    '"number":0',
    '"number":1.50',
  );
  const { text, record, aside, found } = await recordOf(content(input, { result: '"yes"' }));
  expect(Buffer.byteLength(text)).toBeLessThan(2_000);
  expect(record.side).toEqual(['/input']);
  expect(record.input).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: input.length });
  expect(record).toMatchObject({ subject: 'alice', result: 'yes' });
  expect(aside['/input']).toBe(input);
  expect(found).toContain(`"input":${input}`);
  expect(JSON.parse(found)).not.toHaveProperty('side');
});

test('the smaller values stay in the leaf, and no leaf is larger than 60 KiB', async () => {
  const sizes = fc.tuple(fc.nat(70_000), fc.nat(70_000), fc.nat(70_000));
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await fc.assert(
    fc.asyncProperty(sizes, async ([a, b, c]) => {
      const id = await append(
        log,
        content(JSON.stringify({ i: 'é'.repeat(a / 2) }), {
          result: JSON.stringify('r'.repeat(b)),
          nonDeterministic: [{ builtin: 'http.send', operands: '[{}]', result: JSON.stringify('n'.repeat(c)) }],
        }),
      );
      const found = JSON.parse((await log.find(id)) ?? '');
      expect([found.input.i.length, found.result.length]).toEqual([Math.floor(a / 2), b]);
      expect(found.nd_builtin_cache['http.send']['[{}]']).toHaveLength(c);
    }),
    { numRuns: 25 },
  );
  expect(readLog(directory).problems).toEqual([]);
});

test('facts that outgrow a leaf go beside it too', async () => {
  const policies = Array.from({ length: 300 }, (_, version) => ({
    name: `bundle-${version}`,
    version,
    digest: 'd'.repeat(64),
    revision: 'r',
    dataRevision: 'e'.repeat(64),
  }));
  const { record, found } = await recordOf(content(JSON.stringify('i'.repeat(40_000))), {}, { policies });
  expect(record.side).toEqual(['/policies', '/bundles']);
  expect(JSON.parse(found).policies).toHaveLength(300);
  expect(JSON.parse(found).input).toHaveLength(40_000);
});

test('records that share their content share its side value', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  const prepared = log.prepare(content(JSON.stringify('z'.repeat(80_000))));
  const ids = [1, 2, 3].map(() => someFacts());
  for (const facts of ids) await new Promise<void>((done) => log.append(facts, prepared, () => done()));
  const { records, problems } = readLog(directory);
  expect(problems).toEqual([]);
  expect(new Set(records.map(({ record }) => record.input.sha256)).size).toBe(1);
  for (const { decisionId } of ids) expect(JSON.parse((await log.find(decisionId)) ?? '').input).toHaveLength(80_000);
});
