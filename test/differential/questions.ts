import type { Dice } from './dice.ts';

/** Member names that programs read; more of the inputs' names than of anybody else's. */
export const names = ['a', 'b', 'c', 's', 'i', 'n', 'l', 'o'] as const;

export const strings = ['x', 'y', 'a', 'b', 'k', '', 'é', 'a/b', 'Xy', ' x '] as const;

/** JSON texts, so that numbers keep their digits. */
const scalars = ['null', 'true', 'false', '0', '1', '2', '3', '-1', '"x"', '"y"', '"a"', '"k"', '""', '"é"', '"1"'];
const odd = [
  '9007199254740993',
  '18446744073709551616',
  '0.1',
  '1.0',
  '1e2',
  '-0.5',
  '0.30',
  '1e-7',
  '123456789012345678901234567890.125',
  '"9007199254740993"',
  '"a\\u0000b"',
  '"\u{1f600}"',
  '"<&>"',
  '"\\u2028"',
  '[[[[[[[["x"]]]]]]]]',
  '{"a":{"a":{"a":{"a":1}}}}',
];

const anyText = (dice: Dice, depth: number): string => {
  const kind = dice.below(depth > 0 ? 10 : 6);
  if (kind < 5) return dice.one(scalars);
  if (kind === 5) return dice.one(odd);
  if (kind < 8) return listText(dice, () => anyText(dice, depth - 1));
  return objectText(
    dice,
    dice.times(dice.below(4), () => dice.one([...names, 'x', 'y', '0'])),
    depth - 1,
  );
};

const listText = (dice: Dice, item: () => string): string => `[${dice.times(dice.below(5), item).join(',')}]`;

const memberText = (dice: Dice, name: string, depth: number): string => {
  if (dice.chance(0.12)) return anyText(dice, 2);
  switch (name) {
    case 's':
      return JSON.stringify(dice.one(strings));
    case 'i':
      return String(dice.below(7) - 1);
    case 'n':
      return dice.chance(0.3) ? dice.one(odd) : String(dice.below(5));
    case 'l':
      return listText(dice, dice.chance(0.5) ? () => String(dice.below(5)) : () => JSON.stringify(dice.one(strings)));
    case 'o':
      return objectText(
        dice,
        dice.times(dice.below(4), () => dice.one([...names, 'x', 'y'])),
        depth - 1,
      );
    default:
      return anyText(dice, depth);
  }
};

const objectText = (dice: Dice, members: readonly string[], depth: number): string =>
  `{${[...new Set(members)].map((name) => `${JSON.stringify(name)}:${memberText(dice, name, Math.max(depth, 0))}`)}}`;

const wholeInputs = ['null', 'false', '0', '""', '[]', '{}', '"x"', '[1,{"a":1}]', 'true', '12345678901234567890'];

/** One that differs from another at one member, so that what is not read shows as such. */
const neighbour = (dice: Dice, input: string): string => {
  const value = JSON.parse(input) as { [name: string]: unknown };
  const name = dice.one(names);
  const members = Object.keys(value).filter((other) => other !== name || dice.chance(0.7));
  if (!members.includes(name)) members.push(name);
  // JSON.parse would round numbers: what is kept is taken from its own text where that is safe.
  return `{${members.map((key) => `${JSON.stringify(key)}:${key === name ? memberText(dice, key, 2) : JSON.stringify(value[key])}`)}}`;
};

/** The data document of a program: JSON text. */
export const dataText = (dice: Dice): string => {
  const users = ['x', 'y', 'a', 'k'].map((name) => `"${name}":${objectText(dice, names, 2)}`);
  return `{"users":{${users}},"list":${listText(dice, () => anyText(dice, 1))},"limits":{"a":1,"x":"k","n":2,"f":false},"odd":${dice.one(odd)},"m":${anyText(dice, 2)}}`;
};

/** Inputs as JSON texts; undefined is an absent one. */
export const inputTexts = (
  dice: Dice,
  options: { readonly count: number; readonly spelledOnce: boolean },
): (string | undefined)[] => {
  const { count, spelledOnce } = options;
  const whole = dice.one(wholeInputs);
  const found: (string | undefined)[] = [undefined, whole];
  while (found.length < count) {
    const input = objectText(
      dice,
      names.filter(() => dice.chance(0.85)),
      2,
    );
    found.push(input);
    if (!/\d{16}|\.|e2/.test(input)) found.push(neighbour(dice, input), neighbour(dice, input));
  }
  return found.slice(0, count).map((input) => (spelledOnce ? input?.replace(/\b(\d)\.0\b/g, '$1$1.0') : input));
};
