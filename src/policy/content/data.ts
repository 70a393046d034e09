import { isUtf8 } from 'node:buffer';
import { sha256Hex } from '../../canonical/index.ts';
import type { CheckedJson } from '../../engine/index.ts';
import { checkJson, JsonError } from '../../engine/index.ts';
import type { RegoProblem } from '../../rego/index.ts';
import { problemsSentence } from '../../rego/index.ts';
import { isData, quoted } from '../archive/names.ts';
import type { BundleFiles } from '../model.ts';
import { PolicyError, refuseProblems } from '../model.ts';
import type { JsonIndex } from './indexed-json.ts';
import { indexJson } from './indexed-json.ts';
import type { JsonNode } from './json-text.ts';
import { emptyObject, jsonBytes, nodeAt, parseJson } from './json-text.ts';
import type { Place } from './places.ts';
import { placeAt, placeIn, problemIn } from './places.ts';
import { isUnder } from './roots.ts';
import { parseYaml, YamlError } from './yaml.ts';

const DEEPEST = 64;
const MOST_KEYS = 5_000_000;
/** Where compiled rules keep their groups (toolchain/regroup.go): data there would answer for a group without a rule. */
const KEPT = '__vd';

export interface DataDocument {
  readonly root: JsonNode & { readonly kind: 'object' };
  /** UTF-8 JSON text of it: one per document, numbers as they were written. */
  readonly json: CheckedJson;
  readonly index: JsonIndex;
  /** SHA-256 of that text, hexadecimal. */
  readonly revision: string;
}

interface Text {
  readonly file: string;
  readonly text: string;
}

const textOf = (file: string, bytes: Uint8Array): Text => ({ file, text: Buffer.from(bytes).toString('utf8') });

const refuse = (text: Text, message: string, place?: Place): void =>
  refuseProblems('DATA_INVALID', [problemIn(text, { code: 'verdict_data_error', message, ...(place && { place }) })]);

/** Checks JSON from a bundle's file; `code` says whose fault a refusal is. */
export const checkedText = (file: string, bytes: Uint8Array, code: 'DATA_INVALID' | 'MANIFEST_INVALID'): string => {
  try {
    checkJson(bytes, { bytes: Number.MAX_SAFE_INTEGER, depth: DEEPEST, keys: MOST_KEYS });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const message = `not JSON that Verdict takes: ${error.wanted}`;
    const place = { row: error.place.line, col: error.place.column };
    const kind = code === 'DATA_INVALID' ? 'verdict_data_error' : 'verdict_manifest_error';
    refuseProblems(code, [problemIn(textOf(file, bytes), { code: kind, message, place })], { cause: error });
  }
  return textOf(file, bytes).text;
};

const parseYamlFile = (file: string, bytes: Uint8Array): JsonNode => {
  const { text } = textOf(file, bytes);
  try {
    if (!isUtf8(bytes)) throw new YamlError('bytes that are no UTF-8');
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const message = `not YAML that Verdict takes: ${error.message}`;
    const place = placeAt(text, error.offset ?? 0);
    const problem = problemIn({ file, text }, { code: 'verdict_data_error', message, place });
    throw new PolicyError('DATA_INVALID', problemsSentence([problem]), { cause: error, problems: [problem] });
  }
};

const parseFile = (name: string, bytes: Uint8Array): JsonNode =>
  name.endsWith('.json') ? parseJson(checkedText(name, bytes, 'DATA_INVALID')) : parseYamlFile(name, bytes);

const folderOf = (file: string): string[] => file.split('/').slice(0, -1);

/** Where in the data files a value stands; the first file that has it, but for `except`. */
export const problemInData = (
  files: ReadonlyMap<string, Uint8Array>,
  path: readonly string[],
  { code, message, except }: { readonly code: string; readonly message: string; readonly except?: string },
): RegoProblem => {
  for (const [file, bytes] of files) {
    const folder = folderOf(file);
    if (!isData(file) || file === except) continue;
    const text = textOf(file, bytes);
    // A file below the place fills it by where it lies.
    if (isUnder(folder, path)) return problemIn(text, { code, message });
    const inside = path.slice(folder.length);
    if (!isUnder(path, folder) || nodeAt(parseFile(file, bytes), inside) === undefined) continue;
    return problemIn(text, { code, message, place: placeIn(file, text.text, inside) });
  }
  return { code, message };
};

/**
 * Merges objects member by member, and answers the first place that both fill otherwise, be it with the same.
 */
export const unite = (
  into: Map<string, JsonNode>,
  from: JsonNode & { kind: 'object' },
  at: readonly string[] = [],
): readonly string[] | undefined => {
  for (const [key, item] of from.members) {
    const present = into.get(key);
    if (present === undefined) into.set(key, item);
    else if (present.kind !== 'object' || item.kind !== 'object') return [...at, key];
    else {
      const conflict = unite(present.members, item, [...at, key]);
      if (conflict !== undefined) return conflict;
    }
  }
  return undefined;
};

const refuseConflict = (files: BundleFiles['files'], file: string, path: readonly string[]): void => {
  const { file: other = 'another data file' } = problemInData(files, path, { code: '', message: '', except: file });
  const message = `${other} has a value at ${quoted(path.join('/'))}, too`;
  const own = new Map([...files].filter(([name]) => name === file));
  refuseProblems('DATA_INVALID', [problemInData(own, path, { code: 'verdict_data_error', message })]);
};

/**
 * All data files of a bundle as one document. A file's folder is its place in `data`; the file at the top must be an
 * object.
 */
export const mergeData = ({ files }: BundleFiles): DataDocument => {
  const root = emptyObject();
  for (const [file, bytes] of files) {
    if (!isData(file)) continue;
    const folder = folderOf(file);
    const top = parseFile(file, bytes);
    if (folder.length === 0 && top.kind !== 'object')
      refuse(textOf(file, bytes), 'the data at the top must be an object');
    const node = folder.reduceRight<JsonNode>(
      (inner, name) => ({ kind: 'object', members: new Map([[name, inner]]) }),
      top,
    );
    if (node.kind !== 'object') continue;
    if (node.members.has(KEPT)) {
      const text = textOf(file, bytes);
      const place = folder.length === 0 ? placeIn(file, text.text, [KEPT]) : undefined;
      refuse(text, `data.${KEPT} is kept for compiled rules`, place);
    }
    const conflict = unite(root.members, node);
    if (conflict !== undefined) refuseConflict(files, file, conflict);
  }
  const json = jsonBytes(root);
  return { root, json, index: indexJson(json), revision: sha256Hex(json) };
};
