import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestObserver } from '../../decision/index.ts';

interface Refusal {
  readonly status: number;
  readonly phrase: string;
  readonly reason: string;
}

const malformed: Refusal = { status: 400, phrase: 'Bad Request', reason: 'request_malformed' };

/** What HTTP itself refuses, before there is a request: the statuses are node:http's own. */
const refusals: { readonly [code: string]: Refusal } = {
  HPE_HEADER_OVERFLOW: { status: 431, phrase: 'Request Header Fields Too Large', reason: 'headers_too_large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, phrase: 'Payload Too Large', reason: 'headers_too_large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, phrase: 'Request Timeout', reason: 'request_timeout' },
};

/** What node:http keeps on a socket of the answer that is being sent. */
interface Answering {
  readonly _httpMessage?: { readonly headersSent: boolean } | null;
}

/** Ends a connection on which no request could be read, with what `code`, one of node:http's, answers. */
export const refuseConnection = (
  socket: Socket & Answering,
  code: string,
  observer: RequestObserver | undefined,
  error?: Error,
): void => {
  const { status, phrase, reason } = refusals[code] ?? malformed;
  observer?.refused(reason);
  if (socket.writable && socket._httpMessage?.headersSent !== true) {
    observer?.responded(status);
    socket.write(`HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\n\r\n`);
  }
  socket.destroy(error);
};

/** Answers what cannot be parsed or comes too slowly, as node:http would alone, and has it counted. */
export const countProtocolErrors = (server: Server, observer: RequestObserver): void => {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const code = error.code ?? '';
    // The client is gone: nothing was refused.
    if (code.startsWith('HPE_') || code in refusals) refuseConnection(socket, code, observer, error);
    else socket.destroy(error);
  });
  server.on('drop', () => observer.refused('connections_exceeded'));
};
