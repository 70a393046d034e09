import type { InputRead } from '../../rego/index.ts';
import { isSource } from '../archive/names.ts';
import { filesDigest } from '../archive/write.ts';
import type { RuleMarks } from '../build/annotations.ts';
import type { ExternalReference } from '../build/references.ts';
import { isSchemaMarks } from '../schema/marks.ts';
import type { JsonNode } from './json-text.ts';
import { parseJson } from './json-text.ts';

/** What a build of ours writes into `metadata.verdict`: enough to run the module again without the toolchain. */
export interface BuildInfo {
  readonly compiler: { readonly opa: string; readonly toolchain: string };
  readonly flags: readonly string[];
  /** SHA-256 over the source files (names, lengths, bytes), hexadecimal. */
  readonly sources: string;
  readonly entrypoints: readonly string[];
  readonly named: boolean;
  /** Paths of all rules, served or not. */
  readonly rules: readonly string[];
  /** Builtins that each entrypoint can reach. */
  readonly reach: { readonly [entrypoint: string]: readonly string[] };
  /** What each entrypoint can read of the input. */
  readonly reads: { readonly [entrypoint: string]: readonly InputRead[] };
  readonly annotations: readonly RuleMarks[];
  /** What the rules refer to in other bundles; absent when they keep to themselves. */
  readonly references?: readonly ExternalReference[];
  /** Paths of the packages, where some METADATA has schemas: which rules they hold for depends on them. */
  readonly packages?: readonly string[];
}

/** The compiler's settings: part of what makes two builds equal. */
export const buildFlags: readonly string[] = ['target=wasm', 'optimize=0'];

export const sourcesDigest = (files: ReadonlyMap<string, Uint8Array>): string =>
  filesDigest(new Map([...files].filter(([name]) => isSource(name))));

export const buildInfoNode = (info: BuildInfo, sequence: JsonNode | undefined): JsonNode => {
  const node = parseJson(JSON.stringify(info));
  if (node.kind === 'object' && sequence !== undefined) node.members.set('sequence', sequence);
  return node;
};

type Member = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Member =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const isMarks = (value: unknown): value is RuleMarks =>
  isObject(value) &&
  typeof value.path === 'string' &&
  typeof value.scope === 'string' &&
  (value.ttlMs === undefined || typeof value.ttlMs === 'number') &&
  (value.instructions === undefined || typeof value.instructions === 'number') &&
  (value.authzen === undefined || isObject(value.authzen)) &&
  (value.schemas === undefined || isSchemaMarks(value.schemas));

const isReads = (value: unknown): value is readonly InputRead[] =>
  Array.isArray(value) &&
  value.every(
    (item) => isObject(item) && isTexts(item.path) && (item.shape === undefined || typeof item.shape === 'boolean'),
  );

const isReferences = (value: unknown): value is readonly ExternalReference[] =>
  Array.isArray(value) &&
  value.every(
    (item) =>
      isObject(item) &&
      isTexts(item.path) &&
      typeof item.file === 'string' &&
      typeof item.row === 'number' &&
      typeof item.col === 'number' &&
      (item.call === undefined || item.call === true),
  );

/** Reads `metadata.verdict` as one of our builds writes it; undefined for anything else. */
export const readBuildInfo = (metadata: Member): BuildInfo | undefined => {
  const own = metadata.verdict;
  if (!isObject(own) || !isObject(own.compiler) || !isObject(own.reach) || !isObject(own.reads)) return undefined;
  const { compiler, flags, sources, entrypoints, named, rules, reach, reads, annotations, references, packages } = own;
  const { opa, toolchain } = compiler as Member;
  const whole =
    typeof opa === 'string' &&
    typeof toolchain === 'string' &&
    typeof sources === 'string' &&
    typeof named === 'boolean' &&
    isTexts(flags) &&
    isTexts(entrypoints) &&
    isTexts(rules) &&
    Object.values(reach as Member).every(isTexts) &&
    Object.values(reads as Member).every(isReads) &&
    Array.isArray(annotations) &&
    annotations.every(isMarks) &&
    (references === undefined || isReferences(references)) &&
    (packages === undefined || isTexts(packages));
  if (!whole) return undefined;
  return {
    compiler: { opa, toolchain },
    flags,
    sources,
    entrypoints,
    named,
    rules,
    reach: reach as BuildInfo['reach'],
    reads: reads as BuildInfo['reads'],
    annotations,
    ...(references === undefined ? {} : { references }),
    ...(packages === undefined ? {} : { packages }),
  };
};
