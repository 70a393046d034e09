import { type Evaluated, type Question, scatter } from '../scenario.ts';

const head = (name: string): string => `package ${name}

# METADATA
# entrypoint: true
default allow := false

order := input.resource.properties

net := order.price * order.count
`;

// A cent's tenth keeps what is compared apart: how a float is rounded decides nothing.
const policies = {
  orders: `
allow if {
	net * (100 - order.discount) <= input.subject.properties.limit * 100
	order.spent + net < order.budget
	order.count % order.pack == 0
}
`,
  fractions: `
allow if {
	net * 1.19 + 4.951 <= input.subject.properties.limit
	order.count * 0.25 < order.pack
}
`,
};

interface Order {
  readonly price: number;
  readonly count: number;
  readonly discount: number;
  readonly spent: number;
  readonly budget: number;
  readonly pack: number;
}

const orderOf = (n: number): Order => ({
  price: 5 + scatter(2_000, n, 1),
  count: 1 + scatter(40, n, 2),
  discount: scatter(30, n, 3),
  spent: scatter(50_000, n, 4),
  budget: 100_000,
  pack: 1 + scatter(12, n, 5),
});

const scenarioOf = (name: keyof typeof policies, permits: (order: Order, limit: number) => boolean): Evaluated => ({
  name,
  rego: new Map([
    [`${name}.rego`, head(name) + policies[name]],
    ['data.json', '{}'],
  ]),
  findsRoles: false,
  question: (n, who): Question => {
    const limit = 10_000 + scatter(40_000, who, 6);
    const order = orderOf(n);
    return {
      subject: { id: `user-${who}`, roles: [], attributes: { limit } },
      action: 'approve',
      resource: { type: 'order', id: `order-${n}`, attributes: { ...order } },
      isPermitted: permits(order, limit),
    };
  },
});

/** Prices in cents. */
export const orders = scenarioOf('orders', ({ price, count, discount, spent, budget, pack }, limit) => {
  const net = price * count;
  return net * (100 - discount) <= limit * 100 && spent + net < budget && count % pack === 0;
});

/** Shares of them: numbers that are no floats of any size. */
export const ordersWithFractions = scenarioOf(
  'fractions',
  ({ price, count, pack }, limit) => price * count * 1_190 + 4_951 <= limit * 1_000 && count < pack * 4,
);
