import { messageOf } from '../../canonical/index.ts';
import { CliError } from '../report.ts';

export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export const serverUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError('USAGE', `a server is an address such as http://127.0.0.1:8282, not "${text}"`);
  }
  return url;
};

/** Sends a request and gives the text of the answer; network trouble says which address was asked. */
export const send = async (url: URL, init: RequestInit): Promise<ServerAnswer> => {
  try {
    // A redirect would carry the token, or the question, to an address that nobody named.
    const response = await fetch(url, { ...init, redirect: 'error' });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    throw new CliError(
      'SERVER_UNREACHABLE',
      `${url.origin} does not answer (${reason || 'no connection'}); is the server running?`,
      { cause },
    );
  }
};

/** One part of a path. */
export const part = (text: string): string => encodeURIComponent(text);
