import { damageSentence, holeSentence } from '../sentences.ts';
import type { Chain, ChainOptions, DamagedPlace } from './chain.ts';
import { chainOf } from './chain.ts';
import type { Segment } from './writer.ts';

export interface WatchOptions extends Pick<ChainOptions, 'directory' | 'flaws'> {
  readonly segments: () => readonly Segment[];
  readonly end: () => number;
  readonly warn: (sentence: string) => void;
}

/** What is wrong with a log, as numbers. */
export interface LogCondition {
  /** Records that it should have and has not. */
  readonly missingRecords: number;
  /** Files that are damaged or not what they should be, as far as they were read since the log was opened. */
  readonly damagedSegments: number;
}

/** Sentences that one process says of damage; a log that is nothing but damage must not fill another one. */
const MOST_TOLD = 1_000;

/** Looks at the chain of a log that is open, and says what it finds: each thing once. */
export const watchChain = ({ directory, flaws, segments, end, warn }: WatchOptions) => {
  const told = new Set<string>();
  /** Names of files in which damage was met. */
  const damaged = new Set<string>();
  const say = (sentence: string): void => {
    if (told.has(sentence) || told.size >= MOST_TOLD) return;
    told.add(sentence);
    warn(`audit log ${directory}: ${sentence}`);
  };
  const tell = (places: readonly DamagedPlace[]): void => {
    for (const place of places) {
      damaged.add(place.file);
      // The start that opened this log told of files that were set aside, and why.
      if (place.why !== 'aside') say(damageSentence(place));
    }
  };
  const look = (): Chain => {
    const chain = chainOf({ directory, flaws, segments: segments(), end: end() });
    for (const hole of chain.missing) say(holeSentence(hole));
    tell(chain.flaws);
    return chain;
  };
  return {
    look,
    tell,
    condition: (): LogCondition => {
      const { missingRecords } = look();
      return { missingRecords, damagedSegments: damaged.size };
    },
  };
};
