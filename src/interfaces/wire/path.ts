import { RequestError } from './errors.ts';

const decode = (segment: string): string => {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new RequestError('path_invalid', 'invalid path: a segment that is not percent-encoded UTF-8', { cause });
  }
};

/** The segments of a path below `data`, percent-decoded: `shop/orders/allow`. Throws RequestError. */
export const segmentsOf = (text: string): readonly string[] =>
  text
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      const decoded = decode(segment);
      if (decoded.includes('"')) {
        throw new RequestError('path_invalid', `invalid path: invalid ref term '${decoded}'`);
      }
      return decoded;
    });

/** Refuses a path that is longer than a listener takes. */
export const boundPath = (path: string, mostBytes: number): void => {
  const bytes = Buffer.byteLength(path);
  if (bytes > mostBytes) throw new RequestError('path_invalid', `invalid path: ${bytes} bytes, at most ${mostBytes}`);
};

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A path as Rego writes it: `data.shop["a b"][1]`. */
export const refText = (path: readonly string[]): string =>
  `data${path
    .map((step) => {
      if (/^(?:0|-?[1-9][0-9]{0,15})$/.test(step)) return `[${step}]`;
      return IDENTIFIER.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')}`;
