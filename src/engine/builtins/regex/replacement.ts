import { isPrintableCode } from '../format/printable.ts';
import type { Match, Program } from './program.ts';

/** A part of a replacement: text as it is, or what a group matched. */
type Part = { readonly text: string } | { readonly group: number };

const nameCharacter = /[\p{L}\p{Nd}_]/u;

/** Letters and digits that Go knows; see unicode.ts for the years between the tables. */
const isNameCharacter = (character: string): boolean =>
  nameCharacter.test(character) && isPrintableCode(character.codePointAt(0) ?? 0);

const nameAt = (template: string, start: number): string => {
  let name = '';
  for (const character of template.slice(start)) {
    if (!isNameCharacter(character)) break;
    name += character;
  }
  return name;
};

const groupOf = (name: string, program: Program): number | undefined =>
  /^(?:0|[1-9]\d{0,8})$/.test(name) ? Number(name) : program.names[name];

/**
 * The parts of a replacement as Go reads it: `$1`, `$name` (the longest name that can be read), `${name}`, `$$` for a
 * dollar; groups that are not there are empty, and a dollar that starts none of these stays.
 */
export const replacementParts = (template: string, program: Program): readonly Part[] => {
  const parts: Part[] = [];
  let at = 0;
  for (let dollar = template.indexOf('$'); dollar >= 0; dollar = template.indexOf('$', at)) {
    parts.push({ text: template.slice(at, dollar) });
    at = dollar + 1;
    if (template[at] === '$') {
      parts.push({ text: '$' });
      at++;
      continue;
    }
    const braced = template[at] === '{';
    const start = braced ? at + 1 : at;
    const name = nameAt(template, start);
    const end = start + name.length;
    if (name === '' || (braced && template[end] !== '}')) {
      parts.push({ text: '$' });
      continue;
    }
    const group = groupOf(name, program);
    if (group !== undefined && group <= program.groups) parts.push({ group });
    at = braced ? end + 1 : end;
  }
  parts.push({ text: template.slice(at) });
  return parts;
};

/** What stands in the place of a match. */
export const replacementOf = (parts: readonly Part[], text: string, match: Match): string =>
  parts
    .map((part) => {
      if ('text' in part) return part.text;
      const start = match[2 * part.group] ?? -1;
      return start < 0 ? '' : text.slice(start, match[2 * part.group + 1]);
    })
    .join('');
