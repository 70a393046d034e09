import type { RegoNumber } from '../../../rego/index.ts';
import { parseNs } from '../../builtins/time/parse.ts';
import { BareError } from './members.ts';
import type { ResponseHeaders } from './wire.ts';
import { firstHeader } from './wire.ts';

// The two old forms that Go's http.ParseTime takes beside RFC 1123.
const oldLayouts = ['Monday, 02-Jan-06 15:04:05 MST', 'Mon Jan _2 15:04:05 2006'];

/** A date of HTTP, milliseconds since 1970; undefined for any other text. */
const httpDateMs = (text: string): number | undefined => {
  const ms = Date.parse(text);
  // The name of the day says nothing new; Date takes also what no header may have.
  if (!Number.isNaN(ms) && new Date(ms).toUTCString().slice(3) === text.slice(3)) return ms;
  for (const layout of oldLayouts) {
    try {
      return Number(BigInt((parseNs({} as never, layout, text) as RegoNumber).text) / 1_000_000n);
    } catch {
      // Another form, or none.
    }
  }
  return undefined;
};

/** As OPA reads them: names as they are written, the first header only, and nothing that has two equals signs. */
const directivesOf = (headers: ResponseHeaders): ReadonlyMap<string, string> => {
  const parts = firstHeader(headers, 'cache-control')
    .split(',')
    .map((part) => part.replace(/^ +| +$/g, ''));
  const pairs = parts.map((part) => part.split('=')).filter(({ length }) => length <= 2);
  return new Map(pairs.map(([name = '', value = '']) => [name.replace(/^ +| +$/g, ''), value]));
};

export const mayStore = (headers: ResponseHeaders): boolean => !directivesOf(headers).has('no-store');

const mostSeconds = 2_147_483_647;

/**
 * Milliseconds since 1970 at which a response stops being fresh, by OPA's rules: `max-age` counts from `Date`, else
 * `Expires`. Undefined when it says neither. Throws BareError where OPA fails on what it says.
 */
export const expiryMs = (headers: ResponseHeaders): number | undefined => {
  const maxAge = directivesOf(headers).get('max-age');
  const expires = firstHeader(headers, 'expires');
  if (maxAge === undefined) return expires === '' ? undefined : (httpDateMs(expires) ?? Number.NEGATIVE_INFINITY);
  if (!/^\d+$/.test(maxAge)) {
    throw new BareError(`strconv.ParseUint: parsing ${JSON.stringify(maxAge)}: invalid syntax`);
  }
  const date = firstHeader(headers, 'date');
  if (date === '') throw new BareError('no date header');
  const made = httpDateMs(date);
  if (made === undefined) throw new BareError(`the Date header is no date: ${JSON.stringify(date.slice(0, 100))}`);
  return made + Math.min(Number(maxAge), mostSeconds) * 1000;
};
