import type { Scenario } from '../scenario.ts';
import { bindings100000 } from './bindings.ts';
import { rules1000 } from './rules.ts';
import { todo } from './todo.ts';

export const scenarios: readonly Scenario[] = [todo, rules1000, bindings100000];
