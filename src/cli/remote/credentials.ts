import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from '../report.ts';
import type { Session } from '../session.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const readToken = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CliError('FILE_UNUSABLE', `the token file ${file} cannot be read`, { cause });
  });
  const token = text.trim();
  if (token === '' || /\s/.test(token))
    throw new CliError('FILE_UNUSABLE', `the token file ${file} does not hold one token`);
  return token;
};

export interface Credential {
  readonly token: string;
  /** Where it was found, for messages. */
  readonly source: string;
}

/** The token that the person named, if any: with --token-file, else in VERDICT_TOKEN. */
export const namedToken = async (session: Session): Promise<Credential | undefined> => {
  const { globals, host } = session;
  const { tokenFile } = globals;
  if (tokenFile !== undefined) {
    return { token: await readToken(session.resolve(tokenFile)), source: `${tokenFile} (--token-file)` };
  }
  const token = host.env.VERDICT_TOKEN?.trim();
  return token ? { token, source: 'VERDICT_TOKEN' } : undefined;
};

/**
 * The token for a server: the one that the person named, else the operator token that the server's first start wrote.
 * The latter goes to this machine or to the configured address only: a foreign `--server` must not be handed it.
 */
export const findToken = async (session: Session, server: URL, configured: URL): Promise<Credential> => {
  const named = await namedToken(session);
  if (named !== undefined) return named;
  const file = path.join(session.resolve((await session.config()).storage.dir), 'operator-token');
  if (server.origin !== configured.origin && !loopback.test(server.hostname)) {
    throw new CliError('TOKEN_MISSING', `${server.origin} needs a token: give --token-file FILE or set VERDICT_TOKEN`);
  }
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    throw new CliError(
      'TOKEN_MISSING',
      `no token: ${file} is not there; give --token-file FILE, set VERDICT_TOKEN, or name the server's configuration with --config`,
    );
  }
  return { token: text.trim(), source: `${file}, the operator token in storage.dir` };
};

/** True when a token would cross a network unencrypted. */
export const isExposed = (server: URL): boolean => server.protocol === 'http:' && !loopback.test(server.hostname);
