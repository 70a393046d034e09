import { namedValueText } from '../../rego/index.ts';
import { isExactObject } from '../sources/exact-json.ts';
import { type Paint, plain } from './screen.ts';

// The tree of an explanation, for people: what held, what did not, and on which expression with which values.

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const listOf = (value: unknown): readonly { readonly [name: string]: unknown }[] =>
  Array.isArray(value) ? value.filter(isExactObject) : [];

const placeOf = (step: { readonly [name: string]: unknown }): string => {
  const file = text(step.file).replace(/^\/+/, '');
  return file === '' ? '' : `  ${file}:${JSON.stringify(step.row)}`;
};

/** What names stood for, one a line. */
export const valuesLines = (values: unknown, indent: string): string[] =>
  listOf(values).map(
    ({ name, value }) => `${indent}${plain(namedValueText({ name: text(name), value: text(value) }))}`,
  );

const stepLines = (paint: Paint, step: { readonly [name: string]: unknown }, indent: string): string[] => {
  const place = paint('dim', plain(placeOf(step)));
  const inner = listOf(step.steps).flatMap((each) => stepLines(paint, each, `${indent}  `));
  if (typeof step.rule !== 'string') {
    const values = valuesLines(step.values, `${indent}    `);
    const error = text(step.error) === '' ? [] : [`${indent}    ${plain(text(step.error))}`];
    return [`${indent}${paint('red', 'stopped at')} ${plain(text(step.text))}${place}`, ...values, ...error, ...inner];
  }
  const kind = step.default === true ? ' (default)' : '';
  const said = step.held === true ? paint('green', 'held') : paint('red', 'did not hold');
  const more =
    step.more !== undefined
      ? [`${indent}... and ${JSON.stringify(step.more)} more definitions of ${plain(step.rule)}, which failed earlier`]
      : [];
  return [`${indent}${plain(step.rule)}${kind} ${said}${place}`, ...inner, ...more];
};

/** One line a rule or expression, indented below what it was tried for. */
export const stepsText = (paint: Paint, steps: unknown, indent = ''): string =>
  listOf(steps)
    .flatMap((step) => stepLines(paint, step, indent))
    .join('\n');
