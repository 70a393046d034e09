import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../../decision/model.ts';
import { holdsFor, SOURCE_READERS } from '../../../identity/index.ts';
import type { BundleInfo, PolicyStore, VersionInfo } from '../../../policy/index.ts';
import { PolicyError } from '../../../policy/index.ts';
import { Asking, Permitted } from '../access.ts';
import { archiveOf } from '../body.ts';
import {
  type ActivationAnswer,
  AdminError,
  type BundlesAnswer,
  type PushAnswer,
  type VersionsAnswer,
} from '../model.ts';
import { POLICY } from '../ports.ts';

const numberOf = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new AdminError('REQUEST_INVALID', 'a version is a number from 1 on');
  return Number(text);
};

const flagOf = (name: string, text: unknown): boolean => {
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw new AdminError('REQUEST_INVALID', `${name} is true or false`);
};

/** Bundles, their versions, and which of them is active. */
@Controller('v1/bundles')
export class BundlesController {
  constructor(@Inject(POLICY) private readonly policy: PolicyStore) {}

  @Get()
  @Permitted({ roles: SOURCE_READERS })
  list(@Asking() caller: Caller): BundlesAnswer {
    return { bundles: this.policy.bundles().filter(({ name }) => holdsFor(caller, name)) };
  }

  @Get(':name')
  @Permitted({ roles: SOURCE_READERS, bundle: true })
  show(@Param('name') name: string): BundleInfo {
    const found = this.policy.bundles().find((bundle) => bundle.name === name);
    if (found === undefined) throw new PolicyError('BUNDLE_UNKNOWN', 'no bundle has this name');
    return found;
  }

  @Put(':name')
  @Permitted({ roles: ['author'], bundle: true })
  async push(
    @Param('name') name: string,
    @Query('activate') activate: unknown,
    @Body() body: unknown,
    @Asking() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PushAnswer> {
    const options = { by: caller.name, activate: flagOf('activate', activate) };
    const result = await this.policy.push(name, archiveOf(body), options);
    reply.status(result.created ? 201 : 200);
    return result;
  }

  @Get(':name/versions')
  @Permitted({ roles: SOURCE_READERS, bundle: true })
  versions(@Param('name') name: string): VersionsAnswer {
    const rollbackTo = this.policy.rollbackTarget(name);
    return { versions: this.policy.versions(name), ...(rollbackTo === undefined ? {} : { rollbackTo }) };
  }

  @Get(':name/versions/:version')
  @Permitted({ roles: SOURCE_READERS, bundle: true })
  version(@Param('name') name: string, @Param('version') version: string): VersionInfo {
    return this.policy.version(name, numberOf(version));
  }

  @Get(':name/versions/:version/bundle')
  @Permitted({ roles: [...SOURCE_READERS, 'edge'], bundle: true })
  async archive(
    @Param('name') name: string,
    @Param('version') version: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const number = numberOf(version);
    const bytes = await this.policy.archive(name, number);
    reply.header('content-type', 'application/gzip');
    reply.header('content-disposition', `attachment; filename="${name}-${number}.tar.gz"`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  @Post(':name/versions/:version/activate')
  @HttpCode(200)
  @Permitted({ roles: ['approver', 'author'], bundle: true })
  activate(
    @Param('name') name: string,
    @Param('version') version: string,
    @Asking() caller: Caller,
  ): Promise<ActivationAnswer> {
    return this.policy.activate(name, numberOf(version), caller.name);
  }

  @Post(':name/rollback')
  @HttpCode(200)
  @Permitted({ roles: ['approver', 'author'], bundle: true })
  rollback(@Param('name') name: string, @Asking() caller: Caller): Promise<ActivationAnswer> {
    return this.policy.rollback(name, caller.name);
  }
}
