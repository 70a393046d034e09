import { type DynamicModule, Module } from '@nestjs/common';
import {
  AdminModule,
  type AdminParts,
  AUDIT,
  EXPLAIN,
  HEALTH,
  LOG,
  METRICS,
  POLICY,
  READER,
  TOKENS,
  VERSION,
} from './interfaces/admin/index.ts';

/** The control plane. */
@Module({})
class AppModule {}

/** The control plane on the parts that server.ts built. */
export const appModule = (parts: AdminParts): DynamicModule => {
  const providers = [
    { provide: VERSION, useFactory: () => parts.version },
    { provide: POLICY, useFactory: () => parts.policy },
    { provide: EXPLAIN, useFactory: () => parts.explain },
    { provide: TOKENS, useFactory: () => parts.tokens },
    { provide: AUDIT, useFactory: () => parts.audit },
    { provide: READER, useFactory: () => parts.reader },
    { provide: HEALTH, useFactory: () => parts.health },
    { provide: LOG, useFactory: () => parts.log },
    { provide: METRICS, useFactory: () => parts.metrics },
  ];
  return { module: AppModule, global: true, imports: [AdminModule], providers, exports: providers };
};
