import { Option } from 'commander';
import { questionRemarks } from '../../policy/index.ts';
import {
  EXPLAIN_LEVELS,
  type ExplainLevel,
  RegoError,
  type RegoEvaluation,
  regoFromJson,
  traceAt,
} from '../../rego/index.ts';
import { CliCommand, collect } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { evaluateRemotely, explainRemotely } from '../remote/evaluate.ts';
import { CliError } from '../report.ts';
import { noteText, type Paint, plain, table, warningText } from '../screen/screen.ts';
import { stepsText } from '../screen/steps.ts';
import type { Session, Start } from '../session.ts';
import { allowHostOption, networkFor, refusedNotes } from '../sources/network.ts';
import { regoToExact } from '../sources/rego-json.ts';
import { loadSources, readNamed } from '../sources/sources.ts';

interface Options {
  readonly bundle?: readonly string[];
  readonly data?: readonly string[];
  readonly input?: string;
  readonly strictBuiltinErrors?: boolean;
  readonly allowHost?: readonly string[];
  readonly explain?: ExplainLevel;
}

type Bindings = { readonly [name: string]: unknown };

const pretty = (value: unknown): string => JSON.stringify(value, undefined, 2);

const bindingsText = (paint: Paint, bindings: readonly Bindings[]): string => {
  const [first] = bindings;
  if (first === undefined) return paint('yellow', 'undefined');
  const names = Object.keys(first);
  if (names.length === 1 && names[0] === 'result') return bindings.map((one) => pretty(one.result)).join('\n');
  if (names.length === 0) return 'true';
  const rows = bindings.map((one) => names.map((name) => plain(JSON.stringify(one[name]))));
  return table(paint, names, rows);
};

/** Checked first, so that a slip in the input is told as one, with its file. */
const readInput = async (session: Session, file: string): Promise<string> => {
  const text = (await readNamed(session, file)).toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw new CliError('FILE_UNUSABLE', `the input in ${file === '-' ? 'stdin' : file} is not JSON`, { cause });
  }
};

const show = (
  session: Session,
  { bindings, trace, printed, steps }: RegoEvaluation,
  warnings: readonly string[],
): void => {
  const exact = bindings.map(
    (one): Bindings => Object.fromEntries(Object.entries(one).map(([name, value]) => [name, regoToExact(value)])),
  );
  if (steps !== undefined) session.screen.note(stepsText(session.screen.paintNote, steps));
  if (trace !== undefined && trace !== '') session.screen.note(plain(trace));
  if (printed !== undefined && printed !== '') session.screen.note(plain(printed));
  const document = {
    bindings: exact,
    ...(trace === undefined ? {} : { trace }),
    ...(steps === undefined ? {} : { steps }),
    ...(printed === undefined ? {} : { printed }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
  session.screen.result(document, () => bindingsText(session.screen.paint, exact));
  for (const warning of warnings) session.screen.note(warningText(warning, session.screen.paintNote));
};

/** A path as a server takes it, which Rego reads as a division. */
const SLASHED = /^[A-Za-z_]\w*(?:\/[A-Za-z_]\w*)+$/;

const isUnsafe = (error: unknown): boolean =>
  error instanceof RegoError && error.problems.some(({ code }) => code === 'rego_unsafe_var_error');

const run = async (session: Session, query: string, options: Options): Promise<ExitCode> => {
  const input = options.input === undefined ? undefined : await readInput(session, options.input);
  const { bundle = [], data = [] } = options;
  const strictErrors = options.strictBuiltinErrors === true;
  if (session.globals.server !== undefined) {
    if (bundle.length + data.length > 0) {
      throw new CliError('USAGE', '--bundle and --data go with files, not with --server');
    }
    if (options.allowHost !== undefined) {
      throw new CliError('USAGE', "--allow-host goes with files: a server's hosts are in its engine.network.hosts");
    }
    const question = { query, strictErrors, ...(input === undefined ? {} : { input }) };
    return options.explain === undefined
      ? evaluateRemotely(session, question)
      : explainRemotely(session, question, options.explain);
  }
  const { screen } = session;
  const loaded = await loadSources(session, bundle, data, options.input === undefined ? [] : [options.input]);
  for (const note of loaded.notes) screen.note(noteText(note, screen.paintNote));
  const toolchain = await session.toolchain();
  const evaluating = toolchain.evaluate(loaded.sources, query, {
    ...(input === undefined ? {} : { input: regoFromJson(input) }),
    strictErrors,
    trace: options.explain !== undefined && options.explain !== 'steps',
    steps: options.explain === 'steps',
    ...(await networkFor(options.allowHost)),
    onProgress: session.onProgress,
  });
  const evaluation = await evaluating.catch((error: unknown) => {
    throw isUnsafe(error) && SLASHED.test(query)
      ? new CliError('USAGE', `on files a query is Rego: data.${query.replaceAll('/', '.')}, not ${query}`, {
          cause: error,
        })
      : error;
  });
  const { trace, refused, ...rest } = evaluation;
  for (const note of refusedNotes(refused, screen.paintNote)) screen.note(note);
  const { explain } = options;
  const shown =
    trace === undefined || explain === undefined || explain === 'steps' ? undefined : traceAt(trace, explain);
  const question = { query, isUndefined: rest.bindings.length === 0, ...(input === undefined ? {} : { input }) };
  const warnings = await questionRemarks(loaded, question, { toolchain });
  show(session, { ...rest, ...(shown === undefined ? {} : { trace: shown }) }, warnings);
  return EXIT.done;
};

export const evalCommand = (start: Start): CliCommand =>
  new CliCommand('eval', 'Evaluate a query on files, or ask a running server.', [
    ['verdict eval data.todo.decision --bundle policies/todo --input input.json', "on files, in OPA's interpreter"],
    ["verdict eval 'x := 1 + 1'", 'any query'],
    [
      'verdict eval data.todo.allow --bundle policies/todo --input - --explain < input.json',
      'how the answer came about',
    ],
    ['verdict eval todo/allow --server http://127.0.0.1:8181 --input input.json', 'ask a decision listener'],
    [
      'verdict eval todo/allow --server http://127.0.0.1:8282 --input input.json --explain fails',
      'why what is active there says no',
    ],
  ])
    .argument('<query>', 'a Rego query; with --server a path, such as todo/allow or data.todo.allow')
    .option('--bundle <path>', 'directory, bundle file or .rego file to evaluate on; may be repeated', collect)
    .option('--data <file>', 'JSON or YAML file for data; may be repeated', collect)
    .option('--input <file>', 'JSON file for input; - is stdin')
    .option('--strict-builtin-errors', 'an error of a builtin ends the evaluation')
    .addOption(allowHostOption())
    .addOption(
      new Option(
        '--explain [level]',
        'show how the answer came about: the rules that were tried (steps), or a trace at one of OPA’s levels; with --server, which is the admin address then',
      )
        .choices(EXPLAIN_LEVELS)
        .preset('steps'),
    )
    .action(start(run));
