import { stringify } from 'yaml';
import { type Attributes, type Evaluated, pick, type Question, type Scenario, scatter } from '../scenario.ts';

const actions = ['read', 'create', 'update', 'delete', 'approve'];
const roles = ['clerk', 'manager', 'auditor', 'owner'];
const regions = ['north', 'south'];

interface Condition {
  readonly rego: string;
  readonly cel: string;
  holds(subject: Attributes, resource: Attributes): boolean;
}

/** A rule has the first 0 to 3 of these, beside its kind, its action and its role. */
const conditions: readonly Condition[] = [
  {
    rego: 'input.resource.properties.region == input.subject.properties.region',
    cel: 'request.resource.attr.region == request.principal.attr.region',
    holds: (subject, resource) => subject.region === resource.region,
  },
  {
    rego: 'input.resource.properties.amount <= input.subject.properties.limit',
    cel: 'request.resource.attr.amount <= request.principal.attr.limit',
    holds: (subject, resource) => Number(resource.amount) <= Number(subject.limit),
  },
  {
    rego: 'input.resource.properties.status == "open"',
    cel: 'request.resource.attr.status == "open"',
    holds: (_subject, resource) => resource.status === 'open',
  },
];

const ruleOf = (kind: number, action: number) => ({
  type: `kind${kind}`,
  action: pick(actions, action),
  role: pick(roles, kind + action),
  conditions: conditions.slice(0, (kind + 2 * action) % 4),
});

type Rule = ReturnType<typeof ruleOf>;

const rulesOf = (kinds: number): readonly Rule[] =>
  Array.from({ length: kinds * actions.length }, (_, at) => ruleOf(Math.floor(at / 5), at % 5));

const head = `package rules

# METADATA
# entrypoint: true
default allow := false
`;

const regoRule = (rule: Rule): string =>
  [
    'allow if {',
    `\tinput.resource.type == "${rule.type}"`,
    `\tinput.action.name == "${rule.action}"`,
    `\t"${rule.role}" in input.subject.properties.roles`,
    ...rule.conditions.map(({ rego }) => `\t${rego}`),
    '}\n',
  ].join('\n');

const cerbosRule = (rule: Rule): object => ({
  actions: [rule.action],
  effect: 'EFFECT_ALLOW',
  roles: [rule.role],
  ...(rule.conditions.length === 0
    ? {}
    : { condition: { match: { all: { of: rule.conditions.map(({ cel }) => ({ expr: cel })) } } } }),
});

const cerbosPolicy = (type: string, rules: readonly Rule[]): string =>
  stringify({
    apiVersion: 'api.cerbos.dev/v1',
    resourcePolicy: {
      resource: type,
      version: 'default',
      rules: rules.filter((rule) => rule.type === type).map(cerbosRule),
    },
  });

const questionOf = (kinds: number, n: number, who: number): Question => {
  const kind = scatter(kinds, n);
  const action = scatter(actions.length, n, 1);
  const subject = { region: pick(regions, scatter(8, who, 2)), limit: scatter(4, who, 3) === 0 ? 0 : 1_000_000_000 };
  const resource = {
    region: pick(regions, scatter(8, n, 4)),
    amount: n + 1,
    status: pick(['open', 'open', 'closed'], n),
  };
  const held = [0, 1, 2].map((at) => pick(roles, scatter(4, who, 5) + at));
  const rule = ruleOf(kind, action);
  return {
    subject: { id: `user-${scatter(50_000, who, 6)}`, roles: held, attributes: subject },
    action: rule.action,
    resource: { type: rule.type, id: `item-${n}`, attributes: resource },
    isPermitted: held.includes(rule.role) && rule.conditions.every(({ holds }) => holds(subject, resource)),
  };
};

const scenarioOf = (kinds: number, files: readonly (readonly [name: string, text: string])[]): Evaluated => ({
  name: 'rules',
  rego: new Map([...files, ['data.json', '{}']]),
  findsRoles: false,
  question: (n, who) => questionOf(kinds, n, who),
});

/** One flat list of so many rules, as policies grow: five actions, one rule for each pair of a kind and an action. */
export const rules = (size: number): Evaluated => {
  const kinds = size / actions.length;
  return scenarioOf(kinds, [['rules.rego', [head, ...rulesOf(kinds).map(regoRule)].join('\n')]]);
};

const byKind = `
allow if data.rules.kinds[input.resource.type].allow
`;

const packageOf = (kind: number): readonly [name: string, text: string] => {
  const own = actions.map((_, action) => regoRule(ruleOf(kind, action)));
  return [`kind${kind}.rego`, [`package rules.kinds.kind${kind}\n`, ...own].join('\n')];
};

/** The same in a package for each kind, which the question's kind finds. */
export const groupedRules = (size: number): Evaluated => {
  const kinds = size / actions.length;
  return scenarioOf(kinds, [['rules.rego', head + byKind], ...Array.from({ length: kinds }, (_, at) => packageOf(at))]);
};

const all = rulesOf(200);
const types = [...new Set(all.map(({ type }) => type))];

/** 200 kinds of resource. */
export const rules1000: Scenario = {
  ...rules(1_000),
  about:
    '1,000 rules: 200 kinds of resource x 5 actions, a role and 0 to 3 conditions each (Cerbos: 200 policies of 5)',
  cerbos: new Map(types.map((type) => [`${type}.yaml`, cerbosPolicy(type, all)])),
};
