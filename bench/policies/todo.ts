import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../test/support/server-process.ts';
import { pick, type Question, REPEATED, type Scenario } from '../scenario.ts';

const source = path.join(root, 'policies', 'todo');
const read = (name: string): string => readFileSync(path.join(source, name), 'utf8');

interface User {
  readonly email: string;
  readonly roles: readonly string[];
}

const data = read('data.json');
const users = Object.entries((JSON.parse(data) as { todo: { users: { [id: string]: User } } }).todo.users);
const owners = users.map(([, { email }]) => email);

const rolesByAction: { readonly [action: string]: readonly string[] } = {
  can_read_user: ['admin', 'evil_genius', 'editor', 'viewer'],
  can_read_todos: ['admin', 'evil_genius', 'editor', 'viewer'],
  can_create_todo: ['admin', 'editor'],
  can_update_todo: ['evil_genius'],
  can_delete_todo: ['admin'],
};
const actions = Object.keys(rolesByAction);
const ownActions = ['can_update_todo', 'can_delete_todo'];

const question = (n: number, who: number): Question => {
  const [id, { email, roles }] = pick(users, who);
  const action = pick(actions, Math.floor(n / users.length));
  const owner = n < REPEATED ? pick(owners, Math.floor(n / 25)) : `owner-${n}@the-citadel.com`;
  const owns = roles.includes('editor') && owner === email && ownActions.includes(action);
  return {
    subject: { id, roles, attributes: { email } },
    action,
    resource: { type: 'todo', id: `7240d0db-8ff0-41ec-${String(n).padStart(12, '0')}`, attributes: { ownerID: owner } },
    isPermitted: owns || roles.some((role) => rolesByAction[action]?.includes(role)),
  };
};

/** The sample policy of this project. */
export const todo: Scenario = {
  name: 'todo',
  about: 'the sample policy `policies/todo`: 5 rules, 5 users',
  rego: new Map([
    ['todo.rego', read('todo.rego')],
    ['data.json', data],
  ]),
  cerbos: new Map([['todo.yaml', readFileSync(path.join(import.meta.dirname, 'todo.cerbos.yaml'), 'utf8')]]),
  findsRoles: true,
  question,
};
