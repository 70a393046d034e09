import { isUtf8 } from 'node:buffer';
import { messageOf, valueFromJson } from '../../canonical/index.ts';
import { checkJson, JsonError } from '../../engine/index.ts';
import { problemsSentence } from '../../rego/index.ts';
import { isSchema, isYaml } from '../archive/names.ts';
import { writeJson } from '../content/json-text.ts';
import type { Place } from '../content/places.ts';
import { placeAt, problemIn } from '../content/places.ts';
import { parseYaml, YamlError } from '../content/yaml.ts';
import { PolicyError } from '../model.ts';
import type { JsonValue } from './bounded.ts';

const MOST_FILES = 100;
const MOST_BYTES = 262_144;

export interface SchemaFile {
  readonly file: string;
  readonly text: string;
  readonly schema: JsonValue;
}

interface Fault {
  readonly text?: string;
  readonly place?: Place;
  readonly cause?: unknown;
}

const refuse = (file: string, message: string, { text = '', place, cause }: Fault = {}): never => {
  const found = { code: 'verdict_schema_error', message, ...(place === undefined ? {} : { place }) };
  const problems = [problemIn({ file, text }, found)];
  throw new PolicyError('SCHEMA_INVALID', problemsSentence(problems), { cause, problems });
};

/** Where a text is wrong, as far as the error says; of YAML that was turned into JSON it tells nothing. */
const placeOfError = (file: string, text: string, error: unknown): Place | undefined => {
  if (error instanceof YamlError && error.offset !== undefined) return placeAt(text, error.offset);
  if (!(error instanceof JsonError) || isYaml(file)) return undefined;
  return { row: error.place.line, col: error.place.column };
};

const parse = (file: string, bytes: Uint8Array): SchemaFile => {
  // A byte order mark is none of the text.
  const text = new TextDecoder().decode(bytes);
  try {
    if (!isUtf8(bytes)) return refuse(file, 'not a schema that Verdict takes: bytes that are no UTF-8');
    const json = isYaml(file) ? writeJson(parseYaml(text)) : text;
    checkJson(Buffer.from(json), { bytes: MOST_BYTES * 4, depth: 64, keys: 50_000 });
    return { file, text, schema: valueFromJson(json) as JsonValue };
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    const why = error instanceof JsonError ? error.wanted : messageOf(error);
    const place = placeOfError(file, text, error);
    const where = { text, cause: error, ...(place === undefined ? {} : { place }) };
    return refuse(file, `not a schema that Verdict takes: ${why}`, where);
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
    found.set(name, parse(file, bytes));
  }
  return found;
};
