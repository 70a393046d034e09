import { hash } from 'node:crypto';
import type { CheckedJson, Footprint } from '../engine/index.ts';
import { canonicalText, footprintOf, projectedText } from '../engine/index.ts';
import type { InputRead } from '../rego/index.ts';
import { isIndex } from './freshness.ts';
import type { ActiveVersion, Resolution, Wire } from './model.ts';

/** All of a request that its answer can depend on, before anything of it is parsed. */
export interface RawParts {
  readonly wire: Wire;
  /** What is asked, as text: equal texts must mean equal paths. */
  readonly path: string;
  /** Every option that changes the answer (the query string will do); two spellings only cost a hit. */
  readonly options: string;
  readonly contentType: string;
  readonly contentCoding: string;
  /** As it came, before it is inflated. */
  readonly body: Uint8Array;
}

/** What is no longer than this is its own key: comparing it costs less than a digest, and mistakes it for no other. */
const VERBATIM_LENGTH = 1_024;

/** A part with its length before it: no two lists of parts give the same text. */
const part = (text: string): string => `${text.length}:${text}`;

/** The key under which `Decisions.repeat` finds the same request again: the request itself, or its SHA-256, full width. */
export const rawKey = (parts: RawParts): string => {
  const { wire, path, options, contentType, contentCoding, body } = parts;
  const head = `raw${part(wire)}${part(path)}${part(options)}${part(contentType)}${part(contentCoding)}${body.length}:`;
  if (body.length <= VERBATIM_LENGTH) {
    return head + Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  }
  return hash('sha256', Buffer.concat([Buffer.from(head), body]), 'base64url');
};

const versionParts = (version: ActiveVersion): readonly unknown[] => [
  version.name,
  version.version,
  version.digest,
  version.dataRevision,
  version.linkedDigest,
];

const resolutionParts = (resolution: Resolution): readonly unknown[] => {
  switch (resolution.kind) {
    case 'rule': {
      const { version, entrypoint, below, isResult, ttlMs } = resolution.target;
      return ['rule', ...versionParts(version), entrypoint, below, isResult, ttlMs ?? null];
    }
    case 'data':
      return ['data', ...versionParts(resolution.version)];
    case 'composite':
      return ['composite', resolution.parts.map(({ at, part: inner }) => [at, resolutionParts(inner)])];
    case 'unknown':
      return ['unknown'];
  }
};

/** The last path that was asked of a resolution: mostly the only one. */
const grounds = new WeakMap<Resolution, { readonly path: readonly string[]; readonly ground: string }>();

/**
 * What a path stands for: the versions that answer it, by digest and data revision, and where in them, as SHA-256, full
 * width. Equal grounds give equal answers to equal inputs, whatever else was activated in between.
 */
export const groundOf = (path: readonly string[], resolution: Resolution): string => {
  const known = grounds.get(resolution);
  if (known !== undefined && known.path === path) return known.ground;
  const ground = hash('sha256', JSON.stringify([path, resolutionParts(resolution)]), 'base64url');
  grounds.set(resolution, { path, ground });
  return ground;
};

/** What of an input its answer can depend on, as text. */
export type InputText = (resolution: Resolution, input: CheckedJson) => string;

/**
 * Takes what the rules behind a path can read, and what stands at `besides` (JSON Pointers' steps); all of the input,
 * canonical, where nobody knows what they read.
 */
export const inputText = (besides: readonly (readonly string[])[]): InputText => {
  const footprints = new WeakMap<readonly InputRead[], Footprint>();
  // What stands in an array is known by the array.
  const places = besides.map((steps) => {
    const index = steps.findIndex(isIndex);
    return index < 0 ? steps : steps.slice(0, index);
  });
  const footprintFor = (reads: readonly InputRead[]): Footprint => {
    const known = footprints.get(reads);
    if (known !== undefined) return known;
    const footprint = footprintOf(reads, places);
    footprints.set(reads, footprint);
    return footprint;
  };
  return (resolution, input) => {
    const reads = resolution.kind === 'rule' ? resolution.target.reads : undefined;
    return reads === undefined ? canonicalText(input) : projectedText(input, footprintFor(reads));
  };
};

/**
 * The footprint key, of everything an answer depends on: the text itself, or its SHA-256, full width.
 *
 * @param text what counts of the input; absent for an absent input
 */
export const footprintKey = (ground: string, strictErrors: boolean, text: string | undefined): string => {
  const head = ground + (strictErrors ? 'strict' : 'lax');
  if (text === undefined) return `${head},absent`;
  return text.length <= VERBATIM_LENGTH ? `${head}=${text}` : `${head}#${hash('sha256', text, 'base64url')}`;
};
