import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { HttpResponse } from './exchange.ts';

export interface StoredResponse {
  readonly response: HttpResponse;
  /** Milliseconds since 1970; from then on it is asked for again, or whether it has changed. */
  readonly expiresMs: number;
}

interface Entry extends StoredResponse {
  readonly bundle: string;
}

// An entry with its objects and its places in list and map.
const entryBytes = 1_000;

const bytesOf = ({ response }: Entry): number => {
  let bytes = entryBytes + response.body.length;
  for (const [name, values] of response.headers) {
    for (const value of values) bytes += 100 + 2 * (name.length + value.length);
  }
  return bytes;
};

/** Responses that later evaluations of the same bundle may use, bounded by the bytes that they take. */
export class ResponseCache {
  private readonly entries: LRUCache<string, Entry> | undefined;

  constructor(maxBytes: number) {
    this.entries = maxBytes === 0 ? undefined : new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf });
  }

  /** What one bundle kept. `key` is the whole request: a bundle sees no other's answers, whatever it asks. */
  of(bundle: string) {
    const placeOf = (key: string): string =>
      createHash('sha256').update(`${bundle.length}:${bundle}${key}`).digest('base64');
    return {
      get: (key: string): StoredResponse | undefined => this.entries?.get(placeOf(key)),
      set: (key: string, stored: StoredResponse): void => {
        this.entries?.set(placeOf(key), { ...stored, bundle });
      },
      delete: (key: string): void => {
        this.entries?.delete(placeOf(key));
      },
    };
  }

  forget(bundle: string): void {
    for (const [place, entry] of this.entries?.entries() ?? []) {
      if (entry.bundle === bundle) this.entries?.delete(place);
    }
  }
}

export type BundleResponses = ReturnType<ResponseCache['of']>;
