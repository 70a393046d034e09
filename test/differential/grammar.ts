import type { Dice } from './dice.ts';
import { forms, type Kind } from './forms.ts';
import { names, strings } from './questions.ts';
import type { Tree } from './tree.ts';
import { body, joined, term, text } from './tree.ts';

export interface Value {
  readonly tree: Tree;
  readonly kind: Kind;
  /** What a collection holds. */
  readonly of?: Kind;
}

/** A name that later rules and expressions can use. */
export interface Named extends Value {
  /** Functions: how many arguments. */
  readonly arity?: number;
}

export const value = (kind: Kind, parts: readonly Tree[], of?: Kind): Value => ({
  tree: term(...parts),
  kind,
  ...(of === undefined ? {} : { of }),
});

/** Where an expression stands: what it may name. */
export interface Scope {
  readonly dice: Dice;
  readonly locals: readonly Value[];
  readonly rules: readonly Named[];
  readonly functions: readonly Named[];
  /** Makes names that nothing else has. */
  readonly fresh: () => string;
  /** Whether bodies may be negated, and joined by `and` and `or`. */
  readonly blocks: boolean;
}

const within = (scope: Scope, ...locals: readonly Value[]): Scope => ({
  ...scope,
  locals: [...scope.locals, ...locals],
});

const literal = ({ dice }: Scope, kind: Kind): Value => {
  switch (kind) {
    case 'string':
      return value('string', [JSON.stringify(dice.one(strings))]);
    case 'boolean':
      return value('boolean', [dice.one(['true', 'false'])]);
    case 'array':
      return value('array', [dice.one(['[]', '[1, 2, 3]', '[3, 1, 2, 1]'])], 'number');
    case 'set':
      return value('set', [dice.one(['{1, 2}', '{3, 1}', '{2}'])], 'number');
    case 'object':
      return value('object', [dice.one(['{}', '{"a": 1, "b": 2}', '{"x": 3}'])], 'number');
    default:
      return value('number', [dice.one(['0', '1', '2', '3', '4', '-1', '10'])]);
  }
};

/** A place of the input; mostly one that holds what is wanted. */
export const inputPlace = ({ dice }: Scope, wanted: Kind): Value => {
  const own: { readonly [kind in Kind]?: readonly string[] } = {
    string: ['s', 's', 'o.s', 'a'],
    number: ['i', 'i', 'o.i', 'a'],
    array: ['l', 'l', 'o.l', 'b'],
    object: ['o', 'o', 'o.o', 'c'],
    set: ['l'],
  };
  const places = own[wanted] ?? [...names, 'a.b', 'o.a', 'o.o.a', 'l[0]', 'o["s"]', 'b.c'];
  return value('any', [`input.${dice.one(places)}`]);
};

const dataPlace = (scope: Scope, depth: number): Value => {
  const { dice } = scope;
  const form = dice.below(6);
  if (form === 0) return value('any', [`data.doc.limits.${dice.one(['a', 'x', 'n', 'f', 'none'])}`]);
  if (form === 1) return value('any', [`data.doc.users.${dice.one(['x', 'a'])}.${dice.one(names)}`]);
  // By numbers alone: texts of numbers index arrays of the data in the interpreter only.
  if (form === 2) return value('any', ['data.doc.list[', small(scope), ']']);
  if (form === 3) return value('any', ['data.doc.', dice.one(['odd', 'm', 'm.a'])]);
  return value('any', ['data.doc.users[', anyOf(scope, 'string', depth - 1).tree, `].${dice.one(names)}`]);
};

const fits = (wanted: Kind, { kind }: Value): boolean => wanted === 'mixed' || kind === wanted || kind === 'any';

/** A value of a kind; of `any`, whatever the input or the data has. */
export const anyOf = (scope: Scope, wanted: Kind, depth: number): Value => {
  const { dice } = scope;
  const known = [...scope.locals, ...scope.rules].filter((one) => fits(wanted, one));
  if (known.length > 0 && dice.chance(0.35)) return dice.one(known);
  if (wanted === 'any') return dice.chance(0.75) || depth <= 0 ? inputPlace(scope, 'any') : dataPlace(scope, depth);
  if (wanted === 'mixed') return mixed(scope, depth);
  if (depth <= 0) return dice.chance(0.5) ? literal(scope, wanted) : inputPlace(scope, wanted);
  const form = dice.below(10);
  if (form < 2) return literal(scope, wanted);
  if (form < 5) return inputPlace(scope, wanted);
  if (form === 5) return dataPlace(scope, depth);
  return computed(scope, wanted, depth);
};

const mixed = (scope: Scope, depth: number): Value => {
  const { dice } = scope;
  const kind = dice.one<Kind>(['any', 'any', 'number', 'string', 'boolean', 'array', 'set', 'object']);
  if (depth > 0 && dice.chance(0.1)) {
    const items = dice.times(1 + dice.below(3), () => mixed(scope, depth - 1).tree);
    return value('array', ['[', ...joined(items, ', '), ']'], 'mixed');
  }
  return anyOf(scope, kind, depth);
};

