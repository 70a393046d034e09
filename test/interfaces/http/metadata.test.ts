import { describe, expect, test } from 'vitest';
import { startHttp } from '../../support/decision-http.ts';

const METADATA = '/.well-known/authzen-configuration';

describe('AuthZEN metadata', () => {
  test('it names what is offered, at the address that was asked, whatever the Host says', async () => {
    const { call, server } = await startHttp();
    const answer = await call(METADATA, { headers: { Host: 'localhost:1', 'X-Request-ID': 'r1' } });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'max-age=300', 'x-request-id': 'r1' },
    });
    expect(JSON.parse(answer.body)).toEqual({
      policy_decision_point: server.url,
      access_evaluation_endpoint: `${server.url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${server.url}/access/v1/evaluations`,
    });
  });

  test('one bundle has its own, under the public URL where one is configured', async () => {
    const { call } = await startHttp({ authzenBaseUrl: 'https://pdp.example/authz' });
    const answer = await call(`${METADATA}/shop`);
    expect(JSON.parse(answer.body)).toEqual({
      policy_decision_point: 'https://pdp.example/authz/shop',
      access_evaluation_endpoint: 'https://pdp.example/authz/shop/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.example/authz/shop/access/v1/evaluations',
    });
  });

  test('what it names answers', async () => {
    const { call, server } = await startHttp();
    const { access_evaluation_endpoint: endpoint } = JSON.parse((await call(`${METADATA}/shop`)).body) as {
      access_evaluation_endpoint: string;
    };
    const alice = { subject: { type: 'u', id: 'alice' }, action: { name: 'r' }, resource: { type: 'd', id: '1' } };
    const headers = { 'Content-Type': 'application/json' };
    const answer = await call(endpoint.slice(server.url.length), { headers, body: JSON.stringify(alice) });
    expect(answer.body).toBe('{"decision":true}\n');
  });

  test.each(['/nothing', '/Shop', '/shop/x'])('%s is not found', async (bundle) => {
    const { call } = await startHttp();
    expect(await call(METADATA + bundle)).toMatchObject({ status: 404 });
  });

  test('only GET is taken', async () => {
    const { call } = await startHttp();
    expect(await call(METADATA, { body: '{}' })).toMatchObject({ status: 405, headers: { allow: 'GET' } });
  });
});
