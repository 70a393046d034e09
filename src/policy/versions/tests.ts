import type { RegoNamedValue, RegoProblem, RegoSources, TestResult, Toolchain } from '../../rego/index.ts';
import { namedValueText, problemsSentence } from '../../rego/index.ts';
import { callToolchain } from '../build/toolchain-call.ts';
import { PolicyError } from '../model.ts';
import type { PolicySettings } from '../settings.ts';

const MOST_VALUES = 5;

/** What the expression that was not true was made of. */
const valuesText = (values: readonly RegoNamedValue[] = []): string => {
  const said = values.slice(0, MOST_VALUES).map(namedValueText);
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
};

const testProblem = ({ package: path, name, file, row, outcome, message, values }: TestResult): RegoProblem => ({
  code: `test_${outcome}`,
  message: `${path}.${name}${message === undefined ? '' : `: ${message}`}${valuesText(values)}`,
  file,
  row,
  col: 1,
});

export interface TestParts {
  readonly toolchain: Toolchain;
  readonly settings: PolicySettings;
  /** Files whose tests count; absent: all. */
  readonly files?: ReadonlySet<string>;
}

/** How many tests pass; rejects with TESTS_FAILED, naming those that do not. */
export const runTests = async (sources: RegoSources, { toolchain, settings, files }: TestParts): Promise<number> => {
  const deadlineMs = settings.testSeconds * 1000;
  const report = await callToolchain(toolchain.test(sources, { deadlineMs }), 'policy.testSeconds');
  const results = report.results.filter(({ file }) => files === undefined || files.has(file));
  const failed = results.filter(({ outcome }) => outcome === 'failed' || outcome === 'errored');
  if (failed.length > 0) {
    const problems = failed.map(testProblem);
    const message = `${failed.length} of ${results.length} tests fail: ${problemsSentence(problems)}`;
    throw new PolicyError('TESTS_FAILED', message, { problems });
  }
  return results.filter(({ outcome }) => outcome === 'passed').length;
};
