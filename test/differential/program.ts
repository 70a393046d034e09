import { Dice } from './dice.ts';
import type { Kind } from './forms.ts';
import type { Named, Scope, Value } from './grammar.ts';
import { anyOf, conditions, elsewhere, inputPlace, value } from './grammar.ts';
import { dataText, inputTexts, names, strings } from './questions.ts';
import type { Tree } from './tree.ts';
import { body, optional, rules, text, written } from './tree.ts';

/** One program and what is asked of it. Its package is `pol`, its data stands under `doc`. */
export interface Program {
  readonly tree: Tree;
  /** Rule paths below the package. */
  readonly entrypoints: readonly string[];
  /** JSON text of `data.doc`. */
  readonly data: string;
  /** JSON texts; undefined is an absent input. */
  readonly inputs: readonly (string | undefined)[];
  /** Whether bodies may be negated, and joined by `and` and `or`: every `not` is of another kind then. */
  readonly blocks: boolean;
}

const keywords = ['and', 'not', 'or'].map((name) => `import future.keywords.${name}\n`).join('');

export const sourceOf = ({ blocks, tree }: Program): string =>
  `package pol\n\n${blocks ? `${keywords}\n` : ''}${written(tree)}\n`;

/**
 * `grouped` programs have many rules of one name, and replace nothing but the input: what they are compiled with is
 * regrouped. `mocked` ones replace data and functions, too.
 */
export type Style = 'grouped' | 'mocked';

interface Growing {
  readonly dice: Dice;
  readonly lines: Tree[];
  readonly known: Named[];
  readonly functions: Named[];
  readonly entrypoints: string[];
  /** Rules and places below that can be replaced. */
  readonly rules: string[];
  readonly fresh: () => string;
  readonly style: Style;
  readonly blocks: boolean;
}

const scopeOf = ({ dice, known, functions, fresh, blocks }: Growing, ...locals: readonly Value[]): Scope => ({
  dice,
  locals,
  rules: known,
  functions,
  fresh,
  blocks,
});

const block = (lines: readonly Tree[]): Tree => text(' if { ', body(lines), ' }');

/** Enough definitions of a rule that they are regrouped by what the input has. */
const isMany = ({ dice, style }: Growing): boolean => dice.chance(style === 'grouped' ? 0.25 : 0.03);

const kinds: readonly Kind[] = ['boolean', 'boolean', 'number', 'string', 'array', 'object', 'set', 'any', 'mixed'];

/** Definitions of one complete rule, of one kind of value. */
const complete = (growing: Growing, name: string): void => {
  const { dice, lines, known } = growing;
  const kind = dice.one(kinds);
  const constant = dice.chance(0.6);
  const same = anyOf(scopeOf(growing), kind === 'any' || kind === 'mixed' ? 'number' : kind, -1);
  const literalOnly = constant && !written(same.tree).includes('input');
  const definitions = isMany(growing) ? 9 + dice.below(2) : 1 + dice.below(3);
  if (dice.chance(0.3)) lines.push(optional(`default ${name} := ${dice.one(['false', 'null', '"none"', '0'])}`));
  for (let at = 0; at < definitions; at++) {
    const { lines: when, inner } = conditions(scopeOf(growing), 1 + dice.below(3), 2, dice.chance(0.2));
    const keyed = definitions > 3 ? [`input.s == ${JSON.stringify(dice.one(strings))}`] : [];
    // Values that differ between definitions conflict; else chains may have any.
    const head = literalOnly || (definitions > 1 && dice.chance(0.8)) ? same : anyOf(inner, kind, 2);
    const otherwise = dice.chance(0.2)
      ? dice.times(1 + dice.below(2), () => {
          const other = conditions(scopeOf(growing), 1, 2, false);
          return optional(' else := ', anyOf(other.inner, kind, 1).tree, block(other.lines));
        })
      : [];
    lines.push(text(`${name} := `, head.tree, block([...keyed, ...when]), ...otherwise));
  }
  known.push(value('mixed', [name]));
};

const partialSet = (growing: Growing, name: string): void => {
  const { dice, lines, known } = growing;
  const definitions = isMany(growing) ? 9 : 1 + dice.below(3);
  for (let at = 0; at < definitions; at++) {
    const { lines: when, inner } = conditions(scopeOf(growing), 1 + dice.below(3), 2, dice.chance(0.6));
    const keyed = definitions > 3 ? [`input.s == ${JSON.stringify(dice.one(strings))}`] : [];
    lines.push(text(`${name} contains `, anyOf(inner, 'mixed', 1).tree, block([...keyed, ...when])));
  }
  known.push(value('set', [name], 'mixed'));
};

const partialObject = (growing: Growing, name: string): void => {
  const { dice, lines, known } = growing;
  for (let at = 0; at <= dice.below(2); at++) {
    const { lines: when, inner } = conditions(scopeOf(growing), 1 + dice.below(2), 1, true);
    const keys = inner.locals.filter(({ kind }) => kind === 'any' || kind === 'mixed');
    const key = keys.length > 0 && dice.chance(0.7) ? dice.one(keys).tree : anyOf(inner, 'string', 1).tree;
    lines.push(text(`${name}[`, key, '] := ', anyOf(inner, 'mixed', 1).tree, block(when)));
  }
  known.push(value('object', [name], 'mixed'));
};

