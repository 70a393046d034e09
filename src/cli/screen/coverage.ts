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

const rangeText = ([first, last]: readonly [number, number]): string =>
  first === last ? `${first}` : `${first}-${last}`;

/** One line in all, and one for each file that is not covered whole. */
export const coverageLines = (paint: Paint, coverage: Coverage): string[] => [
  `coverage: ${paint(coverage.percent === 100 ? 'green' : 'yellow', `${coverage.percent} %`)}`,
  ...coverage.files
    .filter(({ percent }) => percent < 100)
    .map(
      ({ file, percent, missed }) => `  ${plain(file)}: ${percent} %, not covered: ${missed.map(rangeText).join(', ')}`,
    ),
];
