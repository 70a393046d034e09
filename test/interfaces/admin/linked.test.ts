import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOf } from '../../policy/archives.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';

let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp();
});

afterAll(() => pdp.stop());

const push = async (name: string, files: { readonly [file: string]: string }, activate = true) =>
  pdp.admin('PUT', `/v1/bundles/${name}?activate=${activate}`, await archiveOf(files));

const shop = {
  'shop.rego': 'package shop\n\nallow if data.people.adult(input.age)\n\nlimit := data.limits[input.tier]\n',
};
const people = (age: number) => ({ 'p.rego': `package people\n\nadult(age) if age >= ${age}\n` });
const limits = (gold: number, version = 1) => ({ 'data.json': JSON.stringify({ limits: { gold }, version }) });

const question = { input: { age: 20, tier: 'gold' } };

/** The answer, where it came from, and from which versions. */
const ask = async (path: string, body: unknown = question) => {
  const { json, headers } = await pdp.ask(`/v1/data/${path}`, body);
  const { result } = json as { readonly result?: unknown };
  return [result, headers.get('verdict-cache'), headers.get('verdict-policy')];
};

test('an activation that nothing provides for yet is a 409 with its place, and a push is a 201 with a note', async () => {
  const pushed = await push('shop', shop, false);
  expect(pushed.status).toBe(201);
  const refused = await pdp.admin('POST', '/v1/bundles/shop/versions/1/activate');
  expect(refused.status).toBe(409);
  expect(refused.json).toMatchObject({
    code: 'REFERENCE_UNPROVIDED',
    problems: [
      { file: 'shop.rego', row: 5, message: expect.stringContaining('data.limits') },
      { file: 'shop.rego', row: 3, message: expect.stringContaining('data.people.adult') },
    ],
  });
});

test('a change of what an answer rests on is seen at once; a change elsewhere keeps it remembered', async () => {
  await push('people', people(18));
  await push('limits', limits(100));
  expect((await pdp.admin('POST', '/v1/bundles/shop/versions/1/activate')).status).toBe(200);

  const both = 'limits@1, people@1, shop@1';
  expect(await ask('shop/allow')).toEqual([true, 'miss', both]);
  expect(await ask('shop/limit')).toEqual([100, 'miss', both]);
  for (let time = 0; time < 3; time++) expect(await ask('shop/allow')).toEqual([true, 'hit', both]);

  // Neither an unrelated bundle nor other data of a bundle that is read costs an entry.
  await push('else', { 'e.rego': 'package elsewhere\n\nx := 1\n' });
  await push('limits', limits(100, 2));
  expect(await ask('shop/allow')).toEqual([true, 'hit', both]);
  expect((await ask('shop/limit')).slice(0, 2)).toEqual([100, 'hit']);

  await push('people', people(21));
  expect(await ask('shop/allow')).toEqual([undefined, 'miss', 'limits@2, people@2, shop@1']);
  await push('limits', limits(200));
  expect((await ask('shop/limit')).slice(0, 2)).toEqual([200, 'miss']);

  await pdp.admin('POST', '/v1/bundles/people/rollback');
  expect(await ask('shop/allow')).toEqual([true, 'miss', 'limits@3, people@1, shop@1']);
});

test('the record names every version that the answer was made from', async () => {
  const { headers } = await pdp.ask('/v1/data/shop/allow', question);
  const { json } = await pdp.admin('GET', `/v1/decisions/${headers.get('verdict-decision-id')}`);
  const { policies } = json as { readonly policies: readonly { readonly name: string; readonly linked?: true }[] };
  expect(policies.map(({ name, linked }) => [name, linked])).toEqual([
    ['limits', true],
    ['people', true],
    ['shop', undefined],
  ]);
});

test('a caller of one bundle may ask it, whatever it is linked with', async () => {
  const made = await pdp.admin('POST', '/v1/tokens', { name: 'shopper', roles: ['ask'], bundles: ['shop'] });
  const { secret } = made.json as { readonly secret: string };
  const asking = (path: string) => pdp.ask(`/v1/data/${path}`, question, { authorization: `Bearer ${secret}` });
  expect((await asking('shop/allow')).json).toMatchObject({ result: true });
  expect((await asking('limits/gold')).status).toBe(403);
});

test('a version that an active one cannot be linked with is refused with the place in the other bundle', async () => {
  const refused = await push('people', { 'p.rego': 'package people\n\nadult(age, country) if age >= country\n' });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.json).toMatchObject({
    detail: expect.stringMatching(/^shop@1 cannot be linked: shop@1:shop\.rego:3:10: /),
    problems: [{ file: 'shop@1:shop.rego', row: 3 }],
  });
  expect((await ask('shop/allow'))[0]).toBe(true);
});
