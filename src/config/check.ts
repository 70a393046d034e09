import { Ajv, type ErrorObject } from 'ajv';
import { distance } from 'fastest-levenshtein';
import { pointerSteps } from '../canonical/index.ts';
import { description, expectation } from './expectation.ts';
import type { ConfigProblem, SettingSchema } from './model.ts';

/** Dotted names of every setting and section. */
export const settingNames = (schema: SettingSchema, above = ''): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, below]) => {
    const key = above === '' ? name : `${above}.${name}`;
    return [key, ...settingNames(below, key)];
  });

const lastOf = (key: string): string => key.slice(key.lastIndexOf('.') + 1);

/** `cache.maxAge` for `cache.maxAgeSeconds`: a name without its unit. */
const isCutShort = (key: string, name: string): boolean =>
  lastOf(key).length > 2 && name.toLowerCase().startsWith(key.toLowerCase());

/** The setting that was probably meant: the nearest whole name, one cut short, or the same last part elsewhere. */
export const nearestSetting = (key: string, schema: SettingSchema): string | undefined => {
  const ranked = settingNames(schema)
    .map((name) => {
      const whole = distance(key.toLowerCase(), name.toLowerCase());
      // A right name in the wrong section is nearer than the letters of its section say.
      const last = distance(lastOf(key).toLowerCase(), lastOf(name).toLowerCase()) + 1;
      return { name, whole, score: Math.min(whole, last, isCutShort(key, name) ? 1 : last) };
    })
    .sort((a, b) => a.score - b.score || a.whole - b.whole);
  const best = ranked[0];
  return best !== undefined && best.score <= Math.max(1, Math.floor(lastOf(key).length / 3) + 1)
    ? best.name
    : undefined;
};

const NO_TLS =
  'there is no TLS listener yet: bind loopback or a Unix socket, and let a proxy on this machine end TLS ' +
  '(docs/guides/behind-a-proxy.md)';

const unknownKey = (key: string, schema: SettingSchema): string => {
  if (lastOf(key).toLowerCase() === 'tls') return NO_TLS;
  const nearest = nearestSetting(key, schema);
  return `there is no such setting${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
};

interface Found {
  readonly path: readonly string[];
  readonly message: string;
}

const explain = (error: ErrorObject, root: SettingSchema): Found => {
  const path = pointerSteps(error.instancePath);
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params.additionalProperty);
    return { path: [...path, name], message: unknownKey([...path, name].join('.'), root) };
  }
  if (error.keyword === 'required') {
    const name = String(error.params.missingProperty);
    return { path: [...path, name], message: 'must be set' };
  }
  if (error.keyword === 'propertyNames')
    return { path: [...path, String(error.params.propertyName)], message: 'is not a name that this takes' };
  const schema = (error.parentSchema ?? {}) as SettingSchema;
  return { path, message: `wanted ${expectation(schema)}, got ${description(error.data, schema)}` };
};

/** One line a path: what `propertyNames` says of a name, and what several keywords say of one value, is one problem. */
const firstOfEach = (found: readonly Found[]): Found[] =>
  [...new Map([...found].reverse().map((item) => [item.path.join('\0'), item])).values()].reverse();

/**
 * Checks a value against the schema and fills in defaults, in place. Gives every problem; `place` says where the value
 * at a path came from.
 */
export const checkValue = (
  value: unknown,
  schema: SettingSchema,
  place: (path: readonly string[]) => string,
): ConfigProblem[] => {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true, allowUnionTypes: true, verbose: true });
  const validate = ajv.compile(schema);
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  const named = errors.filter((error) => error.propertyName === undefined);
  return firstOfEach(named.map((error) => explain(error, schema))).map(({ path, message }) => ({
    key: path.join('.'),
    message: `${message} (${place(path)})`,
  }));
};
