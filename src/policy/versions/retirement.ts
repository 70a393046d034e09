import type { LoadedModule } from '../../engine/index.ts';

/**
 * Requests use what was active when they began to their end: a batch may ask a module that was replaced meanwhile.
 * So replaced modules are closed this much later, or when those of many changes wait.
 */
const GRACE_MS = 15_000;
const MOST_WAITING = 4;

export interface Retirement {
  /** Modules that one change replaced. */
  retire(modules: readonly LoadedModule[]): void;
  /** Closes all that wait, now. */
  close(): Promise<void>;
}

/** Closes modules that are no longer active once nobody can be using them; `failed` hears of closes that fail. */
export const retirement = (failed: (error: unknown) => void): Retirement => {
  const waiting = new Map<readonly LoadedModule[], NodeJS.Timeout>();
  const closing = new Set<Promise<void>>();

  const closeNow = (modules: readonly LoadedModule[]): void => {
    clearTimeout(waiting.get(modules));
    waiting.delete(modules);
    for (const module of modules) {
      const done = module
        .close()
        .catch(failed)
        .finally(() => closing.delete(done));
      closing.add(done);
    }
  };

  return {
    retire: (modules) => {
      if (modules.length === 0) return;
      waiting.set(modules, setTimeout(() => closeNow(modules), GRACE_MS).unref());
      const oldest = waiting.size > MOST_WAITING ? [...waiting.keys()][0] : undefined;
      if (oldest !== undefined) closeNow(oldest);
    },
    close: async () => {
      for (const modules of [...waiting.keys()]) closeNow(modules);
      await Promise.all(closing);
    },
  };
};
