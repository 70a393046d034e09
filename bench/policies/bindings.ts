import { stringify } from 'yaml';
import { type Evaluated, pick, type Question, REPEATED, type Scenario, scatter } from '../scenario.ts';

const ROLES = 100;
const kinds = ['account', 'budget', 'contract', 'device', 'event', 'file', 'grant', 'host', 'invoice', 'job'];
const actions = ['read', 'create', 'update', 'delete', 'approve'];

const roleName = (role: number): string => `role-${role}`;

/** Two roles a user. */
const rolesOf = (user: number): readonly number[] => {
  const first = scatter(ROLES, user, 1);
  return [first, (first + 1 + scatter(ROLES - 1, user, 2)) % ROLES];
};

const grants = (role: number, kind: number, action: number): boolean => scatter(5, role, kind, action) === 0;

const policy = `package bindings

# METADATA
# entrypoint: true
default allow := false

allow if {
	# Nobody acts on what is their own.
	input.resource.properties.owner != input.subject.id
	some role in data.bindings.users[input.subject.id]
	input.action.name in data.bindings.grants[role][input.resource.type]
}
`;

const data = (subjects: number): string => {
  const users = Object.fromEntries(
    Array.from({ length: subjects }, (_, user) => [`user-${user}`, rolesOf(user).map(roleName)]),
  );
  const granted = (role: number, kind: number) => actions.filter((_, action) => grants(role, kind, action));
  const byKind = (role: number) => Object.fromEntries(kinds.map((name, kind) => [name, granted(role, kind)]));
  const byRole = Object.fromEntries(Array.from({ length: ROLES }, (_, role) => [roleName(role), byKind(role)]));
  return JSON.stringify({ bindings: { users, grants: byRole } });
};

const cerbosRule = (kind: number, action: number): object => ({
  actions: [pick(actions, action)],
  effect: 'EFFECT_ALLOW',
  roles: Array.from({ length: ROLES }, (_, role) => role)
    .filter((role) => grants(role, kind, action))
    .map(roleName),
  condition: { match: { expr: 'request.resource.attr.owner != request.principal.id' } },
});

const cerbosPolicy = (kind: number): string =>
  stringify({
    apiVersion: 'api.cerbos.dev/v1',
    resourcePolicy: {
      resource: pick(kinds, kind),
      version: 'default',
      rules: actions.map((_, action) => cerbosRule(kind, action)),
    },
  });

const questionOf = (subjects: number, n: number, who: number): Question => {
  const user = scatter(subjects, who);
  const id = `user-${user}`;
  const kind = scatter(kinds.length, n, 3);
  const action = scatter(actions.length, n, 4);
  const roles = rolesOf(user);
  const owner = n < REPEATED && n % 10 === 0 ? id : `owner-${n}`;
  return {
    subject: { id, roles: roles.map(roleName), attributes: {} },
    action: pick(actions, action),
    resource: { type: pick(kinds, kind), id: `item-${n}`, attributes: { owner } },
    isPermitted: owner !== id && roles.some((role) => grants(role, kind, action)),
  };
};

/** Roles bound to so many subjects in the policy's data, two to each. */
export const bindings = (subjects: number): Evaluated => ({
  name: 'bindings',
  rego: new Map([
    ['bindings.rego', policy],
    ['data.json', data(subjects)],
  ]),
  findsRoles: true,
  question: (n, who) => questionOf(subjects, n, who),
});

export const bindings100000: Scenario = {
  ...bindings(50_000),
  about:
    '100,000 bindings in data: 50,000 subjects with 2 of 100 roles each (Cerbos: the roles come with the question)',
  cerbos: new Map(kinds.map((name, kind) => [`${name}.yaml`, cerbosPolicy(kind)])),
};
