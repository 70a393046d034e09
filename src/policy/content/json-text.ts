import type { CheckedJson } from '../../engine/index.ts';

/**
 * JSON whose numbers stay text: JavaScript's would turn 12345678901234567890 into another number. Everything in here
 * takes texts that `checkJson` accepted, so it checks nothing again.
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: Map<string, JsonNode> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  /** A string, number, boolean or null, as it is written. */
  | { readonly kind: 'scalar'; readonly text: string };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

const skipSpace = (text: string, at: number): number => {
  let end = at;
  while (text.charCodeAt(end) <= 0x20) end++;
  return end;
};

/** Where the string that starts at `at` ends: at the first quote behind an even number of backslashes. */
const stringEnd = (text: string, at: number): number => {
  let quote = text.indexOf('"', at + 1);
  for (;;) {
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
};

/** Where the scalar that starts at `at` ends. */
const scalarEnd = (text: string, at: number): number => {
  if (text.charCodeAt(at) === QUOTE) return stringEnd(text, at);
  let end = at;
  // Up to white space, a comma, ] or }, or the end of the text (NaN, which is no more than anything).
  for (;;) {
    const code = text.charCodeAt(end);
    if (!(code > 0x20) || code === COMMA || code === 0x5d || code === 0x7d) return end;
    end++;
  }
};

const unquote = (token: string): string =>
  token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, token.length - 1);

class Reader {
  private at: number;
  private readonly text: string;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  private peek(): string {
    this.at = skipSpace(this.text, this.at);
    return this.text[this.at] ?? '';
  }

  value(): JsonNode {
    const first = this.peek();
    if (first === '{') return { kind: 'object', members: this.members() };
    if (first === '[') return { kind: 'array', items: this.items() };
    const token = this.token();
    return { kind: 'scalar', text: token.includes('\\') ? JSON.stringify(JSON.parse(token)) : token };
  }

  private token(): string {
    const start = this.at;
    this.at = scalarEnd(this.text, start);
    return this.text.slice(start, this.at);
  }

  private members(): Map<string, JsonNode> {
    const members = new Map<string, JsonNode>();
    this.at++;
    while (this.peek() !== '}') {
      if (this.text.charCodeAt(this.at) === COMMA) this.at++;
      this.peek();
      const key = unquote(this.token());
      this.peek();
      this.at++;
      members.set(key, this.value());
    }
    this.at++;
    return members;
  }

  private items(): JsonNode[] {
    const items: JsonNode[] = [];
    this.at++;
    while (this.peek() !== ']') {
      if (this.text.charCodeAt(this.at) === COMMA) this.at++;
      items.push(this.value());
    }
    this.at++;
    return items;
  }
}

export const parseJson = (text: string): JsonNode => new Reader(text, 0).value();

/** Where the value that starts at `at` ends. */
const valueEnd = (text: string, at: number): number => {
  let depth = 0;
  let end = at;
  do {
    end = skipSpace(text, end);
    const first = text[end] ?? '';
    if (first === '{' || first === '[') depth++;
    else if (first === '}' || first === ']') depth--;
    const isMark = '{}[],:'.includes(first);
    end = isMark ? end + 1 : scalarEnd(text, end);
  } while (depth > 0 && end < text.length);
  return end;
};

/**
 * Where the value at `path` stands: the beginning of its key, or of the item of an array. Of a path that leads nowhere,
 * the last step that there is.
 */
export const offsetOf = (text: string, path: readonly string[]): number => {
  let found = skipSpace(text, 0);
  let value = found;
  for (const segment of path) {
    const opens = text[value];
    if (opens !== '{' && opens !== '[') return found;
    let at = skipSpace(text, value + 1);
    for (let index = 0; ; index++) {
      if (at >= text.length || text[at] === '}' || text[at] === ']') return found;
      const keyEnd = opens === '{' ? stringEnd(text, at) : at;
      const start = opens === '{' ? skipSpace(text, skipSpace(text, keyEnd) + 1) : at;
      if ((opens === '{' ? unquote(text.slice(at, keyEnd)) : String(index)) === segment) {
        found = at;
        value = start;
        break;
      }
      at = skipSpace(text, valueEnd(text, start));
      if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
    }
  }
  return found;
};

const SURROGATE = /[\ud800-\udfff]/;

/**
 * Keys in the order of their UTF-8 bytes, in which Go sorts them; UTF-16's differs where surrogates meet U+E000 and
 * above.
 */
const sortKeys = (keys: string[]): string[] =>
  keys.some((key) => SURROGATE.test(key))
    ? keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    : keys.sort();

/** One text per document: members sorted, no white space, numbers as they were written. */
export const writeJson = (node: JsonNode): string => {
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'array') return `[${node.items.map(writeJson).join(',')}]`;
  const { members } = node;
  const texts = sortKeys([...members.keys()]).map((key) => {
    const item = members.get(key);
    return item === undefined ? '' : `${JSON.stringify(key)}:${writeJson(item)}`;
  });
  return `{${texts.join(',')}}`;
};

/** The same as UTF-8. No more has to be checked: nodes are made of texts that were. */
export const jsonBytes = (node: JsonNode): CheckedJson => Buffer.from(writeJson(node)) as Uint8Array as CheckedJson;

export const emptyObject = (): JsonNode & { readonly kind: 'object' } => ({ kind: 'object', members: new Map() });

/** The node below `node` at `path`: object members by name, array items by index. */
export const nodeAt = (node: JsonNode, path: readonly string[]): JsonNode | undefined => {
  let found: JsonNode | undefined = node;
  for (const segment of path) {
    if (found?.kind === 'object') found = found.members.get(segment);
    else if (found?.kind === 'array' && /^(?:0|[1-9][0-9]{0,8})$/.test(segment)) found = found.items[Number(segment)];
    else return undefined;
  }
  return found;
};
