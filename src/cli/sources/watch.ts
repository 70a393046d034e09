import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isBundleFile, isMistakenForData } from '../../policy/index.ts';
import type { BundleArgument } from '../model.ts';

/** What stands at the path of a watched bundle. */
export interface Seen {
  readonly bundle: BundleArgument;
  /** Changes when a file that the bundle is made of, or may be taken to be, does; absent while nothing is there. */
  readonly state?: string;
}

export interface Watch {
  readonly bundles: readonly BundleArgument[];
  /** Ends the watch; a round that runs is finished first. */
  readonly ended: AbortSignal;
  /**
   * Takes what changed since it was last taken well. False: it was not, and comes again, with whatever changes by then.
   * `isCurrent` tells whether the files are still what they were when this round began.
   */
  take(changed: readonly BundleArgument[], isCurrent: () => Promise<boolean>): Promise<boolean>;
  /** Nothing stands any more at a bundle's path. */
  missing(bundle: BundleArgument): void;
  /** Something stands there again. */
  back(bundle: BundleArgument): void;
}

// Looking is cheap, works on every file system and mount, and survives whatever an editor does to files and folders:
// a handle on a folder that is moved away and made anew hears of nothing.
const PAUSE_MS = 100;
/** A look may take a tenth of the time. */
const SHARE = 10;
const MOST_ENTRIES = 20_000;

const factsOf = async (file: string): Promise<string> => {
  const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
  return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
};

const walk = async (root: string, folder: string, facts: string[]): Promise<void> => {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (facts.length > MOST_ENTRIES) return;
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.')) await walk(root, name, facts);
    } else if (isBundleFile(name) || isMistakenForData(name)) {
      facts.push(`${JSON.stringify(name)}:${await factsOf(path.join(root, name)).catch(() => 'gone')}`);
    }
  }
};

/** What a bundle's files are now, by name, size, times and place on disk. */
const look = async (bundle: BundleArgument): Promise<Seen> => {
  try {
    if (!(await stat(bundle.path)).isDirectory()) return { bundle, state: await factsOf(bundle.path) };
    const facts: string[] = [];
    await walk(bundle.path, '', facts);
    return { bundle, state: facts.join('\n') };
  } catch {
    return { bundle };
  }
};

const lookAll = (bundles: readonly BundleArgument[]): Promise<Seen[]> => Promise.all(bundles.map(look));

const isSame = (a: readonly Seen[], b: readonly Seen[]): boolean => a.every(({ state }, at) => state === b[at]?.state);

/**
 * Watches bundles until `ended`: at once, and then whenever their files changed and have come to rest. One round at a
 * time; what changes meanwhile is taken in the next, in its latest state.
 */
export const watchBundles = async ({ bundles, ended, take, missing, back }: Watch): Promise<void> => {
  /** As they were when they were last taken well, and when they were last offered. */
  const taken = new Map<string, string>();
  let offered: readonly Seen[] | undefined;
  let before = await lookAll(bundles);
  while (!ended.aborted) {
    const startedMs = performance.now();
    const now = await lookAll(bundles);
    const isAtRest = isSame(before, now);
    before = now;
    if (isAtRest && (offered === undefined || !isSame(offered, now))) {
      for (const [at, { bundle, state }] of now.entries()) {
        if (offered === undefined || (state === undefined) === (offered[at]?.state === undefined)) continue;
        if (state === undefined) missing(bundle);
        else back(bundle);
      }
      offered = now;
      const changed = now.filter(({ bundle, state }) => state !== undefined && taken.get(bundle.name) !== state);
      const isCurrent = async (): Promise<boolean> => isSame(now, await lookAll(bundles));
      if (
        changed.length > 0 &&
        (await take(
          changed.map(({ bundle }) => bundle),
          isCurrent,
        ))
      ) {
        for (const { bundle, state = '' } of changed) taken.set(bundle.name, state);
      }
      continue;
    }
    const pauseMs = Math.max(PAUSE_MS, (performance.now() - startedMs) * SHARE);
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => undefined);
  }
};
