import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeArchive } from '../../src/policy/index.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { load, post } from './client.ts';

// Version n says n three times: in a rule, in a rule of another package, and in its data. An answer that was put
// together from two versions would say two numbers.
const version = (n: number): Promise<Uint8Array> => {
  const files = {
    'mix/top.rego': `package mix\n\nseen := {"rule": ${n}, "other": data.mix.part.value, "data": data.mix.number, "asked": input.n}\n`,
    'mix/part.rego': `package mix.part\n\nvalue := ${n}\n`,
    'data.json': `{"mix":{"number":${n}}}`,
    '.manifest': `{"revision":"r${n}","roots":["mix"]}`,
  };
  return writeArchive(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])));
};

interface Seen {
  readonly rule: number;
  readonly other: number;
  readonly data: number;
}

const VERSIONS = 6;
let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp();
  for (let n = 1; n <= VERSIONS; n++) {
    const pushed = await pdp.admin('PUT', `/v1/bundles/mix${n === 1 ? '?activate=true' : ''}`, await version(n));
    expect(pushed.status, pushed.text).toBe(201);
  }
}, 120_000);

afterAll(() => pdp?.stop());

test('activations under load: no answer mixes versions, and none is older than the last confirmed activation', async () => {
  let confirmed = 1;
  let finished = false;
  /** What was confirmed when the n-th question was put on the wire. */
  const confirmedAtAsking: number[] = [];
  const faults: string[] = [];
  const told = new Set<number>();

  const asking = load({
    port: Number(new URL(pdp.urls.http).port),
    connections: 8,
    request: (n) => {
      if (finished) return undefined;
      confirmedAtAsking[n] = confirmed;
      // Half of the questions repeat, so that remembered answers are under test as well as new ones.
      return post('/v1/data/mix/seen', `{"input":{"n":${n % 2 === 0 ? n : 1}}}`);
    },
    onAnswer: ({ status, head, body }, n) => {
      const { rule, other, data } = (JSON.parse(body) as { result: Seen }).result;
      const named = Number(/\r\nverdict-policy: mix@(\d+)/i.exec(head)?.[1]);
      told.add(rule);
      const isWhole = status === 200 && rule === other && rule === data && rule === named;
      if (!isWhole) faults.push(`mixed: ${status} ${named} ${body}`);
      // Activations go 1, 2, ... 6, 1, 2, ...: one that was asked for but not yet confirmed may already answer.
      const atAsking = confirmedAtAsking[n] as number;
      const isCurrent =
        rule === atAsking ||
        rule === (atAsking % VERSIONS) + 1 ||
        rule === confirmed ||
        rule === (confirmed % VERSIONS) + 1;
      if (!isCurrent) faults.push(`old: asked at ${atAsking}, answered ${rule}`);
    },
  });

  for (let round = 0; round < 30; round++) {
    const next = (confirmed % VERSIONS) + 1;
    const activated = await pdp.admin('POST', `/v1/bundles/mix/versions/${next}/activate`);
    expect(activated.status, activated.text).toBe(200);
    confirmed = next;
    const now = await pdp.ask('/v1/data/mix/seen', { input: { n: 1 } });
    expect((now.json as { result: Seen }).result).toMatchObject({ rule: next, other: next, data: next });
  }
  finished = true;
  const { unanswered } = await asking;

  expect(faults.slice(0, 5)).toEqual([]);
  expect(unanswered).toBe(0);
  expect([...told].sort()).toEqual([1, 2, 3, 4, 5, 6]);
}, 120_000);
