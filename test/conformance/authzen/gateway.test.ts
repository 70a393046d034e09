import path from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultArchiveLimits, readDirectory, writeArchive } from '../../../src/policy/index.ts';
import { callDecide, json, resultOf } from '../../support/decision-grpc.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';
import { arePresent, expectJson, readVectors, root, whereFrom, withUnread } from './vectors.ts';

interface Vector {
  readonly request: unknown;
  readonly expected: boolean;
}

const vectors = arePresent
  ? (readVectors('api-gateway/decisions.json') as { evaluation: readonly Vector[] }).evaluation
  : [];

/** The gateway policy again, with a route more: another version, the same answers. */
const nextVersion = async (): Promise<Uint8Array> => {
  const { files: members } = await readDirectory(path.join(root, 'policies', 'gateway'), defaultArchiveLimits);
  const data = Buffer.from(members.get('data.json') ?? '').toString();
  const more = data.replace('"routes": {', '"routes": {"/version": {"GET": {"open": true}},');
  expect(more).not.toBe(data);
  return writeArchive(new Map([...members, ['data.json', Buffer.from(more)]]));
};

const rounds = [
  { round: 'fresh', policy: 'gateway@1', asked: (request: unknown) => request },
  { round: 'from the cache', policy: 'gateway@1', asked: (request: unknown) => request },
  { round: 'with members that no rule reads', policy: 'gateway@1', asked: withUnread },
  { round: 'after an activation', policy: 'gateway@2', asked: (request: unknown) => request },
] as const;

describe.skipIf(!arePresent)('the API gateway interop vectors', () => {
  let pdp: Pdp;

  beforeAll(async () => {
    pdp = await startPdp({ bundles: { gateway: path.join(root, 'bundles', 'gateway.tar.gz') } });
  });

  afterAll(() => pdp?.stop());

  test('all 25 are there', () => {
    expect(vectors).toHaveLength(25);
  });

  describe.each(rounds)('$round', ({ round, policy, asked }) => {
    beforeAll(async () => {
      if (round !== 'after an activation') return;
      const pushed = await pdp.admin('PUT', '/v1/bundles/gateway?activate=true', await nextVersion());
      expect(pushed.status, pushed.text).toBe(201);
    });

    test('over AuthZEN', async () => {
      for (const [at, { request, expected }] of vectors.entries()) {
        const place = `evaluation ${at}`;
        const answer = await pdp.ask('/access/v1/evaluation', asked(request));
        expectJson(answer, place);
        expect(answer.headers.get('verdict-policy'), place).toBe(policy);
        expect((answer.json as { decision: unknown }).decision, place).toBe(expected);
        if (round === 'from the cache') expect(answer.headers.get('verdict-cache'), place).toBe('hit');
      }
    });

    test('in one AuthZEN batch', async () => {
      const answer = await pdp.ask('/access/v1/evaluations', { evaluations: vectors.map((one) => asked(one.request)) });
      expectJson(answer, 'batch');
      expect(answer.json).toEqual({ evaluations: vectors.map(({ expected }) => ({ decision: expected })) });
    });

    test('over gRPC', async () => {
      const client = new Client(pdp.urls.grpc ?? '', credentials.createInsecure());
      for (const [at, { request, expected }] of vectors.entries()) {
        const input = json(JSON.stringify(asked(request)));
        const { decision } = await callDecide(client, { path: 'gateway/allow', input });
        expect(resultOf(decision), `evaluation ${at}`).toBe(String(expected));
        expect(`${decision?.policies[0]?.name}@${decision?.policies[0]?.version}`).toBe(policy);
      }
      client.close();
    });
  });
});

if (!arePresent) {
  test('the API gateway interop vectors are not here', (context) => context.skip(whereFrom));
}
