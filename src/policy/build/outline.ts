import { aside, INLINE_BYTES } from '../aside/aside.ts';
import type { DataDocument } from '../content/data.ts';
import type { JsonNode } from '../content/json-text.ts';
import { emptyObject, nodeAt, parseJson } from '../content/json-text.ts';
import { segmentsOf, unownedData } from '../content/roots.ts';
import type { PreparedBundle, ReadBundle } from './prepared.ts';
import type { Inspected } from './references.ts';

type Path = readonly string[];

export interface OutlineRequest {
  /** JSON text of the data document. */
  readonly json: Uint8Array;
  /** What a review asks about. */
  readonly paths: readonly Path[];
  /** Roots that the manifest names; of data outside them the first place is in the outline. */
  readonly roots: readonly string[];
}

/** Names that an outline has of one object beside those on its paths: as many as a review compares a slip with. */
const MOST_NAMES = 5_000;

const nothing: JsonNode = { kind: 'scalar', text: 'null' };
const noItems: JsonNode = { kind: 'array', items: [] };

const leafOf = ({ kind }: JsonNode): JsonNode =>
  kind === 'object' ? emptyObject() : kind === 'array' ? noItems : nothing;

/** What is asked about, as a tree of names. */
type Asked = Map<string, Asked>;

const askedOf = (paths: readonly Path[]): Asked => {
  const top: Asked = new Map();
  for (const path of paths) {
    let at = top;
    for (const segment of path) {
      const next: Asked = at.get(segment) ?? new Map();
      at.set(segment, next);
      at = next;
    }
  }
  return top;
};

const cut = (node: JsonNode, asked: Asked): JsonNode => {
  if (node.kind === 'scalar') return nothing;
  if (node.kind === 'array') {
    const found = [...asked].filter(([segment]) => nodeAt(node, [segment]) !== undefined);
    const last = Math.max(-1, ...found.map(([segment]) => Number(segment)));
    const inner = new Map(found.map(([segment, below]) => [Number(segment), below]));
    const items = node.items.slice(0, last + 1).map((item, index) => {
      const below = inner.get(index);
      return below === undefined ? nothing : cut(item, below);
    });
    return { kind: 'array', items };
  }
  const members = new Map<string, JsonNode>();
  let seen = 0;
  for (const [name, item] of node.members) {
    const below = asked.get(name);
    if (below !== undefined) members.set(name, cut(item, below));
    else if (seen < MOST_NAMES) members.set(name, leafOf(item));
    seen += 1;
  }
  return { kind: 'object', members };
};

/**
 * As much of a document as a review of its bundle sees: what stands at the paths and what stands beside them, by name.
 * What it finds in the outline, it would find in the whole.
 */
export const outlineOf = ({ json, paths, roots }: OutlineRequest): DataDocument['root'] => {
  const whole = parseJson(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'));
  const outside = unownedData(whole, roots);
  const outline = cut(whole, askedOf(outside === undefined ? paths : [...paths, outside]));
  return outline.kind === 'object' ? outline : emptyObject();
};

/** A bundle that was read, with as much of the tree of its data as a review asks about; of much data it is made aside. */
export const withOutline = async (read: ReadBundle, inspection: Inspected): Promise<PreparedBundle> => {
  const { json } = read.data;
  const request: OutlineRequest = {
    json,
    paths: [...inspection.rules.map(segmentsOf), ...inspection.dataReferences.map(({ path }) => path)],
    roots: read.document.manifest.roots,
  };
  const root = json.length > INLINE_BYTES ? await aside('outline', request) : outlineOf(request);
  return { ...read, data: { ...read.data, root } };
};