/** Rules under names, on several levels and under names that are computed: found by references that are not constant. */
const nested = (growing: Growing, name: string): void => {
  const { dice, lines, known } = growing;
  const scope = scopeOf(growing);
  const rule = (path: string, wanted: Kind = 'mixed'): void => {
    const when = conditions(scope, 1, 2, false);
    lines.push(text(`${name}${path} := `, anyOf(when.inner, wanted, 1).tree, block(when.lines)));
  };
  rule(`[${JSON.stringify(dice.one(strings.slice(0, 5)))}].v`);
  if (dice.chance(0.7)) rule('.k.v');
  if (dice.chance(0.4)) rule('.x.b');
  if (dice.chance(0.3)) rule('.n.a.v');
  if (dice.chance(0.3)) rule(dice.one(['.y', '["1"].v', '.c']), 'number');
  for (const under of ['w', 'a.b']) {
    if (!dice.chance(under === 'w' ? 0.3 : 0.1)) continue;
    const { lines: when, inner } = conditions(scope, 1, 1, true);
    const keys = inner.locals.filter(({ kind }) => kind === 'any' || kind === 'mixed');
    const key = keys.length > 0 ? dice.one(keys).tree : 'input.s';
    lines.push(text(`${name}.${under}[`, key, ']', dice.one([' := 1', ' contains 2', '.z := "x"']), block(when)));
  }
  if (dice.chance(0.3)) func(growing, `${name}${dice.one(['.f', '.k.f', '["1"].f'])}`);
  const found = dice.times(2 + dice.below(3), () => lookup(scope, name));
  known.push(...found);
  if (dice.chance(0.6)) {
    const [one, other] = [dice.one(found).tree, dice.one([...found, anyOf(scope, 'any', 1)]).tree];
    const negated = dice.weighted<() => Tree>([
      [3, () => text('not ', one)],
      [2, () => text('not ', one, ' == ', other)],
      [1, () => text('not ', other, ' == ', one)],
      [1, () => text('not ', one, elsewhere(scope))],
      [1, () => text('every k in ["x", "k", "w"] { not ', `${name}[k]`, dice.one(['', '.v', '[input.s]']), ' }')],
      [1, () => text(`count([1 | some k in ["x", "k"]; not ${name}[k].v == `, other, ']) == 1')],
    ])();
    lines.push(text(`${name}not if { `, negated, '; ', body(conditions(scope, 1, 1, false).lines), ' }'));
    growing.entrypoints.push(`${name}not`);
  }
};

/** A reference below a name, by names from the input, from the data and from calls. */
const lookup = (scope: Scope, name: string): Named => {
  const { dice } = scope;
  const by = (): Tree =>
    dice.weighted<() => Tree>([
      [5, () => `input.${dice.one(['s', 's', 'a', 'o.s'])}`],
      [1, () => anyOf(scope, 'string', 1).tree],
      [1, () => text('concat("", ["", ', anyOf(scope, 'any', 0).tree, '])')],
    ])();
  const root = dice.one(['', 'data.pol.']) + name;
  const forms: readonly (() => readonly Tree[])[] = [
    () => [`${root}[`, by(), '].v'],
    () => [`${root}[`, by(), ']'],
    () => [`${root}[`, by(), '][', by(), ']'],
    () => [`${root}[`, by(), dice.one(['].a.v', '].b', '].v.v'])],
    () => [`${root}.${dice.one(['n', 'x', 'w', 'k'])}[`, by(), ']'],
    () => [`${root}.n[`, by(), '].v'],
  ];
  return value('any', dice.one(forms)());
};

const func = (growing: Growing, name: string): void => {
  const { dice, lines, functions, fresh } = growing;
  const arity = 1 + dice.below(2);
  const kind = dice.one<Kind>(['boolean', 'number', 'string', 'mixed']);
  if (dice.chance(0.25)) {
    const any = dice.times(arity, () => '_').join(', ');
    lines.push(optional(`default ${name}(${any}) := ${dice.one(['false', '"none"', '0'])}`));
  }
  const same = anyOf(scopeOf(growing), kind, -1);
  const definitions = 1 + dice.below(3);
  for (let at = 0; at < definitions; at++) {
    const given = dice.times(arity, fresh);
    const shown = given.map((one) => (dice.chance(0.2) ? dice.one(['1', '"x"', '"a"', 'true', '[_, _]']) : one));
    const locals = shown.filter((one, index) => one === given[index]).map((one) => value('any', [one]));
    const { lines: when, inner } = conditions(scopeOf(growing, ...locals), 1 + dice.below(2), 1, dice.chance(0.2));
    const head = definitions > 1 && dice.chance(0.8) ? same : anyOf(inner, kind, 1);
    const otherwise = dice.times(dice.chance(0.3) ? 1 + dice.below(2) : 0, () => {
      const other = conditions(scopeOf(growing, ...locals), 1, 1, false);
      return optional(' else := ', anyOf(other.inner, kind, 1).tree, block(other.lines));
    });
    lines.push(text(`${name}(${shown.join(', ')}) := `, head.tree, block(when), ...otherwise));
  }
  functions.push({ ...value('mixed', [name]), arity });
};

