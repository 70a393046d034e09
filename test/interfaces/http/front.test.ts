import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DirectRequest } from '../../../src/interfaces/http/body.ts';
import { createFront } from '../../../src/interfaces/http/front/front.ts';
import { byNode, type Incoming, type Outgoing } from '../../../src/interfaces/http/incoming.ts';
import { defaultHttpSettings } from '../../../src/interfaces/http/index.ts';
import { countProtocolErrors } from '../../../src/interfaces/http/protocol-errors.ts';
import { rounds } from '../../support/rounds.ts';

const limits = { ...defaultHttpSettings.limits, headerBytes: 2_048, bodyBytes: 4_096 };

interface Listener {
  readonly server: Server;
  /** What was understood of requests, in their order. */
  heard: string[];
  /** How many connections were left to node:http. */
  left: number;
}

const listener = (withFront: boolean): Listener => {
  /** Says what was understood of a request. */
  const echo = (request: Incoming, response: Outgoing): void => {
    const chunks: Buffer[] = [];
    request.collect((chunk) => {
      if (chunk !== null) {
        chunks.push(chunk);
        return;
      }
      const { method, url, rawHeaders } = request;
      const text = JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString('latin1') });
      made.heard.push(text);
      response.send(200, ['Content-Length', String(Buffer.byteLength(text))], Buffer.from(text), false);
    });
  };
  const server = createServer(
    {
      IncomingMessage: DirectRequest,
      maxHeaderSize: limits.headerBytes,
      requireHostHeader: true,
      insecureHTTPParser: false,
      keepAliveTimeout: limits.idleSeconds * 1000,
      noDelay: true,
    },
    (request, response) => echo(request, byNode(response)),
  );
  const made: Listener = { server, heard: [], left: 0 };
  const observer = { responded: () => {}, refused: () => {} };
  countProtocolErrors(server, observer);
  if (!withFront) return made;
  const [byItself] = server.listeners('connection') as ((socket: Socket) => void)[];
  const leave = (socket: Socket): void => {
    made.left++;
    byItself?.call(server, socket);
    socket.resume();
  };
  const loop = createFront({ limits, observer, answer: echo, leave });
  server.off('connection', byItself as (socket: Socket) => void).on('connection', loop.accept);
  return made;
};

const ours = listener(true);
const theirs = listener(false);

beforeAll(async () => {
  for (const { server } of [ours, theirs]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
});
afterAll(() => {
  for (const { server } of [ours, theirs]) {
    server.closeAllConnections();
    server.close();
  }
});

/** Writes pieces one after the other, ends, and gives all that came back. */
const talk = (to: Listener, pieces: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    to.heard = [];
    const socket = connect((to.server.address() as AddressInfo).port, '127.0.0.1');
    let got = '';
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      got += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got.replace(/\r\nDate: [^\r]+/g, '')));
    const write = async (): Promise<void> => {
      for (const piece of pieces) {
        socket.write(piece, 'latin1');
        await new Promise((done) => setImmediate(done));
      }
      socket.end();
    };
    socket.on('connect', () => void write());
  });

const anyOf = <T>(usual: T, ...odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 24 * odd.length, arbitrary: fc.constant(usual) }, ...odd.map((value) => fc.constant(value)));

const headerLine = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.constantFrom(
      'Accept: */*',
      'X-Request-ID: r-1',
      'traceparent: 00-1-1-00',
      'X-Empty:',
      'X-Tab:\ta b\t ',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Connection: keep-alive',
      'Connection: Keep-Alive, x',
      'connection: CLOSE',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding : chunked',
      'Upgrade: h2c',
      'Expect: 100-continue',
      'TE: trailers',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: close',
      'X-High: \xe9',
      'X-Nul: a\0b',
      'X-Bell: a\x07b',
      'X-Cr: a\rb',
      'X-Lf: a\nb',
      ' folded',
      'No colon',
      ': no name',
      'X Space: a',
      'X-Before : a',
      'Content-Length: 3',
      'Content-Length: +3',
      'Content-Length: 3, 3',
      'Content-Length: 0x3',
      'Content-Length: ',
      'Content-Length: 99999999999999999999',
      'Content-Length: 5000',
      `X-Long: ${'a'.repeat(1_500)}`,
      `X-Long: ${'a'.repeat(2_100)}`,
    ),
  },
);

