import { sha256Hex } from '../../canonical/index.ts';
import type { CheckedJson } from '../../engine/index.ts';
import type { JsonNode } from '../content/json-text.ts';
import { emptyObject, jsonBytes, parseJson, writeJson } from '../content/json-text.ts';
import { isUnder } from '../content/roots.ts';

type Path = readonly string[];

export interface JoinRequest {
  /** JSON text of the version's own data. */
  readonly own: Uint8Array;
  readonly reads: readonly {
    readonly data: Uint8Array;
    /** What is taken of it. */
    readonly paths: readonly Path[];
    /** What has to be there. */
    readonly wanted: readonly Path[];
  }[];
}

export interface JoinAnswer {
  readonly json: CheckedJson;
  readonly reads: readonly {
    /** SHA-256 of what was taken and where it stood; empty when nothing of it is there. */
    readonly revision: string;
    /** Indexes of what is wanted and not there. */
    readonly absent: readonly number[];
  }[];
}

interface Slice {
  readonly at: Path;
  readonly node: JsonNode;
}

/** What stands at a path; where the path leads into something that is no object, that whole. */
const sliceAt = (root: JsonNode, path: Path): Slice | undefined => {
  let node = root;
  for (const [depth, segment] of path.entries()) {
    if (node.kind !== 'object') return { at: path.slice(0, depth), node };
    const next = node.members.get(segment);
    if (next === undefined) return undefined;
    node = next;
  }
  return { at: path, node };
};

/** Roots do not overlap: two values meet in objects that lead to them, and nowhere else. */
const place = (into: Map<string, JsonNode>, [key, ...rest]: Path, node: JsonNode): void => {
  if (key === undefined) {
    if (node.kind === 'object') for (const [name, item] of node.members) place(into, [name], item);
    return;
  }
  const present = into.get(key);
  if (rest.length === 0 && present === undefined) {
    into.set(key, node);
    return;
  }
  if (present !== undefined && present.kind !== 'object') return;
  // A copy: the tree that it comes from may be taken from again.
  const members = new Map(present?.members);
  into.set(key, { kind: 'object', members });
  place(members, rest, node);
};

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

/** A version's data with what it reads of others', each in its place. */
export const joinData = ({ own, reads }: JoinRequest): JoinAnswer => {
  const root = emptyObject();
  place(root.members, [], parseJson(textOf(own)));
  const answers = reads.map(({ data, paths, wanted }) => {
    const tree = parseJson(textOf(data));
    const found = paths.flatMap((path) => sliceAt(tree, path) ?? []);
    const slices = found.filter(({ at }, index) => !found.slice(0, index).some((other) => isUnder(at, other.at)));
    const taken = slices.filter(({ at, node }) => at.length > 0 || (node.kind === 'object' && node.members.size > 0));
    for (const { at, node } of taken) place(root.members, at, node);
    return {
      revision:
        taken.length === 0
          ? ''
          : sha256Hex(Buffer.from(taken.map(({ at, node }) => JSON.stringify(at) + writeJson(node)).join('\n'))),
      absent: wanted.flatMap((path, index) => (sliceAt(tree, path) === undefined ? [index] : [])),
    };
  });
  return { json: jsonBytes(root), reads: answers };
};
