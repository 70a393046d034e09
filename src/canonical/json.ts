/** Anything that JSON can say. Numbers in here are JavaScript's: never use it for what a policy decides on. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * One text per value: members sorted by UTF-16 code unit, no white space, JavaScript's own number text (the order and
 * number rules of RFC 8785). For digests over our own documents (manifests, configuration), not for policy input.
 */
export const canonicalJson = (value: Json): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value as { readonly [key: string]: Json }).sort(([a], [b]) => byCodeUnit(a, b));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
};
