import fc from 'fast-check';
import { twinName } from '../../../../src/engine/builtins/natives/index.ts';
import { madeOf, nowStepsOperand } from '../../../../src/engine/builtins/time/now-steps.ts';
import { RegoNumber, type RegoValue, regoInteger } from '../../../../src/rego/index.ts';
import { callScope } from '../scope.ts';
import { nowNs } from './tokens.ts';
import { anyValue, type OperandTable } from './values.ts';

const side = fc.constantFrom(regoInteger(0), regoInteger(1));
const amount = fc
  .oneof(
    fc.constantFrom('1', '2', '7', '1000', '1e3', '1e6', '1000000000', '1e9', '60000000000', '-3', '0.5', '-1e9', '0'),
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e18, max: 1e18 }).map(String),
  )
  .map((text) => new RegoNumber(text));

const step: fc.Arbitrary<RegoValue> = fc.oneof(
  fc.tuple(fc.constantFrom('plus', 'minus', 'mul'), side, amount),
  fc.tuple(fc.constant('div'), fc.constant(regoInteger(0)), amount),
  fc.constantFrom<RegoValue>(['floor'], ['round']),
);

/** `[side, steps...]`, and what they make of now; steps that now does not survive are left out. */
export const stepsOfNow = fc.tuple(side, fc.array(step, { maxLength: 3 })).map(([at, all]) => {
  const { scope } = callScope(nowNs);
  const of = (steps: readonly RegoValue[]): RegoNumber | undefined => {
    try {
      return madeOf(scope, nowStepsOperand([at, ...steps]), nowNs);
    } catch {
      return undefined;
    }
  };
  const kept = all.filter((_step, index) => of(all.slice(0, index + 1)) !== undefined);
  const made = of(kept);
  return made === undefined ? { at, steps: [], made: regoInteger(nowNs) } : { at, steps: kept, made };
});

const beside = fc.constantFrom('', '.5', '.000000001', '.0');

const compared = stepsOfNow
  .chain(({ at, steps, made }) => {
    const whole = BigInt(Math.trunc(Number(made.text)));
    const near = fc
      .tuple(fc.bigInt({ min: -5n, max: 5n }), fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.boolean(), beside)
      .map(([little, much, far, tail]) => new RegoNumber(`${whole + little + (far ? much : 0n)}${tail}`));
    const other: fc.Arbitrary<RegoValue> = fc.oneof(near, near, amount, fc.constant(made), anyValue);
    return fc.tuple(fc.constant({ at, steps, made }), other);
  })
  .map(([{ at, steps, made }, other]): readonly RegoValue[] => [
    ...(at.text === '0' ? [made, other] : [other, made]),
    [at, ...steps],
  ]);

export const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Europe/Dublin',
  'America/St_Johns',
  'Pacific/Apia',
  'Antarctica/Troll',
] as const;

const now = regoInteger(nowNs);
const when: fc.Arbitrary<RegoValue> = fc.oneof(
  fc.constant(now),
  fc.constantFrom(...zones, 'Nowhere').map((zone) => [now, zone]),
);

/** Lists of operands for the twins of what looks at now, as a policy gives them: all are of this now. */
export const windowOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>(
  (
    [
      ['time.now_ns', fc.constant([])],
      ...['lt', 'lte', 'gt', 'gte', 'neq'].map((name) => [name, compared] as const),
      ['time.clock', fc.tuple(when, fc.integer({ min: 0, max: 2 }).map(regoInteger))],
      ['time.date', fc.tuple(when)],
      ['time.weekday', fc.tuple(when)],
    ] as const
  ).map(([name, operands]) => [twinName(name), operands] as const),
);
