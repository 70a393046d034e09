/** How much of a request every wire takes. */
export interface RequestLimits {
  readonly bodyBytes: number;
  readonly depth: number;
  readonly keys: number;
  readonly batchItems: number;
  readonly batchBytes: number;
  readonly batchInstructions: number;
  readonly pathBytes: number;
}

/** One setting that is a count: JSON Schema with its default. */
export const count = (value: number, description: string, minimum = 1) =>
  ({ type: 'integer', minimum, default: value, description }) as const;

/** The keys of `RequestLimits` as settings of a listener. */
export const requestLimitSchemas = {
  bodyBytes: count(1_048_576, 'Bytes of a request body, after it is inflated.'),
  depth: { ...count(64, 'Nesting of arrays and objects in a body.'), maximum: 512 },
  keys: count(10_000, 'Object members in a body, all together.'),
  batchItems: count(1_000, 'Questions in one batch.'),
  batchBytes: count(
    16_777_216,
    'Bytes of all inputs of one batch together, after each took what it leaves out from what they have in common.',
  ),
  batchInstructions: count(
    1_000_000_000,
    'Points that the evaluations of one batch may use together, see engine.instructions (1e9 take about 1 s). Questions ' +
      'that need an evaluation after that fail with budget_exceeded; remembered answers take none.',
  ),
  pathBytes: count(2_048, 'Bytes of the path that is asked.'),
} as const;

/** The defaults that stand in settings' schemas. */
export const defaultsOf = <Name extends string>(
  schemas: {
    readonly [Key in Name]: { readonly default: number };
  },
): { readonly [Key in Name]: number } => {
  const names = Object.keys(schemas) as Name[];
  return Object.fromEntries(names.map((name) => [name, schemas[name].default])) as { [Key in Name]: number };
};
