/** Modules that no compiler of OPA's made, with what OPA's host asks of one. */
export interface HandMade {
  /** Instructions of `opa_eval`, which takes seven numbers; they leave one number, which is the answer's address. */
  readonly evaluate?: readonly number[];
  /** Declaration of the local variables of `opa_eval`. */
  readonly locals?: readonly number[];
  readonly table?: readonly number[];
  readonly minimumPages?: number;
  readonly builtins?: string;
  /** Default: `p/x`. */
  readonly entrypoint?: string;
  /** Entries of the import section beside the usual ones. */
  readonly imports?: readonly (readonly number[])[];
  /** Instructions of a function that runs when the module is instantiated. */
  readonly start?: readonly number[];
  /** Whole sections, put where their number belongs: a memory, a second export section. */
  readonly memorySection?: readonly number[];
  readonly exports?: readonly (readonly number[])[];
  /** Data segments beside the usual ones. */
  readonly segments?: readonly (readonly number[])[];
}

const leb = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 0x80, ...leb(Math.floor(value / 128))];
const signed = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const low = rest & 0x7f;
    if ((rest >> 7 === 0 && low < 0x40) || (rest >> 7 === -1 && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};
const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, items: readonly (readonly number[])[]): number[] => [
  id,
  ...sized([...leb(items.length), ...items.flat()]),
];
export const text = (value: string): number[] => sized([...Buffer.from(value)]);

const I32 = 0x7f;
const type = (parameters: number, results: number): number[] => [
  0x60,
  ...sized(Array.from({ length: parameters }, () => I32)),
  ...sized(Array.from({ length: results }, () => I32)),
];

export const constant = (value: number): number[] => [0x41, ...signed(value)];

/** Where the module's texts stand, and the answer `true`. */
export const places = { entrypoints: 1_024, builtins: 2_048, answer: 3_072 } as const;

const types = [type(0, 0), type(0, 1), type(1, 0), type(1, 1), type(2, 1), type(7, 1)];

export const handMade = (parts: HandMade = {}): Uint8Array => {
  const evaluate = parts.evaluate ?? constant(places.answer);
  // Each: name, number of the type, instructions.
  const functions: readonly (readonly [string, number, readonly number[]])[] = [
    ['opa_eval', 5, evaluate],
    ['opa_malloc', 3, constant(8_192)],
    ['opa_free', 2, []],
    ['opa_heap_ptr_get', 1, constant(16_384)],
    ['opa_heap_ptr_set', 2, []],
    ['opa_json_parse', 4, constant(4_096)],
    ['opa_json_dump', 3, [0x20, 0]],
    ['opa_value_parse', 4, constant(4_096)],
    ['opa_value_dump', 3, [0x20, 0]],
    ['builtins', 1, constant(places.builtins)],
    ['entrypoints', 1, constant(places.entrypoints)],
    ...(parts.start === undefined ? [] : [['start', 0, parts.start] as const]),
  ];
  const data: readonly (readonly [number, string])[] = [
    [places.entrypoints, `{"${parts.entrypoint ?? 'p/x'}":0}\0`],
    [places.builtins, `${parts.builtins ?? '{}'}\0`],
    [places.answer, '{{"result": true}}\0'],
  ];
  const body = (code: readonly number[], locals: readonly number[]): number[] => sized([...locals, ...code, 0x0b]);
  const global = (value: number): number[] => [I32, 0, ...constant(value), 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [
      [...text('env'), ...text('opa_abort'), 0, 2],
      [...text('env'), ...text('memory'), 2, 0, ...leb(parts.minimumPages ?? 2)],
      ...(parts.imports ?? []),
    ]),
    ...section(
      3,
      functions.map(([, number]) => [number]),
    ),
    ...(parts.table === undefined ? [] : section(4, [parts.table])),
    ...(parts.memorySection ?? []),
    ...section(6, [global(1), global(3)]),
    ...section(7, [
      ...functions.map(([name], at) => [...text(name), 0, at + 1]),
      [...text('opa_wasm_abi_version'), 3, 0],
      [...text('opa_wasm_abi_minor_version'), 3, 1],
      ...(parts.exports ?? []),
    ]),
    ...(parts.start === undefined ? [] : [8, 1, functions.length]),
    ...section(
      10,
      functions.map(([name, , code]) => body(code, name === 'opa_eval' ? (parts.locals ?? [0]) : [0])),
    ),
    ...section(11, [
      ...data.map(([at, content]) => [0, ...constant(at), 0x0b, ...text(content)]),
      ...(parts.segments ?? []),
    ]),
  ]);
};
