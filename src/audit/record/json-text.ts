// JSON as a tree whose scalars keep their own text: masking must not change what it does not mask, and 1.0,
// 12345678901234567890123 or "\u00e9" would change on the way through JavaScript's values.

export type TextNode = ObjectNode | ArrayNode | ScalarNode;

export interface ObjectNode {
  readonly kind: 'object';
  members: { keyText: string; key: string; value: TextNode }[];
}

export interface ArrayNode {
  readonly kind: 'array';
  readonly items: TextNode[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly text: string;
}

export const scalar = (text: string): ScalarNode => ({ kind: 'scalar', text });

/** The string that a JSON string's text stands for. */
export const unquote = (text: string): string =>
  text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);

const MAX_DEPTH = 1_000;
const space = /[\t\n\r ]*/y;
const literalToken = /[-+.\w]+/y;

/** Reads one JSON text. It throws on what is no JSON, though not on all of it: texts were checked before. */
export const parseText = (text: string): TextNode => {
  let at = 0;
  const token = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) throw new SyntaxError(`no JSON at ${at}`);
    at += found[0].length;
    return found[0];
  };
  // By hand: a pattern for strings runs out of stack on long ones.
  const stringText = (): string => {
    const start = at;
    if (text[at] !== '"') throw new SyntaxError(`no string at ${at}`);
    for (let next = at + 1; next < text.length; next++) {
      const code = text.charCodeAt(next);
      if (code === 0x5c) next += 1;
      else if (code === 0x22) {
        at = next + 1;
        return text.slice(start, at);
      }
    }
    throw new SyntaxError('a string without an end');
  };
  const skip = (): string => {
    token(space);
    return text[at] ?? '';
  };
  const value = (depth: number): TextNode => {
    if (depth > MAX_DEPTH) throw new RangeError('nested too deep');
    const first = skip();
    if (first === '"') return scalar(stringText());
    if (first === '[') return array(depth);
    if (first === '{') return object(depth);
    return scalar(token(literalToken));
  };
  const expect = (wanted: string): void => {
    if (skip() !== wanted) throw new SyntaxError(`no ${wanted} at ${at}`);
    at += 1;
  };
  const array = (depth: number): ArrayNode => {
    const items: TextNode[] = [];
    expect('[');
    if (skip() !== ']') {
      do items.push(value(depth + 1));
      while (skip() === ',' && ++at);
    }
    expect(']');
    return { kind: 'array', items };
  };
  const object = (depth: number): ObjectNode => {
    const members: ObjectNode['members'] = [];
    expect('{');
    if (skip() !== '}') {
      do {
        skip();
        const keyText = stringText();
        expect(':');
        members.push({ keyText, key: unquote(keyText), value: value(depth + 1) });
      } while (skip() === ',' && ++at);
    }
    expect('}');
    return { kind: 'object', members };
  };
  const root = value(0);
  if (skip() !== '') throw new SyntaxError(`text after JSON at ${at}`);
  return root;
};

export const printText = (node: TextNode): string => {
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'array') return `[${node.items.map(printText).join(',')}]`;
  return `{${node.members.map(({ keyText, value }) => `${keyText}:${printText(value)}`).join(',')}}`;
};

/** The value at a pointer's steps, or undefined when there is none. */
export const nodeAt = (root: TextNode, steps: readonly string[]): TextNode | undefined => {
  let node: TextNode | undefined = root;
  for (const step of steps) {
    if (node === undefined || node.kind === 'scalar') return undefined;
    node =
      node.kind === 'array'
        ? /^(?:0|[1-9]\d*)$/.test(step)
          ? node.items[Number(step)]
          : undefined
        : node.members.find(({ key }) => key === step)?.value;
  }
  return node;
};
