import { Option } from 'commander';
import { type RegoEvaluation, regoFromJson, TRACE_LEVELS, type TraceLevel, traceAt } from '../../rego/index.ts';
import { CliCommand, collect } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { evaluateRemotely, explainRemotely } from '../remote/evaluate.ts';
import { CliError } from '../report.ts';
import { type Paint, plain, table } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { regoToExact } from '../sources/rego-json.ts';
import { loadSources, readNamed } from '../sources/sources.ts';

interface Options {
  readonly bundle?: readonly string[];
  readonly data?: readonly string[];
  readonly input?: string;
  readonly strictBuiltinErrors?: boolean;
  readonly explain?: TraceLevel;
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

const show = (session: Session, { bindings, trace, printed }: RegoEvaluation): void => {
  const exact = bindings.map(
    (one): Bindings => Object.fromEntries(Object.entries(one).map(([name, value]) => [name, regoToExact(value)])),
  );
  if (trace !== undefined && trace !== '') session.screen.note(plain(trace));
  if (printed !== undefined && printed !== '') session.screen.note(plain(printed));
  const document = {
    bindings: exact,
    ...(trace === undefined ? {} : { trace }),
    ...(printed === undefined ? {} : { printed }),
  };
  session.screen.result(document, () => bindingsText(session.screen.paint, exact));
};

const run = async (session: Session, query: string, options: Options): Promise<ExitCode> => {
  const input = options.input === undefined ? undefined : await readInput(session, options.input);
  const { bundle = [], data = [] } = options;
  const strictErrors = options.strictBuiltinErrors === true;
  if (session.globals.server !== undefined) {
    if (bundle.length + data.length > 0) {
      throw new CliError('USAGE', '--bundle and --data go with files, not with --server');
    }
    const question = { query, strictErrors, ...(input === undefined ? {} : { input }) };
    return options.explain === undefined
      ? evaluateRemotely(session, question)
      : explainRemotely(session, question, options.explain);
  }
  const { sources } = await loadSources(session, bundle, data);
  const toolchain = await session.toolchain();
  const evaluation = await toolchain.evaluate(sources, query, {
    ...(input === undefined ? {} : { input: regoFromJson(input) }),
    strictErrors,
    trace: options.explain !== undefined,
    onProgress: session.onProgress,
  });
  const { trace, ...rest } = evaluation;
  const shown = trace === undefined || options.explain === undefined ? undefined : traceAt(trace, options.explain);
  show(session, { ...rest, ...(shown === undefined ? {} : { trace: shown }) });
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
    .addOption(
      new Option(
        '--explain [level]',
        'show the trace of the evaluation; with --server, which is the admin address then',
      )
        .choices(TRACE_LEVELS)
        .preset('full'),
    )
    .action(start(run));
