import { compareValues, RegoNumber, type RegoValue, regoInteger } from '../../../rego/index.ts';
import { type Builtin, type BuiltinEntry, BuiltinError, type CallCost, type CallScope, carrying } from '../model.ts';
import { timeClock, timeDate, timeWeekday } from './calendar.ts';
import { zonedOperand } from './instant.ts';
import { nextChange, type Unit } from './next-change.ts';
import { madeOf, momentOf, type NowSteps, nowStepsOperand } from './now-steps.ts';

// Twins of what looks at now (toolchain/windows.go): each answers as its original does, and reports when it would answer
// otherwise. Now itself then ends no answer.

const nowNs: Builtin = (scope) => regoInteger(scope.nowNs);

const lastMoment = 2n ** 63n - 1n;

/**
 * The first moment after `from`, up to `last`, at which `isSame` is false; undefined when it is true at `last`. It must not
 * become true again. `about` is where to look first.
 */
const firstChange = (
  from: bigint,
  last: bigint,
  about: number,
  isSame: (ns: bigint) => boolean,
): bigint | undefined => {
  if (last <= from || isSame(last)) return undefined;
  let [same, changed] = [from, last];
  const look = (ns: bigint): boolean => {
    if (ns <= same) return true;
    if (ns >= changed) return false;
    const found = isSame(ns);
    if (found) same = ns;
    else changed = ns;
    return found;
  };
  if (about > Number(from) && about < Number(last)) {
    const estimate = BigInt(Math.floor(about));
    // What a double leaves open, and more where floors are between.
    const [ahead, step] = look(estimate) ? [true, 1_024n] : [false, -1_024n];
    for (let away = step; look(estimate + away) === ahead && same < changed - 1n; away *= 32n);
  }
  while (changed - same > 1n) look((same + changed) / 2n);
  return changed;
};

interface Comparison {
  readonly holds: (order: number) => boolean;
  /** What is looked at for a change: for what holds on both sides of a moment, the side too. */
  readonly state: (order: number) => boolean | number;
}

/** One comparison of now, with what was done to it. */
interface Compared {
  readonly made: RegoValue;
  readonly other: RegoValue;
  readonly steps: NowSteps;
  readonly order: number;
}

const reportChange = (scope: CallScope, state: Comparison['state'], { made, other, steps, order }: Compared): void => {
  const atNow = madeOf(scope, steps, scope.nowNs);
  // Not made of this now: the policy replaced something on the way.
  if (atNow === undefined || compareValues(atNow, made) !== 0) scope.markVolatile();
  else if (other instanceof RegoNumber) {
    const found = state(order);
    const isSame = (ns: bigint): boolean => {
      scope.spend(other.text.length);
      const value = madeOf(scope, steps, ns);
      if (value === undefined) return false;
      return state(steps.side === 0 ? compareValues(value, other) : compareValues(other, value)) === found;
    };
    // A change after one that is known tells nothing.
    const last = scope.boundaryNs === undefined ? lastMoment : scope.boundaryNs - 1n;
    const changed = firstChange(scope.nowNs, last, momentOf(steps, other), isSame);
    if (changed !== undefined) scope.addBoundary(changed);
  }
};

const comparison =
  ({ holds, state }: Comparison): Builtin =>
  (scope, a, b, told) => {
    if (a === undefined || b === undefined) throw new BuiltinError('a comparison has two operands');
    const steps = nowStepsOperand(told);
    const [made, other] = steps.side === 0 ? [a, b] : [b, a];
    const order = compareValues(a, b);
    reportChange(scope, state, { made, other, steps, order });
    return holds(order);
  };

const by = (holds: (order: number) => boolean): Comparison => ({ holds, state: holds });

const comparisons: readonly (readonly [string, Comparison])[] = [
  ['lt', by((order) => order < 0)],
  ['lte', by((order) => order <= 0)],
  ['gt', by((order) => order > 0)],
  ['gte', by((order) => order >= 0)],
  ['neq', { holds: (order) => order !== 0, state: Math.sign }],
];

/** Reports when the unit of a clock or calendar changes, which is looked for once an evaluation. */
const reportUnit = (scope: CallScope, when: RegoValue | undefined, unit: Unit): void => {
  const zoned = zonedOperand(when);
  if (zoned.ns !== scope.nowNs) scope.markVolatile();
  else scope.addBoundary(scope.once(`${unit} in ${zoned.zone}`, () => nextChange(zoned, unit)));
};

const ofDays =
  (original: Builtin): Builtin =>
  (scope, when) => {
    reportUnit(scope, when, 'day');
    return original(scope, when);
  };

const units: readonly Unit[] = ['hour', 'minute'];

/** The second operand is the finest part that the policy uses: 0 the hour, 1 the minute, 2 the second. */
const clock: Builtin = (scope, when, finest) => {
  const part = finest instanceof RegoNumber ? Number(finest.text) : Number.NaN;
  reportUnit(scope, when, units[part] ?? 'second');
  return timeClock(scope, when);
};

const searching: CallCost = { ...carrying, more: 'steps of the search for when it changes' };
const zoned: CallCost = { call: 20_000, byte: 10 };

/** By the names of their originals. */
export const windowTwins: readonly (readonly [string, BuiltinEntry])[] = [
  ['time.now_ns', { run: nowNs, nonDeterministic: true }],
  ...comparisons.map(([name, compared]) => [name, { run: comparison(compared), cost: searching }] as const),
  ['time.clock', { run: clock, cost: zoned }],
  ['time.date', { run: ofDays(timeDate), cost: zoned }],
  ['time.weekday', { run: ofDays(timeWeekday), cost: zoned }],
];
