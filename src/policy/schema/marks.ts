import type { RegoAnnotation } from '../../rego/index.ts';
import type { JsonObject, JsonValue } from './bounded.ts';
import { isObject } from './bounded.ts';

/** One line of METADATA `schemas` that is about the input. */
export interface SchemaMark {
  /** Where in the input; empty for all of it. */
  readonly at: readonly string[];
  /** Name of a schema file, `a/b` for `schema["a"]["b"]`; absent when the schema stands in the METADATA. */
  readonly file?: string;
  readonly inline?: JsonValue;
}

/** One line as it stands, also one that is about `data`. */
export interface SchemaLine {
  /** Absent when it is not about the input. */
  readonly mark?: SchemaMark;
  readonly name?: string;
  readonly inline?: JsonValue;
  /** As the author wrote it, for messages. */
  readonly shown: string;
}

/** Names after the first of a reference as OPA writes it, or undefined when it has something that is no name. */
const namesOf = (ref: unknown): { readonly root: string; readonly names?: readonly string[] } => {
  const terms = Array.isArray(ref) ? (ref as JsonValue[]) : [];
  const [first, ...rest] = terms;
  const names = rest.flatMap((term) => (isObject(term) && term.type === 'string' ? [String(term.value)] : []));
  const root = isObject(first) ? String(first.value) : '';
  return names.length === rest.length ? { root, names } : { root };
};

const shownRef = ({ root, names }: ReturnType<typeof namesOf>): string =>
  `${root}${(names ?? ['?']).map((name) => (/^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join('')}`;

const lineOf = (entry: JsonObject): SchemaLine => {
  const path = namesOf(entry.path);
  const reference = entry.schema === undefined ? undefined : namesOf(entry.schema);
  const name = reference === undefined ? undefined : (reference.names ?? []).join('/');
  const schema = {
    ...(name === undefined ? {} : { name }),
    ...(entry.definition === undefined ? {} : { inline: entry.definition }),
  };
  const isInput = path.root === 'input' && path.names !== undefined;
  const source = {
    ...(name === undefined ? {} : { file: name }),
    ...(name === undefined ? { inline: entry.definition ?? true } : {}),
  };
  return {
    ...schema,
    ...(isInput ? { mark: { at: path.names ?? [], ...source } } : {}),
    shown: `${shownRef(path)}${reference === undefined ? '' : `: ${shownRef(reference)}`}`,
  };
};

export const schemaLines = ({ annotations }: RegoAnnotation): SchemaLine[] => {
  const { schemas } = annotations as { readonly schemas?: unknown };
  return Array.isArray(schemas) ? (schemas as JsonValue[]).filter(isObject).map(lineOf) : [];
};

/** Lines that are about the input, at a place that is made of names. */
export const inputMarks = (annotation: RegoAnnotation): SchemaMark[] =>
  schemaLines(annotation).flatMap(({ mark }) => mark ?? []);

export const isSchemaMarks = (value: unknown): value is readonly SchemaMark[] =>
  Array.isArray(value) &&
  value.every(
    (mark: unknown) =>
      isObject(mark) &&
      Array.isArray(mark.at) &&
      mark.at.every((name) => typeof name === 'string') &&
      (typeof mark.file === 'string' || mark.inline !== undefined),
  );
