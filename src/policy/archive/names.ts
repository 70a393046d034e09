import { PolicyError } from '../model.ts';

// Control and format characters (bidi overrides, zero-width joiners), line separators, and the separator that some
// systems read as a slash: none of them has a place in the name of a policy file, each has been used to hide one.
const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/u;
const DEEPEST = 64;

/** Names come from outside: quoted, escaped and cut before they stand in a message. */
export const quoted = (name: string): string => {
  const ascii = JSON.stringify(name.slice(0, 120)).replace(
    /[^\x20-\x7e]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return name.length > 120 ? `${ascii}...` : ascii;
};

const refuse = (name: string, why: string): never => {
  throw new PolicyError('ARCHIVE_INVALID', `member ${quoted(name)}: ${why}`);
};

/**
 * The name of a member without leading `/` and `./` and without a directory's trailing slash; empty for the top
 * folder itself. Refuses whatever two programs could read differently.
 */
export const normaliseName = (name: string, nameBytes: number): string => {
  if (Buffer.byteLength(name) > nameBytes) refuse(name, `the name is longer than ${nameBytes} bytes`);
  if (HOSTILE.test(name)) refuse(name, 'the name holds a control or format character or a backslash');
  const bare = name.replace(/^(?:\.?\/)+/, '').replace(/\/$/, '');
  if (bare === '' || bare === '.') return '';
  const segments = bare.split('/');
  if (segments.length > DEEPEST) refuse(name, `the name has more than ${DEEPEST} parts`);
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') refuse(name, 'the name has an empty, "." or ".." part');
  }
  return bare;
};

const DATA = /(?:^|\/)data\.(?:json|yaml|yml)$/;
const SCHEMA = /^schemas\/.+\.(?:json|yaml|yml)$/;
const HIDDEN = /(?:^|\/)\./;
const JSON_OR_YAML = /\.(?:json|ya?ml)$/;

export const MANIFEST = '.manifest';
export const SIGNATURES = '.signatures.json';
export const MODULE = 'policy.wasm';
export const DELTA = 'patch.json';

export const isRego = (name: string): boolean => name.endsWith('.rego');
export const isTest = (name: string): boolean => name.endsWith('_test.rego');
export const isData = (name: string): boolean => DATA.test(name);

export const isYaml = (name: string): boolean => /\.ya?ml$/.test(name);

/** A JSON Schema; what is called data.json is data, wherever it lies. */
export const isSchema = (name: string): boolean => SCHEMA.test(name) && !isData(name);

/** What can make a bundle on its own. */
export const isPolicy = (name: string): boolean => isRego(name) || isData(name);

/** True for a set of files that is a bundle: with rules or data, be the rules in a module alone. */
export const isBundle = (names: Iterable<string>): boolean =>
  [...names].some((name) => isPolicy(name) || name.endsWith('.wasm'));

/** Sources: what a build starts from, and what the digest of sources in a manifest covers. */
export const isSource = (name: string): boolean => isPolicy(name) || isSchema(name);

/** True for what OPA loads from a bundle, and for schemas. Hidden files and folders (`._x.rego`, `.git/`) are none of it. */
export const isBundleFile = (name: string): boolean =>
  name === MANIFEST || name === SIGNATURES || (!HIDDEN.test(name) && (isSource(name) || name.endsWith('.wasm')));

/** What somebody may take for data, and a bundle is not made of: `limits.json`. */
export const isMistakenForData = (name: string): boolean =>
  JSON_OR_YAML.test(name) && !HIDDEN.test(name) && !isBundleFile(name);
