import { messageOf } from '../../../canonical/index.ts';
import type { RegoObject, RegoValue } from '../../../rego/index.ts';
import { regoInteger, regoObject } from '../../../rego/index.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { stringOfBytes } from '../../builtins/operands.ts';
import { dumpValue } from '../../values/value-text.ts';
import { answerEndMs, cachedExchange, isLasting } from './cached-exchange.ts';
import { bareRequest, cachingOf } from './caching.ts';
import { decodedBody } from './decoded-body.ts';
import type { ExchangeLimits, HttpResponse } from './exchange.ts';
import { exchange, NetworkFailure } from './exchange.ts';
import { BareError } from './members.ts';
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

const headerText = (text: string): RegoValue => stringOfBytes(Buffer.from(text, 'latin1'));

const responseValue = (response: HttpResponse, request: HttpRequest): RegoValue =>
  regoObject([
    ['status', response.status],
    ['status_code', regoInteger(response.statusCode)],
    ['body', decodedBody(response, request.decode)],
    ['raw_body', stringOfBytes(response.body)],
    ['headers', regoObject([...response.headers].map(([name, texts]) => [name, texts.map(headerText)]))],
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

/** As OPA words it, but for the place in the source. */
const internalText = (error: unknown): string => {
  const message = messageOf(error);
  if (error instanceof BareError) return message;
  return `${message.startsWith('operand ') ? 'eval_type_error' : 'eval_builtin_error'}: http.send: ${message}`;
};

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
    if (error instanceof NetworkFailure) {
      if (raises) throw new BuiltinError(error.raised, { cause: error });
      return { value: errorValue('eval_http_send_network_error', error.message) };
    }
    if (raises) throw new BuiltinError(messageOf(error), { cause: error });
    return { value: errorValue('eval_http_send_internal_error', internalText(error)) };
  }
};
