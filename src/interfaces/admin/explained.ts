import { valueFromJson } from '../../canonical/index.ts';
import type { PolicyRef } from '../../decision/model.ts';
import type { ExplainQuestion, Explanation } from '../../policy/index.ts';
import { PolicyError } from '../../policy/index.ts';
import type { RegoObject, RegoValue } from '../../rego/index.ts';
import { compareValues, regoFromJson, regoJson } from '../../rego/index.ts';

// Explanations as the API answers them, and the questions that records are.

/** An explanation as JSON. The result is its own text: its numbers keep their digits. */
export const explanationText = (found: Explanation, more: { readonly [name: string]: unknown } = {}): string => {
  const { result, ...facts } = found;
  return `{${result === undefined ? '' : `"result":${regoJson(result)},`}${JSON.stringify({ ...more, ...facts }).slice(1)}`;
};

interface StoredRecord {
  readonly type?: string;
  readonly path?: string;
  readonly timestamp?: string;
  readonly now_ns?: string;
  readonly strict?: boolean;
  readonly input_present?: boolean;
  readonly outcome?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly policies?: readonly (Omit<PolicyRef, 'dataRevision'> & { readonly data_revision: string })[];
  readonly erased?: readonly string[];
  readonly masked?: readonly string[];
  readonly side?: readonly string[];
  readonly nd_builtin_cache?: unknown;
}

/** A decision that was recorded, asked again. */
export interface RecordedQuestion {
  readonly question: Omit<ExplainQuestion, 'checkBundle'>;
  /** What was answered; absent for undefined. */
  readonly result?: RegoValue;
  /** False when the record does not have the whole result. */
  readonly isWhole: boolean;
}

const impossible = (why: string): PolicyError => new PolicyError('EXPLAIN_IMPOSSIBLE', why);

const below = (pointers: readonly string[], part: string): string[] =>
  pointers.flatMap((pointer) =>
    pointer === part || pointer.startsWith(`${part}/`) ? [pointer.slice(part.length)] : [],
  );

const nowNsOf = ({ now_ns: now, timestamp = '' }: StoredRecord): bigint =>
  now === undefined ? BigInt(Date.parse(timestamp)) * 1_000_000n : BigInt(now);

/** The question that a record is; throws EXPLAIN_IMPOSSIBLE for what no rule answered. */
export const recordedQuestion = (text: string): RecordedQuestion => {
  const record = valueFromJson(text) as StoredRecord;
  const { type, path, policies, outcome, error, strict, erased = [], masked = [], side = [] } = record;
  if (type !== 'decision' || path === undefined || policies === undefined)
    throw impossible('the record is not whole: it does not say what was asked of which version');
  // Of two values for one document the interpreter names both: what the answer did not say.
  if (outcome === 'failed' && error?.code !== 'conflict')
    throw impossible(
      `no rule answered this question: it failed, ${error?.code ?? 'for an unknown reason'}: ${error?.message ?? ''}`,
    );
  const lost = [...erased, ...masked, ...side];
  const members = new Map<unknown, RegoValue>((regoFromJson(text) as RegoObject).entries);
  const input = members.get('input');
  const isPresent = record.input_present === true;
  const result = members.get('result');
  return {
    question: {
      path: path.split('/').map(decodeURIComponent),
      ...(isPresent && input !== undefined ? { input } : {}),
      strictErrors: strict === true,
      level: 'steps',
      recorded: {
        policies: policies.map(({ data_revision: dataRevision, ...ref }) => ({ ...ref, dataRevision })),
        nowNs: nowNsOf(record),
        missing: isPresent && input === undefined ? [''] : below(lost, '/input'),
        ...(record.nd_builtin_cache === undefined ? {} : { calls: record.nd_builtin_cache }),
      },
    },
    ...(result === undefined ? {} : { result }),
    isWhole: below(lost, '/result').length === 0,
  };
};

/** Whether an answer is the one that was recorded: undefined when the record does not have it. */
export const isSame = (recorded: RecordedQuestion, { result }: Explanation): boolean | undefined => {
  if (!recorded.isWhole) return undefined;
  if (result === undefined || recorded.result === undefined) return result === recorded.result;
  // Sets are arrays in a record.
  return compareValues(regoFromJson(regoJson(result)), recorded.result) === 0;
};
