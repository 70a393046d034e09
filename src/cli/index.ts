// The `verdict` command. model.ts says what it needs of the process around it, program.ts joins the commands: one file
// a command under commands/. Commands give exit codes and throw errors; report.ts alone decides how an error looks.
export type {
  BundleArgument,
  CliConfig,
  CliHost,
  ConfigProblem,
  ConfigSource,
  ExitCode,
  Output,
  RunningServer,
} from './model.ts';
export { EXIT } from './model.ts';
export { runCli } from './program.ts';
export { cliReference } from './reference.ts';
