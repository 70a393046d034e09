import type { Made } from './made.ts';
import type { PreparedContent } from './model.ts';
import { Recent } from './recent.ts';

/** A body that was answered before: the answer, and the audit text that this body's records have. */
export interface Repeatable {
  readonly kind: 'repeatable';
  readonly made: Made;
  readonly prepared: PreparedContent;
  readonly path: readonly string[];
  readonly strictErrors: boolean;
  readonly inputPresent: boolean;
  /** The last epoch at which the answer's ground was found active. */
  epoch: number;
}

/** `evictions`: entries that went because others needed the room, since the start. */
export interface CacheSize {
  readonly entries: number;
  readonly bytes: number;
  readonly evictions: number;
}

/** Remembered answers, bounded by the bytes that they take. */
export interface Store {
  made(key: string): Made | undefined;
  repeatable(key: string): Repeatable | undefined;
  keep(key: string, entry: Made | Repeatable): void;
  drop(key: string): void;
  size(): CacheSize;
}

// An entry with its objects and its places in list and map, texts left out. Measured on Node 24: 600 and 300 bytes.
const MADE_BYTES = 700;
const REPEATABLE_BYTES = 400;

const bytesOfText = (text: string): number => (/[^\u0000-\u00ff]/.test(text) ? 2 * text.length : text.length);

const bytesOfMade = (made: Made): number => {
  let bytes = MADE_BYTES + bytesOfText(made.ground) + bytesOfText(made.context ?? '');
  if (made.verdict.kind === 'decided') bytes += bytesOfText(made.verdict.result);
  for (const { builtin, operands, result } of made.nonDeterministic) {
    bytes += 100 + bytesOfText(builtin) + bytesOfText(operands) + bytesOfText(result);
  }
  for (const token of made.tokens) {
    bytes += 250 + bytesOfText(token.issuer ?? '') + bytesOfText(token.subject ?? '') + bytesOfText(token.id ?? '');
  }
  return bytes;
};

// A repeatable entry keeps its answer alive when the answer's own entry is gone: it counts it again.
const bytesOfEntry = (entry: Made | Repeatable, key: string): number => {
  if (entry.kind === 'made') return bytesOfText(key) + bytesOfMade(entry);
  const path = entry.path.reduce((sum, step) => sum + 40 + bytesOfText(step), 0);
  return bytesOfText(key) + REPEATABLE_BYTES + path + entry.prepared.sizeBytes + bytesOfMade(entry.made);
};

export const openStore = (maxBytes: number): Store => {
  // One answer may take a tenth: a few large ones must not push out everything else.
  const cache = new Recent<Made | Repeatable>(maxBytes, Math.max(1, Math.floor(maxBytes / 10)));
  return {
    made(key) {
      const entry = cache.get(key);
      return entry?.kind === 'made' ? entry : undefined;
    },
    repeatable(key) {
      const entry = cache.get(key);
      return entry?.kind === 'repeatable' ? entry : undefined;
    },
    keep(key, entry) {
      cache.set(key, entry, bytesOfEntry(entry, key));
    },
    drop(key) {
      cache.delete(key);
    },
    size: () => ({ entries: cache.size, bytes: cache.bytes, evictions: cache.evictions }),
  };
};
