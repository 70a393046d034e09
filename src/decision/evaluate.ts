import { messageOf } from '../canonical/index.ts';
import type { Basis, CheckedJson, Evaluation } from '../engine/index.ts';
import { checkJson } from '../engine/index.ts';
import type { PlacedJson } from './compose.ts';
import { composeObject, goJson } from './compose.ts';
import type { DecisionError, Outcome, Resolution, RuleTarget, Verdict } from './model.ts';

/** What evaluating a path gave: the verdict, and all that its freshness and its record rest on. */
export interface Evaluated {
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  readonly context?: string | undefined;
  readonly bases: readonly Basis[];
  readonly ruleTtlMs?: number | undefined;
  readonly resultTtlMs?: number | undefined;
}

export interface Asked {
  readonly input?: CheckedJson;
  readonly strictErrors: boolean;
}

type Part = { readonly verdict: Verdict; readonly bases: readonly Basis[]; readonly ruleTtlMs?: number | undefined };

const failed = (error: DecisionError): Part => ({ verdict: { kind: 'failed', error }, bases: [] });

const partOf = (target: RuleTarget, evaluation: Evaluation): Part => {
  const bases = [evaluation.basis];
  const ruleTtlMs = target.ttlMs;
  switch (evaluation.kind) {
    case 'defined':
      return { verdict: { kind: 'decided', result: evaluation.json }, bases, ruleTtlMs };
    case 'undefined':
      return { verdict: { kind: 'undefined' }, bases, ruleTtlMs };
    case 'failed': {
      const { code, message } = evaluation;
      return { verdict: { kind: 'failed', error: { code, message } }, bases };
    }
  }
};

const engineFailed = (thrown: unknown): Part => failed({ code: 'engine_error', message: messageOf(thrown) });

const evaluateRule = (target: RuleTarget, asked: Asked): Part | Promise<Part> => {
  const { entrypoint, below, version, instructions } = target;
  try {
    const budget = instructions === undefined ? {} : { instructions };
    const evaluation = version.module.evaluate({ entrypoint, below, ...asked, ...budget });
    if (!(evaluation instanceof Promise)) return partOf(target, evaluation);
    return evaluation.then((late) => partOf(target, late), engineFailed);
  } catch (thrown) {
    return engineFailed(thrown);
  }
};

const composed = (places: readonly (readonly string[])[], parts: readonly Part[]): Part => {
  const bases = parts.flatMap((part) => part.bases);
  const broken = parts.find(({ verdict }) => verdict.kind === 'failed');
  if (broken !== undefined) return { verdict: broken.verdict, bases };
  const placed = parts.map(({ verdict }, index): PlacedJson => {
    const at = places[index] ?? [];
    return verdict.kind === 'decided' ? { at, json: verdict.result } : { at };
  });
  const ttls = parts.flatMap(({ ruleTtlMs }) => (ruleTtlMs === undefined ? [] : [ruleTtlMs]));
  // A ttl speaks for its own rule alone: a volatile neighbour without one keeps the whole from being kept.
  const covers = parts.every((part) => part.ruleTtlMs !== undefined || !part.bases.some((basis) => basis.volatile));
  return {
    verdict: { kind: 'decided', result: composeObject(placed) },
    bases,
    ...(ttls.length > 0 && covers ? { ruleTtlMs: Math.min(...ttls) } : {}),
  };
};

const evaluatePart = (resolution: Resolution, asked: Asked): Part | Promise<Part> => {
  switch (resolution.kind) {
    case 'rule':
      return evaluateRule(resolution.target, asked);
    case 'data':
      return { verdict: { kind: 'decided', result: goJson(resolution.json) }, bases: [] };
    case 'unknown':
      return { verdict: { kind: 'undefined' }, bases: [] };
    case 'composite': {
      const places = resolution.parts.map(({ at }) => at);
      const parts = resolution.parts.map(({ part }) => evaluatePart(part, asked));
      if (parts.some((part) => part instanceof Promise)) {
        return Promise.all(parts).then((all) => composed(places, all));
      }
      return composed(places, parts as Part[]);
    }
  }
};

interface Meaning {
  readonly permits: boolean;
  readonly context?: string;
  readonly ttlMs?: number;
}

/** Reads `allow`, `reasons`, `obligations` and `ttl` of the object that a rule marked as a result gives. */
const meaningOf = (json: string): Meaning => {
  const bytes = Buffer.from(json);
  const { members } = checkJson(bytes, { bytes: Infinity, depth: 512, keys: Infinity });
  const textOf = (name: string): string | undefined => {
    const span = members.get(name);
    return span === undefined ? undefined : bytes.toString('utf8', span.start, span.end);
  };
  const context = ['reasons', 'obligations'].flatMap((name) => {
    const text = textOf(name);
    return text === undefined ? [] : [`"${name}":${text}`];
  });
  const ttl = textOf('ttl');
  // A ttl that is no number of seconds shortens to nothing: it was meant to shorten, and nobody knows to what.
  const seconds = ttl === undefined ? undefined : /^[0-9]/.test(ttl) ? Number(ttl) : 0;
  return {
    permits: textOf('allow') === 'true',
    ...(context.length === 0 ? {} : { context: `{${context.join(',')}}` }),
    ...(seconds === undefined ? {} : { ttlMs: seconds * 1000 }),
  };
};

/** True when no rule of its own stands at the path: its answer is a document, whose meaning is its reader's. */
const isDocument = (resolution: Resolution): boolean =>
  resolution.kind === 'data' ||
  resolution.kind === 'composite' ||
  (resolution.kind === 'rule' && resolution.target.isPackage === true && resolution.target.below.length === 0);

const judged = (
  part: Part,
  { isResult, isData }: { readonly isResult: boolean; readonly isData: boolean },
): Evaluated => {
  const { verdict, bases, ruleTtlMs } = part;
  if (verdict.kind !== 'decided') return { verdict, bases, ruleTtlMs, outcome: verdict.kind };
  if (verdict.result === 'true') return { verdict, bases, ruleTtlMs, outcome: 'permit' };
  if (isData && verdict.result !== 'false') return { verdict, bases, ruleTtlMs, outcome: 'data' };
  if (!isResult || !verdict.result.startsWith('{')) return { verdict, bases, ruleTtlMs, outcome: 'refuse' };
  const { permits, context, ttlMs } = meaningOf(verdict.result);
  return { verdict, bases, ruleTtlMs, outcome: permits ? 'permit' : 'refuse', context, resultTtlMs: ttlMs };
};

/** Never throws and never rejects: whatever goes wrong is a failed verdict. */
export const evaluate = (resolution: Resolution, asked: Asked): Evaluated | Promise<Evaluated> => {
  // Below a result stands a value of its own, whose names mean nothing.
  const isResult = resolution.kind === 'rule' && resolution.target.isResult && resolution.target.below.length === 0;
  const meaning = { isResult, isData: isDocument(resolution) };
  const judge = (part: Part): Evaluated => {
    try {
      return judged(part, meaning);
    } catch (thrown) {
      return { ...engineFailed(thrown), outcome: 'failed' };
    }
  };
  try {
    const part = evaluatePart(resolution, asked);
    return part instanceof Promise ? part.then(judge, (thrown) => judge(engineFailed(thrown))) : judge(part);
  } catch (thrown) {
    return judge(engineFailed(thrown));
  }
};
