import type { RegoNamedValue } from './model.ts';

/** What a name in an expression stood for, as people read it; `undefined` is no text of any value. */
export const namedValueText = ({ name, value }: RegoNamedValue): string =>
  value === 'undefined' ? `${name} is undefined` : `${name} = ${value}`;
