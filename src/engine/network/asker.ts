import { messageOf } from '../../canonical/index.ts';
import type { NetworkAnswer, NetworkCall } from '../../rego/index.ts';
import { parseJson } from '../builtins/go-json.ts';
import { BuiltinError } from '../builtins/model.ts';
import { resultJson } from '../values/result-json.ts';
import { AllowedHosts } from './allowed.ts';
import type { Answered } from './http/http-send.ts';
import { httpSend } from './http/http-send.ts';
import { ResponseCache } from './http/response-cache.ts';
import { lookupIpAddr } from './lookup.ts';
import type { NetworkSettings } from './model.ts';

/**
 * Makes calls of http.send and net.lookup_ip_addr for somebody at a terminal, on this thread: within what the settings
 * allow, each as an evaluation of its own. `setting` is what refusals tell to change.
 */
export const networkAsker = (
  settings: NetworkSettings,
  setting: string,
): ((call: NetworkCall) => Promise<NetworkAnswer>) => {
  const allowed = new AllowedHosts(settings.hosts, setting);
  const responses = new ResponseCache(settings.cacheBytes).of('');
  const { responseBytes, tlsFiles } = settings;
  return async ({ builtin, operand }) => {
    try {
      const value = parseJson(Buffer.from(operand));
      if (builtin === 'net.lookup_ip_addr') return { result: resultJson(await lookupIpAddr(allowed, value)) };
      const answered: Answered = new Map();
      const signal = new AbortController().signal;
      let sent = 0;
      const count = (): void => {
        if (++sent > settings.requests) throw new BuiltinError(`one call may send ${settings.requests} requests`);
      };
      const limits = { allowed, responseBytes, tlsFiles, count, signal, answered, responses };
      const { value: response } = await httpSend(value, { ...limits, nowMs: Date.now() });
      return { result: resultJson(response) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  };
};
