import { uuidv7Ms } from '../../canonical/index.ts';
import type { RecordFilter } from './model.ts';

/**
 * How far a decision's id and its timestamp may lie apart: the id is made when the question comes, the timestamp when
 * the answer leaves, and ids do not go back when the clock is set back.
 */
const SLACK_MS = 600_000;

/**
 * False when no record whose id lies in the range can be in the filter's time. Events have no ids, and ids of another
 * kind no time: they cut nothing.
 */
export const mayBeInTime = (filter: RecordFilter, range: readonly [lowest: string, highest: string]): boolean => {
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY, events, batch } = filter;
  const [lowest, highest] = range.map(uuidv7Ms);
  if (events === true || lowest === undefined || highest === undefined) return true;
  const isNear = (fromMs: number, toMs: number): boolean => highest + SLACK_MS >= fromMs && lowest - SLACK_MS < toMs;
  // A batch's id is of the moment of its decisions.
  const batches = batch?.map(uuidv7Ms);
  return isNear(fromMs, toMs) && (batches?.some((ms) => ms === undefined || isNear(ms, ms + 1)) ?? true);
};
