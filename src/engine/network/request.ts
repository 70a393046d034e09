import type { RegoValue } from '../../rego/index.ts';
import { RegoNumber, RegoObject, regoObject, regoSet } from '../../rego/index.ts';
import { valueText } from '../builtins/format/value-text.ts';
import { BuiltinError } from '../builtins/model.ts';
import { int64Of, typeName } from '../builtins/operands.ts';
import { parseDurationNs } from '../builtins/time/duration.ts';
import { resultJson } from '../values/result-json.ts';

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

export interface TlsRequest {
  readonly skipVerify: boolean;
  readonly systemRoots: boolean;
  readonly serverName?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What a request says about responses of earlier evaluations. */
export interface Caching {
  readonly isUsed: boolean;
  /** `force_cache`: seconds for which a response is fresh, whatever it says itself; 0 when its headers count. */
  readonly forcedSeconds: number;
  /** Whether `caching_mode` is one that there is: in OPA, nothing is kept in another. */
  readonly isModeKnown: boolean;
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
  const value = request.get('raise_error') ?? true;
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

const flag = (request: RegoObject, key: string): boolean => {
  const value = request.get(key) ?? false;
  if (typeof value === 'boolean') return value;
  throw new BuiltinError(`invalid value for ${valueText(key)} field`);
};

const textMember = (request: RegoObject, key: string): string | undefined => {
  const value = request.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new BuiltinError(`"${key}" must be a string`);
  return value.replace(/^"+|"+$/g, '');
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
  const ns = whole ?? (parseDurationNs({} as never, text) as RegoNumber).text;
  // None at all in Go: what the evaluation has left bounds it here.
  return Number(ns) === 0 ? Number.POSITIVE_INFINITY : Number(ns) / 1e6;
};

const attemptsOf = (value: RegoValue | undefined): number => {
  if (value === undefined) return 1;
  const whole = value instanceof RegoNumber ? int64Of(value.text) : undefined;
  if (whole === undefined || whole < 0n) {
    throw new BuiltinError(`invalid value ${valueText(value)} for field "max_retry_attempts"`);
  }
  return Number(whole) + 1;
};

const forcedSeconds = (value: RegoValue | undefined): number => {
  if (value === undefined) {
    throw new BuiltinError("'force_cache' set but 'force_cache_duration_seconds' parameter is missing");
  }
  const text = valueText(value);
  const isWhole = /^[+-]?\d+$/.test(text);
  const seconds = Number(text);
  if (isWhole && seconds >= -2_147_483_648 && seconds <= 2_147_483_647) return Math.max(0, seconds);
  throw new BuiltinError(
    `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${isWhole ? 'value out of range' : 'invalid syntax'}`,
  );
};

export const cachingOf = (request: RegoObject): Caching => {
  const isAsked = flag(request, 'cache');
  const isForced = flag(request, 'force_cache');
  const mode = request.get('caching_mode') ?? 'serialized';
  return {
    isUsed: isAsked || isForced,
    forcedSeconds: isForced ? forcedSeconds(request.get('force_cache_duration_seconds')) : 0,
    isModeKnown: mode === 'serialized' || mode === 'deserialized',
  };
};

/** The request without the headers that it says do not tell requests apart. */
export const bareRequest = (request: RegoObject): RegoObject => {
  const [ignored, headers] = [request.get('cache_ignored_headers'), request.get('headers')];
  const others = request.entries.filter(([name]) => name !== 'cache_ignored_headers');
  if (ignored === undefined || headers === undefined) return regoObject(others);
  const isList = Array.isArray(ignored) && ignored.every((name) => typeof name === 'string');
  if (!isList) throw new BuiltinError('cache_ignored_headers must be an array of strings');
  if (!(headers instanceof RegoObject)) throw new BuiltinError('invalid type for headers key');
  const rest = headers.entries.filter(([name]) => !ignored.includes(name as string));
  return regoObject([...others.filter(([name]) => name !== 'headers'), ['headers', regoObject(rest)]]);
};

const headersOf = (value: RegoValue | undefined): ReadonlyMap<string, string> => {
  if (value === undefined) return new Map();
  if (!(value instanceof RegoObject)) throw new BuiltinError('invalid type for headers key');
  return new Map(
    value.entries.map(([name, text]) => {
      if (typeof name !== 'string' || typeof text !== 'string') {
        throw new BuiltinError(`invalid type for headers value ${valueText(text)}`);
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

const tlsOf = (request: RegoObject, headers: ReadonlyMap<string, string>): TlsRequest => {
  const [named] = elsewhere.filter((key) => request.get(key) !== undefined);
  if (named !== undefined) throw new BuiltinError(`${named}: policies read no files and no environment here`);
  const serverName = textMember(request, 'tls_server_name') ?? headers.get('host')?.replace(/:\d+$/, '');
  const ca = textMember(request, 'tls_ca_cert')?.replaceAll('\\n', '\n');
  const [cert, key] = [textMember(request, 'tls_client_cert'), textMember(request, 'tls_client_key')];
  return {
    skipVerify: flag(request, 'tls_insecure_skip_verify'),
    systemRoots: flag(request, 'tls_use_system_certs'),
    ...(serverName === undefined ? {} : { serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
};

/** Reads the members of a request whose keys were checked. Throws BuiltinError for one that is not as OPA wants it. */
export const readRequest = (request: RegoObject): HttpRequest => {
  const headers = headersOf(request.get('headers'));
  const isYaml = flag(request, 'force_yaml_decode');
  return {
    method: (textMember(request, 'method') ?? '').toUpperCase(),
    url: textMember(request, 'url') ?? '',
    headers,
    body: bodyOf(request),
    timeoutMs: timeoutMs(request.get('timeout')),
    followsRedirects: flag(request, 'enable_redirect'),
    attempts: attemptsOf(request.get('max_retry_attempts')),
    decode: flag(request, 'force_json_decode') ? 'json' : isYaml ? 'yaml' : 'type',
    tls: tlsOf(request, headers),
  };
};
