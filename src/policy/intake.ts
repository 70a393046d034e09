import { messageOf } from '../canonical/index.ts';
import type { UploadContent } from './build/upload.ts';
import type { Parts } from './changes.ts';
import { activeOf, candidateOf, NOT_NOW, settle, tellWarnings, UNTESTED, versionOf } from './changes.ts';
import { overlap } from './content/roots.ts';
import { authzenGivenUp, authzenToGiveUp, rootsGivenUp } from './given-up.ts';
import type { Candidate } from './link/linked-set.ts';
import type { Prepared } from './live.ts';
import type { PushResult, VersionInfo } from './model.ts';
import { PolicyError } from './model.ts';
import type { Accepted } from './versions/acceptance.ts';
import { acceptBundle } from './versions/acceptance.ts';
import { loadModule } from './versions/loaded-module.ts';

export interface Upload {
  readonly name: string;
  readonly content: UploadContent;
  /** The bytes as pushed; absent for a folder. */
  readonly original?: Uint8Array;
  readonly by: string;
  readonly activate: boolean;
  readonly trusted: boolean;
}

/** A version that was accepted, and is not stored yet. */
interface Made {
  readonly accepted: Accepted;
  readonly version: number;
  readonly uploadDigest: string;
}

/** An upload looked at: a version that is there already, or a new one, with what has to be linked to activate it. */
export type Examined =
  | { readonly upload: Upload; readonly known: VersionInfo; readonly candidate?: Candidate }
  | { readonly upload: Upload; readonly made: Made; readonly candidate: Candidate };

export interface LocalResult extends PushResult {
  /** False when the version was the active one already. */
  readonly activated: boolean;
}

const record = async ({ options }: Parts, upload: Upload, { accepted, version }: Made): Promise<void> => {
  const { digest, revision, opaque } = accepted.runnable;
  const details = { bundle: upload.name, version, digest, revision, opaque };
  try {
    await options.onPush?.({ event: 'push', by: upload.by, details });
  } catch (error) {
    const message = `${upload.name}@${version} was not stored, since that could not be recorded: ${messageOf(error)}`;
    throw new PolicyError('STORAGE_FAILED', message, { cause: error });
  }
};

/** Stores a version that was accepted and loads; what fails on the way leaves nothing behind. */
const store = async (parts: Parts, upload: Upload, made: Made, found: Found): Promise<void> => {
  const { options, catalog, shelf } = parts;
  const { accepted, version, uploadDigest } = made;
  const { runnable } = accepted;
  try {
    await shelf.put(upload.name, runnable.digest, accepted.archive);
    await record(parts, upload, made);
    catalog.add({
      name: upload.name,
      version,
      digest: runnable.digest,
      uploadDigest,
      revision: runnable.revision,
      roots: runnable.roots,
      entrypoints: runnable.entrypoints,
      opaque: runnable.opaque,
      builtins: found.builtins,
      tests: { passed: found.testsPassed },
      pushedBy: upload.by,
      pushedAt: new Date(options.clock.nowMs()).toISOString(),
      notes: [...accepted.notes, ...found.notes],
    });
  } catch (error) {
    await shelf.remove(upload.name, runnable.digest).catch(() => undefined);
    throw error;
  }
  const fields = { by: upload.by, digest: runnable.digest, opaque: runnable.opaque };
  options.log?.('info', `bundle ${upload.name}@${version} was pushed`, fields);
};

/** What loading and linking a new version tells of it. */
interface Found {
  readonly builtins: readonly string[];
  readonly testsPassed: number;
  readonly notes: readonly string[];
}

const foundIn = (prepared: Prepared, { accepted }: Made, name: string): Found => ({
  builtins: prepared.builtins.get(name) ?? [],
  testsPassed: accepted.testsPassed + (prepared.testsPassed.get(name) ?? 0),
  notes: [],
});

/** Codes that say something of the version itself, whatever else is active. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['TESTS_FAILED', 'TOOLCHAIN_FAILED', 'STORAGE_FAILED']);

const loadAlone = async ({ options, live }: Parts, { info, runnable }: Candidate): Promise<readonly string[]> => {
  const present = live.current.versions.get(info.name)?.module;
  const module = await loadModule(options.engine, `${info.name}@${info.version}`, runnable, present);
  const { builtins } = module;
  await module.close();
  return builtins;
};

/**
 * Loads a version that is not to be active yet. One that cannot be linked with what is active now, or that what is
 * active could not be linked with, says so.
 */
