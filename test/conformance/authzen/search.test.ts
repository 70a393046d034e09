import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../../support/pdp.ts';
import { arePresent, expectJson, type Members, readVectors, root, whereFrom } from './vectors.ts';

interface Vector {
  readonly request: Members;
  readonly expected: { readonly results: readonly Members[] };
}

type Sought = 'subject' | 'resource' | 'action';

const files = [
  { name: 'search/subject-results.json', sought: 'subject', count: 60 },
  { name: 'search/resource-results.json', sought: 'resource', count: 18 },
  { name: 'search/action-results.json', sought: 'action', count: 120 },
  { name: 'idp/results.json', sought: 'resource', count: 6 },
] as const;

const read = (name: string): readonly Vector[] => {
  const document = readVectors(name) as { evaluation?: readonly Vector[]; search?: readonly Vector[] };
  return document.evaluation ?? document.search ?? [];
};

interface Data {
  readonly users: { readonly [id: string]: Members };
  readonly records: { readonly [id: string]: Members };
  readonly actions: readonly string[];
}

const data = (JSON.parse(readFileSync(path.join(root, 'policies', 'search', 'data.json'), 'utf8')) as { search: Data })
  .search;

const candidates: { readonly [sought in Sought]: readonly Members[] } = {
  subject: Object.keys(data.users).map((id) => ({ type: 'user', id })),
  resource: Object.keys(data.records).map((id) => ({ type: 'record', id })),
  action: data.actions.map((name) => ({ name })),
};

const sorted = (results: readonly Members[]): readonly string[] => results.map((one) => JSON.stringify(one)).sort();

describe.skipIf(!arePresent)('the search and identity-provider interop vectors, for the bundle search', () => {
  let pdp: Pdp;

  beforeAll(async () => {
    pdp = await startPdp({ bundles: { search: path.join(root, 'bundles', 'search.tar.gz') } });
  });

  afterAll(() => pdp?.stop());

  test('the data of the policy is what the vectors rest on', () => {
    const users = readVectors('search/users.json') as readonly Members[];
    expect(data.users).toEqual(Object.fromEntries(users.map(({ id, ...about }) => [String(id), about])));
    const records = readVectors('search/records.json') as readonly Members[];
    expect(data.records).toEqual(Object.fromEntries(records.map(({ id, title: _, ...about }) => [String(id), about])));
    for (const { id, owner } of readVectors('idp/records.json') as readonly { id: string; owner: string }[]) {
      expect(data.records[id]?.owner).toBe(owner);
    }
  });

  test.each(files)('$name: each of $count searches is what evaluating its candidates permits', async (file) => {
    const vectors = read(file.name);
    expect(vectors).toHaveLength(file.count);
    for (const [at, { request, expected }] of vectors.entries()) {
      const offered = candidates[file.sought];
      const evaluations = offered.map((candidate) => ({ [file.sought]: candidate }));
      const answer = await pdp.ask('/access/v1/evaluations', { ...request, evaluations });
      expectJson(answer, `${file.name} ${at}`);
      const decisions = (answer.json as { evaluations: readonly { decision: boolean }[] }).evaluations;
      const permitted = offered.filter((_, index) => decisions[index]?.decision);
      expect(sorted(permitted), `${file.name} ${at}`).toEqual(sorted(expected.results));
    }
  });

  // The search API is not offered yet. When it is, this test fails, and the searches are to be asked themselves.
  test('198 search and 6 identity-provider vectors wait for the search API, which is not offered', async (context) => {
    let waiting = 0;
    for (const { name, sought } of files) {
      for (const { request } of read(name)) {
        const answer = await pdp.ask(`/search/access/v1/search/${sought}`, request);
        expect(answer.status, name).toBe(404);
        waiting++;
      }
    }
    expect(waiting).toBe(198 + 6);
    await context.annotate('204 vectors wait: 198 of search, 6 of the identity provider', 'waiting');
  });
});

if (!arePresent) {
  test('the search and identity-provider interop vectors are not here', (context) => context.skip(whereFrom));
}
