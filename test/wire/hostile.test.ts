import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { handMade, text } from '../engine/hand-made-module.ts';
import { archiveOf } from '../policy/archives.ts';
import { callDecide, callDecideBatch, json } from '../support/decision-grpc.ts';
import type { HostilePolicy } from '../support/hostile.ts';
import { hostilePolicies } from '../support/hostile.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';

const quiet = 'package quiet\n\nallow if input.subject.id == "alice"\n';
const question = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'x', id: '1' } };

let pdp: Pdp;
let grpc: Client;

beforeAll(async () => {
  // A tenth of the default, for speed: bench/hostile.ts has the default.
  pdp = await startPdp({ sets: ['engine.instructions=10000000'] });
  grpc = new Client(pdp.urls.grpc ?? '', credentials.createInsecure());
  const bundles = {
    quiet: { 'quiet.rego': quiet },
    ...Object.fromEntries(hostilePolicies.map((p) => [p.name, p.files])),
  };
  for (const [name, files] of Object.entries(bundles)) {
    const pushed = await pdp.admin('PUT', `/v1/bundles/${name}?activate=true`, await archiveOf(files));
    expect(pushed.text).toContain('"digest"');
  }
});

afterAll(async () => {
  grpc.close();
  await pdp.stop();
});

interface Failed {
  readonly code: string;
}

/** The code of a decision's record, which has it whatever the wire says. */
const recordedCode = async (id: unknown): Promise<string> => {
  const record = await pdp.admin('GET', `/v1/decisions/${String(id)}`);
  const { outcome, error } = record.json as { outcome: string; error?: Failed };
  return error === undefined ? outcome : error.code;
};

const recordedAs = async (answer: { headers: Headers }): Promise<string> =>
  recordedCode(answer.headers.get('verdict-decision-id'));

const grpcCode = ({ verdict }: { verdict?: { case?: string | undefined; value?: unknown } } = {}): string =>
  verdict?.case === 'failed' ? (verdict.value as Failed).code : String(verdict?.case);

/** Asks a bundle's `allow` by every wire, one after the other; the codes of what came back. */
const askEverywhere = async (name: string): Promise<readonly string[]> => {
  const v1 = await pdp.ask(`/v1/data/${name}/allow`, { input: question });
  const batch = await pdp.ask(`/v1/batch/data/${name}/allow`, { inputs: { a: question } });
  const evaluation = await pdp.ask(`/${name}/access/v1/evaluation`, question);
  const evaluations = await pdp.ask(`/${name}/access/v1/evaluations`, { ...question, evaluations: [{}] });
  const input = json(JSON.stringify(question));
  const { decision } = await callDecide(grpc, { path: `${name}/allow`, input });
  const { decisions } = await callDecideBatch(grpc, {
    path: `${name}/allow`,
    questions: { case: 'variants', value: { common: input, variants: [json('{}')] } },
  });
  expect([v1.status, batch.status]).toEqual([500, 500]);
  expect(evaluation.json).toMatchObject({ decision: false });
  expect(evaluations.json).toMatchObject({ evaluations: [{ decision: false }] });
  const inBatch = batch.json as { readonly responses: { readonly a: { readonly decision_id: string } } };
  return [
    await recordedAs(v1),
    await recordedCode(inBatch.responses.a.decision_id),
    await recordedAs(evaluation),
    grpcCode(decision),
    grpcCode(decisions[0]),
  ];
};

/** Asks the other bundle one new question after the other until told to stop; the answers that were wrong. */
const quietAnswers = async (asking: { readonly done: boolean }): Promise<readonly unknown[]> => {
  const wrong: unknown[] = [];
  for (let asked = 0; !asking.done || asked === 0; asked++) {
    const answer = await pdp.ask('/v1/data/quiet/allow', { input: { ...question, asked } });
    if ((answer.json as { result?: unknown }).result !== true) wrong.push(answer.text);
  }
  return wrong;
};

test.each(hostilePolicies)(
  '$name ends as failed on every wire, while another bundle answers: $about',
  async (policy: HostilePolicy) => {
    const asking = { done: false };
    const others = quietAnswers(asking);
    try {
      const codes = await askEverywhere(policy.name);
      expect(codes).toHaveLength(5);
      for (const code of codes) expect(policy.codes).toContain(code);
    } finally {
      asking.done = true;
      expect(await others).toEqual([]);
    }
  },
);

test('afterwards the server is ready', async () => {
  const health = await fetch(new URL('/health/ready', pdp.urls.admin));
  expect(health.status).toBe(200);
});

test('a module written by hand that imports what no host of OPA has is refused at the push', async () => {
  const files = {
    '.manifest': JSON.stringify({ roots: ['odd'], wasm: [{ entrypoint: 'odd/allow', module: '/policy.wasm' }] }),
    'policy.wasm': handMade({
      entrypoint: 'odd/allow',
      imports: [[...text('wasi_snapshot_preview1'), ...text('proc_exit'), 0, 2]],
    }),
  };
  const pushed = await pdp.admin('PUT', '/v1/bundles/odd?activate=true', await archiveOf(files));
  expect(pushed.status).toBe(422);
  expect(pushed.text).toContain('imports something that OPA’s compiler does not import');
  expect((await pdp.ask('/v1/data/odd/allow', { input: question })).json).not.toHaveProperty('result');
});