const letters: { readonly [letter: string]: Kind } = {
  n: 'number',
  t: 'string',
  b: 'boolean',
  a: 'array',
  s: 'set',
  o: 'object',
  m: 'mixed',
};

/** Small integers: what is beyond 64 bits has an arithmetic of its own. */
const small = ({ dice }: Scope): Tree =>
  dice.one(['input.i', 'count(input.l)', 'count(input.o)', '1', '3', 'data.doc.limits.n']);

const called = (scope: Scope, form: string, depth: number): Tree[] =>
  form.split(/(#[a-zA-Z])/).map((part) => {
    const letter = part.startsWith('#') ? part.slice(1) : '';
    if (letter === 'c') return small(scope);
    if (letter === 'A')
      return text(
        '[',
        ...joined(
          scope.dice.times(2, () => anyOf(scope, 'number', 0).tree),
          ', ',
        ),
        ']',
      );
    const kind = letters[letter];
    return kind === undefined ? part : anyOf(scope, kind, depth - 1).tree;
  });

const computed = (scope: Scope, wanted: Kind, depth: number): Value => {
  const { dice } = scope;
  const functions = scope.functions.filter((one) => fits(wanted, one));
  if (functions.length > 0 && dice.chance(0.25)) {
    const { tree, arity = 1, kind } = dice.one(functions);
    const given = dice.times(arity, () => anyOf(scope, 'any', depth - 1).tree);
    return value(kind, [tree, '(', ...joined(given, ', '), ')']);
  }
  if ((wanted === 'array' || wanted === 'set' || wanted === 'object') && dice.chance(0.35)) {
    return comprehension(scope, wanted, depth);
  }
  return value(wanted, called(scope, dice.one(forms[wanted] ?? []), depth), 'mixed');
};

/** Something that can be ranged over, and what it holds. */
const ranged = (scope: Scope, depth: number): { readonly tree: Tree; readonly of: Kind } => {
  const { dice } = scope;
  const kind = dice.one<Kind>(['array', 'array', 'set', 'object']);
  const one = dice.chance(0.5) ? inputPlace(scope, kind) : anyOf(scope, kind, depth - 1);
  const of = one.kind === 'any' ? 'any' : (one.of ?? 'mixed');
  return { tree: one.tree, of };
};

const comprehension = (scope: Scope, wanted: Kind, depth: number): Value => {
  const { lines, inner } = conditions(scope, 1 + scope.dice.below(2), depth - 1, true);
  const items = inner.locals.slice(scope.locals.length);
  const item = (): Tree =>
    items.length > 0 && scope.dice.chance(0.7) ? scope.dice.one(items).tree : mixed(inner, depth - 1).tree;
  // A key has one value: conflicts that the interpreter is spared are among the known differences.
  const pair = (key: Tree): Tree[] => [key, ': ', scope.dice.chance(0.5) ? key : mixed(scope, depth - 1).tree];
  const head = wanted === 'object' ? pair(item()) : [item()];
  // Sorted: the order in which members of objects are found is among the known differences.
  const [open, close] = wanted === 'array' ? ['sort([', '])'] : ['{', '}'];
  return value(wanted, [open, ...head, ' | ', body(lines), close], 'mixed');
};

export interface Conditions {
  readonly lines: readonly Tree[];
  /** The scope after them. */
  readonly inner: Scope;
}

const local = (name: string, { kind, of }: { readonly kind: Kind; readonly of?: Kind }): Value =>
  value(kind, [name], of);

/** Expressions that hold together; the first ranges over something where that is asked for. */
export const conditions = (scope: Scope, count: number, depth: number, ranging: boolean): Conditions => {
  let inner = scope;
  const lines: Tree[] = [];
  for (let at = 0; at < count; at++) {
    const made = condition(inner, depth, ranging && at === 0);
    lines.push(made.tree);
    inner = within(inner, ...made.locals);
  }
  return { lines, inner };
};

interface Condition {
  readonly tree: Tree;
  readonly locals: readonly Value[];
}

const condition = (scope: Scope, depth: number, ranging: boolean): Condition => {
  const { dice, fresh } = scope;
  if (ranging) return range(scope, depth);
  const just = (...parts: readonly Tree[]): Condition => ({ tree: text(...parts), locals: [] });
  const of = (kind: Kind): Tree => anyOf(scope, kind, depth).tree;
  const keyed = (): Tree => text(`input.${dice.one(['s', 'a', 'o.s'])} == ${JSON.stringify(dice.one(strings))}`);
  return dice.weighted<() => Condition>([
    [5, () => just(keyed())],
    [1, () => just('input.s in ', dice.one(['{"x", "y"}', '["a", "k", ""]']))],
    [4, () => just(of('boolean'))],
    [2, () => just('not ', of('boolean'))],
    [2, () => just('not ', inputPlace(scope, 'any').tree)],
    [2, () => just(inputPlace(scope, 'any').tree)],
    [3, () => just(of('number'), dice.one([' == ', ' != ', ' > ', ' <= ']), of('number'))],
    [2, () => just(of('string'), dice.one([' == ', ' != ', ' < ']), of('string'))],
    [2, () => just(of('any'), ' == ', of('any'))],
    [1, () => just('not ', of('any'), ' == ', of('any'))],
    [1, () => ({ tree: lacking(scope, depth), locals: [] })],
    [1, () => just(dice.one(['', 'not ']), of('any'), elsewhere(scope))],
    [2, () => range(scope, depth)],
    [1, () => every(scope, depth)],
    [scope.blocks ? 4 : 0, () => just(blocks(scope, depth))],
    [1, () => pattern(scope, depth)],
    [
      4,
      () => {
        const name = fresh();
        const one = anyOf(scope, dice.one<Kind>(['any', 'number', 'string', 'array', 'object', 'set']), depth);
        return { tree: text(`${name} := `, one.tree), locals: [local(name, one)] };
      },
    ],
  ])();
};

