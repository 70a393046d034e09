import { messageOf } from '../../canonical/index.ts';
import { CliError } from '../report.ts';
import type { Session } from '../session.ts';
import { findAdmin, refusal } from './admin.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly type: string;
  readonly data: string;
  readonly id?: string;
}

/** A record is at most a few MiB: what has no end by then is no event. */
const MOST_CHARACTERS = 1 << 26;

const eventOf = (block: string): ServerEvent => {
  let [type, data, id] = ['message', '', ''];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) type = line.slice(7);
    else if (line.startsWith('data: ')) data = line.slice(6);
    else if (line.startsWith('id: ')) id = line.slice(4);
  }
  return { type: data === '' ? '' : type, data, ...(id === '' ? {} : { id }) };
};

const unreachable = (server: URL, cause: unknown): CliError => {
  const reason = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
  return new CliError('SERVER_UNREACHABLE', `${server.origin} does not answer (${reason}); is the server running?`, {
    cause,
  });
};

/** Events of a stream of the admin API, from after `resume` on. Those of the type '' say nothing but their id. */
export async function* openEvents(
  session: Session,
  path: string,
  resume: string | undefined,
): AsyncGenerator<ServerEvent> {
  const { server, token, source } = await findAdmin(session);
  const headers = { authorization: `Bearer ${token}`, ...(resume === undefined ? {} : { 'last-event-id': resume }) };
  const init = { headers, redirect: 'error', signal: session.host.ending } as const;
  const response = await fetch(new URL(path, server), init).catch((cause: unknown) => {
    throw unreachable(server, cause);
  });
  if (response.status !== 200 || response.body === null) {
    throw refusal(response.status, await response.text(), source);
  }
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) yield eventOf(block);
      if (text.length > MOST_CHARACTERS) throw new Error('an event without an end');
    }
  } catch (cause) {
    throw unreachable(server, cause);
  }
}
