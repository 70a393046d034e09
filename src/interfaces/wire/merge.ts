import type { CheckedDocument, CheckedJson, MemberSpan } from '../../engine/index.ts';
import { memberText, reopen } from './input.ts';

/** An object that inputs have in common. What was opened of it is kept, however many inputs are put over it. */
interface Base {
  readonly document: CheckedDocument;
  readonly below: Map<string, Base>;
}

const baseOf = (document: CheckedDocument): Base => ({ document, below: new Map() });

const valueAt = ({ json }: CheckedDocument, { start, end }: MemberSpan): CheckedJson =>
  json.subarray(start, end) as CheckedJson;

const isObject = ({ json }: CheckedDocument, { start }: MemberSpan): boolean => json[start] === 0x7b;

const belowOf = (base: Base, name: string, span: MemberSpan): Base => {
  const known = base.below.get(name);
  if (known !== undefined) return known;
  const opened = baseOf(reopen(valueAt(base.document, span)));
  base.below.set(name, opened);
  return opened;
};

const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from('}');

/** Adds the pieces of the merged object: all of it is text that was sent. */
const addMerged = (pieces: Uint8Array[], base: Base, own: CheckedDocument): void => {
  const { document } = base;
  let separator = OPEN;
  const next = (): void => {
    pieces.push(separator);
    separator = COMMA;
  };
  const deeper = new Set<string>();
  for (const [name, span] of document.members) {
    const mine = own.members.get(name);
    if (mine === undefined) {
      next();
      pieces.push(memberText(document, span));
    } else if (isObject(document, span) && isObject(own, mine)) {
      deeper.add(name);
      next();
      pieces.push(document.json.subarray(span.keyStart, span.start));
      addMerged(pieces, belowOf(base, name, span), reopen(valueAt(own, mine)));
    }
  }
  for (const [name, span] of own.members) {
    if (deeper.has(name)) continue;
    next();
    pieces.push(memberText(own, span));
  }
  if (separator === OPEN) pieces.push(OPEN);
  pieces.push(CLOSE);
};

/**
 * Puts inputs over what they have in common: where both are objects, their members, object by object at every depth;
 * anything else replaces it. As Enterprise OPA merges `common_input`.
 */
export const mergerOver = (
  common: CheckedJson | undefined,
): ((own: CheckedJson | undefined) => CheckedJson | undefined) => {
  if (common === undefined) return (own) => own;
  const document = reopen(common);
  const base = baseOf(document);
  return (own) => {
    if (own === undefined) return common;
    if (document.kind !== 'object') return own;
    const opened = reopen(own);
    if (opened.kind !== 'object') return own;
    const pieces: Uint8Array[] = [];
    addMerged(pieces, base, opened);
    return Buffer.concat(pieces) as Uint8Array as CheckedJson;
  };
};
