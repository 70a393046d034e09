import { parse as parseYaml } from 'yaml';
import { messageOf } from '../../canonical/index.ts';
import type { RegoObject, RegoValue } from '../../rego/index.ts';
import { regoInteger, regoObject } from '../../rego/index.ts';
import { parseJson } from '../builtins/go-json.ts';
import { BuiltinError } from '../builtins/model.ts';
import { stringOfBytes } from '../builtins/operands.ts';
import { dumpValue } from '../values/value-text.ts';
import type { ExchangeLimits, HttpResponse } from './exchange.ts';
import { exchange, NetworkFailure } from './exchange.ts';
import type { HttpRequest } from './request.ts';
import { checkKeys, raisesErrors, readRequest, requestOperand } from './request.ts';

/** What the calls of one evaluation were answered, by request: the same again to the same. */
export type Answered = Map<string, Promise<RegoValue>>;

// https://www.rfc-editor.org/rfc/rfc7231#section-6.1, as OPA takes it: others are asked for again.
const kept: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);

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

/** The request less the headers that it says do not tell requests apart. */
const keyOf = (request: RegoObject): string => {
  const ignored = request.get('cache_ignored_headers');
  if (ignored === undefined) return dumpValue(request);
  const isList = Array.isArray(ignored) && ignored.every((name) => typeof name === 'string');
  if (!isList) throw new BuiltinError('cache_ignored_headers must be an array of strings');
  const headers = request.get('headers') as RegoObject | undefined;
  const rest = headers?.entries?.filter(([name]) => !ignored.includes(name as string)) ?? [];
  const others = request.entries.filter(([name]) => name !== 'cache_ignored_headers' && name !== 'headers');
  return dumpValue(regoObject([...others, ['headers', regoObject(rest)]]));
};

const send = async (object: RegoObject, answered: Answered, limits: ExchangeLimits): Promise<RegoValue> => {
  const key = keyOf(object);
  const known = answered.get(key);
  if (known !== undefined) return known;
  const request = readRequest(object);
  let isKept = true;
  const answering = exchange(request, limits).then((response) => {
    isKept = kept.has(response.statusCode);
    return responseValue(response, request);
  });
  answered.set(key, answering);
  const value = await answering;
  if (!isKept) answered.delete(key);
  return value;
};

/** `http.send`. Throws BuiltinError, or gives an error object where the request says `raise_error: false`. */
export const httpSend = async (
  operand: RegoValue | undefined,
  answered: Answered,
  limits: ExchangeLimits,
): Promise<RegoValue> => {
  const object = requestOperand(operand);
  const raises = raisesErrors(object);
  try {
    checkKeys(object);
    return await send(object, answered, limits);
  } catch (error) {
    if (raises) throw new BuiltinError(messageOf(error), { cause: error });
    if (error instanceof NetworkFailure) return errorValue('eval_http_send_network_error', messageOf(error));
    return errorValue('eval_http_send_internal_error', `http.send: ${messageOf(error)}`);
  }
};
