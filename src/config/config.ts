import type { AuditSettings } from '../audit/settings.ts';
import type { CacheSettings } from '../decision/settings.ts';
import type { IdentitySettings } from '../identity/settings.ts';
import type { AdminSettings } from '../interfaces/admin/settings.ts';
import type { ObservabilitySettings } from '../observability/settings.ts';

/** The whole configuration, checked, defaults filled in, frozen. */
export interface Config {
  readonly server: {
    readonly admin: AdminSettings;
    readonly drainSeconds: number;
    readonly graceSeconds: number;
  };
  readonly cache: CacheSettings;
  readonly identity: IdentitySettings;
  readonly audit: AuditSettings;
  readonly storage: { readonly dir: string };
  readonly observability: ObservabilitySettings;
}
