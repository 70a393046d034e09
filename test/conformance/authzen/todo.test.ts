import path from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultArchiveLimits, readDirectory, writeArchive } from '../../../src/policy/index.ts';
import { callDecide, json, resultOf } from '../../support/decision-grpc.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';
import { arePresent, expectJson, type Members, readVectors, root, whereFrom, withUnread } from './vectors.ts';

interface Vector {
  readonly request: unknown;
  readonly expected: boolean;
}

interface Batch {
  readonly request: unknown;
  readonly expected: readonly unknown[];
}

const files = [
  { name: 'decisions-authorization-api-1_0-02.json', singles: 40, batches: 3 },
  { name: 'decisions-authorization-api-1_0-01.json', singles: 40, batches: 0 },
  { name: 'decisions-authorization-api-1_0-00.json', singles: 40, batches: 0 },
  { name: 'decisions-legacy.json', singles: 40, batches: 0 },
] as const;

const read = (name: string): { readonly singles: readonly Vector[]; readonly batches: readonly Batch[] } => {
  const document = readVectors(`todo/${name}`) as {
    evaluation?: readonly Vector[];
    decisions?: readonly Vector[];
    evaluations?: readonly Batch[];
  };
  return { singles: document.evaluation ?? document.decisions ?? [], batches: document.evaluations ?? [] };
};

let pdp: Pdp;

/** The Todo policy again, with a user more: another version, the same answers. */
const nextVersion = async (): Promise<Uint8Array> => {
  const { files: members } = await readDirectory(path.join(root, 'policies', 'todo'), defaultArchiveLimits);
  const data = Buffer.from(members.get('data.json') ?? '').toString();
  const more = data.replace('"users": {', '"users": {"id-of-squanchy": {"email": "s@example.com", "roles": []},');
  expect(more).not.toBe(data);
  return writeArchive(new Map([...members, ['data.json', Buffer.from(more)]]));
};

/** The questions of a batch: what it says for all, under what each item says. */
const apart = ({ request, expected }: Batch): readonly Vector[] => {
  const { evaluations, ...common } = request as Members & { readonly evaluations: readonly Members[] };
  return evaluations.map((item, at) => ({
    request: { ...common, ...item },
    expected: (expected[at] as { decision: boolean }).decision,
  }));
};

const rounds = [
  { round: 'fresh', policy: 'todo@1', asked: (request: unknown) => request },
  { round: 'from the cache', policy: 'todo@1', asked: (request: unknown) => request },
  { round: 'with members that no rule reads', policy: 'todo@1', asked: withUnread },
  { round: 'after an activation', policy: 'todo@2', asked: (request: unknown) => request },
] as const;

describe.skipIf(!arePresent)('the Todo interop vectors', () => {
  beforeAll(async () => {
    pdp = await startPdp({
      bundles: { todo: path.join(root, 'bundles', 'todo.tar.gz') },
      sets: ['authzen.bundle=todo'],
    });
  });

  afterAll(() => pdp?.stop());

  test('all 163 are there', () => {
    const found = files.map(({ name }) => ({
      name,
      singles: read(name).singles.length,
      batches: read(name).batches.length,
    }));
    expect(found).toEqual(files);
    expect(files.reduce((sum, { singles, batches }) => sum + singles + batches, 0)).toBe(163);
  });

  describe.each(rounds)('$round', ({ round, policy, asked }) => {
    beforeAll(async () => {
      if (round !== 'after an activation') return;
      const pushed = await pdp.admin('PUT', '/v1/bundles/todo?activate=true', await nextVersion());
      expect(pushed.status, pushed.text).toBe(201);
    });

    test.each(files)('$name: $singles evaluations', async ({ name }) => {
      for (const [at, { request, expected }] of read(name).singles.entries()) {
        const place = `${name} evaluation ${at}`;
        const answer = await pdp.ask('/access/v1/evaluation', asked(request));
        expectJson(answer, place);
        expect(answer.headers.get('verdict-policy'), place).toBe(policy);
        expect((answer.json as { decision: unknown }).decision, place).toBe(expected);
        if (round === 'from the cache') expect(answer.headers.get('verdict-cache'), place).toBe('hit');
      }
    });

    test('batches are answered item by item, in order, with nothing but the decision', async () => {
      for (const [at, { request, expected }] of read(files[0].name).batches.entries()) {
        const place = `batch ${at}`;
        const answer = await pdp.ask('/access/v1/evaluations', asked(request));
        expectJson(answer, place);
        const { evaluations } = answer.json as { evaluations: unknown };
        expect(JSON.stringify(evaluations), place).toBe(JSON.stringify(expected));
      }
    });

    test('the same over gRPC, where a batch is its questions one by one', async () => {
      const client = new Client(pdp.urls.grpc ?? '', credentials.createInsecure());
      const questions = files.flatMap(({ name }) => [...read(name).singles, ...read(name).batches.flatMap(apart)]);
      for (const [at, { request, expected }] of questions.entries()) {
        const { decision } = await callDecide(client, {
          path: 'todo/allow',
          input: json(JSON.stringify(asked(request))),
        });
        expect(resultOf(decision), `question ${at}`).toBe(String(expected));
        expect(`${decision?.policies[0]?.name}@${decision?.policies[0]?.version}`, `question ${at}`).toBe(policy);
      }
      client.close();
    });
  });
});

if (!arePresent) {
  test('the Todo interop vectors are not here', (context) => context.skip(whereFrom));
}
