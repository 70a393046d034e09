import { collectionBuiltins } from './collections/index.ts';
import { type DigestName, digest, hmac, hmacEqual } from './digests.ts';
import type { BuiltinEntry, BuiltinTable } from './model.ts';
import { netBuiltins } from './net/index.ts';
import { sprintf } from './sprintf.ts';
import { textBuiltins } from './text/index.ts';
import { timeClock, timeDate, timeWeekday } from './time/calendar.ts';
import { timeNowNs } from './time/now.ts';
import { parseRfc3339 } from './time/rfc3339.ts';
import { tokenBuiltins } from './tokens/index.ts';

const digests: readonly DigestName[] = ['md5', 'sha1', 'sha256'];
const keyed: readonly DigestName[] = [...digests, 'sha512'];

/** The builtins that run in TypeScript on the deciding thread; each answers as OPA's Go code does. */
export const typescriptBuiltins: BuiltinTable = new Map<string, BuiltinEntry>([
  ['time.now_ns', { run: timeNowNs, nonDeterministic: true }],
  ['time.clock', { run: timeClock }],
  ['time.date', { run: timeDate }],
  ['time.weekday', { run: timeWeekday }],
  ['time.parse_rfc3339_ns', { run: parseRfc3339 }],
  ...digests.map((name) => [`crypto.${name}`, { run: digest(name) }] as const),
  ...keyed.map((name) => [`crypto.hmac.${name}`, { run: hmac(name) }] as const),
  ['crypto.hmac.equal', { run: hmacEqual }],
  ['sprintf', { run: sprintf }],
  ...collectionBuiltins,
  ...netBuiltins,
  ...textBuiltins,
  ...tokenBuiltins,
]);
