import { collectionBuiltins } from './collections/index.ts';
import { type DigestName, digest, hmac, hmacEqual } from './digests.ts';
import { encodingBuiltins } from './encoding/index.ts';
import type { BuiltinEntry, BuiltinTable } from './model.ts';
import { nativeTwins, twinName } from './natives/index.ts';
import { netBuiltins } from './net/index.ts';
import { notationBuiltins } from './notation/index.ts';
import { randIntn, uuidRfc4122 } from './random.ts';
import { regexBuiltins } from './regex/index.ts';
import { opaRuntime } from './runtime.ts';
import { sprintf } from './sprintf.ts';
import { textBuiltins } from './text/index.ts';
import { timeBuiltins, windowTwins } from './time/index.ts';
import { tokenBuiltins } from './tokens/index.ts';

const digests: readonly DigestName[] = ['md5', 'sha1', 'sha256'];
const keyed: readonly DigestName[] = [...digests, 'sha512'];

/** The builtins that run in TypeScript on the deciding thread; each answers as OPA's Go code does. */
export const typescriptBuiltins: BuiltinTable = new Map<string, BuiltinEntry>([
  ...digests.map((name) => [`crypto.${name}`, { run: digest(name) }] as const),
  ...keyed.map((name) => [`crypto.hmac.${name}`, { run: hmac(name) }] as const),
  ['crypto.hmac.equal', { run: hmacEqual }],
  ['sprintf', { run: sprintf }],
  ['opa.runtime', { run: opaRuntime, nonDeterministic: true }],
  ['rand.intn', { run: randIntn, nonDeterministic: true }],
  ['uuid.rfc4122', { run: uuidRfc4122, nonDeterministic: true }],
  ...collectionBuiltins,
  ...netBuiltins,
  ...encodingBuiltins,
  ...notationBuiltins,
  ...regexBuiltins,
  ...textBuiltins,
  ...timeBuiltins,
  ...[...nativeTwins, ...windowTwins].map(([name, entry]) => [twinName(name), entry] as const),
  ...tokenBuiltins,
]);
