/** A question in nobody's dialect: each server's file writes it in that server's own. */
export interface Question {
  readonly subject: {
    readonly id: string;
    /** What a policy of Cerbos is told about the subject; policies in Rego look it up, where `findsRoles` says so. */
    readonly roles: readonly string[];
    readonly attributes: Attributes;
  };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string; readonly attributes: Attributes };
  /** The right answer. */
  readonly isPermitted: boolean;
}

export type Attributes = { readonly [name: string]: string | number | boolean };

/** File texts by path. */
export type Files = ReadonlyMap<string, string>;

/** One policy in two languages, and questions to it. */
export interface Scenario {
  readonly name: string;
  /** What it is, in a line of the report. */
  readonly about: string;
  /** Rego and data: the bundle of OPA and of Verdict. Its package is `name`, its answer the rule `allow`. */
  readonly rego: Files;
  /** The same policy for Cerbos. */
  readonly cerbos: Files;
  /** True where the policy in Rego knows the subject's roles from its data: they are no part of its input then. */
  readonly findsRoles: boolean;
  /**
   * The n-th question, asked by the subject that `who` stands for. Two numbers from 1,000 on give two questions that
   * differ in a member which the policy reads, so that nobody can know the one's answer from the other's.
   */
  question(n: number, who: number): Question;
}

/** What asking OPA and Verdict takes of a scenario. */
export type Evaluated = Pick<Scenario, 'name' | 'rego' | 'findsRoles' | 'question'>;

/** How many different questions are asked again and again in the case `hit`. */
export const REPEATED = 1_000;

/** Questions of one request in the case `batch`: the most that Cerbos takes by default. */
export const BATCH = 50;

/** The n-th request of one question, or of `BATCH` questions by one subject. */
export const questionsOf = (scenario: Evaluated, kind: Kind, n: number): readonly Question[] =>
  kind === 'batch'
    ? Array.from({ length: BATCH }, (_, at) => scenario.question(n * BATCH + at, n))
    : [scenario.question(n, n)];

export const kinds = ['hit', 'miss', 'batch'] as const;
export type Kind = (typeof kinds)[number];

/** What Rego sees of a question: the members of AuthZEN, and what a caller mostly adds. */
export const inputOf = (scenario: Evaluated, { subject, action, resource }: Question) => ({
  subject: {
    type: 'user',
    id: subject.id,
    ...(scenario.findsRoles ? {} : { properties: { roles: subject.roles, ...subject.attributes } }),
  },
  action: { name: action },
  resource: { type: resource.type, id: resource.id, properties: resource.attributes },
  context: { request: `request-of-${resource.id}`, channel: 'web', region: 'eu-central-1' },
});

/** Questions about one subject, which stands there once: the body of AuthZEN's evaluations. */
export const batchInput = (scenario: Evaluated, questions: readonly Question[]) => {
  const inputs = questions.map((question) => inputOf(scenario, question));
  return {
    subject: inputs[0]?.subject,
    evaluations: inputs.map(({ action, resource, context }) => ({ action, resource, context })),
  };
};

/** A number that looks random and is the same for the same numbers: 0 to `below` - 1. */
export const scatter = (below: number, ...from: readonly number[]): number => {
  let state = 0x9e3779b9;
  for (const n of from) {
    state = Math.imul(state ^ n, 0x85ebca6b);
    state ^= state >>> 13;
    state = Math.imul(state, 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return (state >>> 0) % below;
};

export const pick = <T>(items: readonly T[], n: number): T => items[n % items.length] as T;
