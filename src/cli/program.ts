import type { CliHost } from './model.ts';

/**
 * Runs one command line (without the program's name) and resolves with the exit code that it earned. Never rejects,
 * never ends the process, and writes nowhere but to the host's streams and to files that the command line names.
 */
export const runCli = async (argv: readonly string[], host: CliHost): Promise<number> => {
  host.stderr.write(`verdict ${host.version}: ${argv[0] ?? 'no command'} is not known\n`);
  return 2;
};
