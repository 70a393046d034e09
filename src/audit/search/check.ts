import { setTimeout as sleep } from 'node:timers/promises';
import { AuditError } from '../../decision/model.ts';
import type { DamagedPlace } from '../store/chain.ts';
import type { Segment } from '../store/writer.ts';
import type { PageReply, PageRequest } from './page.ts';

/** No record is called by a wire out of none: all are read, and none is answered. */
const NOTHING = { wire: [] };

type CheckRequest = Pick<PageRequest, 'filter' | 'order' | 'bound' | 'limit' | 'segments'>;

const RETRY_MS = 1_000;

/** Waits while more searches are under way than the log takes. */
const patiently = async (ask: () => Promise<PageReply>): Promise<PageReply> => {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof AuditError) || error.code !== 'AUDIT_BUSY') throw error;
      await sleep(RETRY_MS, undefined, { ref: false });
    }
  }
};

/**
 * Reads segments once, newest first, and tells of damage. Between two reads it rests as long as one took: searches go first,
 * and deciding keeps its processor.
 */
export const checkSegments = async (
  segments: readonly Segment[],
  read: (request: CheckRequest) => Promise<PageReply>,
  tell: (places: readonly DamagedPlace[]) => void,
): Promise<void> => {
  for (const segment of segments.toReversed()) {
    let bound = 0;
    for (let more = true; more; ) {
      const startedMs = performance.now();
      const page = await patiently(() =>
        read({ segments: [segment], filter: NOTHING, order: 'oldest', bound, limit: 1 }),
      );
      tell(page.damaged);
      more = page.more && page.reached > bound;
      bound = page.reached;
      await sleep(performance.now() - startedMs, undefined, { ref: false });
    }
  }
};
