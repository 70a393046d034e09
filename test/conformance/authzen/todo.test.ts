import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Pdp, type PdpAnswer, startPdp } from '../../support/pdp.ts';

// The public interop vectors of OpenID AuthZEN carry no licence to copy them: they lie beside the checkout, not in it.
const root = path.join(import.meta.dirname, '..', '..', '..');
const folder = path.join(root, '..', 'shared', 'conformance', 'authzen', 'todo');

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
  const document = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as {
    evaluation?: readonly Vector[];
    decisions?: readonly Vector[];
    evaluations?: readonly Batch[];
  };
  return { singles: document.evaluation ?? document.decisions ?? [], batches: document.evaluations ?? [] };
};

let pdp: Pdp;

const present = existsSync(folder);

/** Stricter than the standard's own runner: the status, the type and a boolean count too. */
const expectJson = (answer: PdpAnswer, place: string): void => {
  expect(answer.status, place).toBe(200);
  expect(answer.headers.get('content-type'), place).toMatch(/^application\/json(;|$)/);
};

const rounds = ['fresh', 'from the cache'] as const;

describe.skipIf(!present)('the Todo interop vectors', () => {
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

  describe.each(rounds)('%s', (round) => {
    test.each(files)('$name: $singles evaluations', async ({ name }) => {
      for (const [at, { request, expected }] of read(name).singles.entries()) {
        const place = `${name} evaluation ${at}`;
        const answer = await pdp.ask('/access/v1/evaluation', request);
        expectJson(answer, place);
        expect((answer.json as { decision: unknown }).decision, place).toBe(expected);
        if (round === 'from the cache') expect(answer.headers.get('verdict-cache'), place).toBe('hit');
      }
    });

    test('batches are answered item by item, in order, with nothing but the decision', async () => {
      for (const [at, { request, expected }] of read(files[0].name).batches.entries()) {
        const place = `batch ${at}`;
        const answer = await pdp.ask('/access/v1/evaluations', request);
        expectJson(answer, place);
        const { evaluations } = answer.json as { evaluations: unknown };
        expect(JSON.stringify(evaluations), place).toBe(JSON.stringify(expected));
      }
    });
  });
});

if (!present) {
  test('the Todo interop vectors are not here', (context) => {
    context.skip(`no vectors at ${folder}: they come from github openid/authzen, interop/authzen-todo-backend/test`);
  });
}
