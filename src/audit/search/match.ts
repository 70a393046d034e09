import type { RecordFilter } from './model.ts';

/** The members of a record that filters look at; a program of another version may have written something else. */
export interface Facts {
  readonly type?: unknown;
  readonly index?: unknown;
  readonly timestamp?: unknown;
  readonly [member: string]: unknown;
}

type Fields = { readonly [member: string]: unknown };

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** Members that are compared as they stand. */
const texts: readonly (readonly [filter: keyof RecordFilter, of: (facts: Facts) => unknown])[] = [
  ['subject', ({ subject }) => subject],
  ['action', ({ action }) => action],
  ['resource', ({ resource }) => resource],
  ['outcome', ({ outcome }) => outcome],
  ['caller', ({ caller }) => (isFields(caller) ? caller.name : undefined)],
  ['wire', ({ wire }) => wire],
  ['cache', ({ cache }) => cache],
  ['batch', ({ batch_decision_id: batch }) => batch],
];

const isAmong = (wanted: unknown, value: unknown): boolean =>
  wanted === undefined || (wanted as readonly unknown[]).includes(value);

const isInTime = ({ fromMs, toMs }: RecordFilter, { timestamp }: Facts): boolean => {
  if (fromMs === undefined && toMs === undefined) return true;
  const ms = Date.parse(String(timestamp));
  return (fromMs === undefined || ms >= fromMs) && (toMs === undefined || ms < toMs);
};

const rests = ({ bundle, version }: RecordFilter, policies: readonly Fields[]): boolean =>
  (bundle === undefined && version === undefined) ||
  policies.some((policy) => isAmong(bundle, policy.name) && isAmong(version, policy.version));

const CLAIMS_DIGITS = 16;

const bears = (wanted: readonly string[] | undefined, facts: Facts): boolean =>
  wanted === undefined ||
  listOf(facts.tokens).some(({ jti, iss, claims_sha256: claims }) =>
    wanted.some(
      (text) => text === jti || text === iss || text === claims || text === String(claims).slice(0, CLAIMS_DIGITS),
    ),
  );

const isBelow = (wanted: readonly string[] | undefined, path: unknown): boolean =>
  wanted === undefined || wanted.some((above) => path === above || String(path).startsWith(`${above}/`));

const isWithin = (within: readonly string[] | undefined, bundles: unknown): boolean => {
  if (within === undefined) return true;
  const names = isFields(bundles) ? Object.keys(bundles) : [];
  return names.length > 0 && names.every((name) => within.includes(name));
};

/** Members that an event cannot have: a filter for one leaves all events out. */
const ofDecisions = [
  'subject',
  'action',
  'resource',
  'outcome',
  'token',
  'path',
  'wire',
  'cache',
  'batch',
  'within',
] as const;

const isWantedEvent = (filter: RecordFilter, facts: Facts): boolean => {
  if (filter.events !== true || ofDecisions.some((name) => filter[name] !== undefined)) return false;
  const { bundle: name, version } = isFields(facts.details) ? facts.details : {};
  return isAmong(filter.caller, facts.by) && rests(filter, [{ name, version }]);
};

/** Whether a record is one of those that are wanted. */
export const isWanted = (filter: RecordFilter, facts: Facts): boolean => {
  if (!isInTime(filter, facts)) return false;
  if (facts.type === 'event') return isWantedEvent(filter, facts);
  return (
    facts.type === 'decision' &&
    texts.every(([name, of]) => isAmong(filter[name], of(facts))) &&
    rests(filter, listOf(facts.policies)) &&
    bears(filter.token, facts) &&
    isBelow(filter.path, facts.path) &&
    isWithin(filter.within, facts.bundles)
  );
};
