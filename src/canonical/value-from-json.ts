/** Called for every value, inner ones first; `source` is the text of a number, a string, a boolean or null. */
export type Revive = (value: unknown, source: string | undefined) => unknown;

// ECMAScript 2026; the compiler's library does not describe it yet.
const nativeParse = JSON.parse as (
  text: string,
  reviver?: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

/** Of a text that is JSON: whether some key has an escape. Every string is passed over at most once. */
const hasEscapedKey = (text: string): boolean => {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
    while (isSpace(text[at])) at++;
    if (text[at] === ':') return true;
  }
  return false;
};

const isSpace = (mark: string | undefined): boolean => mark === ' ' || mark === '\n' || mark === '\r' || mark === '\t';

type Open = { readonly items: unknown[] } | { readonly members: { [key: string]: unknown }; key: string };

/** A member like any other, `__proto__` too. */
const put = (open: Open, value: unknown): void => {
  if ('items' in open) open.items.push(value);
  else if (open.key !== '__proto__') open.members[open.key] = value;
  else Object.defineProperty(open.members, open.key, { value, writable: true, enumerable: true, configurable: true });
};

/** Where the string or the bare word that starts at `start` ends. */
const endOf = (text: string, start: number): number => {
  let at = start;
  if (text[at] !== '"') {
    while (at < text.length && !isSpace(text[at]) && !',]}'.includes(text.charAt(at))) at++;
    return at;
  }
  for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at + 1;
};

/** Of a text that is JSON. With a stack of its own: V8's parser takes any depth, too. */
const read = (text: string, revive: Revive): unknown => {
  const stack: Open[] = [];
  let at = 0;
  let result: unknown;
  const close = (value: unknown): void => {
    const outer = stack.at(-1);
    if (outer === undefined) result = value;
    else put(outer, value);
  };
  while (at < text.length) {
    const mark = text.charAt(at);
    const top = stack.at(-1);
    if (isSpace(mark) || mark === ',' || mark === ':') at++;
    else if (mark === '{' || mark === '[') {
      stack.push(mark === '[' ? { items: [] } : { members: {}, key: '' });
      at++;
    } else if (mark === '}' || mark === ']') {
      stack.pop();
      if (top !== undefined) close(revive('items' in top ? top.items : top.members, undefined));
      at++;
    } else {
      const end = endOf(text, at);
      const source = text.slice(at, end);
      let next = end;
      while (isSpace(text[next])) next++;
      if (text[next] === ':' && top !== undefined && 'members' in top) top.key = JSON.parse(source) as string;
      else close(revive(JSON.parse(source), source));
      at = end;
    }
  }
  return result;
};

/**
 * JSON.parse, with the keys that the text has. V8 (13.6, Node 24.21) compares a key that it expects after those before
 * with the escaped text of the one that it reads: once any text of the process was `{"x":1,"\\":1}`, JSON.parse gives
 * `{"x":1,"\"":1}` the key `\`, with a reviver as well. A key without escapes is never taken for another. Can become
 * JSON.parse again once its tests hold for that, too. Throws SyntaxError.
 */
export const valueFromJson = (text: string, revive?: Revive): unknown => {
  const revived = (): unknown =>
    nativeParse(text, revive === undefined ? undefined : (_, found, { source }) => revive(found, source));
  if (!text.includes('\\')) return revived();
  // What is no JSON ends here: what follows trusts the text.
  const value = nativeParse(text);
  if (hasEscapedKey(text)) return read(text, revive ?? ((found) => found));
  return revive === undefined ? value : revived();
};
