import type { Clock } from '../../canonical/index.ts';
import type { PolicySource } from '../../decision/model.ts';
import type { MetricSources } from './model.ts';

/** What is active, and where the moments of its activation stand. */
interface Activations extends PolicySource {
  version(name: string, version: number): { readonly activatedAt?: string };
}

/** For how long each active version is active. Looked up once a change of policy: the catalog is a file. */
export const activeVersions = (policy: Activations, clock: Clock): MetricSources['versions'] => {
  let epoch: number | undefined;
  let since: readonly { readonly bundle: string; readonly version: number; readonly ms: number }[] = [];
  return () => {
    const { current } = policy;
    const nowMs = clock.nowMs();
    if (current.epoch !== epoch) {
      since = [...current.versions.values()].map(({ name, version }) => {
        const { activatedAt } = policy.version(name, version);
        return { bundle: name, version, ms: activatedAt === undefined ? nowMs : Date.parse(activatedAt) };
      });
      epoch = current.epoch;
    }
    return since.map(({ bundle, version, ms }) => ({ bundle, version, activeSeconds: Math.max(0, nowMs - ms) / 1000 }));
  };
};
