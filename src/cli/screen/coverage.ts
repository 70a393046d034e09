import { type Paint, plain } from './screen.ts';

interface FileCoverage {
  readonly file: string;
  readonly percent: number;
  /** First and last row of what no test reached. */
  readonly missed: readonly (readonly [first: number, last: number])[];
}

export interface Coverage {
  readonly percent: number;
  readonly files: readonly FileCoverage[];
}

type Fields = { readonly [key: string]: unknown };

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

const rangeOf = (value: unknown): readonly [number, number] => [
  numberOf(fieldsOf(fieldsOf(value).start).row),
  numberOf(fieldsOf(fieldsOf(value).end).row),
];

/** Reads OPA's coverage document; a member that is not there counts as nothing covered. */
export const coverageOf = (document: unknown): Coverage => {
  const files = Object.entries(fieldsOf(fieldsOf(document).files)).map(([file, value]) => {
    const { coverage, not_covered: missed } = fieldsOf(value);
    return { file, percent: numberOf(coverage), missed: Array.isArray(missed) ? missed.map(rangeOf) : [] };
  });
  return { percent: numberOf(fieldsOf(document).coverage), files };
};

/** Rows once each, in order: several expressions of one row may be missed. */
const rangesText = (missed: FileCoverage['missed']): string => {
  const rows = new Set(missed.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)));
  return [...rows].join(', ');
};

/** Never rounded up: 100 % is said of nothing that a line is missing from. */
export const percentText = (percent: number): string => `${Math.floor(percent * 10) / 10} %`;

/** One line in all, and one for each file that is not covered whole. */
export const coverageLines = (paint: Paint, coverage: Coverage): string[] => [
  `coverage: ${paint(coverage.percent === 100 ? 'green' : 'yellow', percentText(coverage.percent))}`,
  ...coverage.files
    .filter(({ percent }) => percent < 100)
    .map(
      ({ file, percent, missed }) => `  ${plain(file)}: ${percentText(percent)}, not covered: ${rangesText(missed)}`,
    ),
];
