// OPA's own cases, read where the Go module's test data lies. Nothing of them is kept in this project.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { bytesOf, RegoBytes, type RegoModule, RegoObject, type RegoValue } from '../../../src/rego/index.ts';

export type Version = 'v0' | 'v1';

export interface Case {
  readonly version: Version;
  /** The folder: arithmetic, jwtdecodeverify ... */
  readonly topic: string;
  readonly note: string;
  readonly query: string;
  readonly modules: readonly string[];
  readonly data?: RegoValue;
  readonly input?: RegoValue;
  /** Rego text; it stands for `input`. */
  readonly inputTerm?: string;
  readonly want: Want;
}

export type Want =
  | { readonly kind: 'defined'; readonly value: boolean }
  | { readonly kind: 'result'; readonly solutions: readonly RegoValue[]; readonly sorted: boolean }
  /** `strict`: the error shows under strict builtin errors only, which Wasm does not know. */
  | { readonly kind: 'error'; readonly code: string; readonly strict: boolean };

const module = 'github.com/open-policy-agent/opa';

const jsonText = (value: RegoValue | undefined): string | undefined =>
  typeof value === 'string' || value instanceof RegoBytes ? Buffer.from(bytesOf(value)).toString() : undefined;

/** The folder of the module's test data: OPA_MODULE_DIR, or where Go keeps the version that the toolchain pins. */
export const testdataDir = (): string => {
  const go = new URL('../../../toolchain/go.mod', import.meta.url);
  const version = /github\.com\/open-policy-agent\/opa (v\S+)/.exec(readFileSync(go, 'utf8'))?.[1];
  const root = process.env.OPA_MODULE_DIR ?? downloaded(`${module}@${version}`);
  const dir = join(root, 'v1', 'test', 'cases', 'testdata');
  if (!existsSync(dir)) throw new Error(`OPA's cases are wanted in ${dir}, and are not there`);
  return dir;
};

const downloaded = (wanted: string): string => {
  const answer = execFileSync('go', ['mod', 'download', '-json', wanted], { encoding: 'utf8' });
  return (JSON.parse(answer) as { readonly Dir: string }).Dir;
};

export interface CaseFile {
  readonly version: Version;
  readonly topic: string;
  readonly file: string;
}

/** Every file with cases, in a fixed order. */
export const caseFiles = (dir: string): readonly CaseFile[] =>
  (['v0', 'v1'] as const).flatMap((version) =>
    readdirSync(join(dir, version), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => ({ version, topic: relative(join(dir, version), file).split(sep)[0] ?? '', file })),
  );

const wantOf = (test: RegoObject): Want => {
  const strict = test.get('strict_error') === true;
  const defined = test.get('want_defined');
  if (typeof defined === 'boolean') return { kind: 'defined', value: defined };
  const solutions = test.get('want_result');
  if (Array.isArray(solutions)) {
    const list = solutions as readonly RegoValue[];
    return { kind: 'result', solutions: list, sorted: test.get('sort_bindings') === true };
  }
  const code = jsonText(test.get('want_error_code'));
  if (code === undefined && test.get('want_error') === undefined) throw new Error('a case wants nothing');
  return { kind: 'error', code: code ?? '', strict };
};

const caseOf = ({ version, topic }: CaseFile, test: RegoObject): Case => {
  const text = (name: string): string => jsonText(test.get(name)) ?? '';
  const modules = test.get('modules');
  const inputTerm = jsonText(test.get('input_term'));
  // `null` in the file is no value at all.
  const optional = { data: test.get('data') ?? undefined, input: test.get('input') ?? undefined, inputTerm };
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  const texts = Array.isArray(modules) ? (modules as readonly RegoValue[]).map((item) => jsonText(item) ?? '') : [];
  return { version, topic, note: text('note'), query: text('query'), modules: texts, want: wantOf(test), ...present };
};

/** A file's cases. OPA's own YAML reader reads them, so that every number and every `yes` means what it means there. */
export const readCases = (opa: RegoModule, file: CaseFile): readonly Case[] => {
  const read = opa.call('yaml.unmarshal', [readFileSync(file.file, 'utf8')]);
  const cases = read.kind === 'value' && read.value instanceof RegoObject ? read.value.get('cases') : undefined;
  if (!Array.isArray(cases)) throw new Error(`${file.file} is no file of cases`);
  return (cases as readonly RegoValue[]).map((test) => caseOf(file, test as RegoObject));
};
