import { readFileSync } from 'node:fs';
import { isMap, isNode, isPair, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { messageOf } from '../canonical/index.ts';
import { ConfigError } from './model.ts';

/** A parsed file: its value, and where each key of it stands. */
export interface YamlFile {
  readonly value: unknown;
  /** `verdict.yaml:3:5` of the key at a path, or of the nearest one above it. */
  place(path: readonly string[]): string;
}

const MAX_BYTES = 1_048_576;

const readText = (file: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file).subarray(0, MAX_BYTES + 1));
  } catch (cause) {
    throw new ConfigError('CONFIG_UNREADABLE', `${file} cannot be read: ${messageOf(cause)}`, [], cause);
  }
};

/** The node of a key's name (in a map) or of an element (in a list). */
const childOf = (parent: unknown, name: string): { readonly key: unknown; readonly value: unknown } | undefined => {
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && String(item.key) === name);
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
  if (!isSeq(parent)) return undefined;
  const item = parent.items[Number(name)];
  return item === undefined ? undefined : { key: item, value: item };
};

/**
 * Reads one YAML 1.2 document (core schema). Throws CONFIG_UNREADABLE or, with every place, CONFIG_SYNTAX: also for a
 * key that stands twice and for tags.
 */
export const readYamlFile = (file: string): YamlFile => {
  const text = readText(file);
  if (text.length > MAX_BYTES) throw new ConfigError('CONFIG_SYNTAX', `${file} is larger than 1 MiB`, []);
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', schema: 'core', prettyErrors: false, lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const found = [...document.errors, ...document.warnings];
  if (found.length > 0) {
    const problems = found.map((error) => ({ key: '', message: `${error.message} (${at(error.pos[0])})` }));
    throw new ConfigError('CONFIG_SYNTAX', `${file} is not the YAML that was wanted`, problems);
  }
  const place = (path: readonly string[]): string => {
    let node: unknown = document.contents;
    let nearest: unknown = document.contents;
    for (const name of path) {
      const child = childOf(node, name);
      if (child === undefined) break;
      nearest = child.key;
      node = child.value;
    }
    return at(isNode(nearest) ? ((nearest as Node).range?.[0] ?? 0) : 0);
  };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), place };
  } catch (cause) {
    throw new ConfigError('CONFIG_SYNTAX', `${file} is not the YAML that was wanted: ${messageOf(cause)}`, [], cause);
  }
};
