import type { IncomingMessage } from 'node:http';
import { gunzip } from 'node:zlib';
import { HttpError } from './errors.ts';

export type BodyDone = (error: HttpError | undefined, body: Buffer) => void;

const EMPTY: Buffer = Buffer.alloc(0);

const tooLarge = (bytes: number): HttpError =>
  new HttpError('body_too_large', `request body too large: at most ${bytes} bytes are taken`);

/** Collects a request's body, up to a number of bytes. `done` is called once, or never when the client goes away. */
export const readBody = (request: IncomingMessage, mostBytes: number, done: BodyDone): void => {
  const announced = request.headers['content-length'];
  if (announced !== undefined && Number(announced) > mostBytes) {
    done(tooLarge(mostBytes), EMPTY);
    return;
  }
  let first = EMPTY;
  let more: Buffer[] | undefined;
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      request.off('data', onData);
      request.off('end', onEnd);
      done(tooLarge(mostBytes), EMPTY);
    } else if (first.length === 0) first = chunk;
    else if (more === undefined) more = [first, chunk];
    else more.push(chunk);
  };
  const onEnd = (): void => {
    done(undefined, more === undefined ? first : Buffer.concat(more, bytes));
  };
  request.on('data', onData);
  request.on('end', onEnd);
};

/** Whether a body must be inflated; throws HttpError for a coding that is not taken. */
export const isGzip = (contentCoding: string): boolean => {
  const coding = contentCoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return false;
  if (coding === 'gzip' || coding === 'x-gzip') return true;
  throw new HttpError('coding_unsupported', 'Content-Encoding: only gzip is taken');
};

/** Inflates a body off this thread; what would grow past the limit ends there. */
export const inflate = (body: Buffer, mostBytes: number, done: BodyDone): void => {
  gunzip(body, { maxOutputLength: mostBytes }, (failure, inflated) => {
    if (failure === null) done(undefined, inflated);
    else if ((failure as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') done(tooLarge(mostBytes), EMPTY);
    else {
      const cause = { cause: failure };
      done(new HttpError('body_malformed', `could not decompress the body: ${failure.message}`, cause), EMPTY);
    }
  });
};
