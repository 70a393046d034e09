import type { RegoValue } from '../../../rego/index.ts';
import { RegoObject, regoObject } from '../../../rego/index.ts';
import { valueText } from '../../builtins/format/value-text.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { BareError, flag } from './members.ts';

/** What a request says about responses of earlier evaluations. */
export interface Caching {
  readonly isUsed: boolean;
  /** `force_cache`: seconds for which a response is fresh, whatever it says itself; 0 when its headers count. */
  readonly forcedSeconds: number;
  /** Whether `caching_mode` is one that there is: in OPA, nothing is kept in another. */
  readonly isModeKnown: boolean;
}

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
  const mode = request.get('caching_mode');
  return {
    isUsed: isAsked || isForced,
    forcedSeconds: isForced ? forcedSeconds(request.get('force_cache_duration_seconds')) : 0,
    isModeKnown: mode === undefined || mode === 'serialized' || mode === 'deserialized',
  };
};

/** The request without the headers that it says do not tell requests apart. */
export const bareRequest = (request: RegoObject): RegoObject => {
  const [ignored, headers] = [request.get('cache_ignored_headers'), request.get('headers')];
  const others = request.entries.filter(([name]) => name !== 'cache_ignored_headers');
  if (ignored === undefined || headers === undefined) return regoObject(others);
  const isList = Array.isArray(ignored) && ignored.every((name) => typeof name === 'string');
  if (!isList) throw new BareError('cache_ignored_headers must be an array of strings');
  if (!(headers instanceof RegoObject)) throw new BuiltinError('invalid type for headers key');
  const rest = headers.entries.filter(([name]) => !ignored.includes(name as string));
  return regoObject([...others.filter(([name]) => name !== 'headers'), ['headers', regoObject(rest)]]);
};