/** Bodies in braces: negated, or joined. */
const blocks = (scope: Scope, depth: number): Tree => {
  const { dice } = scope;
  const block = (): Tree =>
    text('{ ', body(conditions(scope, 1 + dice.below(2), depth - 1, dice.chance(0.3)).lines), ' }');
  const side = (): Tree => (dice.chance(0.5) ? block() : anyOf(scope, 'boolean', depth - 1).tree);
  return dice.chance(0.6) ? text('not ', block()) : text(side(), dice.one([' and ', ' or ']), side());
};

/** Whether something has an item that others have not, once or twice negated. */
const lacking = (scope: Scope, depth: number): Tree => {
  const { dice, fresh } = scope;
  const { tree, of } = ranged(scope, depth);
  const item = fresh();
  const inner = within(scope, local(item, { kind: of }));
  const when = body(conditions(inner, 1, depth - 1, dice.chance(0.3)).lines);
  const others = text('{y | some y in ', ranged(inner, depth - 1).tree, `; not y == ${item} }`);
  const found = text(`count([${item} | some ${item} in `, tree, `; not ${item} in `, others, '; ', when, ' ])');
  return text(dice.one(['', 'not ']), found, dice.one([' == 0', ' > 1']));
};

/** What replaces the input around an expression. */
export const elsewhere = (scope: Scope): Tree =>
  scope.dice.chance(0.5)
    ? text(' with input as ', inputPlace(scope, 'object').tree)
    : text(` with input.${scope.dice.one(['s', 'a', 'i', 'o.s'])} as `, anyOf(scope, 'any', 0).tree);

const range = (scope: Scope, depth: number): Condition => {
  const { dice, fresh } = scope;
  const { tree, of } = ranged(scope, depth);
  const item = fresh();
  if (dice.chance(0.15))
    return {
      tree: text(`walk(`, inputPlace(scope, 'any').tree, `, [_, ${item}])`),
      locals: [local(item, { kind: 'mixed' })],
    };
  if (dice.chance(0.2)) {
    return {
      tree: text(`${item} := `, inputPlace(scope, 'array').tree, '[_]'),
      locals: [local(item, { kind: 'any' })],
    };
  }
  if (dice.chance(0.5)) return { tree: text(`some ${item} in `, tree), locals: [local(item, { kind: of })] };
  const name = fresh();
  return {
    tree: text(`some ${name}, ${item} in `, tree),
    locals: [local(name, { kind: 'mixed' }), local(item, { kind: of })],
  };
};

const every = (scope: Scope, depth: number): Condition => {
  const { dice, fresh } = scope;
  const { tree, of } = ranged(scope, depth);
  const item = fresh();
  const key = dice.chance(0.3) ? fresh() : undefined;
  const inner = within(scope, local(item, { kind: of }));
  const { lines } = conditions(inner, 1 + dice.below(2), Math.min(depth, 1), false);
  // What is declared must be used.
  const used =
    of === 'any' ? `${item} != ${dice.one(['1', '"x"', 'input.a', 'null'])}` : `type_name(${item}) != "null"`;
  const own = [used, ...(key === undefined ? [] : [`type_name(${key}) != "boolean"`])];
  const pair = key === undefined ? '' : `${key}, `;
  return { tree: text(`every ${pair}${item} in `, tree, ' { ', body([...own, ...lines]), ' }'), locals: [] };
};

const pattern = (scope: Scope, depth: number): Condition => {
  const [first, second] = [scope.fresh(), scope.fresh()];
  const locals = [local(first, { kind: 'any' }), local(second, { kind: 'any' })];
  const form = scope.dice.below(3);
  if (form === 0) return { tree: text(`[${first}, ${second}] = `, inputPlace(scope, 'array').tree), locals };
  if (form === 1) return { tree: text(`{"a": ${first}, "s": ${second}} = `, inputPlace(scope, 'object').tree), locals };
  const one = anyOf(scope, 'any', depth).tree;
  return { tree: text(`[${first}, ${second}] := [`, one, ', ', inputPlace(scope, 'any').tree, ']'), locals };
};
