import type { RegoFile, RegoProblem, RegoSources, RegoVersion } from '../../rego/index.ts';
import { renamedProblems } from '../../rego/index.ts';
import { problemInData, unite } from '../content/data.ts';
import type { JsonNode } from '../content/json-text.ts';
import { emptyObject, parseJson, writeJson } from '../content/json-text.ts';
import { PolicyError, refuseProblems } from '../model.ts';
import type { PreparedBundle } from './prepared.ts';
import type { Inspected } from './references.ts';

/** One of several things that are looked at together: a bundle, or a file that stands for itself. */
export interface SourcePart {
  readonly prepared: PreparedBundle;
  /** How a person knows one of its files: no two parts have a name in common. */
  readonly nameOf: (file: string) => string;
  /** False for a single file: what it refers to in its bundle is not here. */
  readonly isWhole: boolean;
}

export interface JoinedParts {
  readonly sources: RegoSources;
  readonly data: JsonNode;
}

const dataOf = ({ prepared }: SourcePart): JsonNode & { kind: 'object' } => {
  const node = parseJson(Buffer.from(prepared.data.json).toString('utf8'));
  return node.kind === 'object' ? node : emptyObject();
};

/** A problem with the place of a value in the data of the parts; of the first that has one. */
export const problemInParts = (
  parts: readonly SourcePart[],
  path: readonly string[],
  what: { readonly code: string; readonly message: string },
): RegoProblem => {
  for (const { prepared, nameOf } of parts) {
    const found = problemInData(prepared.files, path, what);
    if (found.file !== undefined) return { ...found, file: nameOf(found.file) };
  }
  return what;
};

const refuseShared = (part: SourcePart, path: readonly string[]): void => {
  const message = `another of the paths has a value at ${path.join('.')}, too`;
  refuseProblems('DATA_INVALID', [problemInParts([part], path, { code: 'verdict_data_error', message })]);
};

/** All modules and all data of the parts as one set of sources, under the names that people know. */
export const joinParts = (parts: readonly SourcePart[]): JoinedParts => {
  const modules = new Map<string, RegoFile>();
  const regoVersions: { [path: string]: RegoVersion } = {};
  const data = emptyObject();
  for (const part of parts) {
    const { all } = part.prepared.sources;
    for (const { path, text } of all.modules) {
      const name = part.nameOf(path);
      modules.set(name, { path: name, text });
      regoVersions[name] = all.regoVersions?.[path] ?? all.regoVersion ?? 1;
    }
    const conflict = unite(data.members, dataOf(part));
    if (conflict !== undefined) refuseShared(part, conflict);
  }
  return { sources: { modules: [...modules.values()], data: Buffer.from(writeJson(data)), regoVersions }, data };
};

/** Gives the files of an error's problems other names. */
export const renamedError = (error: PolicyError, nameOf: (file: string) => string): PolicyError => {
  const { message, problems } = renamedProblems(error, nameOf);
  return new PolicyError(error.code, message, { cause: error, problems });
};

/** What was found in all parts, as far as it stands in the files of one, under their own names. */
export const inspectionOf = ({ prepared, nameOf }: SourcePart, inspection: Inspected): Inspected => {
  const own = new Map(prepared.sources.all.modules.map(({ path }) => [nameOf(path), path] as const));
  const ofPart = <T extends { readonly file: string }>(found: readonly T[]): T[] =>
    found.flatMap((one) => {
      const file = own.get(one.file);
      return file === undefined ? [] : [{ ...one, file }];
    });
  const { annotations, dataReferences, testReferences, calls } = inspection;
  return {
    ...inspection,
    annotations: ofPart(annotations),
    dataReferences: ofPart(dataReferences),
    testReferences: ofPart(testReferences),
    calls: ofPart(calls),
  };
};
