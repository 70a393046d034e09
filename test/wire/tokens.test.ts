import { Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callDecide, clientFor, json } from '../support/decision-grpc.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';

let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp({ bundles: { todo: 'policies/todo' }, sets: ['authzen.bundle=todo'] });
});

afterAll(() => pdp?.stop());

const made = async (name: string, more: object): Promise<string> => {
  const { json: body } = await pdp.admin('POST', '/v1/tokens', { name, roles: ['ask'], ...more });
  return (body as { secret: string }).secret;
};

const askOverGrpc = async (token: string): Promise<string> => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const asked = { path: 'todo/allow', input: json('{}') };
  try {
    const { decision } = await callDecide(clientFor(String(pdp.urls.grpc)), asked, metadata);
    const { verdict } = decision ?? {};
    return verdict?.case === 'failed' ? verdict.value.code : String(verdict?.case);
  } catch (error) {
    return status[(error as { code: number }).code] ?? '';
  }
};

const QUESTION = { subject: { type: 'user', id: 'x' }, action: { name: 'y' }, resource: { type: 'z', id: '1' } };

/** What a token is answered over the Data API, AuthZEN and gRPC. */
const answered = async (token: string): Promise<readonly (number | string)[]> => {
  const headers = { authorization: `Bearer ${token}` };
  return [
    (await pdp.ask('/v1/data/todo/allow', { input: {} }, headers)).status,
    (await pdp.ask('/access/v1/evaluation', QUESTION, headers)).status,
    await askOverGrpc(token),
  ];
};

test('revoking a token never gives its holder more than the token allowed', async () => {
  const elsewhere = await made('elsewhere', { bundles: ['payroll'] });
  const asker = await made('asker', { bundles: ['todo'] });
  expect(await answered(elsewhere)).toEqual([403, 403, 'forbidden']);
  expect(await answered(asker)).toEqual([200, 200, 'decided']);
  for (const name of ['elsewhere', 'asker']) await pdp.admin('DELETE', `/v1/tokens/${name}`);
  for (const token of [elsewhere, asker, `${asker}x`, asker.slice(0, -1)])
    expect(await answered(token)).toEqual([401, 401, 'UNAUTHENTICATED']);
  expect(await answered('eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl')).toEqual([200, 200, 'decided']);
});

test('what was refused for its token is counted by listener, and no token is told or logged', async () => {
  const token = `vdt_${'x'.repeat(43)}`;
  const { json: body, headers, text } = await pdp.ask('/v1/data/todo', {}, { authorization: `Bearer ${token}` });
  expect(body).toMatchObject({ code: 'unauthorized' });
  expect(headers.get('www-authenticate')).toBe('Bearer realm="verdict", error="invalid_token"');
  expect(text).not.toContain('vdt_');
  await askOverGrpc(token);
  const metrics = (await pdp.admin('GET', '/metrics')).text;
  for (const listener of ['http', 'grpc'])
    expect(metrics).toMatch(
      new RegExp(`verdict_requests_refused_total\\{listener="${listener}",reason="token_invalid"\\} [1-9]`),
    );
  expect(pdp.log()).not.toContain('vdt_');
});
