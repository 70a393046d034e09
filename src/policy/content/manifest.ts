import { valueFromJson } from '../../canonical/index.ts';
import { MANIFEST, quoted } from '../archive/names.ts';
import type { BundleFiles, Manifest } from '../model.ts';
import { PolicyError } from '../model.ts';
import { checkedText } from './data.ts';
import type { JsonNode } from './json-text.ts';
import { emptyObject, nodeAt, parseJson, writeJson } from './json-text.ts';
import { MOST_ROOTS, overlap } from './roots.ts';

/** The manifest as far as a build must carry it over word for word: numbers in metadata keep their text. */
export interface ManifestDocument {
  readonly manifest: Manifest;
  readonly metadata: JsonNode & { readonly kind: 'object' };
}

type Member = { readonly [key: string]: unknown };

const MOST_BYTES = 4_194_304;
// Each is compared with the name of every file.
const MOST_GLOBS = 100;
const LONGEST_GLOB = 512;
const NO_SLASH_PATH = /[\p{Cc}\\]|\/\/|(?:^|\/)\.\.?(?:\/|$)/u;

const refuse = (why: string): never => {
  throw new PolicyError('MANIFEST_INVALID', `${MANIFEST}: ${why}`);
};

const isObject = (value: unknown): value is Member =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readRevision = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return refuse('"revision" must be text');
  return value.length > 256 ? refuse('"revision" is longer than 256 characters') : value;
};

const readRoots = (value: unknown): string[] => {
  if (value === undefined || value === null) return [''];
  if (!Array.isArray(value)) return refuse('"roots" must be an array of paths');
  if (value.length > MOST_ROOTS) return refuse(`"roots" names more than ${MOST_ROOTS} paths`);
  const roots = value.map((root: unknown) => {
    if (typeof root !== 'string') return refuse('"roots" must be an array of paths');
    return NO_SLASH_PATH.test(root) ? refuse(`the root ${quoted(root)} is no path`) : root.replace(/^\/+|\/+$/g, '');
  });
  roots.forEach((root, at) => {
    const other = roots.slice(at + 1).find((later) => overlap(root, later));
    if (other !== undefined) refuse(`the roots ${quoted(root)} and ${quoted(other)} overlap`);
  });
  return roots;
};

const readVersion = (key: string, value: unknown): 0 | 1 =>
  value === 0 || value === 1 ? value : refuse(`"${key}" must be 0 or 1`);

const readFileVersions = (value: unknown): Manifest['fileRegoVersions'] => {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) return refuse('"file_rego_versions" must be an object');
  const globs = Object.keys(value).filter((name) => /[*?]/.test(name));
  if (globs.length > MOST_GLOBS) return refuse(`"file_rego_versions" has more than ${MOST_GLOBS} globs`);
  const long = globs.find((glob) => glob.length > LONGEST_GLOB);
  if (long !== undefined) return refuse(`the glob ${quoted(long)} is longer than ${LONGEST_GLOB} characters`);
  const versions = Object.entries(value).map(
    ([glob, version]) => [glob, readVersion('file_rego_versions', version)] as const,
  );
  return Object.fromEntries(versions);
};

const entrypointPath = (value: unknown): string => {
  if (typeof value !== 'string' || value === '' || value.length > 2048 || NO_SLASH_PATH.test(value)) {
    return refuse('an entrypoint must be a path such as "todo/allow"');
  }
  return value.replace(/^\/+|\/+$/g, '');
};

const readWasm = (value: unknown): Manifest['wasm'] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return refuse('"wasm" must be an array');
  const seen = new Set<string>();
  return value.map((item: unknown) => {
    if (!isObject(item) || typeof item.module !== 'string') return refuse('each of "wasm" names entrypoint and module');
    const entrypoint = entrypointPath(item.entrypoint);
    if (seen.has(entrypoint)) refuse(`the entrypoint ${quoted(entrypoint)} stands twice`);
    seen.add(entrypoint);
    return { entrypoint, module: item.module.replace(/^\/+/, '') };
  });
};

const readMetadata = (value: unknown): Member => {
  if (value === undefined || value === null) return {};
  return isObject(value) ? value : refuse('"metadata" must be an object');
};

/** What the author named: for our own builds only when they say so, since those list every entrypoint they have. */
const readEntrypoints = (metadata: Member, wasm: Manifest['wasm']): string[] | undefined => {
  const own = metadata.verdict;
  if (own !== undefined && !isObject(own)) return refuse('"metadata.verdict" must be an object');
  const named = own?.entrypoints;
  if (named !== undefined && own?.named !== false) {
    if (!Array.isArray(named)) return refuse('"metadata.verdict.entrypoints" must be an array of paths');
    return [...new Set(named.map(entrypointPath))].sort();
  }
  return own?.compiler === undefined && wasm.length > 0 ? wasm.map(({ entrypoint }) => entrypoint).sort() : undefined;
};

/** Reads and checks `.manifest` (unknown members are ignored, as OPA does); without the file, a bundle owns everything. */
export const readManifest = ({ files }: BundleFiles): ManifestDocument => {
  const bytes = files.get(MANIFEST);
  if (bytes !== undefined && bytes.length > MOST_BYTES) refuse(`it has more than ${MOST_BYTES} bytes`);
  const text = bytes === undefined ? '{}' : checkedText(MANIFEST, bytes, 'MANIFEST_INVALID');
  const value = valueFromJson(text);
  if (!isObject(value)) return refuse('it must be an object');
  const metadata = readMetadata(value.metadata);
  const wasm = readWasm(value.wasm);
  const entrypoints = readEntrypoints(metadata, wasm);
  const version = value.rego_version;
  const manifest: Manifest = {
    revision: readRevision(value.revision),
    roots: readRoots(value.roots),
    regoVersion: version === undefined || version === null ? 1 : readVersion('rego_version', version),
    fileRegoVersions: readFileVersions(value.file_rego_versions),
    wasm,
    metadata,
    ...(entrypoints === undefined ? {} : { entrypoints }),
  };
  const node = nodeAt(parseJson(text), ['metadata']);
  return { manifest, metadata: node?.kind === 'object' ? node : emptyObject() };
};

/** The `.manifest` of a build: `verdict` takes its place in the metadata, whose other members stay as they were. */
export const writeManifest = (document: ManifestDocument, roots: readonly string[], verdict: JsonNode): Uint8Array => {
  const { manifest, metadata } = document;
  const members = new Map<string, JsonNode>([
    ['revision', parseJson(JSON.stringify(manifest.revision))],
    ['roots', parseJson(JSON.stringify(roots))],
    ['rego_version', parseJson(String(manifest.regoVersion))],
    ['metadata', { kind: 'object', members: new Map([...metadata.members, ['verdict', verdict]]) }],
  ]);
  if (Object.keys(manifest.fileRegoVersions).length > 0) {
    members.set('file_rego_versions', parseJson(JSON.stringify(manifest.fileRegoVersions)));
  }
  return Buffer.from(`${writeJson({ kind: 'object', members })}\n`);
};
