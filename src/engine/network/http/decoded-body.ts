import { isUtf8 } from 'node:buffer';
import { isScalar, parseDocument, type ScalarTag, type Tags, visit } from 'yaml';
import type { RegoValue } from '../../../rego/index.ts';
import { readJson } from '../../builtins/go-json.ts';
import type { HttpResponse } from './exchange.ts';
import { firstHeader, token } from './wire.ts';

// Go's mime.ParseMediaType takes no other form, and OPA nothing that it does not take.
const jsonType = new RegExp(
  `^\\s*application/(?:json|(?:${token})?\\+json)\\s*(?:;\\s*${token}\\s*=\\s*(?:${token}|"(?:[^"\\\\]|\\\\.)*")\\s*)*;?\\s*$`,
  'i',
);

// Known to V8, and not yet to TypeScript.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

const isYaml = (type: string): boolean => type.includes('application/yaml') || type.includes('application/x-yaml');

/** Whole numbers as Go's YAML reads them: of base 8 with a leading 0, and with underscores. */
const goInteger: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*)$/,
  resolve: (text) => {
    const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
    const whole = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits.toLowerCase());
    return text.startsWith('-') ? -whole : whole;
  },
};

const jsonValue = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return rawJSON(String(value));
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('no number of JSON');
  return value;
};

/** YAML as OPA reads it: the first document, of equal keys the last. */
const readYaml = (body: Buffer): RegoValue => {
  if (!isUtf8(body)) throw new Error('no UTF-8');
  const customTags = (tags: Tags): Tags => [goInteger, ...tags];
  const document = parseDocument(body.toString('utf8'), { schema: 'core', uniqueKeys: false, merge: true, customTags });
  const [failure] = document.errors.filter(({ code }) => code !== 'MULTIPLE_DOCS');
  if (failure !== undefined) throw failure;
  visit(document, {
    Pair: (_at, { key }) => {
      if (key === null || (isScalar(key) && key.value === null)) throw new Error('a key that is null');
    },
  });
  return readJson(Buffer.from(JSON.stringify(document.toJS() ?? null, jsonValue))).value;
};

/** The body as a value: by force or by its type; null for what does not decode, as in OPA. */
export const decodedBody = ({ headers, body }: HttpResponse, decode: 'json' | 'yaml' | 'type'): RegoValue => {
  const type = firstHeader(headers, 'content-type');
  try {
    // What follows the first value is an error in Go as well, after the value was taken.
    if (decode === 'json' || jsonType.test(type)) return readJson(body).value;
    return decode === 'yaml' || isYaml(type) ? readYaml(body) : null;
  } catch {
    return null;
  }
};
