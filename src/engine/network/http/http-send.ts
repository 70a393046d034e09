import { parse as parseYaml } from 'yaml';
import { messageOf } from '../../../canonical/index.ts';
import type { RegoObject, RegoValue } from '../../../rego/index.ts';
import { regoInteger, regoObject } from '../../../rego/index.ts';
import { parseJson } from '../../builtins/go-json.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { stringOfBytes } from '../../builtins/operands.ts';
import { dumpValue } from '../../values/value-text.ts';
import { answerEndMs, cachedExchange, isLasting } from './cached-exchange.ts';
import { bareRequest, cachingOf } from './caching.ts';
import type { ExchangeLimits, HttpResponse } from './exchange.ts';
import { exchange, NetworkFailure } from './exchange.ts';
import type { HttpRequest } from './request.ts';
import { checkKeys, raisesErrors, readRequest, requestOperand } from './request.ts';
import type { BundleResponses } from './response-cache.ts';

/** A response as a value, and until when (milliseconds since 1970) an answer that rests on it may be used again. */
export interface Sent {
  readonly value: RegoValue;
  readonly endMs?: number | undefined;
}

/** What the calls of one evaluation were answered, by request: the same again to the same. */
export type Answered = Map<string, Promise<Sent>>;

/** What the calls of one evaluation share. */
export interface Sending extends ExchangeLimits {
  readonly answered: Answered;
  readonly tlsFiles: readonly string[];
  /** What earlier evaluations of the same bundle kept. */
  readonly responses: BundleResponses;
  /** The evaluation's clock, milliseconds since 1970. */
  readonly nowMs: number;
}

const isJson = (type: string): boolean => /^\s*application\/(?:json|[^\s;/]*\+json)\s*(?:;|$)/i.test(type);
const isYaml = (type: string): boolean => type.includes('application/yaml') || type.includes('application/x-yaml');

/** Null for what does not decode, as in OPA. */
const decoded = ({ headers, body }: HttpResponse, { decode }: HttpRequest): RegoValue => {
  const type = headers.get('content-type')?.[0] ?? '';
  try {
    if (decode === 'json' || isJson(type)) return parseJson(body);
    if (decode !== 'yaml' && !isYaml(type)) return null;
    return parseJson(Buffer.from(JSON.stringify(parseYaml(body.toString('utf8')) ?? null)));
  } catch {
    return null;
  }
};

const responseValue = (response: HttpResponse, request: HttpRequest): RegoValue =>
  regoObject([
    ['status', response.status],
    ['status_code', regoInteger(response.statusCode)],
    ['body', decoded(response, request)],
    ['raw_body', stringOfBytes(response.body)],
    ['headers', regoObject([...response.headers])],
  ]);

const errorValue = (code: string, message: string): RegoValue =>
  regoObject([
    ['status_code', regoInteger(0)],
    [
      'error',
      regoObject([
        ['code', code],
        ['message', message],
      ]),
    ],
  ]);

const send = async (object: RegoObject, sending: Sending): Promise<Sent> => {
  const { answered, nowMs, responses, tlsFiles } = sending;
  const bare = bareRequest(object);
  const key = dumpValue(bare);
  const caching = cachingOf(object);
  const known = answered.get(key);
  if (known !== undefined) return known;
  let isKept = caching.isUsed;
  const ask = async (): Promise<Sent> => {
    const request = readRequest(object, tlsFiles);
    if (!caching.isUsed) {
      const response = await exchange(request, sending);
      isKept = isLasting(response);
      return { value: responseValue(response, request) };
    }
    const asked = { request, bare: () => readRequest(bare, tlsFiles), key, caching, responses, nowMs };
    const response = await cachedExchange(asked, sending);
    return { value: responseValue(response, request), endMs: answerEndMs(response, asked) };
  };
  const answering = ask();
  // A failure is kept, too: one evaluation sees one world.
  answered.set(key, answering);
  const sent = await answering;
  if (!isKept) answered.delete(key);
  return sent;
};

/** `http.send`. Throws BuiltinError, or gives an error object where the request says `raise_error: false`. */
export const httpSend = async (operand: RegoValue | undefined, sending: Sending): Promise<Sent> => {
  const object = requestOperand(operand);
  const raises = raisesErrors(object);
  try {
    checkKeys(object);
    return await send(object, sending);
  } catch (error) {
    if (raises) throw new BuiltinError(messageOf(error), { cause: error });
    const isNetwork = error instanceof NetworkFailure;
    const code = isNetwork ? 'eval_http_send_network_error' : 'eval_http_send_internal_error';
    return { value: errorValue(code, isNetwork ? messageOf(error) : `http.send: ${messageOf(error)}`) };
  }
};
