import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import type { ActivePolicy, ActiveVersion, AuditEvent } from '../decision/model.ts';
import type { Engine } from '../engine/index.ts';
import type { Toolchain } from '../rego/index.ts';
import type { Served } from './active.ts';
import { activePolicy, rulePlaces } from './active.ts';
import { overlap } from './content/roots.ts';
import type { Linked } from './link/link.ts';
import type { Candidate, LinkedSet } from './link/linked-set.ts';
import { closeAll, linkSet } from './link/linked-set.ts';
import { PolicyError } from './model.ts';
import type { PolicySettings } from './settings.ts';
import type { PolicyCatalog } from './versions/catalog.ts';
import { retirement } from './versions/retirement.ts';

export type PolicyLog = (
  level: 'info' | 'warn' | 'error',
  sentence: string,
  fields: { readonly [key: string]: unknown },
) => void;

/** A set that could be active: everything in it is linked and loaded. */
export interface Prepared {
  /** Tests that passed, by bundle. */
  readonly testsPassed: ReadonlyMap<string, number>;
  /** Builtins that the candidates' modules call on the host, by bundle. */
  readonly builtins: ReadonlyMap<string, readonly string[]>;
  /** Makes it live and answers the new epoch; closes what was loaded for it when that fails. */
  commit(change: Change): Promise<number>;
  /** Closes what was loaded for it. */
  discard(): Promise<void>;
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
  readonly toolchain: Toolchain;
  readonly engine: Engine;
  readonly settings: PolicySettings;
}

/** What is live, and the one way to change it. Whoever calls sees to it that changes do not overlap. */
export interface LiveSet {
  readonly current: ActivePolicy;
  onChange(listener: (active: ActivePolicy) => void): void;
  /** Puts back what was active when the process ended. */
  restore(candidates: readonly Candidate[]): Promise<void>;
  /** Throws ROOTS_CONFLICT when another active bundle owns one of the roots, or a part of it. */
  refuseOverlap(name: string, roots: readonly string[]): void;
  /**
   * Links the active set as it would be with these versions: they themselves, and every version that refers to one of
   * them. Rejects, with the bundle and the place, when one cannot be linked; nothing stays of it then. Nothing else may
   * change the set before the result is committed or discarded.
   */
  prepare(candidates: readonly Candidate[]): Promise<Prepared>;
  close(): Promise<void>;
}

const MOST_BEFORE = 100;

const servedOf = ({ member, module, linkedDigest, links, code }: Linked): Served => {
  const { info, runnable } = member;
  const { rules, marks, entrypoints, data, dataIndex, inputChecks } = runnable;
  const version: ActiveVersion = Object.freeze({
    name: info.name,
    version: info.version,
    digest: info.digest,
    revision: info.revision,
    dataRevision: runnable.dataRevision,
    opaque: runnable.opaque,
    module,
    linkedDigest,
    links,
  });
  return {
    version,
    roots: info.roots,
    entrypoints: new Set(entrypoints),
    ...(rules === undefined ? {} : { rules: rulePlaces(rules) }),
    marks,
    ...(inputChecks === undefined ? {} : { inputChecks }),
    ...(code.reads === undefined ? {} : { reads: code.reads }),
    data: { json: data, index: dataIndex },
  };
};

const shown = (root: string): string => (root === '' ? 'everything' : root);

interface Activation {
  readonly candidate: Candidate;
  readonly change: Change;
  readonly epoch: number;
  readonly replaced?: number;
  /** Other bundles whose modules are made anew for it, `name@version`. */
  readonly relinked: readonly string[];
}

const auditEvent = ({
  candidate: { info },
  change: { by, before },
  epoch,
  replaced,
  relinked,
}: Activation): AuditEvent => {
  const { name, version, digest, revision } = info;
  const details = {
    bundle: name,
    version,
    digest,
    revision,
    epoch,
    rollback: before !== undefined,
    ...(replaced === undefined ? {} : { replaced }),
    ...(relinked.length === 0 ? {} : { relinked }),
  };
  return { event: 'activation', by, details };
};

