export interface Family {
  readonly type: string;
  readonly help: string;
  /** Values by name and labels as they are written: `x_total{a="1"}`. */
  readonly samples: Map<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = /^(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*$/;
const SAMPLE = new RegExp(`^(?<name>${NAME})(?:\\{(?<labels>.*)\\})? (?<value>\\S+)$`);

const suffixes: { readonly [type: string]: readonly string[] } = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Reads Prometheus' text format 0.0.4, and is strict about it: every family once, with help and type before its
 * samples, no sample twice, nothing else. Throws at the line that is wrong.
 */
export const parseMetrics = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the text does not end with a line end');
  const families = new Map<string, Family>();
  let help: readonly [string, string] | undefined;
  let current: readonly [string, Family] | undefined;
  for (const line of text.split('\n')) {
    const wrong = (why: string): Error => new Error(`${why}: ${line}`);
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) throw wrong('a family twice');
      help = [name, rest];
    } else if (kind === 'TYPE') {
      if (help?.[0] !== name) throw wrong('a type without help before it');
      if (!(rest in suffixes)) throw wrong('an unknown type');
      if (rest === 'counter' && !name.endsWith('_total')) throw wrong('a counter that is not called _total');
      current = [name, { type: rest, help: help[1], samples: new Map() }];
      families.set(...current);
    } else {
      const { name: sample, labels, value = '' } = SAMPLE.exec(line)?.groups ?? {};
      if (sample === undefined || (labels !== undefined && !LABELS.test(labels))) throw wrong('no sample');
      const [family, { type, samples }] = current ?? ['', { type: '', samples: new Map<string, number>() }];
      if (!suffixes[type]?.some((suffix) => sample === family + suffix)) throw wrong(`a sample outside ${family}`);
      const number = value === '+Inf' ? Infinity : value === 'Nan' || value === 'NaN' ? NaN : Number(value);
      if (Number.isNaN(number) && value !== 'NaN' && value !== 'Nan') throw wrong('no number');
      const key = labels === undefined ? sample : `${sample}{${labels}}`;
      if (samples.has(key)) throw wrong('a sample twice');
      samples.set(key, number);
    }
  }
  return families;
};

/** What one family says, by the labels as written; the bare value under ''. */
export const valuesOf = (text: string, family: string): { readonly [labels: string]: number } => {
  const found = parseMetrics(text).get(family);
  if (found === undefined) throw new Error(`no metric ${family}`);
  return Object.fromEntries([...found.samples].map(([key, value]) => [/\{(.*)\}/.exec(key)?.[1] ?? '', value]));
};
