import type { Chain, ChainOptions, DamagedPlace } from './chain.ts';
import { chainOf, damageSentence, holeSentence } from './chain.ts';
import type { Segment } from './writer.ts';

export interface WatchOptions extends Pick<ChainOptions, 'directory' | 'flaws'> {
  readonly segments: () => readonly Segment[];
  readonly end: () => number;
  readonly warn: (sentence: string) => void;
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
    counts: (): { readonly missingRecords: number; readonly damagedSegments: number } => {
      const { missingRecords } = look();
      return { missingRecords, damagedSegments: damaged.size };
    },
  };
};
