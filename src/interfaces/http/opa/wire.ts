import type { Query, Reply, RequestFacts } from '../../../decision/index.ts';
import { rawKey } from '../../../decision/index.ts';
import type { CheckedJson, JsonLimits } from '../../../engine/index.ts';
import { sliceChecked } from '../../../engine/index.ts';
import { checkDocument, jsonLimits, RequestError, refuseReserved } from '../../wire/index.ts';
import { readBody } from '../body.ts';
import type { Exchange, Service } from '../exchange.ts';
import { guarded, replying, unpacked } from '../exchange.ts';
import type { Route } from '../target.ts';
import { explanationOf } from './explain.ts';
import type { Asked } from './reply.ts';
import { refuseOpa, replyV0, replyV1 } from './reply.ts';

type DataRoute = Extract<Route, { readonly kind: 'data' }>;

interface Input {
  /** Absent: undefined. */
  readonly input?: CheckedJson;
  readonly missing: boolean;
}

const NULL = Buffer.from('null');

/** OPA's words before what is wrong with a text. */
const malformed = (what: string): string => `${what} contains malformed input document: `;

export const isBlank = (body: Buffer): boolean => body.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));

/** The body of /v1/data: `{"input": ...}`, nothing, or `null`. */
const readEnvelope = (body: Buffer, limits: JsonLimits): Input => {
  if (isBlank(body)) return { missing: true };
  const document = checkDocument(body, limits, malformed('body'));
  if (document.kind === 'null') return { missing: true };
  if (document.kind !== 'object') {
    throw new RequestError(
      'body_malformed',
      `body contains malformed input document: an object, not this ${document.kind}`,
    );
  }
  for (const name of document.members.keys()) {
    // Go's decoder takes any case; which of two would count is nothing to guess about.
    if (name !== 'input' && name.toLowerCase() === 'input') {
      throw new RequestError(
        'body_malformed',
        'body contains malformed input document: the member input in another case',
      );
    }
  }
  const input = sliceChecked(document, 'input');
  if (input === undefined || Buffer.from(input).equals(NULL)) return { missing: true };
  refuseReserved(input);
  return { input, missing: false };
};

/** The body of /v0/data and of /: the input itself; nothing is null. */
const readBare = (body: Buffer, limits: JsonLimits): Input => {
  const document = checkDocument(
    isBlank(body) ? NULL : body,
    limits,
    malformed('unexpected parse error for input: body'),
  );
  refuseReserved(document.json);
  return { input: document.json, missing: false };
};

const readParameter = (text: string | undefined, limits: JsonLimits): Input => {
  if (text === undefined) return { missing: false };
  const document = checkDocument(Buffer.from(text), limits, malformed('parameter'));
  refuseReserved(document.json);
  return { input: document.json, missing: false };
};

export const refuseYaml = (contentType: string): void => {
  if (/yaml/i.test(contentType)) {
    throw new RequestError('media_type_unsupported', 'the body is YAML by its Content-Type: send JSON');
  }
};

const nanosecondsSince = (ms: number): number => Math.round((performance.now() - ms) * 1e6);

const factsOf = (route: DataRoute, exchange: Exchange): RequestFacts => ({
  wire: route.wire,
  caller: exchange.caller,
  requestedBy: exchange.requestedBy,
  trace: exchange.trace,
});

const replyTo = (service: Service, exchange: Exchange, route: DataRoute, asked: Asked, input?: CheckedJson): Reply => {
  const level = route.wire === 'opa.v1' ? exchange.target.options.explain : undefined;
  return replying(service, exchange, refuseOpa, (answer) => {
    if (route.wire !== 'opa.v1') replyV0(service, exchange, answer, route.path);
    else if (level === undefined || (answer.verdict.kind === 'failed' && answer.verdict.error.code !== 'conflict'))
      replyV1(service, exchange, answer, route.path, asked);
    else {
      const question = { path: route.path, level, ...(input === undefined ? {} : { input }) };
      const reply = replying(service, exchange, refuseOpa, (found: Partial<Asked>) =>
        replyV1(service, exchange, answer, route.path, { ...asked, ...found }),
      );
      void explanationOf(service, exchange, answer, question).then(reply);
    }
  });
};

const ask = (
  service: Service,
  exchange: Exchange,
  route: DataRoute,
  read: (limits: JsonLimits) => Input,
  key: string | undefined,
): void => {
  const { options } = exchange.target;
  const from = performance.now();
  const { input, missing } = read(jsonLimits(service.limits));
  const asked: Asked = { inputMissing: missing, ...(options.metrics ? { parseNs: nanosecondsSince(from) } : {}) };
  const query: Query = {
    ...factsOf(route, exchange),
    path: route.path,
    ...(input === undefined ? {} : { input }),
    strictErrors: options.strictErrors,
    // What is explained is evaluated: a remembered answer may rest on another moment.
    bypassCache: exchange.head.noCache || options.explain !== undefined,
    // Repeated without a look at its body, a request would lose the warning that its input is missing.
    ...(key === undefined || missing ? {} : { rawKey: key }),
  };
  service.decisions.decide(query, replyTo(service, exchange, route, asked, input));
};

const keyOf = (service: Service, exchange: Exchange, route: DataRoute, body: Buffer): string | undefined => {
  if (exchange.head.noCache || exchange.target.options.explain !== undefined) return undefined;
  if (!service.decisions.cameBefore(body.length === 0 ? exchange.target.text : body)) return undefined;
  const { contentType, contentCoding } = exchange.head;
  // A GET has its input in the target, which for a POST means nothing.
  const options = `${exchange.request.method} ${exchange.target.text}`;
  // The default decision's path is configured, so it is no part of the target.
  const path = route.wire === 'opa.default' ? JSON.stringify(route.path) : '';
  return rawKey({ wire: route.wire, path, options, contentType, contentCoding, body });
};

const NOTHING_MISSING: Asked = { inputMissing: false };

const repeated = (service: Service, exchange: Exchange, route: DataRoute, key: string | undefined): boolean =>
  key !== undefined &&
  service.decisions.repeat(key, factsOf(route, exchange), replyTo(service, exchange, route, NOTHING_MISSING));

/** POST /v1/data, POST /v0/data, POST /. */
export const postData = (service: Service, exchange: Exchange, route: DataRoute): void => {
  const readInput = route.wire === 'opa.v1' ? readEnvelope : readBare;
  const onBody = guarded(service, exchange, refuseOpa, (body) => {
    refuseYaml(exchange.head.contentType);
    const key = keyOf(service, exchange, route, body);
    if (repeated(service, exchange, route, key)) return;
    unpacked(service, exchange, refuseOpa, body, (bytes) =>
      ask(service, exchange, route, (limits) => readInput(bytes, limits), key),
    );
  });
  readBody(exchange.request, exchange.head.contentLength, service.limits.bodyBytes, onBody);
};

const NO_BODY = Buffer.alloc(0);

/** GET /v1/data: the input, if any, is a parameter; OPA does not warn when it is missing. */
export const getData = (service: Service, exchange: Exchange, route: DataRoute): void => {
  const answer = guarded(service, exchange, refuseOpa, () => {
    const key = keyOf(service, exchange, route, NO_BODY);
    if (repeated(service, exchange, route, key)) return;
    ask(service, exchange, route, (limits) => readParameter(exchange.target.options.input, limits), key);
  });
  answer(undefined, NO_BODY);
};
