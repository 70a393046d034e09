/** Tells whether a raw key came before, and marks it. It may be wrong either way, which costs time and no answer. */
export type Arrivals = (rawKey: string) => boolean;

const PLACES = 2 ** 16;

/**
 * Remembers about the last 65,000 keys in 256 KiB, however long they are: a number of 32 bits each (FNV-1a), where a
 * later key of the same place takes over. An entry a key in the cache would push out answers.
 */
export const openArrivals = (): Arrivals => {
  const marks = new Uint32Array(PLACES);
  return (rawKey) => {
    let mark = 0x811c9dc5;
    for (let at = 0; at < rawKey.length; at++) mark = Math.imul(mark ^ rawKey.charCodeAt(at), 0x01000193);
    mark >>>= 0;
    const place = mark % PLACES;
    const came = marks[place] === mark;
    marks[place] = mark;
    return came;
  };
};
