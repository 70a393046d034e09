import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach } from 'vitest';
import type { Caller } from '../../src/decision/index.ts';
import type { HttpLimits, HttpSettings, ListenerOptions } from '../../src/interfaces/http/index.ts';
import { defaultHttpSettings, startDecisionServer } from '../../src/interfaces/http/index.ts';
import type { CoreOptions, FakeVersion } from './decision.ts';
import { fails, gives, givesInput, givesNothing, startCore } from './decision.ts';

export interface HttpOptions extends CoreOptions {
  readonly settings?: Partial<Omit<HttpSettings, 'limits'>>;
  readonly limits?: Partial<HttpLimits>;
  readonly tokens?: { readonly [secret: string]: Caller };
  readonly ready?: ListenerOptions['ready'];
  readonly defaultDecision?: string;
  readonly authzenBaseUrl?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: string;
  readonly bytes: Buffer;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string | string[] };
  readonly body?: string | Buffer;
}

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** What the tests ask about: the rules with which OPA's own answers were recorded. */
export const shop: FakeVersion = {
  name: 'shop',
  revision: 'r42',
  version: 3,
  authzen: 'shop/authz',
  results: ['shop/authz'],
  rules: {
    'shop/orders/allow': (asked) => gives(String(asked.input === '{"user":"u1"}'))(asked),
    'shop/orders/echo': givesInput,
    'shop/orders/nul': gives('null'),
    'shop/orders/undef': givesNothing,
    'shop/orders/conflict': fails('conflict', 'two values for one document'),
    'shop/orders/strict': (asked) =>
      asked.strictErrors ? fails('builtin_error', 'to_number: invalid syntax')(asked) : givesNothing(asked),
    'shop/orders/obj': gives('{"1":"one","b":[1,2],"empty":{},"none":[],"text":"a\\"[{,: \\\\"}'),
    'shop/authz': (asked) => {
      const input = JSON.parse(asked.input ?? '{}') as { subject?: { id?: string }; action?: { name?: string } };
      const id = input.subject?.id;
      if (id === 'broken') return fails('budget_exceeded', 'over budget')(asked);
      if (id === 'nobody') return givesNothing(asked);
      if (id === 'plain') return gives('true')(asked);
      if (id === 'watched') return gives('{"allow":true,"obligations":[{"id":"log"}],"reasons":[]}')(asked);
      const allow = id === 'alice' || (id === 'bob' && input.action?.name === 'read');
      return gives(allow ? '{"allow":true}' : '{"allow":false,"reasons":["not yours"]}')(asked);
    },
    'system/main': (asked) => gives(`{"in":${asked.input ?? 'null'}}`)(asked),
  },
  data: { d: '{"list":[10,20],"m":{"1":"one","k":"v"}}' },
};

/** A whole decision server in memory, on a free port, with `shop` active. Stopped after the test. */
export const startHttp = async (options: HttpOptions = {}) => {
  const core = startCore(options);
  core.policy.activate(shop);
  const state = { draining: false };
  const warnings: string[] = [];
  const refusals: string[] = [];
  const settings: HttpSettings = {
    ...defaultHttpSettings,
    port: 0,
    ...options.settings,
    limits: { ...defaultHttpSettings.limits, ...options.limits },
  };
  const { tokens = {} } = options;
  const server = await startDecisionServer({
    decisions: core.decisions,
    policy: core.policy.source,
    settings,
    authenticate: (bearer) => (Object.hasOwn(tokens, bearer) ? tokens[bearer] : undefined),
    ready: options.ready ?? (() => ({ ready: true })),
    draining: () => state.draining,
    version: { version: '0.1.0' },
    onWarning: (message) => warnings.push(message),
    observer: { responded: () => {}, refused: (reason) => refusals.push(reason) },
    ...(options.authzenBaseUrl === undefined ? {} : { authzenBaseUrl: options.authzenBaseUrl }),
    ...(options.defaultDecision === undefined ? {} : { defaultDecision: options.defaultDecision }),
  });
  stops.push(() => server.close(0));
  const isUnix = server.url.startsWith('unix:');
  const place = isUnix
    ? { socketPath: server.url.slice('unix:'.length) }
    : { host: new URL(server.url).hostname.replace(/[[\]]/g, ''), port: Number(new URL(server.url).port) };

  const call = (path: string, sent: Sent = {}): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const { method = sent.body === undefined ? 'GET' : 'POST', headers = {}, body } = sent;
      const request = httpRequest({ ...place, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes.toString(), bytes });
        });
      });
      request.on('error', reject);
      request.end(body);
    });

  /** Writes bytes to a connection and answers all that comes back until the server closes it. */
  const raw = (text: string | Buffer, end = false): Promise<string> =>
    new Promise((resolve) => {
      const socket = isUnix ? connect(place.socketPath as string) : connect(place.port as number, place.host);
      let got = '';
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
      });
      socket.on('close', () => resolve(got));
      socket.on('error', () => {});
      if (end) socket.end(text);
      else socket.write(text);
    });

  return { ...core, server, state, httpWarnings: warnings, refusals, call, raw };
};

export type Http = Awaited<ReturnType<typeof startHttp>>;

/** A body without its decision id, which is another one each time. */
export const withoutId = (body: string): string => body.replace(/\n? *"decision_id": ?"[0-9a-f-]{36}",?/, '');