export const liveSet = (parts: LiveParts): LiveSet => {
  const { catalog, authzenBundle, log } = parts;
  const listeners = new Set<(active: ActivePolicy) => void>();
  const retired = retirement((error) =>
    log?.('warn', 'a replaced policy module did not close', { reason: messageOf(error) }),
  );
  let serving: ReadonlyMap<string, Linked> = new Map();

  const build = (linked: ReadonlyMap<string, Linked>, epoch: number): ActivePolicy => {
    const served = new Map([...linked].map(([name, one]) => [name, servedOf(one)] as const));
    return activePolicy({ epoch, served, ...(authzenBundle === undefined ? {} : { authzenBundle }) });
  };

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
  const commit = async (candidates: readonly Candidate[], set: LinkedSet, change: Change): Promise<number> => {
    const epoch = current.epoch + 1;
    const active = build(set.linked, epoch);
    const names = new Set(candidates.map(({ info }) => info.name));
    const present = serving;
    const relinked = [...set.linked.values()]
      .filter(({ member: { info }, module }) => !names.has(info.name) && present.get(info.name)?.module !== module)
      .map(({ member: { info } }) => `${info.name}@${info.version}`);
    try {
      for (const candidate of candidates) {
        const replaced = present.get(candidate.info.name)?.member.info.version;
        const activation = { candidate, change, epoch, relinked, ...(replaced === undefined ? {} : { replaced }) };
        await record(auditEvent(activation));
      }
      const rows = catalog.active();
      const at = new Date(parts.clock.nowMs()).toISOString();
      const next = candidates.map(({ info: { name, version } }) => {
        const row = rows.find((other) => other.name === name);
        const earlier = row === undefined ? [] : [...row.before, row.version].slice(-MOST_BEFORE);
        return { name, version, before: change.before ?? earlier };
      });
      catalog.activate(next, { by: change.by, at, epoch });
    } catch (error) {
      await closeAll(set.loaded);
      throw error;
    }
    serving = set.linked;
    current = active;
    for (const { info } of candidates) {
      const fields = { by: change.by, epoch, digest: info.digest, ...(relinked.length === 0 ? {} : { relinked }) };
      log?.('info', `bundle ${info.name}@${info.version} is active`, fields);
    }
    tell(active);
    const kept = new Set([...serving.values()].map(({ module }) => module));
    retired.retire([...present.values()].map(({ module }) => module).filter((module) => !kept.has(module)));
    return epoch;
  };

  const prepare = async (candidates: readonly Candidate[]): Promise<Prepared> => {
    const set = await linkSet(serving, candidates, parts);
    const builtins = new Map([...set.linked].map(([name, { module }]) => [name, module.builtins] as const));
    return {
      testsPassed: set.testsPassed,
      builtins,
      commit: (change) => commit(candidates, set, change),
      discard: () => closeAll(set.loaded),
    };
  };

  return {
    get current() {
      return current;
    },
    onChange: (listener) => {
      listeners.add(listener);
    },
    restore: async (candidates) => {
      serving = (await linkSet(serving, candidates, parts)).linked;
      current = build(serving, catalog.epoch());
    },
    refuseOverlap: (name, roots) => {
      for (const [other, { member }] of serving) {
        if (other === name) continue;
        for (const root of roots) {
          const found = member.info.roots.find((theirs) => overlap(root, theirs));
          if (found === undefined) continue;
          const message = `the root ${shown(root)} overlaps ${shown(found)}, which the active bundle ${other} owns`;
          throw new PolicyError('ROOTS_CONFLICT', message);
        }
      }
    },
    prepare,
    close: async () => {
      await Promise.all([...serving.values()].map(({ module }) => module.close()));
      await retired.close();
    },
  };
};
