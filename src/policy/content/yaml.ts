import type { Document, Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { JsonNode } from './json-text.ts';

// A YAML text of a few kilobytes can name one list a billion times over.
const MOST_NODES = 1_000_000;
const MOST_BYTES = 8_388_608;
const DEEPEST = 64;

const scalar = (text: string): JsonNode => ({ kind: 'scalar', text });

const words: { readonly [word: string]: string } = {
  '': 'null',
  '~': 'null',
  null: 'null',
  Null: 'null',
  NULL: 'null',
  true: 'true',
  True: 'true',
  TRUE: 'true',
  false: 'false',
  False: 'false',
  FALSE: 'false',
};

const INTEGER = /^[-+]?(?:0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

const integerText = (text: string): string => {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '');
  const octal = /^0[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits) * (negative ? -1n : 1n);
  const fits = value >= -(2n ** 63n) && value < 2n ** 64n;
  return fits ? String(value) : floatText(Number(value));
};

const floatText = (value: number): string => (Object.is(value, -0) ? '-0' : JSON.stringify(value));

/**
 * What a word without quotes means to OPA's YAML reader: `yes` and `on` are text, `010` is eight, `1_000` a thousand,
 * numbers that fit no 64-bit integer are floats, dates are text. Neither of the schemas of YAML 1.1 and 1.2.
 */
const plainScalar = (text: string): JsonNode => {
  const word = Object.hasOwn(words, text) ? words[text] : undefined;
  if (word !== undefined) return scalar(word);
  const bare = /^[-+]?[0-9.]/.test(text) ? text.replaceAll('_', '') : text;
  if (INTEGER.test(bare)) return scalar(integerText(bare));
  if (FLOAT.test(bare) && Number.isFinite(Number(bare))) return scalar(floatText(Number(bare)));
  return scalar(JSON.stringify(text));
};

/** A YAML text that is not taken: why, and at which character, where that is known. */
export class YamlError extends Error {
  readonly offset: number | undefined;

  constructor(why: string, offset?: number) {
    super(why);
    this.offset = offset;
  }
}

const fault = (why: string, node?: unknown): YamlError =>
  new YamlError(why, (node as { readonly range?: readonly number[] | null } | null | undefined)?.range?.[0]);

class YamlReader {
  private nodes = 0;
  private readonly document: Document;

  constructor(document: Document) {
    this.document = document;
  }

  value(node: unknown, depth: number): JsonNode {
    if (++this.nodes > MOST_NODES)
      throw fault(`more than ${MOST_NODES} values, aliases counted where they stand`, node);
    if (depth > DEEPEST) throw fault(`nested deeper than ${DEEPEST}`, node);
    if (node === null || node === undefined) return scalar('null');
    if (isAlias(node)) return this.value(this.resolved(node), depth);
    if (isScalar(node)) return this.scalar(node);
    if (isSeq(node)) return { kind: 'array', items: node.items.map((item) => this.value(item, depth + 1)) };
    if (!isMap(node)) throw fault('a value that JSON cannot say', node);
    const members = new Map<string, JsonNode>();
    const merged = new Map<string, JsonNode>();
    for (const { key, value } of node.items) {
      if (isScalar(key) && key.source === '<<' && key.type === 'PLAIN') this.merge(value, merged, depth);
      else {
        const name = this.key(key);
        if (members.has(name)) throw fault(`the key ${JSON.stringify(name)} stands twice in one mapping`, key);
        members.set(name, this.value(value, depth + 1));
      }
    }
    return { kind: 'object', members: new Map([...merged, ...members]) };
  }

  private resolved(node: Node & { resolve?: unknown }): unknown {
    if (!isAlias(node)) return node;
    const target = node.resolve(this.document);
    if (target === undefined) throw fault(`the alias *${node.source} names nothing`, node);
    return target;
  }

  private scalar(node: Node & { value: unknown; source?: string; type?: string; tag?: string }): JsonNode {
    const text = typeof node.value === 'string' ? node.value : String(node.source ?? '');
    if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:str') throw fault(`the tag ${node.tag}`, node);
    return node.type === 'PLAIN' && node.tag === undefined ? plainScalar(text) : scalar(JSON.stringify(text));
  }

  /** Numbers and booleans become the text of the key, as in Go. */
  private key(node: unknown): string {
    const key = isScalar(node) || isAlias(node) ? this.value(node, DEEPEST) : undefined;
    if (key?.kind !== 'scalar' || key.text === 'null') throw fault('a key that is no text, number or boolean', node);
    return key.text.startsWith('"') ? (JSON.parse(key.text) as string) : key.text;
  }

  private merge(value: unknown, into: Map<string, JsonNode>, depth: number): void {
    const source = isAlias(value) ? this.resolved(value) : value;
    for (const part of isSeq(source) ? source.items : [source]) {
      const found = this.value(part, depth);
      if (found.kind !== 'object') throw fault('<< merges something that is no mapping', value);
      for (const [name, item] of found.members) if (!into.has(name)) into.set(name, item);
    }
  }
}

/** One YAML document as JSON. Throws a YamlError. */
export const parseYaml = (text: string): JsonNode => {
  if (text.length > MOST_BYTES) throw fault(`YAML of more than ${MOST_BYTES} bytes: write it as JSON`);
  // The failsafe schema leaves every scalar text, so that the rules above decide.
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw new YamlError(problem.message, problem.pos[0]);
  return new YamlReader(document as Document).value(document.contents, 0);
};
