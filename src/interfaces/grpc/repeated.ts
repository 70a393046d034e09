import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

// node:http2 keeps the first of several `authorization` entries and drops the others without a word, and grpc-js makes
// a server that nobody else gets to see. What came is told by the channel below alone.
const CREATED = 'http2.server.stream.created';
const NAME = 'authorization';

type Headers = { [name: string]: unknown };

const keepAll = (_stream: ServerHttp2Stream, headers: Headers, _flags: number, raw: readonly string[]): void => {
  if (raw.indexOf(NAME) === raw.lastIndexOf(NAME)) return;
  // A value may be the name's text, too: only what stands at a name's place counts.
  const values = raw.filter((_, at) => at % 2 === 1 && raw[at - 1] === NAME);
  if (values.length > 1) headers[NAME] = values;
};

/** Lets calls see each `authorization` entry that came with them, in `Metadata`, until the function returned is called. */
export const keepRepeated = (): (() => void) => {
  const known = new WeakSet<ServerHttp2Session>();
  const onCreated = (message: unknown): void => {
    const { session } = (message as { readonly stream: ServerHttp2Stream }).stream;
    if (session === undefined || known.has(session as ServerHttp2Session)) return;
    known.add(session as ServerHttp2Session);
    session.prependListener('stream', keepAll as () => void);
  };
  subscribe(CREATED, onCreated);
  return () => void unsubscribe(CREATED, onCreated);
};
