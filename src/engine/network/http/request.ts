import { messageOf } from '../../../canonical/index.ts';
import type { RegoValue } from '../../../rego/index.ts';
import { RegoNumber, RegoObject, regoSet } from '../../../rego/index.ts';
import { valueText } from '../../builtins/format/value-text.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { int64Of, typeName } from '../../builtins/operands.ts';
import { parseDuration } from '../../builtins/time/duration.ts';
import { resultJson } from '../../values/result-json.ts';
import { BareError, flag, goBoolean, textMember } from './members.ts';
import type { TlsRequest } from './tls.ts';
import { tlsOf } from './tls.ts';

/** What http.send is asked for, read and checked. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly followsRedirects: boolean;
  readonly attempts: number;
  readonly decode: 'json' | 'yaml' | 'type';
  readonly tls: TlsRequest;
}

const textKeys = ['method', 'url', 'raw_body', 'tls_ca_cert', 'tls_client_cert', 'tls_client_key', 'tls_server_name'];
const elsewhere = ['tls_ca_cert', 'tls_client_cert', 'tls_client_key'].flatMap((key) => [
  `${key}_file`,
  `${key}_env_variable`,
]);
const otherKeys =
  'body enable_redirect force_json_decode force_yaml_decode headers tls_use_system_certs tls_insecure_skip_verify ' +
  'timeout cache force_cache force_cache_duration_seconds raise_error caching_mode max_retry_attempts ' +
  'cache_ignored_headers';
const allowedKeys: ReadonlySet<RegoValue> = new Set([...textKeys, ...elsewhere, ...otherKeys.split(' ')]);

const operandError = (why: string): BuiltinError => new BuiltinError(`operand 1 ${why}`);

export const requestOperand = (operand: RegoValue | undefined): RegoObject => {
  if (operand instanceof RegoObject) return operand;
  throw operandError(`must be object but got ${typeName(operand)}`);
};

/** `raise_error`; no boolean is an error in itself. */
export const raisesErrors = (request: RegoObject): boolean => {
  const value = request.get('raise_error');
  if (value === undefined) return true;
  if (typeof value === 'boolean') return value;
  throw new BuiltinError('invalid value for raise_error field');
};

export const checkKeys = (request: RegoObject): void => {
  const keys = request.entries.map(([key]) => key);
  const unknown = keys.filter((key) => !allowedKeys.has(key));
  if (unknown.length > 0) throw operandError(`invalid request parameters(s): ${valueText(regoSet(unknown))}`);
  const missing = ['method', 'url'].filter((key) => !keys.includes(key));
  if (missing.length > 0) throw operandError(`missing required request parameters(s): ${valueText(regoSet(missing))}`);
};

const durationNs = (text: string): bigint => {
  try {
    return parseDuration(text);
  } catch (error) {
    const quoted = valueText(text);
    throw new BuiltinError(`invalid timeout value ${quoted}: ${messageOf(error)} ${quoted}`, { cause: error });
  }
};

/** Nanoseconds as a number or digits, or a duration with its unit. Default five seconds, as in OPA. */
const timeoutMs = (value: RegoValue | undefined): number => {
  if (value === undefined) return 5_000;
  const text = value instanceof RegoNumber ? value.text : value;
  if (typeof text !== 'string') {
    throw operandError(`'timeout' must be one of {string, number} but got ${typeName(value)}`);
  }
  const whole = int64Of(text);
  if (whole === undefined && value instanceof RegoNumber) {
    throw new BuiltinError(`invalid timeout number value ${text}, must be int64`);
  }
  const ns = Number(whole ?? durationNs(text));
  // None at all in Go: what the evaluation has left bounds it here.
  return ns <= 0 ? Number.POSITIVE_INFINITY : ns / 1e6;
};

const attemptsOf = (value: RegoValue | undefined): number => {
  if (value === undefined) return 1;
  const whole = value instanceof RegoNumber ? int64Of(value.text) : undefined;
  if (whole === undefined || whole < 0n) {
    throw new BareError(`invalid value ${valueText(value)} for field "max_retry_attempts"`);
  }
  return Number(whole) + 1;
};

const headersOf = (value: RegoValue | undefined): ReadonlyMap<string, string> => {
  if (value === undefined) return new Map();
  if (!(value instanceof RegoObject)) throw new BuiltinError('invalid type for headers key');
  return new Map(
    value.entries.map(([name, text]) => {
      if (typeof name !== 'string' || typeof text !== 'string') {
        const shown = text instanceof RegoNumber ? JSON.stringify(text.text) : valueText(text);
        throw new BuiltinError(`invalid type for headers value ${shown}`);
      }
      return [name.toLowerCase(), text] as const;
    }),
  );
};

const bodyOf = (request: RegoObject): Buffer => {
  const raw = textMember(request, 'raw_body');
  const body = request.get('body');
  return Buffer.from(raw ?? (body === undefined ? '' : resultJson(body)));
};

/**
 * Reads the members of a request whose keys were checked; `tlsFiles` are those that it may name. Throws BuiltinError for
 * a member that is not as OPA wants it.
 */
export const readRequest = (request: RegoObject, tlsFiles: readonly string[]): HttpRequest => {
  const headers = headersOf(request.get('headers'));
  const isYaml = flag(request, 'force_yaml_decode');
  return {
    method: (textMember(request, 'method') ?? '').toUpperCase(),
    url: textMember(request, 'url') ?? '',
    headers,
    body: bodyOf(request),
    timeoutMs: timeoutMs(request.get('timeout')),
    followsRedirects: goBoolean(request, 'enable_redirect'),
    attempts: attemptsOf(request.get('max_retry_attempts')),
    decode: flag(request, 'force_json_decode') ? 'json' : isYaml ? 'yaml' : 'type',
    tls: tlsOf(request, headers.get('host'), tlsFiles),
  };
};
