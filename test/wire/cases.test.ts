import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeArchive } from '../../src/policy/index.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { type Ask, type Said, unnamed, type Wire, wires } from './wires.ts';

interface Case {
  readonly name: string;
  readonly input: unknown;
  readonly decision: boolean;
  readonly reasons?: readonly string[];
  readonly authzenStatus?: 400;
}

type Members = { readonly [name: string]: unknown };

interface Document {
  readonly bundle: string;
  readonly unread: Members;
  readonly cases: readonly Case[];
}

const root = path.join(import.meta.dirname, '..', '..');
const folder = path.join(root, 'test', 'cases');
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

const documents = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => parse(read(name), { maxAliasCount: -1 }) as Document);

/** The bundle that answers AuthZEN when none is named. */
const named = 'todo';

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same question with everything changed that no rule reads. */
const disguised =
  (unread: Members) =>
  (input: unknown): unknown => {
    if (!isMembers(input)) return input;
    const changed = Object.entries(unread).flatMap(([name, value]) => {
      const own = input[name];
      // What is missing or no object stays so: that is what its case is about.
      if (name === 'resource' && !isMembers(own)) return [];
      return [[name, isMembers(value) && isMembers(own) ? { ...own, ...value } : value] as const];
    });
    return { ...Object.fromEntries(changed), ...omit(input, new Set(changed.map(([name]) => name))) };
  };

const omit = (value: Members, names: ReadonlySet<string>): Members =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));

/** The same question with the members of every object in the opposite order. */
const turnedRound = (input: unknown): unknown => {
  if (Array.isArray(input)) return input.map(turnedRound);
  if (!isMembers(input)) return input;
  const members = Object.entries(input).map(([key, value]) => [key, turnedRound(value)] as const);
  return Object.fromEntries(members.reverse());
};

let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp({
    bundles: Object.fromEntries(
      documents.map(({ bundle }) => [bundle, path.join(root, 'bundles', `${bundle}.tar.gz`)]),
    ),
    sets: [`authzen.bundle=${named}`],
  });
});

afterAll(() => pdp?.stop());

const wanted = (wire: Wire, { decision, reasons, authzenStatus }: Case): Partial<Said> => {
  if (wire.isAuthzen && authzenStatus !== undefined) return { status: authzenStatus, decision: undefined };
  return { status: 200, decision, ...(wire.isBare || reasons === undefined ? {} : { reasons }) };
};

/** Asks all of them at once: the answers must not depend on what else is being asked. */
const askAll = (ask: Ask, asked: readonly Case[], change: (input: unknown) => unknown = (input) => input) =>
  Promise.all(asked.map(async (one) => ({ one, said: await ask(change(one.input)) })));

test('the cases have the form that their schema gives, and there are some for every sample', () => {
  const validate = new Ajv({ allErrors: true }).compile(JSON.parse(read('schema.json')) as object);
  for (const document of documents) {
    expect(validate(document), JSON.stringify(validate.errors, undefined, 2)).toBe(true);
    expect(new Set(document.cases.map(({ name }) => name)).size).toBe(document.cases.length);
  }
  expect(validate({ bundle: 'todo', cases: [{ name: 'no decision', input: {} }] })).toBe(false);
  expect(documents.map(({ bundle }) => bundle).sort()).toEqual(readdirSync(path.join(root, 'policies')).sort());
});

