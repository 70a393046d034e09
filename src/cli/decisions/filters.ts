import { CACHE_STATES, OUTCOMES, WIRES } from '../../decision/model.ts';
import { durationMs } from '../arguments.ts';
import { type CliCommand, collect } from '../command.ts';
import { CliError } from '../report.ts';

type Texts = readonly string[];

/** The options that narrow which records are wanted. Several values of one option are alternatives. */
export interface FilterOptions {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: Texts;
  readonly action?: Texts;
  readonly resource?: Texts;
  readonly outcome?: Texts;
  readonly bundle?: Texts;
  readonly bundleVersion?: Texts;
  readonly caller?: Texts;
  readonly token?: Texts;
  readonly path?: Texts;
  readonly wire?: Texts;
  readonly batch?: Texts;
  readonly cache?: Texts;
  readonly events?: boolean;
}

const TIME = '30m or 2d ago, or a time such as 2026-01-31T12:00:00Z';

export const withFilters = (command: CliCommand): CliCommand =>
  command
    .option('--from <time>', `records of this time or later: ${TIME}`)
    .option('--to <time>', `records before this time: ${TIME}`)
    .option('--subject <id>', 'about this subject; this and the options below may be repeated', collect)
    .option('--action <name>', 'of this action', collect)
    .option('--resource <id>', 'on this resource', collect)
    .option('--outcome <outcome>', 'permit, refuse, data, undefined or failed', collect)
    .option('--bundle <name>', 'answered by this bundle', collect)
    .option('--bundle-version <n>', 'answered by this version of it', collect)
    .option('--caller <name>', 'asked by this caller', collect)
    .option('--token <id>', 'resting on this token: its jti, iss or claims_sha256', collect)
    .option('--path <path>', 'of this path and those below it, such as todo or todo/allow', collect)
    .option('--wire <wire>', 'asked this way, such as opa.v1', collect)
    .option('--batch <id>', 'of this batch: its batch_decision_id', collect)
    .option('--cache <state>', 'hit, miss, bypass or uncacheable', collect)
    .option('--events', 'pushes, activations, tokens, starts and stops too') as CliCommand;

const ZONED = /(Z|[+-]\d\d:?\d\d)$/i;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** A time as the API takes it: a duration counts back from now; a day, or a time without an offset, is of UTC. */
const momentOf = (option: string, text: string): string => {
  if (/^\d+[a-z]$/.test(text)) return new Date(Date.now() - durationMs(text)).toISOString();
  // Lists show UTC: a time without an offset is taken so, wherever its reader is.
  const ms = Date.parse(DAY.test(text) ? `${text}T00:00:00Z` : ZONED.test(text) ? text : `${text}Z`);
  if (Number.isNaN(ms) || !/^\d{4}-\d\d-\d\d/.test(text))
    throw new CliError('USAGE', `--${option}: wanted ${TIME}; not "${text}"`);
  return new Date(ms).toISOString();
};

const versionOf = (text: string): string => text.replace(/^v(?=\d)/, '');
/** `data.todo.allow`, `/todo/allow` and `todo/allow` are the same path. */
const pathOf = (text: string): string =>
  /^data(\.[A-Za-z_]\w*)+$/.test(text) ? text.split('.').slice(1).join('/') : text;

const CHOICES = { outcome: OUTCOMES, cache: CACHE_STATES, wire: WIRES } as const;

const checkChoices = (options: FilterOptions): void => {
  for (const name of ['outcome', 'cache', 'wire'] as const) {
    const choices: readonly string[] = CHOICES[name];
    const wrong = options[name]?.find((value) => !choices.includes(value));
    if (wrong !== undefined) throw new CliError('USAGE', `--${name}: wanted ${choices.join(', ')}; not "${wrong}"`);
  }
};

/** The options as parameters of the API. What else they must look like is for the server to say. */
export const parametersOf = (options: FilterOptions): URLSearchParams => {
  checkChoices(options);
  const parameters = new URLSearchParams();
  const { from, to, bundleVersion = [], path = [], events } = options;
  const begin = from === undefined ? undefined : momentOf('from', from);
  const end = to === undefined ? undefined : momentOf('to', to);
  if (begin !== undefined && end !== undefined && begin >= end)
    throw new CliError('USAGE', `--from is ${begin}, --to is ${end}: no record lies between them`);
  if (begin !== undefined) parameters.set('from', begin);
  if (end !== undefined) parameters.set('to', end);
  for (const name of [
    'subject',
    'action',
    'resource',
    'outcome',
    'bundle',
    'caller',
    'token',
    'wire',
    'batch',
    'cache',
  ] as const)
    for (const value of options[name] ?? []) parameters.append(name, value);
  for (const value of bundleVersion) parameters.append('version', versionOf(value));
  for (const value of path) parameters.append('path', pathOf(value));
  if (events === true) parameters.set('events', 'true');
  return parameters;
};
