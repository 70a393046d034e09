import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeArchive } from '../../src/policy/index.ts';
import { type Pdp, type PdpAnswer, startPdp } from '../support/pdp.ts';

interface Case {
  readonly name: string;
  readonly input: unknown;
  readonly decision: boolean;
  readonly reasons?: readonly string[];
  readonly authzenStatus?: 400;
}

const root = path.join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(path.join(root, 'test', 'cases', name), 'utf8');

const document = parse(read('todo.yaml'), { maxAliasCount: -1 }) as { bundle: string; cases: readonly Case[] };
const { cases } = document;

interface Said {
  readonly status: number;
  readonly decision: unknown;
  readonly reasons?: unknown;
  readonly cache: string | null;
}

/** How a wire asks one case, and where its answer stands. */
interface Wire {
  readonly name: string;
  readonly path: string;
  body(input: unknown): unknown;
  read(answer: PdpAnswer): Pick<Said, 'decision' | 'reasons'>;
  /** What else is said on this wire than the case's decision with status 200. */
  readonly isAuthzen: boolean;
}

type Result = { readonly allow: boolean; readonly reasons: readonly string[] };

const fromDecision = (value: unknown): Pick<Said, 'decision' | 'reasons'> => ({
  decision: (value as Result).allow,
  reasons: (value as Result).reasons,
});

const fromEvaluation = (value: unknown): Pick<Said, 'decision' | 'reasons'> => {
  const { decision, context } = value as { decision?: boolean; context?: { reasons?: unknown } };
  return { decision, reasons: context?.reasons };
};

const wires: readonly Wire[] = [
  {
    name: 'OPA v1',
    path: '/v1/data/todo/decision',
    body: (input) => ({ input }),
    read: ({ json }) => fromDecision((json as { result: unknown }).result),
    isAuthzen: false,
  },
  {
    name: 'OPA v1, the bare boolean',
    path: '/v1/data/todo/allow',
    body: (input) => ({ input }),
    read: ({ json }) => ({ decision: (json as { result: unknown }).result }),
    isAuthzen: false,
  },
  {
    name: 'OPA v0',
    path: '/v0/data/todo/decision',
    body: (input) => input,
    read: ({ json }) => fromDecision(json),
    isAuthzen: false,
  },
  {
    name: 'AuthZEN',
    path: '/access/v1/evaluation',
    body: (input) => input,
    read: ({ json }) => fromEvaluation(json),
    isAuthzen: true,
  },
  {
    name: 'AuthZEN, the bundle named in the path',
    path: '/todo/access/v1/evaluation',
    body: (input) => input,
    read: ({ json }) => fromEvaluation(json),
    isAuthzen: true,
  },
];

/** The same question with everything changed that no rule reads. */
const disguised = (input: unknown): unknown => {
  if (typeof input !== 'object' || input === null) return input;
  const { resource, context: _, ...rest } = input as { [name: string]: unknown };
  return {
    context: { 'x-request-id': 'r-2', at: 1.5 },
    trace: ['never', 'read'],
    ...(typeof resource === 'object' && resource !== null
      ? { resource: { ...resource, id: 'another', shelf: 9 } }
      : {}),
    ...rest,
  };
};

/** The same question with the members of every object in the opposite order. */
const turnedRound = (input: unknown): unknown => {
  if (Array.isArray(input)) return input.map(turnedRound);
  if (typeof input !== 'object' || input === null) return input;
  const members = Object.entries(input).map(([key, value]) => [key, turnedRound(value)] as const);
  return Object.fromEntries(members.reverse());
};

let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp({
    bundles: { [document.bundle]: path.join(root, 'policies', document.bundle) },
    sets: [`authzen.bundle=${document.bundle}`],
  });
});

afterAll(() => pdp?.stop());

const ask = async (wire: Wire, input: unknown): Promise<Said> => {
  const answer = await pdp.ask(wire.path, wire.body(input));
  const said = answer.status === 200 ? wire.read(answer) : { decision: undefined };
  return { status: answer.status, cache: answer.headers.get('verdict-cache'), ...said };
};

const wanted = (wire: Wire, { decision, reasons, authzenStatus }: Case): Partial<Said> => {
  if (wire.isAuthzen && authzenStatus !== undefined) return { status: authzenStatus, decision: undefined };
  return { status: 200, decision, ...(wire.name.includes('boolean') || reasons === undefined ? {} : { reasons }) };
};

