import { Option } from 'commander';
import type { NetworkCall, NetworkOptions } from '../../rego/index.ts';
import { collect } from '../command.ts';
import { CliError } from '../report.ts';
import { noteText, type Paint } from '../screen/screen.ts';

/** `--allow-host`, as every command has it that evaluates on files. */
export const allowHostOption = (): Option =>
  new Option(
    '--allow-host <host>',
    'let http.send and net.lookup_ip_addr reach this host: a name, address or range; may be repeated',
  ).argParser(collect);

// Whoever says localhost at a terminal means what stands behind it.
const meant = (host: string): readonly string[] =>
  host.toLowerCase() === 'localhost' ? [host, '127.0.0.1', '::1'] : [host];

/** Makes the calls of an evaluation that `--allow-host` lets be made. */
export const networkFor = async (hosts: readonly string[] | undefined): Promise<NetworkOptions> => {
  if (hosts === undefined) return {};
  const { defaultEngineSettings, engineSchema, networkAsker } = await import('../../engine/index.ts');
  const host = new RegExp(engineSchema.properties.network.properties.hosts.items.pattern);
  const wrong = hosts.find((text) => !host.test(text));
  if (wrong !== undefined) {
    throw new CliError('USAGE', `--allow-host takes a host, without scheme, port and path; not "${wrong}"`);
  }
  const settings = { ...defaultEngineSettings.network, hosts: hosts.flatMap(meant) };
  const ask = networkAsker(settings, '--allow-host');
  const made = new Map<string, ReturnType<typeof ask>>();
  return {
    // What is evaluated again, to be explained, has the answers that it had.
    network: (call) => {
      const key = `${call.builtin} ${call.operand}`;
      const answer = made.get(key) ?? ask(call);
      made.set(key, answer);
      return answer;
    },
  };
};

const hostOf = ({ builtin, operand }: NetworkCall): string | undefined => {
  const value: unknown = JSON.parse(operand);
  if (builtin === 'net.lookup_ip_addr') return typeof value === 'string' ? value : undefined;
  const url = (value as { readonly url?: unknown } | null)?.url;
  return typeof url === 'string' ? URL.parse(url)?.hostname : undefined;
};

const MOST_HOSTS = 5;

/** What to tell of calls that nobody made: with a mock or with leave they would have had an answer. */
export const refusedNotes = (refused: readonly NetworkCall[] | undefined, paint: Paint): string[] => {
  const calls = [...new Map((refused ?? []).map((call) => [`${call.builtin} ${hostOf(call)}`, call])).values()];
  return calls.slice(0, MOST_HOSTS).map((call) => {
    const host = hostOf(call);
    const leave = host === undefined || host === '' ? '--allow-host HOST' : `--allow-host ${host}`;
    return noteText(
      `${call.builtin} was not let out: allow it with ${leave}, or mock it (with ${call.builtin} as ...)`,
      paint,
    );
  });
};
