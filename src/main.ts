import { messageOf } from './canonical/index.ts';
import { type CliHost, runCli } from './cli/index.ts';
import { type Config, configSchema, loadConfig, renderConfig, sourcesOf } from './config/index.ts';
// Not through the doorway: that loads the log, which a command that serves nothing does without.
import { watchUncaught } from './observability/process-watch.ts';
import { version } from './version.ts';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Under `npm start` a terminal's Ctrl-C comes twice at once: from the terminal, and passed on by npm. */
const ONE_SIGNAL_MS = 1000;

/** Resolves once all of a stream is with its reader, or the reader gone: a pipe takes 64 KiB at a time. */
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.once('close', resolve);
    stream.write('', () => resolve());
  });

/** The process: signals, streams and the exit code around one command line. */
const run = async (argv: readonly string[]): Promise<void> => {
  const ending = new AbortController();
  let serves = false;
  let signalledMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // A command that does not serve has nothing to drain; a second signal means that somebody will not wait.
      if (!serves || (ending.signal.aborted && performance.now() - signalledMs > ONE_SIGNAL_MS))
        process.exit(EXIT_CODES[signal]);
      if (!ending.signal.aborted) signalledMs = performance.now();
      ending.abort();
    });
  watchUncaught((sentence, error) => {
    process.stderr.write(`verdict: ${sentence}: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
    process.exit(1);
  });
  const host: CliHost = {
    version,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    ending: ending.signal,
    configSchema: configSchema(),
    loadConfig: async (source) => loadConfig(source),
    configSources: sourcesOf,
    renderConfig: (config) => renderConfig(config),
    // The command hands back what loadConfig gave it.
    startServer: async (config, options) => {
      serves = true;
      // Loaded here, because no other command of the program needs any part of a server.
      const { startServer } = await import('./server.ts');
      return startServer(config as Config, options);
    },
  };
  const code = await runCli(argv, host);
  // Nobody waits for the log of a server that has ended.
  if (!serves) await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(code);
};

if (import.meta.main) await run(process.argv.slice(2));
