import { aside, INLINE_BYTES } from '../aside/aside.ts';
import type { DataDocument } from '../content/data.ts';
import type { IndexedJson, JsonPlace } from '../content/indexed-json.ts';
import { kindAt, membersOf, stepFrom } from '../content/indexed-json.ts';
import type { JsonNode } from '../content/json-text.ts';
import { emptyObject } from '../content/json-text.ts';
import { segmentsOf, unownedData } from '../content/roots.ts';
import type { PreparedBundle, ReadBundle } from './prepared.ts';
import type { Inspected } from './references.ts';

type Path = readonly string[];

/** The data document, of which no more is read than is asked about, and what that is. */
export interface OutlineRequest extends IndexedJson {
  /** What a review asks about. */
  readonly paths: readonly Path[];
  /** Roots that the manifest names; of data outside them the first place is in the outline. */
  readonly roots: readonly string[];
}

/** Names that an outline has of one object beside those on its paths: as many as a review compares a slip with. */
const MOST_NAMES = 5_000;

const nothing: JsonNode = { kind: 'scalar', text: 'null' };
const noItems: JsonNode = { kind: 'array', items: [] };

const leafOf = (place: JsonPlace): JsonNode => {
  const kind = kindAt(place);
  return kind === 'object' ? emptyObject() : kind === 'array' ? noItems : nothing;
};

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

const cutItems = (place: JsonPlace, asked: Asked): JsonNode => {
  const items: JsonNode[] = [];
  for (const [segment, below] of asked) {
    const item = stepFrom(place, segment);
    if (item !== undefined) items[Number(segment)] = cut(item, below, MOST_NAMES);
  }
  return { kind: 'array', items: Array.from(items, (item) => item ?? nothing) };
};

/** What is asked about of a value, and beside it the names of so many members. */
const cut = (place: JsonPlace, asked: Asked, names: number): JsonNode => {
  const kind = kindAt(place);
  if (kind === 'scalar') return nothing;
  if (kind === 'array') return cutItems(place, asked);
  const members = new Map<string, JsonNode>();
  for (const member of membersOf(place) ?? []) {
    if (members.size >= names) break;
    const below = asked.get(member.key);
    members.set(member.key, below === undefined ? leafOf(member.place) : cut(member.place, below, names));
  }
  for (const [name, below] of asked) {
    const member = members.has(name) ? undefined : stepFrom(place, name);
    if (member !== undefined) members.set(name, cut(member, below, names));
  }
  return { kind: 'object', members };
};

/** The first path that no root owns: only what leads to a root is asked about, and of that every name. */
const outsideOf = (top: JsonPlace, roots: readonly string[]): Path | undefined =>
  unownedData(cut(top, askedOf(roots.map((root) => segmentsOf(root).slice(0, -1))), Number.POSITIVE_INFINITY), roots);

/**
 * As much of a document as a review of its bundle sees: what stands at the paths and what stands beside them, by name.
 * What it finds in the outline, it would find in the whole.
 */
export const outlineOf = ({ json, index, paths, roots }: OutlineRequest): DataDocument['root'] => {
  const top: JsonPlace = { of: { json, index }, at: 0 };
  const outside = outsideOf(top, roots);
  const outline = cut(top, askedOf(outside === undefined ? paths : [...paths, outside]), MOST_NAMES);
  return outline.kind === 'object' ? outline : emptyObject();
};

/** A bundle that was read, with as much of the tree of its data as a review asks about; of much data it is made aside. */
export const withOutline = async (read: ReadBundle, inspection: Inspected): Promise<PreparedBundle> => {
  const { json, index } = read.data;
  const request: OutlineRequest = {
    json,
    index,
    paths: [...inspection.rules.map(segmentsOf), ...inspection.dataReferences.map(({ path }) => path)],
    roots: read.document.manifest.roots,
  };
  const root = json.length > INLINE_BYTES ? await aside('outline', request) : outlineOf(request);
  return { ...read, data: { ...read.data, root } };
};