const request = fc
  .record({
    method: anyOf('POST', 'GET', 'HEAD', 'PUT', 'OPTIONS', 'post', 'PRI', 'M-SEARCH', ''),
    target: anyOf('/v1/data/a?pretty', '/', '*', 'http://localhost/a', '/a b', '/\xe9', '/a#b', '', '//', '/a\tb'),
    version: anyOf('HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', ''),
    host: anyOf<string | undefined>('Host: localhost', undefined, 'hOST:  h  ', 'Host:'),
    headers: fc.array(headerLine, { maxLength: 4 }),
    lineEnd: anyOf('\r\n', '\n', '\r'),
    before: anyOf('', '\r\n', '\n', ' ', '\0'),
    body: fc.oneof(fc.constant(''), fc.string({ maxLength: 40 }), fc.constant('x'.repeat(1_000))),
    length: anyOf<number | undefined>(0, undefined, 1, -1),
  })
  .map(({ method, target, version, host, headers, lineEnd, before, body, length }) => {
    const bytes = Buffer.from(body);
    const framing = length === undefined ? [] : [`Content-Length: ${Math.max(0, bytes.length + length)}`];
    const lines = [`${method} ${target} ${version}`, ...(host === undefined ? [] : [host]), ...framing, ...headers];
    return `${before}${lines.join(lineEnd)}${lineEnd}${lineEnd}${bytes.toString('latin1')}`;
  });

const conversation = fc
  .tuple(fc.array(request, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { maxLength: 3 }))
  .map(([requests, cuts]) => {
    const text = requests.join('');
    const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
    return [...places, text.length].map((place, at) => text.slice(places[at - 1] ?? 0, place));
  });

describe('the connection loop before node:http', () => {
  test('hears what node:http hears, whatever is sent, and answers it', async () => {
    let plainOnes = 0;
    await fc.assert(
      fc.asyncProperty(conversation, async (pieces) => {
        const leftBefore = ours.left;
        const [got, wanted] = await Promise.all([talk(ours, pieces), talk(theirs, pieces)]);
        expect(ours.heard).toEqual(theirs.heard);
        if (ours.heard.length === 0) expect(got).toBe(wanted);
        // node:http loses answers that wait when something unreadable comes.
        else if (ours.left === leftBefore) {
          const answers = [...got.matchAll(/\r\n\r\n(\{.*?\})(?=HTTP\/|$)/g)].map(([, text]) => text);
          expect(answers).toEqual(ours.heard);
          plainOnes++;
        }
      }),
      { numRuns: rounds(5_000, 500) },
    );
    // Or node:http would have been compared with itself.
    expect(plainOnes).toBeGreaterThan(rounds(1_000, 100));
  }, 300_000);

  test('does not read on while answers are not taken, and answers all that was sent once they are', async () => {
    ours.heard = [];
    const body = 'x'.repeat(4_000);
    const one = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const asked = 5_000;
    const socket = connect((ours.server.address() as AddressInfo).port, '127.0.0.1').pause();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.end(one.repeat(asked));
    // The kernel's buffers are full when no more is heard for a while.
    for (let before = -1; ours.heard.length !== before || before === 0; ) {
      before = ours.heard.length;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(ours.heard.length).toBeLessThan(asked);
    socket.resume();
    await closed;
    expect(ours.heard).toHaveLength(asked);
    // Counted in the whole: a chunk may end within a line.
    const answers = Buffer.concat(chunks).toString('latin1').split('HTTP/1.1 200 OK').length - 1;
    expect(answers).toBe(asked);
  }, 60_000);
});
