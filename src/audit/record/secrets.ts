import { hash } from 'node:crypto';
import { pointerStep } from '../../canonical/index.ts';
import type { TextNode } from './json-text.ts';
import { parseText, printText, scalar, unquote } from './json-text.ts';

// A token's first part is base64url of a JSON object: `{` and a quote, or `{` and white space, begin it in one of
// these ways. Compact JWS and JWE have two and four dots.
const beginning = /e(?:y[ABIJ]|w[0-3k-r])/g;
const dotted = /[\w.-]+/g;
/** Of the first 18 bytes: a brace and the beginning of a member name, or a great deal of white space. */
const decodedBeginning = /^\{(?:[\t\n\r ]*"[\t\n\r\x20-\x7e]+|[\t\n\r ]{16,})$/;
const bearer = /^bearer +[\w.~+/=-]{8,}$/i;

/** Members whose whole value is a credential, whatever it looks like. */
const credentialNames = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);
export const isCredentialName = (key: string): boolean => credentialNames.has(key.toLowerCase());

/** The least that a text with a secret in it contains; what this does not match needs no closer look. */
const suspicion = /e(?:y[ABIJ]|w[0-3k-r])|\\u00[2-7]|bearer |authorization|cookie/i;
export const isSuspect = (text: string): boolean => suspicion.test(text);

/** Stands for a token: the same claims give the same text, and `claims_sha256` of a record begins with it. */
const tokenMark = (claims: string): string => `[token sha256:${hash('sha256', claims, 'hex').slice(0, 16)}]`;

/** Where in a run of characters without spaces a token begins, and its claims part. */
const findToken = (run: string): { readonly at: number; readonly claims: string } | undefined => {
  const parts = run.split('.');
  let offset = 0;
  for (let part = 0; part + 2 < parts.length; part++) {
    const text = parts[part] as string;
    for (const { index } of text.matchAll(beginning)) {
      const decoded = Buffer.from(text.slice(index, index + 24), 'base64url').toString('latin1');
      if (decodedBeginning.test(decoded)) return { at: offset + index, claims: parts[part + 1] as string };
    }
    offset += text.length + 1;
  }
  return undefined;
};

/** The text with every token in it replaced by its mark; the same text when there is none. Linear in its length. */
export const withoutTokens = (text: string): string => {
  const clean = text.replace(dotted, (run) => {
    const found = findToken(run);
    return found === undefined ? run : run.slice(0, found.at) + tokenMark(found.claims);
  });
  return clean === text && bearer.test(text) ? `${text.slice(0, 6)} [token]` : clean;
};

/** For text of a record that is no JSON: paths, messages, claims. Cheap when there is nothing to find. */
export const safeText = (text: string): string => (isSuspect(text) ? withoutTokens(text) : text);

const credentialMark = (value: TextNode): TextNode => {
  const mark = /\[token sha256:[0-9a-f]{16}\]/.exec(withoutTokens(printText(value)));
  return scalar(`"${mark?.[0] ?? '[redacted]'}"`);
};

/** Takes tokens and credentials out of a tree. `report` is called with the pointer of everything that was replaced. */
export const redact = (node: TextNode, pointer: string, report: (pointer: string) => void): TextNode => {
  if (node.kind === 'scalar') {
    if (!node.text.startsWith('"') || !isSuspect(node.text)) return node;
    const value = unquote(node.text);
    const clean = withoutTokens(value);
    if (clean === value) return node;
    report(pointer);
    return scalar(JSON.stringify(clean));
  }
  if (node.kind === 'array') {
    return { kind: 'array', items: node.items.map((item, at) => redact(item, pointer + pointerStep(at), report)) };
  }
  const seen = new Set<string>();
  const members: typeof node.members = [];
  for (const { keyText, key, value } of node.members) {
    const clean = isSuspect(keyText) ? withoutTokens(key) : key;
    const at = pointer + pointerStep(clean);
    if (clean !== key) report(at);
    // Two tokens with the same claims would give two members of one name.
    if (seen.has(clean)) continue;
    seen.add(clean);
    const whole = isCredentialName(key);
    if (whole) report(at);
    members.push({
      keyText: clean === key ? keyText : JSON.stringify(clean),
      key: clean,
      value: whole ? credentialMark(value) : redact(value, at, report),
    });
  }
  return { kind: 'object', members };
};

/** Operands that are keys: of signing, and of verifying with a shared secret. */
const signing = /^io\.jwt\.encode_sign(?:_raw)?$/;
const secretMembers = new Set(['secret', 'tls_client_key']);

const withoutKeys = (node: TextNode): TextNode => {
  if (node.kind === 'scalar') return node;
  if (node.kind === 'array') return { kind: 'array', items: node.items.map(withoutKeys) };
  return {
    kind: 'object',
    members: node.members.map((member) => ({
      ...member,
      value: secretMembers.has(member.key) ? scalar('"[key]"') : withoutKeys(member.value),
    })),
  };
};

/** Whether a call's operands can hold a key of ours, which stands in policy data and not in the input. */
export const takesKeys = (builtin: string): boolean => builtin.startsWith('io.jwt.') || builtin === 'http.send';

/** A call's operands without keys and tokens. */
export const safeOperands = (builtin: string, operands: string): string => {
  const tree = parseText(operands);
  if (signing.test(builtin) && tree.kind === 'array' && tree.items.length > 0) {
    tree.items[tree.items.length - 1] = scalar('"[key]"');
  }
  return printText(redact(withoutKeys(tree), '', () => {}));
};
