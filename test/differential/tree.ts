/** A program's text as a tree, so that parts of it can be left out or replaced. */
export type Tree = string | Branch;

export interface Branch {
  readonly kind: 'text' | 'optional' | 'rules' | 'body' | 'term';
  readonly parts: readonly Tree[];
}

export const text = (...parts: readonly Tree[]): Branch => ({ kind: 'text', parts });
/** Something that may be left out. */
export const optional = (...parts: readonly Tree[]): Branch => ({ kind: 'optional', parts });
/** A value: any smaller value may stand for it. */
export const term = (...parts: readonly Tree[]): Branch => ({ kind: 'term', parts });
/** Lines, each of which may be left out. */
export const rules = (parts: readonly Tree[]): Branch => ({ kind: 'rules', parts });
/** Expressions that hold together, each of which may be left out. */
export const body = (parts: readonly Tree[]): Branch => ({ kind: 'body', parts });

/** Parts with a text between them. */
export const joined = (parts: readonly Tree[], between: string): Tree[] =>
  parts.flatMap((part, at) => (at === 0 ? [part] : [between, part]));

export const written = (tree: Tree): string => {
  if (typeof tree === 'string') return tree;
  const parts = tree.parts.map(written);
  if (tree.kind === 'rules') return parts.join('\n');
  if (tree.kind !== 'body') return parts.join('');
  return parts.length === 0 ? 'true' : parts.join('; ');
};

const withPart = (tree: Branch, at: number, part: Tree): Branch => ({ ...tree, parts: tree.parts.with(at, part) });

const without = (tree: Branch, start: number, count: number): Branch => ({
  ...tree,
  parts: tree.parts.toSpliced(start, count),
});

const terms = (tree: Tree): Tree[] =>
  typeof tree === 'string' ? [] : tree.parts.flatMap((part) => (isTerm(part) ? [part, ...terms(part)] : terms(part)));

const isTerm = (tree: Tree): boolean => typeof tree !== 'string' && tree.kind === 'term';

const smallTerms = ['1', '"x"', 'true', 'input.a', 'input'];

/** What may stand for a branch itself: nothing, fewer parts, or a value inside it. */
function* ownShrinks(tree: Branch): Generator<Tree> {
  const { kind, parts } = tree;
  if (kind === 'optional' && parts.length > 0) yield { ...tree, parts: [] };
  if (kind === 'rules' || kind === 'body') {
    for (let size = parts.length >> 1; size > 1; size >>= 1) {
      for (let start = 0; start < parts.length; start += size) yield without(tree, start, size);
    }
    for (let at = 0; at < parts.length; at++) yield without(tree, at, 1);
  }
  if (kind === 'term') {
    const own = written(tree);
    for (const small of smallTerms) if (small.length < own.length) yield term(small);
    for (const inner of terms(tree)) yield inner;
  }
}

/** Smaller trees, one step away, the boldest steps first. */
export function* shrinks(tree: Tree): Generator<Tree> {
  if (typeof tree === 'string') return;
  yield* ownShrinks(tree);
  for (const [at, part] of tree.parts.entries()) {
    for (const smaller of shrinks(part)) yield withPart(tree, at, smaller);
  }
}