test('the cases have the form that their schema gives', () => {
  const schema = JSON.parse(read('schema.json')) as object;
  const validate = new Ajv({ allErrors: true }).compile(schema);
  expect(validate(document), JSON.stringify(validate.errors, undefined, 2)).toBe(true);
  expect(validate({ bundle: 'todo', cases: [{ name: 'no decision', input: {} }] })).toBe(false);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

/** Asks all of them at once: the answers must not depend on what else is being asked. */
const askAll = (wire: Wire, asked: readonly Case[], change: (input: unknown) => unknown = (input) => input) =>
  Promise.all(asked.map(async (one) => ({ one, said: await ask(wire, change(one.input)) })));

describe.each(wires)('$name', (wire) => {
  const decided = cases.filter((one) => !(wire.isAuthzen && one.authzenStatus !== undefined));

  test('answers every case, and the same from the cache', async () => {
    for (const { one, said } of await askAll(wire, cases)) expect(said, one.name).toMatchObject(wanted(wire, one));
    for (const { one, said } of await askAll(wire, decided)) {
      expect(said, one.name).toMatchObject({ ...wanted(wire, one), cache: 'hit' });
    }
  });

  test('the same question in another spelling is a hit', async () => {
    await askAll(wire, decided);
    for (const { one, said } of await askAll(wire, decided, turnedRound)) {
      expect(said, one.name).toMatchObject({ ...wanted(wire, one), cache: 'hit' });
    }
  });

  test('what no rule reads changes no answer, and costs no hit', async () => {
    await askAll(wire, decided);
    for (const { one, said } of await askAll(wire, decided, disguised)) {
      expect(said, one.name).toMatchObject({ ...wanted(wire, one), cache: 'hit' });
    }
  });

  test('an answer that is asked for afresh is the same', async () => {
    const answers = await Promise.all(
      decided.map((one) => pdp.ask(wire.path, wire.body(one.input), { 'cache-control': 'no-cache' })),
    );
    decided.forEach((one, at) => {
      const answer = answers[at]!;
      expect(answer.headers.get('verdict-cache'), one.name).toBe('bypass');
      expect(wire.read(answer), one.name).toMatchObject({ decision: one.decision });
    });
  });
});

describe('AuthZEN in batches', () => {
  const batch = async (items: readonly unknown[]): Promise<readonly unknown[]> => {
    const answer = await pdp.ask('/access/v1/evaluations', { evaluations: items });
    expect(answer.status).toBe(200);
    return (answer.json as { evaluations: readonly unknown[] }).evaluations;
  };

  test.each(['fresh', 'from the cache'])('all cases in one batch are answered in order: %s', async () => {
    const answers = await batch(cases.map(({ input }) => input));
    expect(answers.length).toBe(cases.length);
    cases.forEach(({ name, decision, authzenStatus }, at) => {
      if (authzenStatus === undefined) expect(answers[at], name).toEqual({ decision });
      else expect(answers[at], name).toMatchObject({ decision: false, context: { error: { status: authzenStatus } } });
    });
  });

  test('each case alone in a batch has the answer that it has elsewhere', async () => {
    const answers = await Promise.all(cases.map(({ input }) => batch([input])));
    cases.forEach(({ name, decision }, at) => {
      expect(answers[at], name).toMatchObject([{ decision }]);
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

  test('nothing of the version before is answered any more, and all of it again after a rollback', async () => {
    const files = new Map([
      ['.manifest', Buffer.from('{"revision": "closed", "roots": ["todo"]}')],
      ['todo.rego', Buffer.from(closed)],
    ]);
    for (const wire of wires) await askAll(wire, cases);

    const pushed = await pdp.admin('PUT', '/v1/bundles/todo?activate=true', await writeArchive(files));
    expect(pushed.status, pushed.text).toBe(201);
    for (const wire of wires) {
      for (const { one, said } of await askAll(wire, cases)) {
        const shut = { ...one, decision: false, reasons: ['closed'] };
        expect(said, `${wire.name}: ${one.name}`).toMatchObject(wanted(wire, shut));
      }
    }

    expect((await pdp.admin('POST', '/v1/bundles/todo/rollback')).status).toBe(200);
    for (const wire of wires) {
      for (const { one, said } of await askAll(wire, cases)) {
        expect(said, `${wire.name}: ${one.name}`).toMatchObject(wanted(wire, one));
      }
    }
  });
});
