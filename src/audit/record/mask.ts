import { pointerStep, pointerSteps } from '../../canonical/index.ts';
import type { AuditSettings } from '../settings.ts';
import type { TextNode } from './json-text.ts';
import { scalar } from './json-text.ts';

/** What masking did, by pointer. */
export interface MaskReport {
  readonly erased: string[];
  readonly masked: string[];
}

type Change = (node: TextNode, pointer: string) => TextNode | undefined;

interface Rule {
  readonly steps: readonly string[];
  readonly text?: string;
}

/** Masks of one part of a record (its input, result or nd_builtin_cache), in the order in which they apply. */
export interface PartMasks {
  readonly allow: readonly (readonly string[])[];
  readonly rules: readonly Rule[];
  readonly erasable: readonly (readonly string[])[];
}

export const hasMasks = (masks: PartMasks): boolean =>
  masks.allow.length + masks.rules.length + masks.erasable.length > 0;

export type PartName = 'input' | 'result' | 'nd_builtin_cache';

export const masksOf = (settings: AuditSettings, part: PartName): PartMasks => {
  const own = (pointers: readonly string[]): string[][] =>
    pointers
      .map(pointerSteps)
      .filter(([first]) => first === part)
      .map((steps) => steps.slice(1));
  const replaced = Object.entries(settings.mask.replace).flatMap(([pointer, value]) =>
    own([pointer]).map((steps) => ({ steps, text: JSON.stringify(value) })),
  );
  return {
    allow: own(settings.mask.allow),
    rules: [...own(settings.mask.drop).map((steps) => ({ steps })), ...replaced],
    erasable: own(settings.erasable),
  };
};

/** Applies `change` to every node that the steps name; undefined from it removes the node. */
const changeAt = (node: TextNode, steps: readonly string[], pointer: string, change: Change): TextNode | undefined => {
  const [step, ...rest] = steps;
  if (step === undefined) return change(node, pointer);
  if (node.kind === 'scalar') return node;
  if (node.kind === 'array') {
    // A removed element leaves null, so that the others keep their places.
    const items = node.items.map((item, at) =>
      step === '*' || step === String(at)
        ? (changeAt(item, rest, pointer + pointerStep(at), change) ?? scalar('null'))
        : item,
    );
    return { kind: 'array', items };
  }
  const members = node.members.flatMap((member) => {
    if (step !== '*' && step !== member.key) return [member];
    const value = changeAt(member.value, rest, pointer + pointerStep(member.key), change);
    return value === undefined ? [] : [{ ...member, value }];
  });
  return { kind: 'object', members };
};

/** Keeps what some allowed path leads to or below; `open` are the paths that still lead here. */
const keepAllowed = (
  node: TextNode,
  open: readonly (readonly string[])[],
  pointer: string,
  erased: string[],
): TextNode | undefined => {
  if (open.some((steps) => steps.length === 0)) return node;
  const below = (key: string): (readonly string[])[] =>
    open.filter(([step]) => step === '*' || step === key).map((steps) => steps.slice(1));
  const kept = (value: TextNode, key: string): TextNode | undefined =>
    keepAllowed(value, below(key), pointer + pointerStep(key), erased);
  if (open.length === 0 || node.kind === 'scalar') {
    erased.push(pointer);
    return undefined;
  }
  if (node.kind === 'array') {
    return { kind: 'array', items: node.items.map((item, at) => kept(item, String(at)) ?? scalar('null')) };
  }
  const members = node.members.flatMap((member) => {
    const value = kept(member.value, member.key);
    return value === undefined ? [] : [{ ...member, value }];
  });
  return { kind: 'object', members };
};

/** A part without what must not be in the record; undefined when nothing of it is left. */
export const mask = (root: TextNode, masks: PartMasks, part: PartName, report: MaskReport): TextNode | undefined => {
  const top = `/${part}`;
  let node: TextNode | undefined = masks.allow.length === 0 ? root : keepAllowed(root, masks.allow, top, report.erased);
  for (const { steps, text } of masks.rules) {
    if (node === undefined) return undefined;
    node = changeAt(node, steps, top, (_, pointer) => {
      (text === undefined ? report.erased : report.masked).push(pointer);
      return text === undefined ? undefined : scalar(text);
    });
  }
  return node;
};

/** Replaces every erasable value by what `aside` makes of it. */
export const moveErasable = (
  root: TextNode,
  masks: PartMasks,
  part: PartName,
  aside: (node: TextNode, pointer: string) => TextNode,
): TextNode => masks.erasable.reduce<TextNode>((node, steps) => changeAt(node, steps, `/${part}`, aside) ?? node, root);
