import { hint, nearestName } from '../../canonical/index.ts';
import type { RegoAnnotation, RegoProblem } from '../../rego/index.ts';
import type { MetadataTexts } from '../content/metadata.ts';
import type { SchemaMark } from '../schema/marks.ts';
import { inputMarks } from '../schema/marks.ts';

/** What Verdict itself reads of the METADATA of one rule or package. */
export interface RuleMarks {
  /** Slash-separated, without `data`. */
  readonly path: string;
  readonly scope: RegoAnnotation['scope'];
  /** `entrypoint: true`. */
  readonly entrypoint?: true;
  /** `custom.verdict: result`. */
  readonly isResult?: true;
  /** `custom.cache.ttl`, milliseconds. */
  readonly ttlMs?: number;
  /** `custom.engine.instructions`: points that an evaluation of the rule may use. */
  readonly instructions?: number;
  /** `custom.authzen`, as it stands. */
  readonly authzen?: { readonly [key: string]: unknown };
  /** `schemas` that are about the input, in order. */
  readonly schemas?: readonly SchemaMark[];
}

type Member = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Member =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unitMs: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 24 * 3_600_000;

/** `30s`, `1m30s`, `250ms`, or a number of seconds; undefined for anything else, and for more than a day. */
export const durationMs = (value: unknown): number | undefined => {
  let ms = 0;
  if (typeof value === 'number') ms = value * 1000;
  else if (typeof value === 'string' && /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+$/.test(value)) {
    for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
      ms += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
    }
  } else return undefined;
  return ms > 0 && ms <= LONGEST_MS ? Math.floor(ms) : undefined;
};

const FEWEST_POINTS = 10_000;
const MOST_POINTS = 2_147_483_647;

const isPoints = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= FEWEST_POINTS && value <= most;

const marksOf = (annotation: RegoAnnotation): RuleMarks => {
  const { path, scope, annotations } = annotation;
  const custom = isObject(annotations.custom) ? annotations.custom : {};
  const cache = isObject(custom.cache) ? custom.cache : {};
  const ttlMs = durationMs(cache.ttl);
  const engine = isObject(custom.engine) ? custom.engine : {};
  const schemas = inputMarks(annotation);
  return {
    path,
    scope,
    ...(annotations.entrypoint === true ? { entrypoint: true as const } : {}),
    ...(custom.verdict === 'result' ? { isResult: true as const } : {}),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(isPoints(engine.instructions, MOST_POINTS) ? { instructions: engine.instructions } : {}),
    ...(isObject(custom.authzen) ? { authzen: custom.authzen } : {}),
    ...(schemas.length > 0 ? { schemas } : {}),
  };
};

/** Marks that say something, in order of path. */
export const readMarks = (annotations: readonly RegoAnnotation[]): RuleMarks[] =>
  annotations
    .map(marksOf)
    .filter((marks) => Object.keys(marks).length > 2)
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.scope < b.scope ? -1 : 1));

/**
 * METADATA that names a setting of ours and gives it a value that it does not have. A time to live that is silently
 * ignored would be noticed when answers are stale, or never. `mostInstructions` is what the server lets a rule take.
 */
export const markProblems = (
  annotations: readonly RegoAnnotation[],
  texts: MetadataTexts,
  mostInstructions: number = MOST_POINTS,
): RegoProblem[] =>
  annotations.flatMap((annotation) => {
    const { custom } = annotation.annotations;
    if (!isObject(custom)) return [];
    const found: RegoProblem[] = [];
    const refuse = (path: readonly string[], message: string): void => {
      const what = { code: 'verdict_metadata_error', message: `custom.${path.join('.')} ${message}` };
      found.push(texts.problemAt(annotation, ['custom', ...path], what));
    };
    const { verdict, cache, authzen, engine } = custom;
    if (verdict !== undefined && verdict !== 'result') refuse(['verdict'], 'has one value: result');
    if (cache !== undefined && !isObject(cache)) refuse(['cache'], 'must be an object with a ttl');
    if (isObject(cache) && cache.ttl !== undefined && durationMs(cache.ttl) === undefined) {
      refuse(['cache', 'ttl'], 'must be a duration such as 30s or a number of seconds, at most a day');
    }
    if (authzen !== undefined && !isObject(authzen)) refuse(['authzen'], 'must be an object');
    const points = isObject(engine) ? engine.instructions : undefined;
    if (engine !== undefined && !isObject(engine)) refuse(['engine'], 'must be an object with instructions');
    if (points !== undefined && !isPoints(points, mostInstructions)) {
      const bounds = `from ${FEWEST_POINTS} to ${mostInstructions}, which is engine.maxInstructions of the server`;
      refuse(['engine', 'instructions'], `must be a whole number ${bounds}`);
    }
    if (engine !== undefined && (annotation.scope === 'package' || annotation.scope === 'subpackages')) {
      refuse(['engine'], 'belongs to a rule, not to a package');
    }
    return found;
  });

/** What METADATA can say: to OPA, and, below `custom`, to Verdict. */
const known: readonly { readonly path: readonly string[]; readonly names: readonly string[] }[] = [
  {
    path: [],
    names: [
      'scope',
      'title',
      'description',
      'entrypoint',
      'organizations',
      'related_resources',
      'authors',
      'schemas',
      'compile',
      'custom',
      'labels',
    ],
  },
  { path: ['compile'], names: ['unknowns', 'mask_rule'] },
  { path: ['custom'], names: ['verdict', 'cache', 'authzen', 'engine'] },
  { path: ['custom', 'cache'], names: ['ttl'] },
  { path: ['custom', 'engine'], names: ['instructions'] },
  { path: ['custom', 'authzen'], names: ['evaluation', 'search', 'candidates'] },
];

/** Keys that neither OPA nor Verdict knows, which both take in silence. Those of `custom` are free, but for slips of ours. */
export const unknownKeys = (annotations: readonly RegoAnnotation[], texts: MetadataTexts): RegoProblem[] =>
  annotations.flatMap((annotation) =>
    known.flatMap(({ path, names }) =>
      texts.keysAt(annotation, path).flatMap((key): RegoProblem[] => {
        if (names.includes(key)) return [];
        const meant = nearestName(key, names);
        if (meant === undefined && path.length === 1 && path[0] === 'custom') return [];
        const full = (name: string): string => [...path, name].join('.');
        const message = `${full(key)} in METADATA says nothing${hint(meant === undefined ? undefined : full(meant))}`;
        return [texts.problemAt(annotation, [...path, key], { code: 'verdict_metadata_warning', message })];
      }),
    ),
  );
