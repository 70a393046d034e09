import type { RecordFacts } from '../../decision/model.ts';
import type { Tail } from './content.ts';
import { asideMember } from './content.ts';
import type { Growing } from './head.ts';
import { growing } from './head.ts';
import type { SideValue } from './side.ts';
import { toSide } from './side.ts';

const SMALL_BYTES = 512;

/** Puts the facts aside that can grow, for a record that would be larger than a leaf otherwise. */
export const withSideFacts = (
  facts: RecordFacts,
  tail: Tail,
): { readonly aside: ReadonlyMap<Growing, string>; readonly tail: Tail } => {
  const aside = new Map<Growing, string>();
  const sides: SideValue[] = [];
  for (const name of Object.keys(growing) as Growing[]) {
    const text = growing[name](facts);
    if (text.length <= SMALL_BYTES) continue;
    const { side, reference } = toSide(text);
    aside.set(name, reference);
    sides.push(side);
  }
  const pointers = [...[...aside.keys()].map((name) => `/${name}`), ...tail.aside];
  const end = `${asideMember(tail.aside)}}`;
  const text = `${tail.text.slice(0, tail.text.length - end.length)}${asideMember(pointers)}}`;
  return { aside, tail: { ...tail, text, aside: pointers, sides: [...tail.sides, ...sides], bytes: 0 } };
};
