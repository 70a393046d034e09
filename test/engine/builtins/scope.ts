import { readJson } from '../../../src/engine/builtins/go-json.ts';
import type { CallScope } from '../../../src/engine/builtins/model.ts';
import { EvaluationFailure } from '../../../src/engine/failure.ts';
import type { SeenToken } from '../../../src/engine/model.ts';
import type { RegoValue } from '../../../src/rego/index.ts';

/** A scope at a fixed moment, with a budget, and what builtins reported to it. */
export const callScope = (nowNs = 1_700_000_000_000_000_000n, budget = 100_000_000) => {
  const reported = { volatile: false, boundaries: [] as bigint[], tokens: [] as SeenToken[], points: 0 };
  const made = new Map<string, unknown>();
  const scope: CallScope = {
    nowNs,
    get boundaryNs() {
      const ahead = reported.boundaries.filter((ns) => ns > nowNs).sort((a, b) => Number(a - b));
      return ahead[0];
    },
    markVolatile: () => {
      reported.volatile = true;
    },
    addBoundary: (ns) => reported.boundaries.push(ns),
    addToken: (token) => reported.tokens.push(token),
    spend: (points) => {
      reported.points += points;
      if (reported.points > budget) throw new EvaluationFailure('budget_exceeded', 'the budget is used up');
    },
    once: (key, make) => {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as ReturnType<typeof make>;
    },
  };
  return { scope, reported };
};

/** A Rego value from JSON text, every digit kept. */
export const jsonValue = (json: string): RegoValue => readJson(Buffer.from(json)).value;
