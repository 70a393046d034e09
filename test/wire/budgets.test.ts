import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOf } from '../policy/archives.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';

const BATCH = 'server.http.limits.batchInstructions=2000000';

let pdp: Pdp;
beforeAll(async () => {
  pdp = await startPdp({ sets: ['engine.instructions=1000000', 'engine.maxInstructions=50000000', BATCH] });
});
afterAll(() => pdp.stop());

const policy = (budget: string) => `package shop

plain := count([1 | some a in numbers.range(1, 300); some b in numbers.range(1, 300); a == b])

# METADATA
# custom:
#   engine: ${budget}
own := count([1 | some a in numbers.range(1, 300); some b in numbers.range(1, 300); a == b])
`;

const push = async (budget: string) =>
  pdp.admin('PUT', '/v1/bundles/shop?activate=true', await archiveOf({ 'shop.rego': policy(budget) }));

const ask = async (rule: string): Promise<unknown> => {
  const { status, json } = await pdp.ask(`/v1/data/shop/${rule}`, { input: {} });
  return status === 200 ? (json as { result: unknown }).result : status;
};

test('METADATA gives a rule a budget of its own, and what bundles use is counted', async () => {
  expect((await push('{instructions: 50000000}')).status).toBe(201);
  expect([await ask('plain'), await ask('own')]).toEqual([500, 300]);
  const { text } = await pdp.admin('GET', '/metrics');
  expect(Number(/verdict_evaluation_points_total\{bundle="shop"\} (\d+)/.exec(text)?.[1])).toBeGreaterThan(2_000_000);
});

test.each(['{instructions: 50000001}', '{instructions: 9999}', '{instructions: "many"}', '7'])(
  'a budget out of bounds is refused at its line, and the active version stays: %s',
  async (budget) => {
    const refused = await push(budget);
    expect([refused.status, refused.text]).toEqual([422, expect.stringMatching(/shop\.rego:\d+.*custom\.engine/s)]);
    expect(await ask('own')).toBe(300);
  },
);

test('a batch of costly questions uses little more than its budget', async () => {
  expect((await push('{instructions: 50000000}')).status).toBeLessThan(202);
  const inputs = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [at, { at }]));
  const { status, json } = await pdp.ask('/v1/batch/data/shop/plain', { inputs });
  const { responses } = json as { responses: { [id: string]: { errors: readonly { message: string }[] } } };
  expect(status).toBe(500);
  // Each evaluation ends at its own million points.
  const told = Object.values(responses).map(({ errors }) => errors[0]?.message.startsWith('the batch used up'));
  expect(told.filter((of) => of === false)).toHaveLength(2);
  expect(told.filter((of) => of === true)).toHaveLength(48);
});
