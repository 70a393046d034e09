import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ENDING } from './ports.ts';
import { ProblemFilter } from './problem-filter.ts';
import { BundlesController } from './routes/bundles.controller.ts';
import { DecisionsController } from './routes/decisions.controller.ts';
import { ExplainController } from './routes/explain.controller.ts';
import { ServiceController } from './routes/service.controller.ts';
import { TailController } from './routes/tail.controller.ts';
import { TokensController } from './routes/tokens.controller.ts';

/** The routes of the admin API. What they stand on (ports.ts) comes from the module that imports this one, globally. */
@Module({
  // The tail before the decisions: its path would be an id otherwise.
  controllers: [
    BundlesController,
    TailController,
    DecisionsController,
    ExplainController,
    ServiceController,
    TokensController,
  ],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: ENDING, useFactory: () => new AbortController() },
  ],
})
export class AdminModule {}
