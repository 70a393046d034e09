import type { Segment } from '../store/writer.ts';
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
  readonly segments: () => readonly Segment[];
  readonly end: () => number;
  readonly bounds?: Partial<SearchBounds>;
}

const byFirst = (a: Segment, b: Segment): number => a.first - b.first;

/** Segments in order, without those that cannot hold what is wanted: they need not be opened. */
const chosen = (all: readonly Segment[], filter: RecordFilter, order: PageRequest['order'], bound: number) => {
  const sorted = [...all].sort(byFirst);
  return sorted.filter(({ first, state, range }, at) => {
    const next = sorted[at + 1]?.first ?? Number.POSITIVE_INFINITY;
    if (order === 'newest' ? first >= bound : next <= bound) return false;
    return state === 'damaged' || range === undefined || mayBeInTime(filter, range);
  });
};

/** Reads the segments of one log. */
export const createReader = ({ origin, segments, end, bounds }: ReaderOptions): AuditReader => {
  const thread = readingThread();
  const most = { ...defaultBounds, ...bounds };
  const read = (all: readonly Segment[], request: Pick<PageRequest, 'filter' | 'order' | 'bound' | 'limit'>) =>
    thread.read({ ...request, segments: chosen(all, request.filter, request.order, request.bound), most });
  return {
    search: async (filter, { limit, cursor }) => {
      const bound = cursor === undefined ? Number.MAX_SAFE_INTEGER : indexOf(origin, cursor);
      const { reached, more, ...page } = await read(segments(), { filter, order: 'newest', bound, limit });
      return more ? { ...page, next: cursorOf(origin, reached) } : page;
    },
    follow: async (filter, { limit, from }) => {
      const all = segments();
      const written = end();
      const { reached, more, ...page } = await read(all, { filter, order: 'oldest', bound: from, limit });
      return { ...page, upTo: more ? reached : Math.max(written, from) };
    },
    end,
    cursorOf: (index) => cursorOf(origin, index),
    indexOf: (cursor) => indexOf(origin, cursor),
    close: thread.close,
  };
};
