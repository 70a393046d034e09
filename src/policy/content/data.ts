import { messageOf } from '../../canonical/index.ts';
import { checkJson, JsonError } from '../../engine/index.ts';
import { isData, quoted } from '../archive/names.ts';
import type { BundleFiles } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { JsonNode } from './json-text.ts';
import { emptyObject, parseJson, writeJson } from './json-text.ts';
import { parseYaml } from './yaml.ts';

const DEEPEST = 64;
const MOST_KEYS = 5_000_000;
/** Where compiled rules keep their groups (toolchain/regroup.go): data there would answer for a group without a rule. */
const KEPT = '__vd';

export interface DataDocument {
  readonly root: JsonNode & { readonly kind: 'object' };
  /** UTF-8 JSON text of it: one per document, numbers as they were written. */
  readonly json: Uint8Array;
}

const refuse = (file: string, why: string, cause?: unknown): never => {
  throw new PolicyError('DATA_INVALID', `${file}: ${why}`, { cause });
};

/** Checks JSON from a bundle's file; `code` says whose fault a refusal is. */
export const checkedText = (name: string, bytes: Uint8Array, code: 'DATA_INVALID' | 'MANIFEST_INVALID'): string => {
  try {
    checkJson(bytes, { bytes: Number.MAX_SAFE_INTEGER, depth: DEEPEST, keys: MOST_KEYS });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new PolicyError(code, `${name}: not JSON that Verdict takes: ${messageOf(error)}`, { cause: error });
  }
};

const parseYamlFile = (name: string, bytes: Uint8Array): JsonNode => {
  try {
    return parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return refuse(name, `not YAML that Verdict takes: ${messageOf(error)}`, error);
  }
};

const parseFile = (name: string, bytes: Uint8Array): JsonNode =>
  name.endsWith('.json') ? parseJson(checkedText(name, bytes, 'DATA_INVALID')) : parseYamlFile(name, bytes);

/** Objects are merged member by member; anything else at one place twice is a conflict, even when it is equal. */
const merge = (into: Map<string, JsonNode>, from: JsonNode & { kind: 'object' }, where: Place): void => {
  for (const [key, item] of from.members) {
    const present = into.get(key);
    if (present === undefined) into.set(key, item);
    else if (present.kind === 'object' && item.kind === 'object') {
      merge(present.members, item, { ...where, path: [...where.path, key] });
    } else refuse(where.file, `another data file has a value at ${quoted([...where.path, key].join('/'))}`);
  }
};

interface Place {
  readonly file: string;
  readonly path: readonly string[];
}

/**
 * All data files of a bundle as one document. A file's folder is its place in `data`; the file at the top must be an
 * object.
 */
export const mergeData = ({ files }: BundleFiles): DataDocument => {
  const root = emptyObject();
  for (const [name, bytes] of files) {
    if (!isData(name)) continue;
    const folder = name.split('/').slice(0, -1);
    let node = parseFile(name, bytes);
    if (folder.length === 0 && node.kind !== 'object') refuse(name, 'the data at the top must be an object');
    for (const segment of folder.reverse()) node = { kind: 'object', members: new Map([[segment, node]]) };
    if (node.kind !== 'object') continue;
    if (node.members.has(KEPT)) refuse(name, `data.${KEPT} is kept for compiled rules`);
    merge(root.members, node, { file: name, path: [] });
  }
  return { root, json: Buffer.from(writeJson(root)) };
};
