import { bindings } from '../policies/bindings.ts';
import { orders, ordersWithFractions } from '../policies/orders.ts';
import { groupedRules, rules } from '../policies/rules.ts';
import type { Evaluated } from '../scenario.ts';

export interface Case {
  /** As `--only` names it. */
  readonly name: string;
  readonly about: string;
  readonly scenario: Evaluated;
}

const sizes = [10, 100, 1_000, 10_000];
const subjects = [50_000, 500_000];

const count = (n: number): string => n.toLocaleString('en');

/** Made one after the other, for some are large. */
export const cases: readonly Case[] = [
  ...sizes.map((size) => ({
    name: `rules-${size}`,
    about: `${count(size)} rules`,
    get scenario() {
      return rules(size);
    },
  })),
  ...sizes.map((size) => ({
    name: `grouped-${size}`,
    about: `${count(size)} rules, in a package for each kind of resource`,
    get scenario() {
      return groupedRules(size);
    },
  })),
  ...subjects.map((size) => ({
    name: `bindings-${2 * size}`,
    about: `${count(2 * size)} bindings in data`,
    get scenario() {
      return bindings(size);
    },
  })),
  { name: 'orders', about: 'arithmetic with integers', scenario: orders },
  { name: 'fractions', about: 'arithmetic with fractions', scenario: ordersWithFractions },
];
