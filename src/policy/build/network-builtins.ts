import type { CompiledEntrypoint, RegoProblem, RegoSources } from '../../rego/index.ts';
import { PolicyError, refuseProblems } from '../model.ts';

/** Builtins of OPA that need the network. */
const NETWORK = ['http.send', 'net.lookup_ip_addr'];
/** One that answers nothing here. */
const RUNTIME = 'opa.runtime';

const LONGEST_EXCERPT = 1000;

// Strings and comments come first, so that a name inside them is no call.
const CALL = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*|(?<![\w.])(http\.send|net\.lookup_ip_addr|opa\.runtime)(?=\s*\()/g;

const LONGEST_CALL = 4000;

const STRING = '"(?:[^"\\\\\\n]|\\\\.)*"';
// A request that is written out, up to its URL; of others nobody knows the host before they are made.
const URL_IN_CALL = new RegExp(`^\\s*\\(\\s*\\{(?:[^(){}"]|${STRING})*?"url"\\s*:\\s*(${STRING})\\s*[,}]`);
const NAME_IN_CALL = new RegExp(`^\\s*\\(\\s*(${STRING})\\s*[,)]`);

/** The host that a call asks, where it stands in the call. */
const hostIn = (builtin: string, call: string): string | undefined => {
  const text = (builtin === 'http.send' ? URL_IN_CALL : NAME_IN_CALL).exec(call)?.[1];
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as string;
    return builtin === 'http.send' ? URL.parse(value)?.hostname || undefined : value;
  } catch {
    return undefined;
  }
};

type Call = RegoProblem & { readonly builtin: string; readonly host?: string | undefined };

const callsIn = (file: string, text: string): Call[] => {
  const calls: Call[] = [];
  let row = 1;
  let start = 0;
  for (const { 1: builtin, index } of text.matchAll(CALL)) {
    if (builtin === undefined) continue;
    for (let end = text.indexOf('\n', start); end !== -1 && end < index; end = text.indexOf('\n', start)) {
      start = end + 1;
      row += 1;
    }
    const [excerpt = ''] = text.slice(start, start + LONGEST_EXCERPT).split(/\r?\n/, 1);
    const host = hostIn(builtin, text.slice(index + builtin.length, index + LONGEST_CALL));
    const message =
      builtin === RUNTIME
        ? 'opa.runtime() is {} here: policies read nothing of the process'
        : `${builtin} needs the network: engine.network.hosts of the server has to name ${host ?? 'the host'}`;
    calls.push({ builtin, host, code: 'verdict_builtin_error', message, file, row, col: index - start + 1, excerpt });
  }
  return calls;
};

const allCalls = ({ modules }: RegoSources): Call[] => modules.flatMap(({ path, text }) => callsIn(path, text));

/** Where sources call a builtin that needs the network, in the order of the files. */
const networkCalls = (sources: RegoSources): Call[] =>
  allCalls(sources).filter(({ builtin }) => NETWORK.includes(builtin));

const problemOf = ({ builtin: _, host: __, ...problem }: Call): RegoProblem => problem;

/**
 * The same as warnings: such answers are not remembered, and servers allow hosts one by one. Where the server is known,
 * calls of a host that it allows are none.
 */
export const networkWarnings = (sources: RegoSources, allowsHost?: (host: string) => boolean): RegoProblem[] =>
  networkCalls(sources)
    .filter(({ host }) => host === undefined || allowsHost?.(host) !== true)
    .map((call) => ({ ...problemOf(call), code: 'verdict_network_warning' }));

/** Where sources ask for what OPA knows of its process. */
export const runtimeWarnings = (sources: RegoSources): RegoProblem[] =>
  allCalls(sources)
    .filter(({ builtin }) => builtin === RUNTIME)
    .map((call) => ({ ...problemOf(call), code: 'verdict_runtime_warning' }));

/** Refuses rules that reach the network, with the place of each call; without one where the text does not show it. */
export const refuseNetwork = (sources: RegoSources, entrypoints: readonly CompiledEntrypoint[]): void => {
  const reached = NETWORK.filter((name) => entrypoints.some(({ builtins }) => builtins.includes(name)));
  if (reached.length === 0) return;
  const calls = networkCalls(sources).filter(({ builtin }) => reached.includes(builtin));
  const problems = calls.map(problemOf);
  refuseProblems('BUILTIN_UNKNOWN', problems);
  throw new PolicyError(
    'BUILTIN_UNKNOWN',
    `the policy calls ${reached.join(', ')}: engine.network.hosts allows no host`,
  );
};
