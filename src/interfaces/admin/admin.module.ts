import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { BundlesController } from './bundles.controller.ts';
import { DecisionsController } from './decisions.controller.ts';
import { ProblemFilter } from './problem-filter.ts';
import { ServiceController } from './service.controller.ts';
import { TokensController } from './tokens.controller.ts';

/** The routes of the admin API. What they stand on (ports.ts) comes from the module that imports this one, globally. */
@Module({
  controllers: [BundlesController, DecisionsController, ServiceController, TokensController],
  providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
})
export class AdminModule {}
