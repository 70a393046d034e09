import { MODULE } from '../archive/names.ts';
import { filesDigest } from '../archive/write.ts';
import { checkOwnership, externalReferences, narrowRoots } from '../build/ownership.ts';
import type { PreparedBundle, ReadBundle } from '../build/prepared.ts';
import type { ExternalReference, Inspected } from '../build/references.ts';
import { packageClause } from '../content/packages.ts';
import { isOwned, segmentsOf } from '../content/roots.ts';
import { PolicyError } from '../model.ts';
import type { Runnable } from './runnable.ts';

/** The one module that a foreign manifest names for its entrypoints. */
export const foreignModule = ({ files, document }: ReadBundle): Uint8Array => {
  const names = [...new Set(document.manifest.wasm.map(({ module }) => module))];
  const [name] = names;
  const wasm = name === undefined ? undefined : files.get(name);
  if (names.length > 1) {
    throw new PolicyError('MANIFEST_INVALID', 'the manifest spreads its entrypoints over several modules');
  }
  if (wasm === undefined) throw new PolicyError('MANIFEST_INVALID', 'the module that the manifest names is missing');
  return wasm;
};

/** Nobody knows what such a module reads: it sees all data that there is. */
export const opaqueReferences: readonly ExternalReference[] = [{ path: [], file: MODULE, row: 1, col: 1 }];

/**
 * A version whose rules only the supplied module has: what `opa build -t wasm` writes, which removes the rules of its
 * entrypoints from the sources. `cut` are the entrypoints that the sources lack.
 */
export const opaqueRunnable = (prepared: PreparedBundle, inspection: Inspected, cut: readonly string[]): Runnable => {
  const { files, document, data, sources } = prepared;
  const { manifest } = document;
  const entrypoints = manifest.wasm.map(({ entrypoint }) => entrypoint).sort();
  const packages = sources.all.modules.flatMap((module) => packageClause(module) ?? []);
  // Without its last rule a file may be gone, and its package with it.
  const parents = cut.map((path) => ({ file: MODULE, row: 1, path: segmentsOf(path).slice(0, -1) }));
  const isDefault = manifest.roots.length === 1 && manifest.roots[0] === '';
  const roots = isDefault ? narrowRoots({ packages: [...packages, ...parents], data }) : manifest.roots;
  checkOwnership({ files, packages, data, inspection }, roots);
  externalReferences({ files, inspection }, roots);
  const outside = entrypoints.find((path) => !isOwned(segmentsOf(path), roots));
  if (outside !== undefined) {
    throw new PolicyError('ROOTS_CONFLICT', `the entrypoint ${outside} lies outside the bundle's roots`);
  }
  return {
    digest: filesDigest(files),
    revision: manifest.revision,
    roots,
    entrypoints,
    marks: [],
    data: data.json,
    dataIndex: data.index,
    dataRevision: data.revision,
    references: opaqueReferences,
    opaque: true,
    wasm: foreignModule(prepared),
  };
};
