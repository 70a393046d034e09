import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../canonical/index.ts';
import type { AuditEvent } from '../decision/model.ts';
import type { Engine } from '../engine/index.ts';
import type { Toolchain } from '../rego/index.ts';
import { authzenGivenUp, rootsGivenUp } from './given-up.ts';
import type { Candidate } from './link/linked-set.ts';
import type { Change, LiveSet, PolicyLog, Prepared } from './live.ts';
import type { ActivationResult, VersionInfo } from './model.ts';
import { PolicyError } from './model.ts';
import type { PolicySettings } from './settings.ts';
import type { PolicyCatalog } from './versions/catalog.ts';
import { restoreRunnable } from './versions/restore.ts';
import type { Shelf } from './versions/shelf.ts';

export interface PolicyStoreOptions {
  /** `storage.dir`. */
  readonly dir: string;
  readonly settings: PolicySettings;
  readonly toolchain: Toolchain;
  readonly engine: Engine;
  /** The most that METADATA of a pushed rule may name as its own budget: `engine.maxInstructions`. */
  readonly mostInstructions?: number;
  readonly clock: Clock;
  /** The store makes its own tables in it. */
  readonly catalog: DatabaseSync;
  /** Records an activation. It is awaited before anything changes: when it rejects, nothing does. */
  readonly onActivation?: (event: AuditEvent) => Promise<void>;
  /** Records that a version was pushed. It is awaited before the version is stored: when it rejects, it is not. */
  readonly onPush?: (event: AuditEvent) => Promise<void>;
  readonly log?: PolicyLog;
  /** The bundle that answers AuthZEN when a request names none. */
  readonly authzenBundle?: string;
}

export interface Parts {
  readonly options: PolicyStoreOptions;
  readonly catalog: PolicyCatalog;
  readonly shelf: Shelf;
  readonly live: LiveSet;
}

/** Versions as the catalog has them, newest first. */
export const versionsOf = ({ catalog }: Parts, name: string): readonly VersionInfo[] => {
  const versions = catalog.versions(name);
  if (versions.length === 0) throw new PolicyError('BUNDLE_UNKNOWN', `no bundle ${name} was pushed`);
  return versions;
};

export const versionOf = (parts: Parts, name: string, version: number): VersionInfo => {
  const found = parts.catalog.version(name, version);
  if (found !== undefined) return found;
  versionsOf(parts, name);
  throw new PolicyError('VERSION_UNKNOWN', `${name} has no version ${version}`);
};

export const activeOf = ({ catalog }: Parts, name: string): VersionInfo | undefined =>
  catalog.versions(name).find(({ state }) => state === 'active');

/** A stored version, ready to be linked. */
export const candidateOf = async (
  { options, shelf }: Parts,
  info: VersionInfo,
  tested: boolean,
): Promise<Candidate> => {
  const { toolchain, settings, log } = options;
  const bytes = await shelf.get(info.name, info.digest);
  const stored = { info, bytes, place: shelf.place(info.name, info.digest) };
  const runnable = await restoreRunnable(stored, { toolchain, settings, ...(log === undefined ? {} : { log }) });
  return { info, runnable, tested };
};

/** Begins the note of a version that could not be activated when it was pushed. */
export const NOT_NOW = 'it could not be activated now';
/** The same of one whose tests need what it is linked with. */
export const UNTESTED = `${NOT_NOW}, and its tests did not run`;

/** What the first activation of a version tells stands for what its push could not. */
export const settle = ({ catalog }: Parts, info: VersionInfo, { builtins, testsPassed }: Prepared): void => {
  const notes = info.notes.filter((note) => !note.startsWith(NOT_NOW));
  if (notes.length === info.notes.length) return;
  const isUntested = info.notes.some((note) => note.startsWith(UNTESTED));
  catalog.settle(info.name, info.version, {
    notes,
    builtins: builtins.get(info.name) ?? info.builtins,
    tests: isUntested ? { passed: testsPassed.get(info.name) ?? 0 } : info.tests,
  });
};

/** What an activation ended is told to operators, too: others may bring it about than those who notice. */
export const tellWarnings = ({ options }: Parts, { name, version }: VersionInfo, warnings: readonly string[]): void => {
  for (const warning of warnings) options.log?.('warn', warning, { bundle: name, version });
};

export const activateVersion = async (parts: Parts, info: VersionInfo, change: Change): Promise<ActivationResult> => {
  const { live } = parts;
  if (info.state === 'active') return { version: info, epoch: live.current.epoch, warnings: [] };
  const replaced = activeOf(parts, info.name);
  const before = live.current;
  live.refuseOverlap(info.name, info.roots);
  const prepared = await live.prepare([await candidateOf(parts, info, true)]);
  const epoch = await prepared.commit(change);
  settle(parts, info, prepared);
  const version = versionOf(parts, info.name, info.version);
  const warnings = [...rootsGivenUp(replaced, version), ...authzenGivenUp(before, live.current, version)];
  tellWarnings(parts, version, warnings);
  return { version, epoch, warnings };
};

/** Versions that were active before the present one, latest last. */
const beforeOf = (parts: Parts, name: string): readonly number[] => {
  versionsOf(parts, name);
  return parts.catalog.active().find((row) => row.name === name)?.before ?? [];
};

export const rollbackTarget = (parts: Parts, name: string): number | undefined => beforeOf(parts, name).at(-1);

export const rollback = (parts: Parts, name: string, by: string): Promise<ActivationResult> => {
  const before = beforeOf(parts, name);
  const target = before.at(-1);
  if (target === undefined) {
    throw new PolicyError('NOTHING_TO_ROLL_BACK', `${name} has no version that was active before`);
  }
  return activateVersion(parts, versionOf(parts, name, target), { by, before: before.slice(0, -1) });
};

/** Loads what was active when the process ended; none stays loaded when one cannot be. */
export const restore = async (parts: Parts): Promise<void> => {
  const candidates: Candidate[] = [];
  for (const { name, version } of parts.catalog.active()) {
    candidates.push(await candidateOf(parts, versionOf(parts, name, version), false));
  }
  await parts.live.restore(candidates);
};
