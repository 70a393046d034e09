import type { CompiledEntrypoint, RegoProblem, RegoSources } from '../../rego/index.ts';
import { PolicyError, refuseProblems } from '../model.ts';

/** Builtins of OPA that need the network. */
const NETWORK = ['http.send', 'net.lookup_ip_addr'];

const LONGEST_EXCERPT = 1000;

// Strings and comments come first, so that a name inside them is no call.
const CALL = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*|(?<![\w.])(http\.send|net\.lookup_ip_addr)(?=\s*\()/g;

const why = 'needs the network: the server’s engine.network.hosts has to name the host';

type Call = RegoProblem & { readonly builtin: string };

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
    const message = `${builtin} ${why}`;
    calls.push({ builtin, code: 'verdict_builtin_error', message, file, row, col: index - start + 1, excerpt });
  }
  return calls;
};

/** Where sources call a builtin that needs the network, in the order of the files. */
const networkCalls = ({ modules }: RegoSources): Call[] => modules.flatMap(({ path, text }) => callsIn(path, text));

/** The same as warnings: such answers are not remembered, and servers allow hosts one by one. */
export const networkWarnings = (sources: RegoSources): RegoProblem[] =>
  networkCalls(sources).map(({ builtin: _, ...problem }) => problem);

/** Refuses rules that reach the network, with the place of each call; without one where the text does not show it. */
export const refuseNetwork = (sources: RegoSources, entrypoints: readonly CompiledEntrypoint[]): void => {
  const reached = NETWORK.filter((name) => entrypoints.some(({ builtins }) => builtins.includes(name)));
  if (reached.length === 0) return;
  const calls = networkCalls(sources).filter(({ builtin }) => reached.includes(builtin));
  const problems = calls.map(({ builtin: _, ...problem }): RegoProblem => problem);
  refuseProblems('BUILTIN_UNKNOWN', problems);
  throw new PolicyError(
    'BUILTIN_UNKNOWN',
    `the policy calls ${reached.join(', ')}: engine.network.hosts allows no host`,
  );
};
