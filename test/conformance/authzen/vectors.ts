import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { PdpAnswer } from '../../support/pdp.ts';

export const root = path.join(import.meta.dirname, '..', '..', '..');

// The public interop vectors of OpenID AuthZEN carry no licence to copy them: they lie beside the checkout, not in it.
const folder = path.join(root, '..', 'shared', 'conformance', 'authzen');

export const arePresent = existsSync(folder);

export const whereFrom = `no vectors at ${folder}: they come from github openid/authzen, its folder interop`;

export const readVectors = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

/** Stricter than the standard's own runner: the status, the type and a boolean count too. */
export const expectJson = (answer: PdpAnswer, place: string): void => {
  expect(answer.status, place).toBe(200);
  expect(answer.headers.get('content-type'), place).toMatch(/^application\/json(;|$)/);
};

export type Members = { readonly [name: string]: unknown };

/** The same question with members that no rule reads. */
export const withUnread = (request: unknown): unknown => {
  const { context, ...members } = request as Members;
  return { trace: 'a-1', ...members, context: { ...(context as Members | undefined), channel: 'test' } };
};
