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
  return { line: line.replace(/[ \t]+$/, ''), next: end < 0 ? text.length : end + 1 };
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

/** The first well-formed PEM block, wherever it stands: the last BEGIN line before an END line opens it. */
export const firstPemBlock = (text: string): PemBlock | undefined => {
  for (let from = 0; ; ) {
    const end = text.indexOf(endMark, from);
    if (end < 0) return undefined;
    const begin = text.lastIndexOf(beginMark, end);
    if (begin >= from && (begin === 0 || text[begin - 1] === '\n')) {
      const block = blockBetween(text, begin, end);
      if (block) return block;
    }
    from = end + 1;
  }
};