describe.each(documents)('$bundle', ({ bundle, unread, cases }) => {
  const spoken = bundle === named ? [...wires, unnamed] : wires;

  describe.each(spoken)('over $name', (wire) => {
    const decided = cases.filter((one) => !(wire.isAuthzen && one.authzenStatus !== undefined));
    let line: ReturnType<Wire['open']>;

    beforeAll(() => {
      line = wire.open(pdp, bundle);
    });

    afterAll(() => line.close?.());

    test('answers every case, and the same from the cache', async () => {
      for (const { one, said } of await askAll(line.ask, cases))
        expect(said, one.name).toMatchObject(wanted(wire, one));
      for (const { one, said } of await askAll(line.ask, decided)) {
        expect(said, one.name).toMatchObject({ ...wanted(wire, one), cache: 'hit' });
      }
    });

    test('the same question in another spelling is a hit', async () => {
      await askAll(line.ask, decided);
      for (const { one, said } of await askAll(line.ask, decided, turnedRound)) {
        expect(said, one.name).toMatchObject({ ...wanted(wire, one), cache: 'hit' });
      }
    });

    test('what no rule reads changes no answer, and costs no hit', async () => {
      await askAll(line.ask, decided);
      for (const { one, said } of await askAll(line.ask, decided, disguised(unread))) {
        expect(said, one.name).toMatchObject({ ...wanted(wire, one), cache: 'hit' });
      }
    });

    test('an answer that is asked for afresh is the same', async () => {
      const answers = await Promise.all(decided.map(async (one) => ({ one, said: await line.ask(one.input, true) })));
      for (const { one, said } of answers) {
        expect(said, one.name).toMatchObject({ decision: one.decision, cache: 'bypass' });
      }
    });
  });

  describe('AuthZEN in batches', () => {
    const batch = async (items: readonly unknown[]): Promise<readonly unknown[]> => {
      const answer = await pdp.ask(`/${bundle}/access/v1/evaluations`, { evaluations: items });
      expect(answer.status).toBe(200);
      return (answer.json as { evaluations: readonly unknown[] }).evaluations;
    };

    test.each(['fresh', 'from the cache'])('all cases in one batch are answered in order: %s', async () => {
      const answers = await batch(cases.map(({ input }) => input));
      expect(answers.length).toBe(cases.length);
      cases.forEach(({ name, decision, authzenStatus }, at) => {
        if (authzenStatus === undefined) expect(answers[at], name).toEqual({ decision });
        else {
          const refused = { decision: false, context: { error: { status: authzenStatus } } };
          expect(answers[at], name).toMatchObject(refused);
        }
      });
    });

    test('each case alone in a batch has the answer that it has elsewhere', async () => {
      const answers = await Promise.all(cases.map(({ input }) => batch([input])));
      cases.forEach(({ name, decision }, at) => {
        expect(answers[at], name).toMatchObject([{ decision }]);
      });
    });
  });
});

describe('across an activation', () => {
  const closed = `package todo

# METADATA
# entrypoint: true
# custom:
#   verdict: result
#   authzen: {evaluation: true}
decision := {"allow": allow, "reasons": {"closed"}}

# METADATA
# entrypoint: true
allow := false
`;
  const cases = documents.find(({ bundle }) => bundle === 'todo')?.cases ?? [];

  test('nothing of the version before is answered any more, and all of it again after a rollback', async () => {
    const files = new Map([
      ['.manifest', Buffer.from('{"revision": "closed", "roots": ["todo"]}')],
      ['todo.rego', Buffer.from(closed)],
    ]);
    const lines = [...wires, unnamed].map((wire) => ({ wire, ...wire.open(pdp, 'todo') }));
    for (const { ask } of lines) await askAll(ask, cases);

    const pushed = await pdp.admin('PUT', '/v1/bundles/todo?activate=true', await writeArchive(files));
    expect(pushed.status, pushed.text).toBe(201);
    for (const { wire, ask } of lines) {
      for (const { one, said } of await askAll(ask, cases)) {
        const shut = { ...one, decision: false, reasons: ['closed'] };
        expect(said, `${wire.name}: ${one.name}`).toMatchObject(wanted(wire, shut));
      }
    }

    expect((await pdp.admin('POST', '/v1/bundles/todo/rollback')).status).toBe(200);
    for (const { wire, ask } of lines) {
      for (const { one, said } of await askAll(ask, cases)) {
        expect(said, `${wire.name}: ${one.name}`).toMatchObject(wanted(wire, one));
      }
    }
    for (const line of lines) line.close?.();
  });
});
