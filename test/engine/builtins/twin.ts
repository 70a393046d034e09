import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { BuiltinError } from '../../../src/engine/builtins/model.ts';
import { publicName, twinName } from '../../../src/engine/builtins/natives/index.ts';
import { EvaluationFailure } from '../../../src/engine/failure.ts';
import { dumpValue } from '../../../src/engine/values/value-text.ts';
import {
  compileRegoModule,
  equalValues,
  instantiateRego,
  type RegoModule,
  RegoNumber,
  type RegoValue,
  ToolchainError,
} from '../../../src/rego/index.ts';
import { nowNs } from './operands/tokens.ts';
import { callScope } from './scope.ts';

/** Twins that are told more than their originals: how many operands these take. */
const windowOperands = new Map([
  ...['lt', 'lte', 'gt', 'gte', 'neq'].map((name) => [twinName(name), 2] as const),
  [twinName('time.clock'), 1],
]);

type Outcome =
  | { readonly kind: 'value'; readonly value: RegoValue }
  | { readonly kind: 'error' }
  /** More work than a call may be here: OPA would do it for minutes. */
  | { readonly kind: 'too much' }
  /** OPA panics: it has no answer, and any of ours will do. */
  | { readonly kind: 'crash' };

const budget = 3_000_000;

const ours = (name: string, operands: readonly RegoValue[]): Outcome => {
  try {
    const value = typescriptBuiltins.get(name)?.run(callScope(nowNs, budget).scope, ...operands);
    return value === undefined ? { kind: 'error' } : { kind: 'value', value };
  } catch (error) {
    if (error instanceof BuiltinError) return { kind: 'error' };
    if (error instanceof EvaluationFailure && error.code === 'budget_exceeded') return { kind: 'too much' };
    throw error;
  }
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const signedAtRandom = (token: RegoValue): boolean =>
  typeof token === 'string' && /"(?:PS|ES)/.test(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());

/** Whether the two can be told apart only by chance. */
const isRandomised = (name: string, found: RegoValue, wanted: RegoValue): boolean => {
  if (name === 'uuid.rfc4122') return uuid.test(String(found)) && uuid.test(String(wanted));
  // In OPA the address of the number.
  if (name === 'sprintf') return String(found).includes('%!p(big.Int=');
  if (name === 'rand.intn') return found instanceof RegoNumber && /^\d+$/.test(found.text);
  return name.includes('encode_sign') && signedAtRandom(wanted);
};

const isSame = (name: string, found: Outcome, wanted: Outcome): boolean => {
  if (wanted.kind === 'crash') return true;
  if (found.kind !== 'value' || wanted.kind !== 'value') return found.kind === wanted.kind;
  return equalValues(found.value, wanted.value) || isRandomised(name, found.value, wanted.value);
};

const textOf = (outcome: Outcome): string => (outcome.kind === 'value' ? dumpValue(outcome.value) : outcome.kind);

/** Builtins in TypeScript beside their originals in OPA's own code. */
export interface Twins {
  /** How the two answers to a call differ, in words; undefined where they do not. */
  difference(name: string, operands: readonly RegoValue[]): string | undefined;
}

export const openTwins = async (): Promise<Twins> => {
  const compiled = await compileRegoModule();
  const start = (): RegoModule => {
    const module = instantiateRego(compiled);
    module.begin({ nowNs, seed: new Uint8Array(32) });
    return module;
  };
  let opa = start();
  const opas = (name: string, operands: readonly RegoValue[]): Outcome => {
    try {
      const result = opa.call(publicName(name), operands.slice(0, windowOperands.get(name)));
      return result.kind === 'value' ? result : { kind: 'error' };
    } catch (error) {
      if (!(error instanceof ToolchainError)) throw error;
      opa = start();
      return { kind: 'crash' };
    }
  };
  return {
    difference: (name, operands) => {
      const found = ours(name, operands);
      if (found.kind === 'too much') return undefined;
      const wanted = opas(name, operands);
      if (isSame(name, found, wanted)) return undefined;
      return `${name}(${operands.map(dumpValue).join(', ')}) is ${textOf(found)}, and in OPA ${textOf(wanted)}`;
    },
  };
};
