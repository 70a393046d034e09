import { builtinCalls } from './builtin-calls.ts';
import { policies } from './policies.ts';
import type { Target } from './target.ts';
import { windows } from './windows.ts';

/** Everything that `npm run fuzz` tries, and whose corpus `npm test` replays. */
export const targets: readonly Target[] = [builtinCalls, policies, windows];
