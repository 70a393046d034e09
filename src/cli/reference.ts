import type { Argument, Option } from 'commander';
import type { CliCommand } from './command.ts';
import { EXIT, type ExitCode } from './model.ts';
import { makeProgram } from './program.ts';
import { exitCodes } from './report.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const optionRow = (option: Option): string => {
  const { defaultValue, argChoices } = option;
  const hasDefault = defaultValue !== undefined && !(Array.isArray(defaultValue) && defaultValue.length === 0);
  const facts = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(hasDefault ? [`default ${String(defaultValue)}`] : []),
  ];
  return `| \`${option.flags}\` | ${cell(option.description)}${facts.length === 0 ? '' : ` (${facts.join('; ')})`} |`;
};

const argumentText = (argument: Argument): string => {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
};

const optionsOf = (command: CliCommand): readonly Option[] =>
  command.options.filter((option) => option.long !== '--version');

const synopsis = (command: CliCommand, path: string): string =>
  [
    path,
    ...(optionsOf(command).length > 0 ? ['[options]'] : []),
    ...command.registeredArguments.map(argumentText),
  ].join(' ');

const argumentRow = (argument: Argument): string => `| \`${argumentText(argument)}\` | ${cell(argument.description)} |`;

const examplesBlock = (command: CliCommand): string[] =>
  command.examples.length === 0
    ? []
    : ['', '```sh', ...command.examples.flatMap(([line, meaning]) => [`# ${meaning}`, line]), '```'];

const section = (command: CliCommand, path: string): string[] => {
  const children = command.commands as readonly CliCommand[];
  if (children.length > 0) return [...children.flatMap((child) => section(child, `${path} ${child.name()}`))];
  const rows = [...command.registeredArguments.map(argumentRow), ...optionsOf(command).map(optionRow)];
  return [
    '',
    `## ${path}`,
    '',
    command.description(),
    '',
    '```',
    synopsis(command, path),
    '```',
    ...(rows.length === 0 ? [] : ['', '| | |', '|---|---|', ...rows]),
    ...examplesBlock(command),
  ];
};

const meanings: { readonly [code in ExitCode]: string } = {
  0: 'done',
  1: 'failed: the message says what; also `fmt --check` and `--diff` when something would change',
  2: 'wrong usage: the command line or the configuration must be changed',
  3: 'the policy does not compile',
  4: "the policy's tests failed, there are none, or they cover less than the threshold",
  5: 'refused: no valid token, a role that is missing, or a rule of the server',
  6: 'the decision log that was read is damaged, or lacks records: what was found is shown, and stderr (or `damaged` and `missing` in JSON) says what is wrong',
};

const errorsOf = (exit: ExitCode): string => {
  const codes = Object.entries(exitCodes).filter(([, code]) => code === exit);
  const others = exit === EXIT.failed ? ['every other'] : exit === EXIT.usage ? ['`CONFIG_...`'] : [];
  return [...codes.map(([name]) => `\`${name}\``).sort(), ...others].join(', ');
};

const exitCodeTable = [
  '| exit code | meaning | error codes (`error.code` in JSON) |',
  '|---|---|---|',
  ...Object.values(EXIT).map((exit) => `| ${exit} | ${meanings[exit]} | ${errorsOf(exit)} |`),
];

/** docs/reference/cli.md, written from the commands themselves. */
export const cliReference = async (): Promise<string> => {
  const program = await makeProgram('', () => async () => {});
  const commands = program.commands as readonly CliCommand[];
  return `${[
    '# The verdict command',
    '',
    'Written from the commands by a test; `verdict <command> --help` says the same.',
    '',
    '```',
    'verdict [options] <command>',
    '```',
    '',
    ...examplesBlock(program).slice(1),
    '',
    '## For every command',
    '',
    '| | |',
    '|---|---|',
    ...optionsOf(program).map(optionRow),
    '',
    'Results go to stdout, everything else to stderr. With `--output json`, stdout holds exactly one JSON document, also',
    'when the command fails: `{"error": {"code", "message", "problems"}}`. Colours are for terminals only; `NO_COLOR` turns',
    'them off.',
    '',
    'The token for a server comes from `--token-file`, else from `VERDICT_TOKEN`, else from `operator-token` in the',
    "configuration's `storage.dir`. The last is sent to this machine and to the configured admin address only. No command",
    'but `token create` prints a token.',
    '',
    '## Exit codes',
    '',
    ...exitCodeTable,
    ...commands.flatMap((command) => section(command, `verdict ${command.name()}`)),
  ].join('\n')}\n`;
};
