import { checkParts } from '../../policy/index.ts';
import { type NetworkOptions, RegoError, type RegoStep, type TestResult, type Toolchain } from '../../rego/index.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { CliError } from '../report.ts';
import { type Coverage, coverageLines, coverageOf, percentText } from '../screen/coverage.ts';
import { count, noteText, type Paint, plain, type Screen } from '../screen/screen.ts';
import { stepsText, valuesLines } from '../screen/steps.ts';
import type { Session, Start } from '../session.ts';
import { allowHostOption, networkFor, refusedNotes } from '../sources/network.ts';
import { type LoadedSources, loadSources } from '../sources/sources.ts';

interface Options {
  readonly coverage?: boolean;
  readonly explain?: boolean;
  readonly run?: string;
  readonly verbose?: boolean;
  readonly threshold?: string;
  readonly allowHost?: readonly string[];
}

const marks: { readonly [outcome in TestResult['outcome']]: (paint: Paint) => string } = {
  passed: (paint) => paint('green', 'PASS'),
  failed: (paint) => paint('red', 'FAIL'),
  errored: (paint) => paint('red', 'ERROR'),
  skipped: (paint) => paint('yellow', 'SKIP'),
};

const indented = (text: string): string[] =>
  plain(text)
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line}`);

/** A result, with the rules that a failed test tried when somebody asked for them. */
interface Told extends TestResult {
  readonly steps?: readonly RegoStep[];
}

const resultLines = (paint: Paint, result: Told): string[] => [
  `  ${marks[result.outcome](paint)} ${plain(result.name)} ` +
    paint('dim', `${plain(result.file)}:${result.row} (${(result.durationNs / 1e6).toFixed(1)} ms)`),
  ...(result.message === undefined || result.message === '' ? [] : indented(result.message)),
  ...valuesLines(result.values, '        '),
  ...(result.steps === undefined ? [] : [stepsText(paint, result.steps, '      ')]),
  ...(result.output === undefined || result.output === '' ? [] : indented(result.output)),
];

const byPackage = (results: readonly Told[]): Map<string, Told[]> => Map.groupBy(results, (result) => result.package);

const isBad = ({ outcome }: TestResult): boolean => outcome === 'failed' || outcome === 'errored';

const tally = (paint: Paint, results: readonly TestResult[]): string => {
  const of = (outcome: TestResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  const bad = results.filter(isBad).length;
  const parts = [
    `${of('passed')} passed`,
    ...(of('failed') > 0 ? [`${of('failed')} failed`] : []),
    ...(of('errored') > 0 ? [`${of('errored')} errored`] : []),
    ...(of('skipped') > 0 ? [`${of('skipped')} skipped`] : []),
  ];
  return `${paint(bad > 0 ? 'red' : 'green', count(results.length, 'test'))}: ${parts.join(', ')}`;
};

const reportText = (screen: Screen, results: readonly Told[], verbose: boolean, coverage?: Coverage): string => {
  const { paint } = screen;
  const shown = results.filter((result) => verbose || result.outcome !== 'passed');
  const groups = [...byPackage(shown)].flatMap(([name, group]) => [
    paint('bold', plain(name)),
    ...group.flatMap((result) => resultLines(paint, result)),
  ]);
  return [...groups, tally(paint, results), ...(coverage === undefined ? [] : coverageLines(paint, coverage))].join(
    '\n',
  );
};

const thresholdOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const percent = Number(text);
  if (text.trim() === '' || !(percent >= 0 && percent <= 100)) {
    throw new CliError('USAGE', `a threshold is a percentage from 0 to 100; not "${text}"`);
  }
  return percent;
};

const BESIDE = 'name its folder, too (verdict test travel people)';

/** What `check` has let pass is here for want of another bundle's rules. */
const isElsewhere = (error: unknown): boolean =>
  error instanceof RegoError && error.problems.some(({ message }) => message.startsWith('undefined function data.'));

/** Each explanation is an evaluation of its own, and twenty are more than anybody reads at once. */
const MOST_EXPLAINED = 20;

const withSteps = async (
  toolchain: Toolchain,
  { sources }: LoadedSources,
  results: readonly TestResult[],
  online: NetworkOptions,
): Promise<Told[]> => {
  const told: Told[] = [];
  let explained = 0;
  for (const result of results) {
    const isExplained = result.outcome === 'failed' && explained++ < MOST_EXPLAINED;
    const place = [...result.package.split('/'), ...result.name.split('.')];
    const query = `data${place.map((segment) => `[${JSON.stringify(segment)}]`).join('')}`;
    const { steps } = isExplained ? await toolchain.evaluate(sources, query, { steps: true, ...online }) : {};
    told.push(steps === undefined ? result : { ...result, steps });
  }
  return told;
};

const run = async (session: Session, paths: readonly string[], options: Options): Promise<ExitCode> => {
  const { screen } = session;
  const threshold = thresholdOf(options.threshold);
  const loaded = await loadSources(session, paths);
  const toolchain = await session.toolchain();
  const { onProgress } = session;
  for (const note of loaded.notes) screen.note(noteText(note, screen.paintNote));
  await checkParts(loaded, { toolchain, onProgress });
  const online = await networkFor(options.allowHost);
  const testing = toolchain.test(loaded.sources, {
    coverage: options.coverage === true || threshold !== undefined,
    ...(options.run === undefined ? {} : { run: options.run }),
    ...online,
    onProgress,
  });
  const {
    results: found,
    coverage: document,
    refused,
  } = await testing.catch((error: unknown) => {
    if (isElsewhere(error)) screen.warn(`verdict: ${paths.join(' ')} calls functions of another bundle: ${BESIDE}`);
    throw error;
  });
  for (const note of refusedNotes(refused, screen.paintNote)) screen.note(note);
  const results = options.explain === true ? await withSteps(toolchain, loaded, found, online) : found;
  const coverage = document === undefined ? undefined : coverageOf(document);
  screen.result({ results, ...(document === undefined ? {} : { coverage: document }) }, () =>
    reportText(screen, results, options.verbose === true, coverage),
  );
  if (results.length === 0) {
    // A pipeline whose tests are gone must not stay green.
    screen.warn(
      `verdict: no tests${options.run === undefined ? '' : ` match ${plain(options.run)}`} in ${paths.join(', ')}`,
    );
    return EXIT.testsFailed;
  }
  if (results.some(isBad)) return EXIT.testsFailed;
  if (threshold !== undefined && (coverage?.percent ?? 0) < threshold) {
    screen.warn(`verdict: coverage is ${percentText(coverage?.percent ?? 0)}, wanted ${threshold} %`);
    return EXIT.testsFailed;
  }
  return EXIT.done;
};

export const testCommand = (start: Start): CliCommand =>
  new CliCommand('test', "Run a policy's tests: the rules whose names start with test_.", [
    ['verdict test policies/todo', 'shows failures and a tally'],
    ['verdict test policies/todo --explain', 'with the rules that each failed test tried, and what stopped them'],
    ['verdict test policies/todo --threshold 100', 'for a pipeline: fails unless every line is covered'],
    ['verdict test policies/todo --run editors --verbose', 'only tests whose name has "editors"'],
  ])
    .argument('<path...>', 'directories, bundle files, .rego and data files')
    .option('--explain', 'show the rules that a failed test tried, and what stopped them (of the first 20)')
    .option('--coverage', 'say which lines the tests do not reach')
    .option('--run <regex>', 'run only the tests whose full name (data.package.test_name) matches')
    .option('--verbose', 'show passed tests too')
    .addOption(allowHostOption())
    .option('--threshold <percent>', 'fail when less is covered; implies --coverage')
    .action(start(run));