const tryOut = async (parts: Parts, candidate: Candidate, made: Made): Promise<Found> => {
  const { live } = parts;
  const { info, runnable } = candidate;
  const { testsPassed } = made.accepted;
  const isAlone = runnable.references.length === 0;
  const isUsed = [...live.current.versions.values()].some(({ links }) => links.some(({ name }) => name === info.name));
  if (isAlone && !isUsed) return { builtins: await loadAlone(parts, candidate), testsPassed, notes: [] };
  try {
    const prepared = await live.prepare([candidate]);
    await prepared.discard();
    return foundIn(prepared, made, info.name);
  } catch (error) {
    if (!(error instanceof PolicyError) || OWN_FAULTS.has(error.code)) throw error;
    const note = `${isAlone ? NOT_NOW : UNTESTED}: ${error.message}`;
    return { builtins: isAlone ? await loadAlone(parts, candidate) : [], testsPassed, notes: [note] };
  }
};

const knownUpload = async (parts: Parts, upload: Upload, known: VersionInfo): Promise<Examined> => {
  if (!upload.activate || known.state === 'active') return { upload, known };
  parts.live.refuseOverlap(known.name, known.roots);
  return { upload, known, candidate: await candidateOf(parts, known, true) };
};

export const examine = async (parts: Parts, upload: Upload): Promise<Examined> => {
  const { options, catalog, live } = parts;
  const { name, content, original, trusted } = upload;
  const { digest: uploadDigest } = content;
  const known = catalog.byDigest(name, uploadDigest);
  if (known !== undefined) return knownUpload(parts, upload, known);

  const { engine, toolchain, settings, mostInstructions } = options;
  const how = {
    toolchain,
    settings,
    trusted,
    network: engine.network,
    allowsHost: (host: string) => engine.allowsHost(host),
    ...(mostInstructions === undefined ? {} : { mostInstructions }),
    ...(original === undefined ? {} : { original }),
  };
  const accepted = await acceptBundle(content, how);
  const { runnable, isTaken } = accepted;
  const same = catalog.byDigest(name, runnable.digest);
  if (same !== undefined) {
    catalog.addUpload(name, uploadDigest, same.version);
    return knownUpload(parts, upload, same);
  }
  live.refuseOverlap(name, runnable.roots);
  const version = catalog.nextVersion(name);
  const { digest, revision, roots } = runnable;
  const candidate = { info: { name, version, digest, revision, roots }, runnable, tested: !isTaken };
  return { upload, made: { accepted, version, uploadDigest }, candidate };
};

/** Two bundles that become active together have roots of their own, too. */
const refuseSharedRoots = (examined: readonly Examined[]): void => {
  const owners = examined.flatMap(({ upload, candidate }) =>
    (candidate?.info.roots ?? []).map((root) => ({ name: upload.name, root })),
  );
  for (const [at, { name, root }] of owners.entries()) {
    const other = owners.slice(at + 1).find((later) => later.name !== name && overlap(root, later.root));
    if (other === undefined) continue;
    const message = `the root ${other.root} of ${other.name} overlaps the root ${root} of ${name}`;
    throw new PolicyError('ROOTS_CONFLICT', message);
  }
};

/** Takes uploads as one change: all that are to be active become so together, or none does. */
export const take = async (parts: Parts, examined: readonly Examined[]): Promise<LocalResult[]> => {
  const { live } = parts;
  refuseSharedRoots(examined);
  const candidates = examined.flatMap(({ upload, candidate }) =>
    upload.activate && candidate !== undefined ? [candidate] : [],
  );
  const prepared = candidates.length === 0 ? undefined : await live.prepare(candidates);
  try {
    for (const one of examined) {
      if (!('made' in one)) continue;
      const { upload, made, candidate } = one;
      const isReady = upload.activate && prepared !== undefined;
      const found = isReady ? foundIn(prepared, made, upload.name) : await tryOut(parts, candidate, made);
      await store(parts, upload, made, found);
    }
  } catch (error) {
    await prepared?.discard();
    throw error;
  }
  const replaced = new Map(examined.map(({ upload: { name } }) => [name, activeOf(parts, name)] as const));
  const by = examined[0]?.upload.by ?? '';
  const before = live.current;
  const epoch = prepared === undefined ? live.current.epoch : await prepared.commit({ by });
  for (const one of examined) {
    if (prepared !== undefined && 'known' in one && one.candidate !== undefined) settle(parts, one.known, prepared);
  }
  return examined.map((one) => {
    const number = 'made' in one ? one.made.version : one.known.version;
    const version = versionOf(parts, one.upload.name, number);
    const activated = one.upload.activate && one.candidate !== undefined;
    const warnings = [
      ...rootsGivenUp(replaced.get(one.upload.name), version),
      ...(version.state === 'active'
        ? authzenGivenUp(before, live.current, version)
        : authzenToGiveUp(live.current, version, parts.options.authzenBundle !== undefined)),
    ];
    if (activated) tellWarnings(parts, version, warnings);
    return {
      version,
      warnings,
      created: 'made' in one,
      activated,
      epoch,
    };
  });
};
