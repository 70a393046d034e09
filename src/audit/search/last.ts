import { soundFrames } from '../store/frame.ts';
import type { Segment } from '../store/writer.ts';
import { readSpan } from './page.ts';
import { spansOf } from './walk.ts';

/** The text of the newest record; undefined in a log that has none that is sound. */
export const lastRecord = (segments: readonly Segment[]): string | undefined => {
  const beyond = ({ held }: Segment): number => held.at(-1)?.[1] ?? 0;
  const newest = segments.toSorted((a, b) => beyond(a) - beyond(b)).at(-1);
  const span = newest === undefined ? undefined : spansOf(newest, {}).at(-1);
  const bytes = newest === undefined || span === undefined ? undefined : readSpan(newest.file, span);
  if (bytes === undefined) return undefined;
  let text: string | undefined;
  for (const { start, end } of soundFrames(bytes, 0)) text = bytes.toString('utf8', start, end);
  return text;
};

/** Whether the process that wrote this log before ended as it should: its last record is then a stop. */
export const isAfterStop = (segments: readonly Segment[]): boolean => {
  const text = lastRecord(segments);
  if (text === undefined) return true;
  const { type, event } = JSON.parse(text) as { readonly type?: unknown; readonly event?: unknown };
  return type === 'event' && event === 'stop';
};
