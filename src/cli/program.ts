import { CommanderError, Option } from 'commander';
import { CliCommand, collect } from './command.ts';
import { type CliHost, EXIT, type ExitCode, type Output } from './model.ts';
import { CliError, report } from './report.ts';
import { openScreen } from './screen/screen.ts';
import { type GlobalOptions, openSession, type Start } from './session.ts';

type Make = (start: Start) => CliCommand;

/** Every command, in the order of the help. Each is loaded when it is wanted: most of them need a compiler, one a server. */
const commands: { readonly [name: string]: () => Promise<Make> } = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  build: async () => (await import('./commands/build.ts')).buildCommand,
  test: async () => (await import('./commands/test.ts')).testCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  fmt: async () => (await import('./commands/fmt.ts')).fmtCommand,
  eval: async () => (await import('./commands/eval.ts')).evalCommand,
  push: async () => (await import('./commands/push.ts')).pushCommand,
  versions: async () => (await import('./commands/versions.ts')).versionsCommand,
  activate: async () => (await import('./commands/activate.ts')).activateCommand,
  rollback: async () => (await import('./commands/rollback.ts')).rollbackCommand,
  token: async () => (await import('./commands/token.ts')).tokenCommand,
  decisions: async () => (await import('./commands/decisions.ts')).decisionsCommand,
  healthcheck: async () => (await import('./commands/healthcheck.ts')).healthcheckCommand,
  config: async () => (await import('./commands/config.ts')).configCommand,
};

/** Those that the words of a command line can mean; all of them when it names none, or asks for help. */
const namedIn = (argv: readonly string[]): readonly string[] => {
  const named = Object.keys(commands).filter((name) => argv.includes(name));
  return named.length === 0 || argv[0] === 'help' ? Object.keys(commands) : named;
};

const exitCodesHelp = `
Exit codes:
  0  done              3  the policy does not compile
  1  failed            4  the policy's tests failed
  2  wrong usage       5  refused: not allowed, or against the rules of the server`;

const everyCommand = (command: CliCommand): CliCommand[] => [
  command,
  ...command.commands.flatMap((child) => everyCommand(child as CliCommand)),
];

/** The command tree of the named commands, of all by default; `start` is what its actions run in. */
export const makeProgram = async (
  version: string,
  start: Start,
  names: readonly string[] = Object.keys(commands),
): Promise<CliCommand> => {
  const program = new CliCommand('verdict', 'A policy decision point for Rego policies.', [
    ['verdict serve --bundle policies/todo', 'answer decisions from a directory of Rego'],
    ['verdict test policies/todo --coverage', 'run the tests of a policy'],
    ['verdict push todo policies/todo --activate', 'make it live on a running server'],
  ]);
  program
    .usage('[options] <command>')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print help for a command')
    .addOption(
      new Option('--output <format>', 'text for people, json for machines').choices(['text', 'json']).default('text'),
    )
    .option('--config <file>', 'configuration file (default: verdict.yaml here, when there is one)')
    .option('--set <key=value>', 'set one configuration key, such as server.http.port=0; may be repeated', collect)
    .option(
      '--server <url>',
      "the server's admin address (default: VERDICT_SERVER, else what the configuration says); for eval, which asks a " +
        'server only when it is given, the decision listener, or the admin address with --explain',
    )
    .option(
      '--token-file <file>',
      'file with the API token (default: VERDICT_TOKEN, else the operator token in storage.dir)',
    )
    .addHelpText('after', exitCodesHelp);
  const makes = await Promise.all(names.map((name) => commands[name]?.()));
  for (const make of makes) if (make !== undefined) program.addCommand(make(start));
  for (const command of everyCommand(program)) command.helpOption('-h, --help', 'print help for a command');
  return program;
};

const seesColours = (output: Output, host: CliHost): boolean => output.isTTY === true && !host.env.NO_COLOR;

type ArgumentsOf<R> = R extends (session: never, ...args: infer Rest) => unknown ? Rest : never;

/** Commander must neither end the process nor write to its streams: both are the host's. */
const bindToHost = (program: CliCommand, host: CliHost): void => {
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: command !== program, helpWidth: Math.min(host.stdout.columns ?? 100, 120) })
      .configureOutput({
        writeOut: (text) => host.stdout.write(text),
        writeErr: (text) => host.stderr.write(text),
        outputError: (text, write) => write(text.replace(/^error: /, 'verdict: ')),
        getOutHasColors: () => seesColours(host.stdout, host),
        getErrHasColors: () => seesColours(host.stderr, host),
      });
    if (command !== program) command.showHelpAfterError(`(see: ${pathOf(command)} --help)`);
  }
};

const pathOf = (command: CliCommand): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent as CliCommand)} ${command.name()}`;

/** A reader that goes away (`verdict versions todo | head -1`) has all that it wanted: no error, no stack. */
const surviveBrokenPipes = (output: Output): void => {
  output.on?.('error', (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  });
};

/** The work's own end, or its being given up when the signal comes first. */
const untilAborted = <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> =>
  new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new CliError('INTERRUPTED', 'interrupted'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });

const outputFormat = (argv: readonly string[]): 'text' | 'json' =>
  argv.some((arg, at) => arg === '--output=json' || (arg === '--output' && argv[at + 1] === 'json')) ? 'json' : 'text';

/**
 * Runs one command line (without the program's name) and resolves with the exit code that it earned. Never rejects,
 * never ends the process, and writes nowhere but to the host's streams and to files that the command line names.
 */
export const runCli = async (argv: readonly string[], host: CliHost): Promise<number> => {
  surviveBrokenPipes(host.stdout);
  surviveBrokenPipes(host.stderr);
  let code: ExitCode = EXIT.done;
  const start: Start =
    (run, { endsItself } = { endsItself: false }) =>
    async (...args) => {
      const command = args.pop() as CliCommand;
      const session = openSession(host, command.optsWithGlobals<GlobalOptions>());
      try {
        const running = run(session, ...(args as ArgumentsOf<typeof run>));
        code = endsItself ? await running : await untilAborted(running, host.ending);
      } finally {
        await session.close();
      }
    };
  const program = await makeProgram(host.version, start, namedIn(argv));
  bindToHost(program, host);
  if (argv.length === 0) {
    program.outputHelp({ error: true });
    return EXIT.usage;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    // Help and version end this way too, with exit code 0.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done;
    const screen = openScreen(host, outputFormat(argv));
    if (!(thrown instanceof CommanderError)) return report(thrown, screen);
    // In text, commander has said it already.
    const message = thrown.message.replace(/^error: /, '');
    return screen.json ? report(new CliError('USAGE', message), screen) : EXIT.usage;
  }
};
