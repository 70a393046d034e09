import { messageOf } from '../../canonical/index.ts';
import { checkJson } from '../../engine/index.ts';
import { isSchema } from '../archive/names.ts';
import { writeJson } from '../content/json-text.ts';
import { parseYaml } from '../content/yaml.ts';
import { PolicyError } from '../model.ts';
import type { JsonValue } from './bounded.ts';

const MOST_FILES = 100;
const MOST_BYTES = 262_144;

export interface SchemaFile {
  readonly file: string;
  readonly schema: JsonValue;
}

const refuse = (file: string, why: string, cause?: unknown): never => {
  const problem = { code: 'verdict_schema_error', message: why, file, row: 1, col: 1 };
  throw new PolicyError('SCHEMA_INVALID', `${file}: ${why}`, { cause, problems: [problem] });
};

const parse = (file: string, bytes: Uint8Array): JsonValue => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json = file.endsWith('.json') ? text : writeJson(parseYaml(text));
    checkJson(Buffer.from(json), { bytes: MOST_BYTES * 4, depth: 64, keys: 50_000 });
    return JSON.parse(json) as JsonValue;
  } catch (error) {
    return refuse(file, `not a schema that Verdict takes: ${messageOf(error)}`, error);
  }
};

/**
 * The schemas of a bundle by the names that `schema[...]` of METADATA has for them: `schemas/a/b.json` is
 * `schema["a"]["b"]`, here `a/b`, as `opa check --schema schemas` names it.
 */
export const readSchemas = (files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, SchemaFile> => {
  const found = new Map<string, SchemaFile>();
  for (const [file, bytes] of files) {
    if (!isSchema(file)) continue;
    if (found.size >= MOST_FILES) refuse(file, `a bundle has at most ${MOST_FILES} schemas`);
    if (bytes.length > MOST_BYTES) refuse(file, `a schema has at most ${MOST_BYTES} bytes`);
    const name = file.replace(/^schemas\//, '').replace(/\.[^./]*$/, '');
    const other = found.get(name);
    if (other !== undefined) refuse(file, `${other.file} has the same name`);
    found.set(name, { file, schema: parse(file, bytes) });
  }
  return found;
};
