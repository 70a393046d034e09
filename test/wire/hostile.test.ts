import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DecisionErrorCode } from '../../src/decision/index.ts';
import { decisionErrors } from '../../src/interfaces/wire/index.ts';
import { handMade, text } from '../engine/hand-made-module.ts';
import { archiveOf, type Contents } from '../policy/archives.ts';
import { callDecide, callDecideBatch, json } from '../support/decision-grpc.ts';
import { hostileBundle, hostilePolicies } from '../support/hostile.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';

const quiet = 'package quiet\n\nallow if input.subject.id == "alice"\n';
const question = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'x', id: '1' } };

let pdp: Pdp;
let grpc: Client;

const push = async (name: string, files: Contents, activate = true): Promise<string> =>
  (await pdp.admin('PUT', `/v1/bundles/${name}?activate=${activate}`, await archiveOf(files))).text;

beforeAll(async () => {
  // A tenth of the default, for speed: bench/hostile.ts has the default.
  pdp = await startPdp({
    sets: ['engine.instructions=10000000', `policy.defaultDecision=${hostileBundle}/allow`],
  });
  grpc = new Client(pdp.urls.grpc ?? '', credentials.createInsecure());
  expect(await push('quiet', { 'quiet.rego': quiet })).toContain('"digest"');
  for (const { files } of hostilePolicies) expect(await push(hostileBundle, files, false)).toContain('"digest"');
});

afterAll(async () => {
  grpc.close();
  await pdp.stop();
});

interface Failed {
  readonly code: string;
}

/** The code of a decision's record, which has it whatever the wire says. */
const recordedCode = async (id: unknown): Promise<DecisionErrorCode> => {
  const record = await pdp.admin('GET', `/v1/decisions/${String(id)}`);
  const { outcome, error } = record.json as { outcome: string; error?: Failed };
  return (error?.code ?? outcome) as DecisionErrorCode;
};

const recordedAs = async (answer: { headers: Headers }): Promise<DecisionErrorCode> =>
  recordedCode(answer.headers.get('verdict-decision-id'));

const grpcCode = ({ verdict }: { verdict?: { case?: string | undefined; value?: unknown } } = {}): string =>
  verdict?.case === 'failed' ? (verdict.value as Failed).code : String(verdict?.case);

/** What OPA says of an evaluation that failed, in an answer or an item of a batch. */
const opaError = (code: DecisionErrorCode) => ({
  code: 'internal_error',
  errors: [{ code: decisionErrors[code].opa.inner, message: expect.any(String) }],
});

/** How a wire asks for `allow`: the code of what came back, once its form is that of a failure. */
const wires: { readonly [wire: string]: () => Promise<string> } = {
  ...Object.fromEntries(
    [
      [`/v1/data/${hostileBundle}/allow`, { input: question }] as const,
      [`/v0/data/${hostileBundle}/allow`, question] as const,
      ['/', question] as const,
    ].map(([where, body]) => [
      where,
      async () => {
        const answer = await pdp.ask(where, body);
        const code = await recordedAs(answer);
        expect(answer).toMatchObject({ status: 500, json: opaError(code) });
        expect(answer.json).not.toHaveProperty('result');
        return code;
      },
    ]),
  ),
  batch: async () => {
    const answer = await pdp.ask(`/v1/batch/data/${hostileBundle}/allow`, { inputs: { a: question } });
    const { a } = (answer.json as { readonly responses: { readonly a: { readonly decision_id: string } } }).responses;
    const code = await recordedCode(a.decision_id);
    expect({ status: answer.status, a }).toMatchObject({ status: 500, a: opaError(code) });
    return code;
  },
  evaluation: async () => {
    const answer = await pdp.ask(`/${hostileBundle}/access/v1/evaluation`, question);
    expect(answer).toMatchObject({ status: 200, json: refusal });
    return recordedAs(answer);
  },
  evaluations: async () => {
    const where = `/${hostileBundle}/access/v1/evaluations`;
    const answer = await pdp.ask(where, { ...question, evaluations: [{}] });
    expect(answer).toMatchObject({ status: 200, json: { evaluations: [refusal] } });
    return recordedAs(answer);
  },
  Decide: async () => {
    const input = json(JSON.stringify(question));
    return grpcCode((await callDecide(grpc, { path: `${hostileBundle}/allow`, input })).decision);
  },
  DecideBatch: async () => {
    const common = json(JSON.stringify(question));
    const { decisions } = await callDecideBatch(grpc, {
      path: `${hostileBundle}/allow`,
      questions: { case: 'variants', value: { common, variants: [json('{}')] } },
    });
    return grpcCode(decisions[0]);
  },
};

const refusal = { decision: false, context: { error: { status: 500, message: expect.any(String) } } };

/** Asks the other bundle one new question after the other until told to stop; the answers that were wrong. */
const quietAnswers = async (asking: { readonly done: boolean }): Promise<readonly unknown[]> => {
  const wrong: unknown[] = [];
  for (let asked = 0; !asking.done || asked === 0; asked++) {
    const answer = await pdp.ask('/v1/data/quiet/allow', { input: { ...question, asked } });
    if ((answer.json as { result?: unknown }).result !== true) wrong.push(answer.text);
  }
  return wrong;
};

let residentBefore = 0;

test.each(hostilePolicies.map((policy, at) => ({ ...policy, version: at + 1 })))(
  '$name ends as failed on every wire, while another bundle answers: $about',
  async ({ version, codes }) => {
    const activated = await pdp.admin('POST', `/v1/bundles/${hostileBundle}/versions/${version}/activate`);
    expect(activated.status).toBe(200);
    residentBefore ||= process.memoryUsage.rss();
    const asking = { done: false };
    const others = quietAnswers(asking);
    try {
      for (const [wire, ask] of Object.entries(wires)) {
        const code = await ask();
        expect(codes, `${wire}: ${code}`).toContain(code);
      }
    } finally {
      asking.done = true;
      expect(await others).toEqual([]);
    }
  },
);

// Instances that grew are V8's to collect, which questions make it do. Kept, those of 80 questions would hold 1 GiB.
test('afterwards the resident set returns', async () => {
  const most = residentBefore + (256 << 20);
  const asking = { done: false };
  const others = quietAnswers(asking);
  try {
    await vi.waitFor(() => expect(process.memoryUsage.rss()).toBeLessThan(most), { timeout: 50_000, interval: 200 });
  } finally {
    asking.done = true;
    expect(await others).toEqual([]);
  }
});

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
