import { RegoNumber, type RegoValue, regoInteger } from '../../../rego/index.ts';
import { type Builtin, BuiltinError, type CallScope } from '../model.ts';
import { div, floor, minus, mul, plus, round } from '../natives/arithmetic.ts';

interface Operation {
  readonly run: Builtin;
  /** Roughly, what one operand was when this was made of it and `other`. */
  readonly inverse: (made: number, other: number, side: number) => number;
}

// All of them rise or fall with now, wherever it stands: what is made of it does not turn back.
const operations: ReadonlyMap<RegoValue, Operation> = new Map([
  ['plus', { run: plus, inverse: (made, other) => made - other }],
  ['minus', { run: minus, inverse: (made, other, side) => (side === 0 ? made + other : other - made) }],
  ['mul', { run: mul, inverse: (made, other) => made / other }],
  ['div', { run: div, inverse: (made, other) => made * other }],
  ['floor', { run: floor, inverse: (made) => made }],
  ['round', { run: round, inverse: (made) => made }],
]);

interface Step {
  readonly operation: Operation;
  /** At which operand what was made so far stands. */
  readonly side: number;
  readonly other: RegoNumber | undefined;
}

/** What a policy did to now before it compared it. */
export interface NowSteps {
  /** At which operand of the comparison the result stands. */
  readonly side: 0 | 1;
  readonly steps: readonly Step[];
  /** Points of the instruction budget that doing it once takes. */
  readonly points: number;
}

const noSteps = (): BuiltinError => new BuiltinError('operand 3 must be what was done to now');

const sideOf = (value: RegoValue | undefined): 0 | 1 => {
  const text = value instanceof RegoNumber ? value.text : '';
  if (text !== '0' && text !== '1') throw noSteps();
  return text === '0' ? 0 : 1;
};

const stepOf = (value: RegoValue): Step => {
  const [name, side, other] = Array.isArray(value) ? (value as readonly RegoValue[]) : [];
  const operation = name === undefined ? undefined : operations.get(name);
  if (operation === undefined) throw noSteps();
  if (other === undefined) return { operation, side: 0, other };
  if (!(other instanceof RegoNumber)) throw noSteps();
  return { operation, side: sideOf(side), other };
};

/** Reads `[side, ["minus", 0, x], ["floor"]]` as toolchain/windows.go writes it. */
export const nowStepsOperand = (value: RegoValue | undefined): NowSteps => {
  const [side, ...told] = Array.isArray(value) ? (value as readonly RegoValue[]) : [];
  const steps = told.map(stepOf);
  const points = steps.reduce((sum, { other }) => sum + 1_000 + (other?.text.length ?? 0), 200);
  return { side: sideOf(side), steps, points };
};

// Up to here a float of 64 bits holds every integer, so that exact and rounded results are in one order.
const mostInOrder = 2 ** 63;

const isInOrder = (value: RegoValue | undefined): value is RegoNumber =>
  value instanceof RegoNumber && Math.abs(Number(value.text)) <= mostInOrder;

/** What the steps make of a moment; undefined where that is no number, or so large that its order is not sure. */
export const madeOf = (scope: CallScope, { steps, points }: NowSteps, ns: bigint): RegoNumber | undefined => {
  scope.spend(points);
  let made = regoInteger(ns);
  for (const { operation, side, other } of steps) {
    const operands = other === undefined ? [made] : side === 0 ? [made, other] : [other, made];
    const result = operation.run(scope, ...operands);
    if (!isInOrder(result)) return undefined;
    made = result;
  }
  return made;
};

/** About when the steps make this number. */
export const momentOf = ({ steps }: NowSteps, made: RegoNumber): number =>
  steps.reduceRight(
    (value, { operation, side, other }) => operation.inverse(value, Number(other?.text ?? 0), side),
    Number(made.text),
  );
