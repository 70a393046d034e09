import type {
  CallOptions,
  RegoFile,
  RegoInspection,
  RegoProblem,
  RegoReference,
  RegoSources,
  Toolchain,
} from '../../rego/index.ts';
import { RegoError } from '../../rego/index.ts';
import { packageClause, segmentsOfClause } from '../content/packages.ts';
import { isUnder } from '../content/roots.ts';

/** A place where a version's rules refer to another bundle. */
export interface ExternalReference extends RegoReference {
  /** The place is a function that is called: data can never stand there. */
  readonly call?: true;
}

/** What a check says of sources whose calls of other bundles' functions it had to take on trust. */
export interface Inspected extends RegoInspection {
  readonly calls: readonly ExternalReference[];
}

const nothing: Inspected = {
  packages: [],
  rules: [],
  annotations: [],
  dataReferences: [],
  testReferences: [],
  tests: 0,
  warnings: [],
  calls: [],
};

type CheckCall = CallOptions & { readonly strict?: boolean };

interface Stub {
  readonly path: readonly string[];
  readonly arity: number;
}

const UNDEFINED = /^undefined function data(\.[^\n]+|\[[^\n]+)$/;
const ARITY = /^function data(\.[^\n]+|\[[^\n]+) has arity \d+, got (\d{1,3}) arguments?$/;
const NAME = /^[A-Za-z_]\w*$/;

/** The function that a problem says is missing, when it can be another bundle's. */
const missingFunction = (problem: RegoProblem, own: readonly (readonly string[])[]): readonly string[] | undefined => {
  const found = UNDEFINED.exec(problem.message);
  if (found === null) return undefined;
  const path = segmentsOfClause(found[1] ?? '');
  const [first] = path;
  const last = path.at(-1);
  if (path.length < 2 || first === undefined || last === undefined || !NAME.test(first) || !NAME.test(last)) {
    return undefined;
  }
  return own.some((root) => isUnder(path, root)) ? undefined : path;
};

// Names of a bundle's own files start with no slash.
const isStub = (file: string | undefined): boolean => file?.startsWith('/') === true;

/** A function whose result can be anything: enough to check how the rest fits together. */
const stubModule = ({ path, arity }: Stub, at: number): RegoFile => {
  const [first = '', ...rest] = path.slice(0, -1);
  const clause = `${first}${rest.map((segment) => `[${JSON.stringify(segment)}]`).join('')}`;
  const operands = Array.from({ length: arity }, () => '_').join(', ');
  return { path: `/${at}.rego`, text: `package ${clause}\n\n${path.at(-1) ?? ''}(${operands}) := input\n` };
};

const withStubs = (sources: RegoSources, stubs: readonly Stub[]): RegoSources => {
  const modules = stubs.map(stubModule);
  const versions = Object.fromEntries(modules.map(({ path }) => [path, 1 as const]));
  return {
    ...sources,
    modules: [...sources.modules, ...modules],
    regoVersions: { ...sources.regoVersions, ...versions },
  };
};

const keyOf = (path: readonly string[]): string => path.join('\0');

/** How many operands each function is called with, as a check against stubs of one operand says. */
const stubsFrom = async (
  paths: readonly (readonly string[])[],
  check: (stubs: readonly Stub[]) => Promise<RegoInspection>,
): Promise<{ readonly stubs: readonly Stub[]; readonly inspection: RegoInspection }> => {
  const first = paths.map((path) => ({ path, arity: 1 }));
  try {
    return { stubs: first, inspection: await check(first) };
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const arities = new Map<string, number>();
    for (const { message } of error.problems) {
      const found = ARITY.exec(message);
      if (found !== null) arities.set(keyOf(segmentsOfClause(found[1] ?? '')), Number(found[2]));
    }
    const stubs = paths.map((path) => ({ path, arity: arities.get(keyOf(path)) ?? 1 }));
    return { stubs, inspection: await check(stubs) };
  }
};

/**
 * OPA's check. A function of another bundle, which these sources do not define, is taken to be there: whether it is
 * shows when the version is linked.
 */
export const checkSources = async (
  sources: RegoSources,
  check: Toolchain['check'],
  options: CheckCall,
): Promise<Inspected> => {
  if (sources.modules.length === 0) return nothing;
  try {
    return { ...(await check(sources, options)), calls: [] };
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    const own = sources.modules.flatMap((module) => {
      const clause = packageClause(module);
      return clause === undefined ? [] : [clause.path];
    });
    const calls = error.problems.map((problem) => ({ problem, path: missingFunction(problem, own) }));
    const paths = new Map(calls.flatMap(({ path }) => (path === undefined ? [] : [[keyOf(path), path] as const])));
    if (calls.some(({ path }) => path === undefined)) throw error;
    const { stubs, inspection } = await stubsFrom([...paths.values()], (made) =>
      check(withStubs(sources, made), options),
    );
    const packages = new Set(own.map((path) => path.join('/')));
    const foreign = new Set(stubs.map(({ path }) => path.slice(0, -1).join('/')).filter((path) => !packages.has(path)));
    return {
      ...inspection,
      packages: inspection.packages.filter((path) => !foreign.has(path)),
      warnings: inspection.warnings.filter(({ file }) => !isStub(file)),
      calls: calls.flatMap(({ path, problem: { file, row, col } }): ExternalReference[] =>
        path === undefined || file === undefined ? [] : [{ path, file, row: row ?? 1, col: col ?? 1, call: true }],
      ),
    };
  }
};
