import type { RegoValue } from '../../../rego/index.ts';
import { RegoBytes, RegoNumber } from '../../../rego/index.ts';
import { exactInteger } from '../../values/number-text.ts';
import { BuiltinError } from '../model.ts';
import { zoneNames } from './zone-names.ts';

/** What a clock on the wall shows. */
export interface Wall {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** Whether the nanoseconds since 1970 are a 64-bit integer, as all times of OPA are. */
export const isInstant = (ns: bigint): boolean => ns >= LEAST && ns <= MOST;

// Local: the toolchain has no machine whose zone could be meant. Factory: tzdata's zone of who set none.
const asUtc = new Set(['', 'UTC', 'Local', 'Factory']);

const clocks = new Map<string, Intl.DateTimeFormat>();

const clockOf = (zone: string): Intl.DateTimeFormat => {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  clocks.set(zone, clock);
  return clock;
};

const wallOf = (ms: number): Wall => {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
  };
};

/** What clocks of a zone show is ahead of UTC by so many milliseconds. */
const aheadAt = (ms: number, zone: string): number => {
  const second = Math.floor(ms / 1000) * 1000;
  const shown: { [part: string]: number } = {};
  for (const { type, value } of clockOf(zone).formatToParts(ms)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
};

// No zone of tzdata changes twice within three days: between two moments of one offset lies no other.
const STRETCH_MS = 86_400_000;
const MOST_STRETCHES = 4096;
/** By zone and stretch of time: milliseconds ahead of UTC, or that they change in there. */
const stretches = new Map<string, Map<number, number | 'changes'>>();
let stretchCount = 0;

const stretchOf = (stretch: number, zone: string): number | 'changes' => {
  const known = stretches.get(zone)?.get(stretch);
  if (known !== undefined) return known;
  const ahead = aheadAt(stretch * STRETCH_MS, zone);
  const found = ahead === aheadAt((stretch + 1) * STRETCH_MS, zone) ? ahead : 'changes';
  if (stretchCount++ >= MOST_STRETCHES) {
    stretches.clear();
    stretchCount = 1;
  }
  const ofZone = stretches.get(zone) ?? new Map();
  stretches.set(zone, ofZone.set(stretch, found));
  return found;
};

const zonedWall = (ms: number, zone: string): Wall => {
  const ahead = stretchOf(Math.floor(ms / STRETCH_MS), zone);
  return wallOf(ms + (ahead === 'changes' ? aheadAt(ms, zone) : ahead));
};

const instantOf = (value: RegoValue | undefined): bigint => {
  if (!(value instanceof RegoNumber)) throw new BuiltinError('operand 1 must be a number of nanoseconds');
  const ns = exactInteger(value.text);
  if (ns === undefined || !isInstant(ns)) throw new BuiltinError('timestamp too big');
  return ns;
};

/** A moment, and the zone whose clocks are asked. */
export interface Zoned {
  /** Nanoseconds since 1970. */
  readonly ns: bigint;
  readonly zone: string;
}

/** `ns` or `[ns, zone]`; a third item (a layout) is passed over, as OPA passes it over. */
export const zonedOperand = (value: RegoValue | undefined): Zoned => {
  const parts = Array.isArray(value) ? (value as readonly RegoValue[]) : [value];
  const [when, zone = 'UTC', layout = ''] = parts;
  for (const text of [zone, layout]) {
    if (typeof text !== 'string' && !(text instanceof RegoBytes))
      throw new BuiltinError('zone and layout must be strings');
  }
  const ns = instantOf(when);
  if (typeof zone === 'string' && asUtc.has(zone)) return { ns, zone: 'UTC' };
  if (typeof zone !== 'string' || !zoneNames.has(zone)) throw new BuiltinError('unknown time zone');
  return { ns, zone };
};

/** What clocks of the zone show. */
export const wallAt = ({ ns, zone }: Zoned): Wall => {
  const ms = Number((ns - nanosecondsPast(ns)) / 1_000_000n);
  return zone === 'UTC' ? wallOf(ms) : zonedWall(ms, zone);
};

export const wallOperand = (value: RegoValue | undefined): Wall => wallAt(zonedOperand(value));

/** Of a second that began before. */
export const nanosecondsPast = (ns: bigint): bigint => ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
