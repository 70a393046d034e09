import type { AuditSettings } from '../audit/settings.ts';
import type { CacheSettings } from '../decision/settings.ts';
import type { EngineSettings } from '../engine/settings.ts';
import type { IdentitySettings } from '../identity/settings.ts';
import type { AdminSettings } from '../interfaces/admin/settings.ts';
import type { GrpcSettings } from '../interfaces/grpc/settings.ts';
import type { HttpSettings } from '../interfaces/http/settings.ts';
import type { ObservabilitySettings } from '../observability/settings.ts';
import type { PolicySettings } from '../policy/settings.ts';

/** The whole configuration, checked, defaults filled in, frozen. */
export interface Config {
  readonly server: {
    readonly http: HttpSettings;
    readonly grpc: GrpcSettings;
    readonly admin: AdminSettings;
    readonly drainSeconds: number;
    readonly graceSeconds: number;
  };
  readonly policy: PolicySettings;
  readonly engine: EngineSettings;
  readonly cache: CacheSettings;
  readonly identity: IdentitySettings;
  /** An empty name: none. */
  readonly authzen: { readonly bundle: string; readonly baseUrl: string };
  readonly audit: AuditSettings;
  readonly storage: { readonly dir: string };
  readonly observability: ObservabilitySettings;
}
