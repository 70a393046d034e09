import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { messageOf } from '../../canonical/index.ts';
import { CliError } from '../report.ts';

/** A listener, as Node's client takes it. */
export interface HealthAddress {
  /** As people write it: `http://127.0.0.1:8181`, `unix:/run/verdict.sock`. */
  readonly name: string;
  readonly target: { readonly socketPath: string } | { readonly host: string; readonly port: number };
}

/** An answer about health is a line; whoever sends more is somebody else. */
const MAX_BYTES = 16_384;

/** Reads `http://host:port` or `unix:/path`; throws USAGE for anything else. */
export const healthAddress = (text: string): HealthAddress => {
  if (/^unix:./.test(text)) return { name: text, target: { socketPath: text.slice('unix:'.length) } };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new CliError('USAGE', `a listener is an address such as http://127.0.0.1:8181 or unix:/path, not "${text}"`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { name: url.origin, target: { host, port: url.port === '' ? 80 : Number(url.port) } };
};

/** Why it is not well, of what the decision listener (`error`) or the admin listener (`reasons`) says. */
const reasonIn = (status: number, text: string): string => {
  try {
    const { error, reasons } = JSON.parse(text) as { error?: unknown; reasons?: unknown };
    if (typeof error === 'string') return error;
    if (Array.isArray(reasons) && reasons.length > 0) return reasons.join('; ');
  } catch {
    // Then it is no answer of Verdict's, and its status says all that there is.
  }
  return `it answered ${status}`;
};

/**
 * Asks one listener; resolves with why it is not in that state, undefined when it is. Rejects with SERVER_UNREACHABLE when no answer comes in time.
 * Not by `fetch`, which takes no Unix sockets and as long to load as all the rest.
 */
export const askHealth = (
  address: HealthAddress,
  state: 'live' | 'ready',
  timeoutMs: number,
): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      const late = cause instanceof DOMException && cause.name === 'TimeoutError';
      const reason = late ? `nothing came within ${timeoutMs / 1000} s` : messageOf(cause) || 'no connection';
      reject(new CliError('SERVER_UNREACHABLE', `${address.name} does not answer (${reason})`, { cause }));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ ...address.target, path: `/health/${state}`, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('error', fail);
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_BYTES) response.destroy(new Error('the answer is none about health'));
      });
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve(status === 200 ? undefined : reasonIn(status, text));
      });
    });
    asked.on('error', (error) => fail(signal.aborted ? signal.reason : error));
    asked.end();
  });

/** An empty HealthCheckRequest (the whole server) in a gRPC frame: not compressed, of no bytes. */
const EMPTY = Buffer.alloc(5);

/** A HealthCheckResponse that says SERVING (field 1, value 1), in its frame. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

/** As askHealth, by grpc.health.v1 of a gRPC listener; there `live` means that it answers at all. */
export const askGrpcHealth = (
  address: HealthAddress,
  state: 'live' | 'ready',
  timeoutMs: number,
): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const { target } = address;
    const host = 'host' in target ? target.host : 'localhost';
    const session = connectHttp2(`http://${host.includes(':') ? `[${host}]` : host}`, {
      createConnection: () => ('host' in target ? connect(target.port, target.host) : connect(target.socketPath)),
    });
    const end = (finish: () => void): void => {
      clearTimeout(late);
      session.destroy();
      finish();
    };
    const fail = (reason: string, cause?: unknown): void =>
      end(() => reject(new CliError('SERVER_UNREACHABLE', `${address.name} does not answer (${reason})`, { cause })));
    const late = setTimeout(() => fail(`nothing came within ${timeoutMs / 1000} s`), timeoutMs);
    session.on('error', (error) => fail(messageOf(error) || 'no connection', error));
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    const answer: Buffer[] = [];
    call.on('response', (headers) => {
      status = headers['grpc-status'];
    });
    call.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    call.on('data', (part: Buffer) => answer.length < MAX_BYTES && answer.push(part));
    call.on('error', (error) => fail(messageOf(error), error));
    call.on('end', () => {
      if (status === undefined) return fail('it speaks no gRPC');
      if (status !== '0') return end(() => resolve(`it answered gRPC status ${String(status)}`));
      const serves = state === 'live' || SERVING.equals(Buffer.concat(answer));
      return end(() => resolve(serves ? undefined : 'it answers that it does not serve'));
    });
    call.end(EMPTY);
  });
