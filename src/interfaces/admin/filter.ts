import type { RecordFilter } from '../../audit/index.ts';
import type { Caller } from '../../decision/model.ts';
import { CACHE_STATES, OUTCOMES, WIRES } from '../../decision/model.ts';
import { AdminError } from './model.ts';

/** A query string as Fastify reads it: a parameter that stands several times is a list. */
export type Parameters = { readonly [name: string]: string | readonly string[] | undefined };

const MOST_VALUES = 20;
const TEXT_LENGTH = 1_024;
const MOST_PER_PAGE = 1_000;
const USUAL_PER_PAGE = 100;

const invalid = (name: string, wanted: string): AdminError =>
  new AdminError('REQUEST_INVALID', `${name}: wanted ${wanted}`);

const valuesOf = (name: string, given: string | readonly string[]): readonly string[] => {
  const values = typeof given === 'string' ? [given] : given;
  const fits = values.length <= MOST_VALUES && values.every((text) => text !== '' && text.length <= TEXT_LENGTH);
  if (!fits) throw invalid(name, `a text of 1 to ${TEXT_LENGTH} characters, at most ${MOST_VALUES} times`);
  return values;
};

const only = (name: string, given: string | readonly string[]): string => {
  if (typeof given !== 'string') throw invalid(name, 'one value');
  return given;
};

const among =
  <Value extends string>(known: readonly Value[]) =>
  (name: string, given: string | readonly string[]): readonly Value[] =>
    valuesOf(name, given).map((text) => {
      const value = known.find((each) => each === text);
      if (value === undefined) throw invalid(name, `one of ${known.join(', ')}`);
      return value;
    });

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

const moment = (name: string, given: string | readonly string[]): number => {
  const text = only(name, given);
  // In a query string a plus sign that nobody encoded has become a space.
  const ms = RFC3339.test(text.replace(' ', '+')) ? Date.parse(text.replace(' ', '+')) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(name, 'a time such as 2026-01-31T12:00:00Z');
  return ms;
};

const whole = (name: string, given: string | readonly string[], least: number, most: number): number => {
  const text = only(name, given);
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name, `a whole number from ${least} to ${most}`);
  return value;
};

const versions = (name: string, given: string | readonly string[]): readonly number[] =>
  valuesOf(name, given).map((text) => whole(name, text, 1, 999_999_999));

const flag = (name: string, given: string | readonly string[]): boolean => {
  if (given === 'true' || given === 'false') return given === 'true';
  throw invalid(name, 'true or false');
};

/** Without slashes around it and the `data` that OPA's paths begin with: as records have paths. */
const paths = (name: string, given: string | readonly string[]): readonly string[] =>
  valuesOf(name, given).map((text) => text.replace(/^\/+|\/+$/g, ''));

/** Ids as records have them. */
const batches = (name: string, given: string | readonly string[]): readonly string[] =>
  valuesOf(name, given).map((text) => text.toLowerCase());

type Readers = {
  readonly [name: string]: readonly [
    member: keyof RecordFilter,
    read: (name: string, given: string | readonly string[]) => RecordFilter[keyof RecordFilter],
  ];
};

const readers: Readers = {
  from: ['fromMs', moment],
  to: ['toMs', moment],
  subject: ['subject', valuesOf],
  action: ['action', valuesOf],
  resource: ['resource', valuesOf],
  outcome: ['outcome', among(OUTCOMES)],
  bundle: ['bundle', valuesOf],
  version: ['version', versions],
  caller: ['caller', valuesOf],
  token: ['token', valuesOf],
  path: ['path', paths],
  wire: ['wire', among(WIRES)],
  batch: ['batch', batches],
  cache: ['cache', among(CACHE_STATES)],
  events: ['events', flag],
};

/** Names of the parameters that filter records. */
export const FILTERS: readonly string[] = Object.keys(readers);

/**
 * The filter of a query string, narrowed to what the caller may read. Throws REQUEST_INVALID, naming the parameter, for
 * one that is not there (`others` are the route's own) and for a value that it does not take.
 */
export const filterOf = (parameters: Parameters, caller: Caller, others: readonly string[]): RecordFilter => {
  const filter: { [member: string]: unknown } = {};
  for (const [name, given] of Object.entries(parameters)) {
    if (given === undefined || others.includes(name)) continue;
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined)
      throw new AdminError('REQUEST_INVALID', `there is no parameter ${JSON.stringify(name.slice(0, 50))} here`);
    filter[reader[0]] = reader[1](name, given);
  }
  const { fromMs, toMs } = filter as RecordFilter;
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw invalid('from', 'a time before that of to: no record lies between them');
  return { ...filter, ...(caller.bundles === undefined ? {} : { within: caller.bundles }) };
};

/** How many records a page may have. */
export const limitOf = (given: string | readonly string[] | undefined): number =>
  given === undefined ? USUAL_PER_PAGE : whole('limit', given, 1, MOST_PER_PAGE);

export const cursorIn = (given: string | readonly string[] | undefined): string | undefined =>
  given === undefined ? undefined : only('cursor', given);

/** How many records that are there already a stream begins with. */
export const lastOf = (given: string | readonly string[] | undefined): number =>
  given === undefined ? 0 : whole('last', given, 0, MOST_PER_PAGE);
