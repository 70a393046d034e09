import type { Toolchain } from '../../rego/index.ts';
import { isBundle, SIGNATURES } from '../archive/names.ts';
import { writeArchive } from '../archive/write.ts';
import { buildPrepared, ignoredNote, inspectOutlined } from '../build/build.ts';
import { cutEntrypoints } from '../build/entrypoints.ts';
import { refuseReserved } from '../build/ownership.ts';
import type { PreparedBundle } from '../build/prepared.ts';
import type { Inspected } from '../build/references.ts';
import type { UploadContent } from '../build/upload.ts';
import { preparedOf } from '../build/upload.ts';
import { readBuildInfo } from '../content/build-info.ts';
import { PolicyError } from '../model.ts';
import type { PolicySettings } from '../settings.ts';
import { opaqueRunnable } from './opaque.ts';
import type { Runnable } from './runnable.ts';
import { builtRunnable, ownBuild } from './runnable.ts';
import { runTests } from './tests.ts';

export interface Accepted {
  readonly runnable: Runnable;
  /** What is stored: the build, or the bytes as pushed when the version is opaque. */
  readonly archive: Uint8Array;
  readonly testsPassed: number;
  /** A build of ours that was taken as it is: neither compiled nor tested again. */
  readonly isTaken: boolean;
  readonly notes: readonly string[];
}

export interface AcceptanceParts {
  readonly toolchain: Toolchain;
  readonly settings: PolicySettings;
  /** `engine.maxInstructions`; absent: no bound. */
  readonly mostInstructions?: number;
  /** False where no policy may reach the network. */
  readonly network?: boolean;
  readonly allowsHost?: (host: string) => boolean;
  /** True for bundles that who runs the server put there: a build of ours is then taken as it is. */
  readonly trusted: boolean;
  /** The bytes as pushed; absent for a folder. */
  readonly original?: Uint8Array;
}

const acceptOpaque = async (
  prepared: PreparedBundle,
  inspection: Inspected,
  { settings, original, cut }: AcceptanceParts & { readonly cut: readonly string[] },
): Promise<Accepted> => {
  const shown = `${cut.slice(0, 5).join(', ')}${cut.length > 5 ? ', ...' : ''}`;
  if (!settings.allowOpaque) {
    const message = `the sources lack the rules of ${shown}, and policy.allowOpaque is false: build with "verdict build"`;
    throw new PolicyError('OPAQUE_REFUSED', message);
  }
  const runnable = opaqueRunnable(prepared, inspection, cut);
  refuseReserved(runnable.roots);
  const note = `opaque: the sources lack the rules of ${shown}, so the supplied module runs, without tests or explain`;
  return {
    runnable,
    archive: original ?? (await writeArchive(prepared.files)),
    testsPassed: 0,
    isTaken: false,
    notes: [note],
  };
};

const acceptSources = async (
  prepared: PreparedBundle,
  inspection: Inspected,
  parts: AcceptanceParts,
): Promise<Accepted> => {
  const compileMs = parts.settings.compileSeconds * 1000;
  const { toolchain, mostInstructions, network, allowsHost } = parts;
  const build = await buildPrepared(prepared, inspection, {
    toolchain,
    compileMs,
    ...(network === undefined ? {} : { network }),
    ...(allowsHost === undefined ? {} : { allowsHost }),
    ...(mostInstructions === undefined ? {} : { mostInstructions }),
  });
  refuseReserved(build.manifest.roots);
  const runnable = builtRunnable(build, prepared);
  // Tests of a version that refers to others run when it is linked with them.
  const isTested = inspection.tests > 0 && runnable.references.length === 0;
  const testsPassed = isTested ? await runTests(prepared.sources.all, parts) : 0;
  const isForeign = readBuildInfo(prepared.document.manifest.metadata) === undefined;
  const supplied = isForeign && [...prepared.files.keys()].some((name) => name.endsWith('.wasm'));
  const notes = supplied ? [...build.notes, 'the supplied module is not used: the sources are compiled'] : build.notes;
  return { runnable, archive: build.archive, testsPassed, isTaken: false, notes };
};

/**
 * Turns a bundle's files into a version that can be run, or refuses them with a code and a sentence. Nothing is kept
 * here: who calls stores what is answered. Sources are the truth; a supplied module runs only where they are cut.
 */
export const acceptBundle = async (content: UploadContent, parts: AcceptanceParts): Promise<Accepted> => {
  const { bundle, digest } = content;
  if (!isBundle(bundle.files.keys())) {
    throw new PolicyError('ARCHIVE_INVALID', 'the bundle holds no Rego, no data and no module');
  }
  const read = preparedOf(content);
  const { manifest } = read.document;
  refuseReserved(manifest.roots);
  const notes = ignoredNote(bundle);
  if (bundle.files.has(SIGNATURES)) notes.push(`${SIGNATURES} was not checked: no keys are configured`);
  const own = parts.trusted ? ownBuild(read, digest, parts.toolchain) : undefined;
  if (own !== undefined) {
    const archive = await writeArchive(read.files);
    const note = 'a build of this compiler: taken as it is';
    return { runnable: own, archive, testsPassed: 0, isTaken: true, notes: [...notes, note] };
  }
  const compileMs = parts.settings.compileSeconds * 1000;
  const { prepared, inspection } = await inspectOutlined(read, { toolchain: parts.toolchain, compileMs });
  const isOurs = readBuildInfo(manifest.metadata) !== undefined;
  const cut = isOurs ? [] : cutEntrypoints(inspection, manifest.wasm);
  const accepted =
    cut.length > 0
      ? await acceptOpaque(prepared, inspection, { ...parts, cut })
      : await acceptSources(prepared, inspection, parts);
  return { ...accepted, notes: [...notes, ...accepted.notes] };
};
