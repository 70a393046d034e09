import { checkJson } from '../engine/index.ts';

/** One part of a document above several: where it stands, and its JSON text; absent when it is undefined. */
export interface PlacedJson {
  readonly at: readonly string[];
  readonly json?: string;
}

interface Node {
  json?: string;
  readonly children: Map<string, Node>;
}

const escapes: { readonly [character: string]: string } = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** A JSON text as Go writes it: safe inside HTML and JavaScript. What is escaped stands inside strings only. */
export const goJson = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);

/** A string as Go writes it in JSON. */
export const goString = (text: string): string => goJson(JSON.stringify(text));

const byUtf8 = ([a]: readonly [string, Node], [b]: readonly [string, Node]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

const unbounded = { bytes: Infinity, depth: 512, keys: Infinity };

const nodeOf = (json: string | undefined): Node => ({
  ...(json === undefined ? {} : { json }),
  children: new Map(),
});

const childOf = (node: Node, step: string): Node => {
  const found = node.children.get(step);
  if (found !== undefined) return found;
  const made = nodeOf(undefined);
  node.children.set(step, made);
  return made;
};

/** Takes an object's text apart, where another part stands inside it. */
const open = (node: Node): void => {
  if (node.json === undefined) return;
  const bytes = Buffer.from(node.json);
  delete node.json;
  // A value that is no object has no place for what stands below it: OPA, too, answers the packages then.
  for (const [key, { start, end }] of checkJson(bytes, unbounded).members) {
    if (!node.children.has(key)) node.children.set(key, nodeOf(bytes.toString('utf8', start, end)));
  }
};

const textOf = (node: Node): string => {
  if (node.json !== undefined) return node.json;
  const members = [...node.children].sort(byUtf8);
  return `{${members.map(([key, child]) => `${goString(key)}:${textOf(child)}`).join(',')}}`;
};

/**
 * The object that OPA answers for a path above several documents: each part in its place, keys in order, undefined
 * parts left out while the packages above them stay.
 */
export const composeObject = (parts: readonly PlacedJson[]): string => {
  const root = nodeOf(undefined);
  // Short paths first, so that what stands deeper finds the object that it goes into.
  for (const { at, json } of [...parts].sort((a, b) => a.at.length - b.at.length)) {
    let node = root;
    for (const step of at.slice(0, -1)) {
      open(node);
      node = childOf(node, step);
    }
    open(node);
    const last = at.at(-1);
    if (json === undefined) continue;
    const target = last === undefined ? node : childOf(node, last);
    if (target.children.size === 0) target.json = json;
    else merge(target, json);
  }
  return textOf(root);
};

const merge = (node: Node, json: string): void => {
  const other = nodeOf(json);
  open(other);
  for (const [key, child] of other.children) if (!node.children.has(key)) node.children.set(key, child);
};
