const forms = {
  standard: { body: /^[A-Za-z0-9+/]*={0,2}$/, encoding: 'base64' },
  url: { body: /^[A-Za-z0-9_-]*={0,2}$/, encoding: 'base64url' },
} as const;

/**
 * Base64 as Go's padded encodings read it: CR and LF anywhere are skipped, padding must be complete, and the unused
 * bits of the last character may be anything. Undefined for all else.
 */
export const decodeBase64 = (text: string, form: keyof typeof forms): Buffer | undefined => {
  const body = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
  const { body: allowed, encoding } = forms[form];
  return body.length % 4 === 0 && allowed.test(body) ? Buffer.from(body, encoding) : undefined;
};

/** base64url as in tokens: where it does not end with `=`, the padding that its length asks for is added first. */
export const decodeBase64Url = (text: string): Buffer | undefined => {
  if (text.endsWith('=')) return decodeBase64(text, 'url');
  const spare = text.length % 4;
  return spare === 1 ? undefined : decodeBase64(text + '='.repeat((4 - spare) % 4), 'url');
};