/** What replaces the input, data or a function, or parts of them. */
const mock = ({ dice, style, rules: replaced, functions }: Growing, scope: Scope): readonly Tree[] => {
  const replacement = (): Tree => anyOf(scope, 'mixed', 1).tree;
  const replaces = style === 'mocked' ? 4 : 0;
  const found = (): Tree => inputPlace(scope, 'any').tree;
  const withFunction = (...as: readonly Tree[]): Tree[] =>
    functions.length === 0 ? [] : [' with ', dice.one(functions).tree, ' as ', dice.one(as)];
  return dice.weighted<() => readonly Tree[]>([
    [3, () => [' with input as ', anyOf(scope, 'object', 1).tree]],
    [2, () => [' with input as ', inputPlace(scope, 'object').tree]],
    [2, () => [` with input.${dice.one([...names, 'o.a', 'o.o.a'])} as `, replacement()]],
    [
      replaces,
      () => [` with data.doc.${dice.one(['limits', 'limits.a', 'users.x', 'list', 'none.new'])} as `, replacement()],
    ],
    [replaced.length > 0 ? replaces : 0, () => [' with data.pol.', dice.one(replaced), ' as ', replacement()]],
    [replaces / 2, () => [' with count as ', dice.one(['3', found()])]],
    [replaces / 2, () => [' with lower as ', dice.one(['upper', '"x"', found()])]],
    [replaces / 4, () => [' with time.now_ns as ', dice.one(['5', found()])]],
    [replaces / 2, () => withFunction('1', '"x"', 'null', 'false', found(), ...functions.map(({ tree }) => tree))],
  ])();
};

/** A rule seen under another input, another data, or with a function replaced. */
const mocked = (growing: Growing, name: string): void => {
  const { dice, lines, known } = growing;
  const scope = scopeOf(growing);
  const seen = known.length > 0 && dice.chance(0.8) ? dice.one(known).tree : anyOf(scope, 'mixed', 2).tree;
  const mocks = dice.times(growing.style === 'mocked' && dice.chance(0.35) ? 2 : 1, () => mock(growing, scope)).flat();
  const form = dice.below(3);
  if (form === 0) lines.push(text(`${name} := v if { v := `, seen, ...mocks, ' }'));
  else if (form === 1) lines.push(text(`${name} if { not `, seen, ...mocks, ' }'));
  else lines.push(text(`${name} := v if { `, 'input.s == "x"; v := ', seen, ...mocks, ' }'));
  known.push(value('mixed', [name]));
};

const described = (growing: Growing, name: string): void => {
  const { dice, lines, known } = growing;
  const mark = `# METADATA\n# title: ${dice.one(['one', 'two'])}\n# custom:\n#   level: ${dice.below(3)}`;
  const asked = dice.one(['rego.metadata.rule()', 'rego.metadata.rule().custom.level', 'count(rego.metadata.chain())']);
  const { lines: when } = conditions(scopeOf(growing), 1, 1, false);
  lines.push(text(`${mark}\n${name} := `, asked, block(when)));
  known.push(value('mixed', [name]));
};

const makers: readonly (readonly [number, (growing: Growing, name: string) => void, boolean])[] = [
  [8, complete, true],
  [5, partialSet, true],
  [3, partialObject, true],
  [3, nested, true],
  [4, func, false],
  [3, mocked, true],
  [1, described, true],
];

/** The program of a seed. */
export const programOf = (seed: number, style: Style): Program => {
  const dice = new Dice(seed);
  let locals = 0;
  const growing: Growing = {
    dice,
    lines: [],
    known: [],
    functions: [],
    entrypoints: [],
    rules: [],
    fresh: () => `v${locals++}`,
    style,
    blocks: dice.chance(0.25),
  };
  for (let at = 0; at < 2 + dice.below(4); at++) {
    const [, make, asked] = dice.weighted(makers.map((maker) => [maker[0], maker] as const));
    const name = `r${at}`;
    make(growing, name);
    if (asked) growing.entrypoints.push(name);
    if (make === nested) growing.rules.push(`${name}.k`, `${name}.k.v`, `${name}.x`, name);
    else if (asked) growing.rules.push(name);
  }
  if (growing.entrypoints.length === 0) {
    complete(growing, 'last');
    growing.entrypoints.push('last');
  }
  const tree = rules(growing.lines);
  const source = written(tree);
  return {
    tree,
    entrypoints: growing.entrypoints,
    data: dataText(dice),
    inputs: inputTexts(dice, {
      count: 10,
      // OPA's runtime walks objects in another order, so that of equal numbers another one comes first: see the known
      // differences.
      spelledOnce: source.includes('walk('),
    }),
    blocks: growing.blocks,
  };
};
