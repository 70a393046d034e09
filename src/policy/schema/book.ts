import { hint, nearestName, pointerSteps } from '../../canonical/index.ts';
import type { RegoAnnotation, RegoProblem } from '../../rego/index.ts';
import type { MetadataTexts } from '../content/metadata.ts';
import { placeIn, problemIn } from '../content/places.ts';
import { refuseProblems } from '../model.ts';
import type { JsonObject, JsonValue, SchemaFault } from './bounded.ts';
import { isObject } from './bounded.ts';
import type { CompiledSchema } from './compile.ts';
import { schemaCompiler } from './compile.ts';
import type { SchemaFile } from './files.ts';
import type { SchemaMark } from './marks.ts';
import { schemaLines } from './marks.ts';

/** The schemas of one version, each compiled once. */
export interface SchemaBook {
  readonly files: ReadonlyMap<string, SchemaFile>;
  /** `without`: members of the value for which another schema stands. */
  find(mark: SchemaMark, without: readonly (readonly string[])[]): CompiledSchema | undefined;
  compile(schema: JsonValue): CompiledSchema | { readonly faults: readonly SchemaFault[] };
}

/** A schema that says nothing of one member, as far as plain `properties` lead there. */
const opened = (schema: JsonValue, [name, ...rest]: readonly string[]): JsonValue => {
  if (!isObject(schema) || name === undefined) return schema;
  const properties: JsonObject = isObject(schema.properties) ? schema.properties : {};
  if (rest.length === 0) return { ...schema, properties: { ...properties, [name]: true } };
  const below = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return below === undefined ? schema : { ...schema, properties: { ...properties, [name]: opened(below, rest) } };
};

export const schemaBook = (files: ReadonlyMap<string, SchemaFile>): SchemaBook => {
  const compiler = schemaCompiler();
  const compiled = new Map<string, ReturnType<SchemaBook['compile']>>();
  const compile: SchemaBook['compile'] = (schema) => {
    const text = JSON.stringify(schema);
    const made = compiled.get(text) ?? compiler.compile(schema);
    compiled.set(text, made);
    return made;
  };
  return {
    files,
    compile,
    find: ({ file, inline }, without) => {
      const schema = file === undefined ? inline : files.get(file)?.schema;
      const found = schema === undefined ? undefined : compile(without.reduce(opened, schema));
      return found === undefined || 'faults' in found ? undefined : found;
    },
  };
};

const SCHEMA_ERROR = 'verdict_schema_error';

const worded = ({ pointer, why }: SchemaFault): string => `${pointer === '' ? 'the schema' : pointer}: ${why}`;

const faultsIn = (book: SchemaBook, schema: JsonValue): readonly SchemaFault[] => {
  const found = book.compile(schema);
  return 'faults' in found ? found.faults : [];
};

const lineProblems = (book: SchemaBook, annotation: RegoAnnotation, texts: MetadataTexts): RegoProblem[] =>
  schemaLines(annotation).flatMap(({ mark, name, inline, shown }, index) => {
    const problem = (why: string): RegoProblem =>
      texts.problemAt(annotation, ['schemas', String(index)], { code: SCHEMA_ERROR, message: `${shown}: ${why}` });
    // A place that no check could find, such as an item of an array.
    const isNowhere = mark === undefined && shown.startsWith('input');
    const placed = isNowhere ? [problem('a schema is for the input or for a member of it that names lead to')] : [];
    if (name === undefined) {
      const faults = inline === undefined ? [] : faultsIn(book, inline);
      return [...placed, ...faults.map((fault) => problem(worded(fault)))];
    }
    if (book.files.has(name)) return placed;
    const why = name === '' ? 'the files of schemas/ have names of their own' : `there is no file schemas/${name}.json`;
    return [...placed, problem(`${why}${hint(nearestName(name, book.files.keys()))}`)];
  });

/** Schemas that do not compile, used or not, and METADATA that names one that is not there: all of them. */
const schemaProblems = (
  book: SchemaBook,
  annotations: readonly RegoAnnotation[],
  texts: MetadataTexts,
): RegoProblem[] => [
  ...[...book.files.values()].flatMap(({ file, text, schema }) =>
    faultsIn(book, schema).map((fault) => {
      const place = placeIn(file, text, pointerSteps(fault.pointer));
      return problemIn({ file, text }, { code: SCHEMA_ERROR, message: worded(fault), place });
    }),
  ),
  ...annotations.flatMap((annotation) => lineProblems(book, annotation, texts)),
];

/** Refuses schemas and METADATA as a push does; answers the schemas when nothing is wrong with them. */
export const refuseSchemas = (
  files: ReadonlyMap<string, SchemaFile>,
  annotations: readonly RegoAnnotation[],
  texts: MetadataTexts,
): SchemaBook => {
  const book = schemaBook(files);
  refuseProblems('SCHEMA_INVALID', schemaProblems(book, annotations, texts));
  return book;
};
