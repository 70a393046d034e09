import { decodeBase64 } from '../base64.ts';

export interface PemBlock {
  readonly type: string;
  readonly der: Buffer;
  /** What follows the line that ends the block. */
  readonly rest: string;
}

const dashes = '-----';
const beginMark = '-----BEGIN ';
const endMark = '\n-----END ';

const lineAt = (text: string, from: number): { readonly line: string; readonly next: number } => {
  const end = text.indexOf('\n', from);
  const line = end < 0 ? text.slice(from) : text.slice(from, end).replace(/\r$/, '');
  let length = line.length;
  while (length > 0 && (line[length - 1] === ' ' || line[length - 1] === '\t')) length--;
  return { line: line.slice(0, length), next: end < 0 ? text.length : end + 1 };
};

const withoutHeaders = (body: string): string => {
  let from = 0;
  while (from < body.length) {
    const { line, next } = lineAt(body, from);
    if (!line.includes(':')) break;
    from = next;
  }
  return body.slice(from);
};

const blockBetween = (text: string, begin: number, end: number): PemBlock | undefined => {
  const first = lineAt(text, begin + beginMark.length);
  if (!first.line.endsWith(dashes)) return undefined;
  const type = first.line.slice(0, -dashes.length);
  const trailer = lineAt(text, end + endMark.length);
  if (trailer.line !== type + dashes) return undefined;
  const body = first.next <= end ? withoutHeaders(text.slice(first.next, end + 1)) : '';
  const der = decodeBase64(body.replace(/[ \t]/g, ''), 'standard');
  return der && { type, der, rest: text.slice(trailer.next) };
};

/**
 * The first well-formed PEM block, wherever it stands: the last BEGIN line before an END line opens it. No stretch of
 * the text is looked at twice, since it may come from the input.
 */
export const firstPemBlock = (text: string): PemBlock | undefined => {
  for (let from = 0; ; ) {
    const end = text.indexOf(endMark, from);
    if (end < 0) return undefined;
    const begin = text.slice(from, end).lastIndexOf(beginMark);
    if (begin === 0 || (begin > 0 && text[from + begin - 1] === '\n')) {
      const block = blockBetween(text, from + begin, end);
      if (block) return block;
    }
    from = end + endMark.length;
  }
};
