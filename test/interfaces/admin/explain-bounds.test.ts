import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createExplain } from '../../../src/policy/index.ts';
import { openToolchain, type RegoEvaluation, type Toolchain } from '../../../src/rego/index.ts';
import { archiveOf } from '../../policy/archives.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';
import { startAdmin } from './support.ts';

const opa = path.join(import.meta.dirname, '..', 'http', 'opa');
// OPA 1.22.2: opa/record-explanations.mjs asks it again.
const recorded = JSON.parse(readFileSync(path.join(opa, 'explanations.json'), 'utf8')) as { [query: string]: unknown };

// Some 10 MiB as lines, and more as events.
const long = `package long

found := count([x | some x in numbers.range(1, 4000); sprintf("%d", [x]) != "${'x'.repeat(500)}"])
`;

let pdp: Pdp;
beforeAll(async () => {
  pdp = await startPdp();
  const bundles = { long, levels: readFileSync(path.join(opa, 'levels', 'levels.rego'), 'utf8') };
  for (const [name, text] of Object.entries(bundles)) {
    const archive = await archiveOf({ [`${name}.rego`]: text });
    expect((await pdp.admin('PUT', `/v1/bundles/${name}?activate=true`, archive)).status).toBe(201);
  }
});
afterAll(() => pdp?.stop());

interface Explained {
  readonly result: unknown;
  readonly explanation: readonly unknown[];
  readonly warning?: { readonly code: string };
}

const explained = async (where: string, input: unknown = {}) => {
  const answer = await pdp.ask(`/v1/data/${where}`, { input }, { authorization: `Bearer ${pdp.token}` });
  return { length: answer.text.length, ...(answer.json as Explained) };
};

interface Event {
  readonly locals?: readonly unknown[];
}

/** OPA lists the variables of an event in any order. */
const ordered = (explanation: unknown): unknown =>
  (explanation as readonly (Event | string)[]).map((event) =>
    typeof event === 'string'
      ? event
      : { ...event, locals: event.locals?.map((local) => JSON.stringify(local)).sort() },
  );

test.each(Object.keys(recorded))('an answer is explained as OPA explains it: %s', async (query) => {
  const { explanation, warning } = await explained(`levels/allow?${query}`, { user: 'alice' });
  expect(ordered(explanation)).toEqual(ordered(recorded[query]));
  expect(warning).toBeUndefined();
});

const most = 4 << 20;

test.each([
  ['explain=full', 'explanation_cut'],
  ['explain=full&pretty', 'explanation_cut'],
  ['explain=fails', undefined],
])('an explanation ends after 4 MiB, and says so: %s', async (query, code) => {
  const { result, length, explanation, warning } = await explained(`long/found?${query}`);
  expect(result).toBe(4_000);
  expect(warning?.code).toBe(code);
  if (code === undefined) return;
  expect(explanation.length).toBeGreaterThan(10);
  // Indentation, quotes and what they escape come on top.
  expect(length).toBeGreaterThan(most / 2);
  expect(length).toBeLessThan(most * 1.5);
});

test('a trace ends after 4 MiB, and says so', async () => {
  const { json, text } = await pdp.admin('POST', '/v1/explain', { path: 'long/found', explain: 'full' });
  expect(json).toMatchObject({ cut: true, trace: expect.stringMatching(/\n\.\.\. the trace is longer: .*\n$/) });
  expect(text.length).toBeLessThan(most * 1.5);
});

const text = 'package slow\n\nv := count([1 | some a in n; some b in n; a + b < 0])\n\nn := numbers.range(1, 100000)\n';

/** An admin server that explains `slow/v` by another toolchain. */
const explaining = async (toolchain: Pick<Toolchain, 'evaluate'>, deadlineMs?: number) => {
  const bytes = await archiveOf({ 'slow.rego': text });
  const version = { name: 'slow', version: 1, digest: '', revision: '', dataRevision: 0, links: [] };
  const resolve = () => ({ kind: 'rule', target: { version } });
  const policy = { current: { resolve }, archive: async () => bytes } as never;
  const bounds = deadlineMs === undefined ? {} : { deadlineMs };
  const admin = await startAdmin({ explain: createExplain({ policy, toolchain: toolchain as Toolchain, ...bounds }) });
  const request = {
    method: 'POST',
    token: admin.token(['auditor']),
    headers: { 'content-type': 'application/json' },
    body: '{"path":"slow/v"}',
  };
  return { admin, ask: () => admin.ask('/v1/explain', request) };
};

test('four explanations may wait, the next one is told so at once, and one that ended makes room', async () => {
  const begun: ((found: RegoEvaluation) => void)[] = [];
  const evaluate = () => new Promise<RegoEvaluation>((resolve) => begun.push(resolve));
  const { admin, ask } = await explaining({ evaluate });
  const asked = [ask(), ask(), ask(), ask()];
  await vi.waitFor(() => expect(begun).toHaveLength(4));
  expect(await ask()).toMatchObject({ status: 429, body: { code: 'EXPLAIN_BUSY' } });
  begun[0]?.({ bindings: [] });
  expect((await Promise.race(asked)).status).toBe(200);
  asked.push(ask());
  await vi.waitFor(() => expect(begun).toHaveLength(5));
  for (const end of begun) end({ bindings: [] });
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  await admin.close();
});

test('an explanation that does not come to its end is given up, and the next one is made', async () => {
  const toolchain = openToolchain();
  const { admin, ask } = await explaining(toolchain, 100);
  expect(await ask()).toMatchObject({ status: 500, body: { code: 'TOOLCHAIN_DEADLINE' } });
  expect(await toolchain.evaluate({ modules: [] }, '1 + 1')).toMatchObject({ bindings: [{}] });
  await admin.close();
  await toolchain.close();
});
