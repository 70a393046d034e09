import type { IndexedRule, RuleIndex, TriedReason } from '../../rego/index.ts';
import { placeText } from './caching.ts';
import { count, type Paint, plain } from './screen.ts';

const whys: { readonly [why in TriedReason]: string } = {
  'all-data': 'a rule refers to data without a constant name below it',
  mock: 'a rule replaces something other than the input by `with`',
  'rego-v0': 'they are Rego v0',
  metadata: 'rules of their package ask for their METADATA',
  default: 'they are defaults',
  else: 'their branches compare no place in common',
  name: 'their name has several parts',
  object: 'they define members of an object',
  'no-constant': 'they compare no place with a constant text or number',
  few: 'they are so few that finding the right one takes as long as trying them all',
  'no-gain': 'being found would cost more than it spares',
};

const ruleLines = (rule: IndexedRule, paint: Paint): string[] => [
  `${paint('bold', plain(rule.path))}: ${count(rule.definitions, 'definition')}, ${placeText(rule)}`,
  ...rule.found.map(
    ({ by, definitions }) => `  ${definitions} ${paint('green', 'found')} by ${plain(by.join(' and '))}`,
  ),
  ...rule.tried.map((tried) => `  ${tried.definitions} tried in turn (${placeText(tried)}): ${whys[tried.why]}`),
];

/** How the definitions of each rule that has several are found. */
export const indexText = ({ hindrance, rules }: RuleIndex, paint: Paint): string[] => [
  ...(hindrance === undefined
    ? []
    : [`${paint('yellow', 'nothing is indexed')}: ${whys[hindrance.why]}, at ${placeText(hindrance)}`]),
  ...(rules.length === 0 ? ['no rule has several definitions'] : rules.flatMap((rule) => ruleLines(rule, paint))),
];
