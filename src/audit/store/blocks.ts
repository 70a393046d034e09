/** Where up to 512 records begin in their segment, and between which decision ids theirs lie ('' and '' for none). */
export type Block = [offset: number, lowestId: string, highestId: string];

export const RECORDS_PER_BLOCK = 512;

/**
 * What `find` needs of a segment. Ids are compared as text: UUIDv7 ids sort by time that way, and a block holds the
 * true lowest and highest of its ids, so a clock that stepped back, or ids of another kind, cost time but no record.
 */
export interface Blocks {
  readonly list: Block[];
  /** Takes the next record. `id` is absent for records that are no decision. */
  add(offset: number, id: string | undefined): void;
}

export const createBlocks = (): Blocks => {
  const list: Block[] = [];
  let block: Block | undefined;
  let taken = 0;
  return {
    list,
    add: (offset, id) => {
      if (block === undefined || taken === RECORDS_PER_BLOCK) {
        block = [offset, '', ''];
        list.push(block);
        taken = 0;
      }
      taken += 1;
      if (id === undefined) return;
      if (block[2] === '') {
        block[1] = id;
        block[2] = id;
      } else if (id > block[2]) block[2] = id;
      else if (id < block[1]) block[1] = id;
    },
  };
};

/** The lowest and the highest id of a list of blocks; undefined when there is none. */
export const idRange = (list: readonly Block[]): readonly [string, string] | undefined => {
  let lowest: string | undefined;
  let highest = '';
  for (const [, low, high] of list) {
    if (high === '') continue;
    if (lowest === undefined || low < lowest) lowest = low;
    if (high > highest) highest = high;
  }
  return lowest === undefined ? undefined : [lowest, highest];
};
