import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import type { ActivePolicy, ActiveVersion, AuditEvent } from '../decision/model.ts';
import type { LoadedModule } from '../engine/index.ts';
import type { Served } from './active.ts';
import { activePolicy, rulePlaces } from './active.ts';
import type { JsonNode } from './content/json-text.ts';
import { parseJson } from './content/json-text.ts';
import { overlap } from './content/roots.ts';
import type { VersionInfo } from './model.ts';
import { PolicyError } from './model.ts';
import type { PolicyCatalog } from './versions/catalog.ts';
import { retirement } from './versions/retirement.ts';
import type { Runnable } from './versions/runnable.ts';

export type PolicyLog = (
  level: 'info' | 'warn' | 'error',
  sentence: string,
  fields: { readonly [key: string]: unknown },
) => void;

/** A version on the way to be active: its module is loaded. */
export interface Candidate {
  readonly info: VersionInfo;
  readonly runnable: Runnable;
  readonly module: LoadedModule;
}

export interface Change {
  readonly by: string;
  /** What rollbacks go back to from then on; absent: what was active is added to it. */
  readonly before?: readonly number[];
}

export interface LiveParts {
  readonly catalog: PolicyCatalog;
  readonly clock: Clock;
  readonly onActivation?: (event: AuditEvent) => Promise<void>;
  readonly log?: PolicyLog;
  readonly authzenBundle?: string;
}

/** What is live, and the one way to change it. Whoever calls sees to it that changes do not overlap. */
export interface LiveSet {
  readonly current: ActivePolicy;
  onChange(listener: (active: ActivePolicy) => void): void;
  /** Puts back what was active when the process ended. */
  restore(candidates: readonly Candidate[]): void;
  /** Throws ROOTS_CONFLICT when another active bundle owns one of the roots, or a part of it. */
  refuseOverlap(name: string, roots: readonly string[]): void;
  /** Makes a loaded version live and answers the new epoch; closes the module when that fails. */
  activate(candidate: Candidate, change: Change): Promise<number>;
  close(): Promise<void>;
}

const MOST_BEFORE = 100;

const servedOf = ({ info, runnable, module }: Candidate): Served => {
  const { rules, marks, entrypoints, data } = runnable;
  const version: ActiveVersion = Object.freeze({
    name: info.name,
    version: info.version,
    digest: info.digest,
    revision: info.revision,
    dataRevision: runnable.dataRevision,
    opaque: runnable.opaque,
    module,
  });
  // The tree is made again from the text when a path needs it: most bundles are never asked for data.
  let tree: JsonNode | undefined;
  return {
    version,
    roots: info.roots,
    entrypoints: new Set(entrypoints),
    ...(rules === undefined ? {} : { rules: rulePlaces(rules) }),
    marks,
    data: () => {
      tree ??= parseJson(Buffer.from(data.json).toString('utf8'));
      return tree;
    },
  };
};

const shown = (root: string): string => (root === '' ? 'everything' : root);

const auditEvent = ({ info }: Candidate, { by, before }: Change, epoch: number, replaced?: number): AuditEvent => {
  const { name, version, digest, revision } = info;
  const details = {
    bundle: name,
    version,
    digest,
    revision,
    epoch,
    rollback: before !== undefined,
    ...(replaced === undefined ? {} : { replaced }),
  };
  return { event: 'activation', by, details };
};

export const liveSet = (parts: LiveParts): LiveSet => {
  const { catalog, authzenBundle, log } = parts;
  const listeners = new Set<(active: ActivePolicy) => void>();
  const retired = retirement((error) =>
    log?.('warn', 'a replaced policy module did not close', { reason: messageOf(error) }),
  );
  let serving: ReadonlyMap<string, Served> = new Map();

  const build = (served: ReadonlyMap<string, Served>, epoch: number): ActivePolicy =>
    activePolicy({ epoch, served, ...(authzenBundle === undefined ? {} : { authzenBundle }) });

  let current = build(serving, catalog.epoch());

  const record = async (event: AuditEvent): Promise<void> => {
    try {
      await parts.onActivation?.(event);
    } catch (error) {
      const { bundle, version } = event.details;
      const message = `${bundle}@${version} was not activated, since that could not be recorded: ${messageOf(error)}`;
      throw new PolicyError('STORAGE_FAILED', message, { cause: error });
    }
  };

  const tell = (active: ActivePolicy): void => {
    for (const listener of listeners) {
      try {
        listener(active);
      } catch (error) {
        log?.('error', 'a part of the server did not take a change of policy', { reason: messageOf(error) });
      }
    }
  };

  /**
   * The order is the safety argument: the record first (no activation goes unrecorded), then the catalog's
   * transaction, then, with nothing awaited between, the one assignment that requests read.
   */
  const activate = async (candidate: Candidate, change: Change): Promise<number> => {
    const { name, version, digest } = candidate.info;
    const replaced = serving.get(name)?.version;
    const epoch = current.epoch + 1;
    const next = new Map([...serving, [name, servedOf(candidate)] as const]);
    const active = build(next, epoch);
    try {
      await record(auditEvent(candidate, change, epoch, replaced?.version));
      const present = catalog.active().find((row) => row.name === name);
      const earlier = present === undefined ? [] : [...present.before, present.version].slice(-MOST_BEFORE);
      const at = new Date(parts.clock.nowMs()).toISOString();
      catalog.activate({ name, version, before: change.before ?? earlier, by: change.by, at, epoch });
    } catch (error) {
      await candidate.module.close();
      throw error;
    }
    serving = next;
    current = active;
    log?.('info', `bundle ${name}@${version} is active`, { by: change.by, epoch, digest });
    tell(active);
    if (replaced !== undefined) retired.retire(replaced.module);
    return epoch;
  };

  return {
    get current() {
      return current;
    },
    onChange: (listener) => {
      listeners.add(listener);
    },
    restore: (candidates) => {
      serving = new Map(candidates.map((candidate) => [candidate.info.name, servedOf(candidate)]));
      current = build(serving, catalog.epoch());
    },
    refuseOverlap: (name, roots) => {
      for (const [other, { roots: taken }] of serving) {
        if (other === name) continue;
        for (const root of roots) {
          const found = taken.find((theirs) => overlap(root, theirs));
          if (found === undefined) continue;
          const message = `the root ${shown(root)} overlaps ${shown(found)}, which the active bundle ${other} owns`;
          throw new PolicyError('ROOTS_CONFLICT', message);
        }
      }
    },
    activate,
    close: async () => {
      await Promise.all([...serving.values()].map(({ version }) => version.module.close()));
      await retired.close();
    },
  };
};
