import type { Chain, DamagedPlace } from '../store/chain.ts';
import type { Segment } from '../store/writer.ts';
import { checkSegments } from './check.ts';
import { cursorOf, indexOf } from './cursor.ts';
import type { AuditReader, RecordFilter } from './model.ts';
import type { PageRequest } from './page.ts';
import { readingThread } from './reading-thread.ts';
import { mayBeInTime } from './time.ts';

/** What one search may cost the reading thread; it answers what it has when one of these is used up. */
export interface SearchBounds {
  readonly ms: number;
  readonly bytes: number;
  readonly answerBytes: number;
}

const defaultBounds: SearchBounds = { ms: 2_000, bytes: 1 << 28, answerBytes: 1 << 24 };

export interface ReaderOptions {
  readonly origin: string;
  /** What is written now; what still waits is written first. */
  readonly look: () => Chain;
  readonly end: () => number;
  /** Called with damage that was met, however often. */
  readonly onDamage: (places: readonly DamagedPlace[]) => void;
  readonly bounds?: Partial<SearchBounds>;
}

const isInTime = (filter: RecordFilter, { range }: Segment): boolean =>
  range === undefined || mayBeInTime(filter, range);

/** Segments in order, without those that cannot hold what is wanted: they need not be opened. */
const chosen = (all: readonly Segment[], filter: RecordFilter, order: PageRequest['order'], bound: number) => {
  const holds = ({ first, held }: Segment): boolean =>
    order === 'newest' ? first < bound : (held.at(-1)?.[1] ?? first) > bound;
  return all
    .filter((segment) => holds(segment) && (segment.state === 'damaged' || isInTime(filter, segment)))
    .sort((a, b) => a.first - b.first);
};

/** Reads the segments of one log. */
export const createReader = ({ origin, look, end, onDamage, bounds }: ReaderOptions) => {
  const thread = readingThread();
  const most = { ...defaultBounds, ...bounds };
  const read = async (chain: Chain, request: Pick<PageRequest, 'filter' | 'order' | 'bound' | 'limit'>) => {
    const segments = chosen(chain.present, request.filter, request.order, request.bound);
    const page = await thread.read({ ...request, segments, most });
    onDamage(page.damaged);
    return { ...page, damaged: [...chain.flaws, ...page.damaged], missing: chain.missing };
  };
  const reader: AuditReader = {
    search: async (filter, { limit, cursor }) => {
      const bound = cursor === undefined ? Number.MAX_SAFE_INTEGER : indexOf(origin, cursor);
      const { reached, more, ...page } = await read(look(), { filter, order: 'newest', bound, limit });
      return more ? { ...page, next: cursorOf(origin, reached) } : page;
    },
    follow: async (filter, { limit, from }) => {
      const chain = look();
      const written = end();
      const { reached, more, ...page } = await read(chain, { filter, order: 'oldest', bound: from, limit });
      return { ...page, upTo: more ? reached : Math.max(written, from) };
    },
    missing: () => look().missing,
    end,
    cursorOf: (index) => cursorOf(origin, index),
    indexOf: (cursor) => indexOf(origin, cursor),
    close: thread.close,
  };
  return {
    ...reader,
    /** Reads segments from their first byte to their last, for damage alone. */
    check: (segments: readonly Segment[]): Promise<void> =>
      checkSegments(segments, (request) => thread.read({ ...request, most }), onDamage),
  };
};
