import { type Ask, b64, claims, flipped, good, hs, type Json, rs, secret, spki, token } from './makers.ts';

export const askForms = (ask: Ask): void => {
  // The header.
  const headers: Readonly<Record<string, Json>> = {
    'crit known': { alg: 'RS256', crit: ['kid'], kid: 'x' },
    'crit unknown and present': { alg: 'RS256', crit: ['exp'], exp: 1 },
    'crit unknown and absent': { alg: 'RS256', crit: ['exp'] },
    'crit empty': { alg: 'RS256', crit: [] },
    'crit a string': { alg: 'RS256', crit: 'exp' },
    'crit numbers': { alg: 'RS256', crit: [1] },
    'crit a number behind an unknown name': { alg: 'RS256', crit: ['b64', 1], b64: true },
    'crit a number before an unknown name': { alg: 'RS256', crit: ['b65', 1, 'b64'], b64: true },
    'typ a number': { alg: 'RS256', typ: 1 },
    'kid a number': { alg: 'RS256', kid: 1 },
    'kid empty': { alg: 'RS256', kid: '' },
    'enc present': { alg: 'RS256', enc: 'A128GCM' },
    'enc null': { alg: 'RS256', enc: null },
    'a list': [{ alg: 'RS256' }],
    null: null,
    'not JSON': '{"alg":"RS256"',
    'JSON and more': '{"alg":"RS256"} {}',
    'JSON and null': '{"alg":"RS256"} null',
    'JSON and null and more': '{"alg":"RS256"}\nnullx {',
    'JSON and a comma': '{"alg":"RS256"},',
    'white space around': ' {"alg" : "RS256"}\r\n\t',
    'a name twice': '{"alg":"none","alg":"RS256"}',
    'a lone surrogate': '{"alg":"RS256","x":"\\ud800"}',
    'a control character': '{"alg":"RS256","x":"\u0001"}',
    __proto__: '{"alg":"RS256","__proto__":{"a":1}}',
  };
  for (const [what, header] of Object.entries(headers)) {
    const value = token(header, claims, rs(256));
    ask(`header: ${what}, decode`, 'io.jwt.decode', value);
    ask(`header: ${what}, verify`, 'io.jwt.verify_rs256', value, spki);
    ask(`header: ${what}, decode_verify`, 'io.jwt.decode_verify', value, { cert: spki });
  }

  // The payload.
  const payloads: Readonly<Record<string, Json | Buffer>> = {
    empty: '',
    'not JSON': 'x',
    'a list': [],
    null: null,
    'a string': '"x"',
    'numbers as they stand': '{"a":1.0,"b":1e2,"c":12345678901234567890123,"d":-0,"e":0.1,"f":1E400}',
    'a number too big': '{"a":1e40000}',
    'a number too small': '{"a":1e-40000}',
    'zero with any exponent': '{"a":0e99999}',
    'number with a leading zero': '{"a":01}',
    'number ending in a point': '{"a":1.}',
    'invalid UTF-8': Buffer.from('7b2261223a22ffe28262227d', 'hex'),
    'a byte order mark': Buffer.from('efbbbf7b7d', 'hex'),
    escapes: '{"a":"\\u0041\\/\\b\\ud83d\\ude00\\udc00x\\u0000"}',
    deep: `{"a":${'['.repeat(100)}${']'.repeat(100)}}`,
  };
  for (const [what, payload] of Object.entries(payloads)) {
    const value = token({ alg: 'RS256' }, payload, rs(256));
    ask(`payload: ${what}, decode`, 'io.jwt.decode', value);
    ask(`payload: ${what}, verify`, 'io.jwt.verify_rs256', value, spki);
    ask(`payload: ${what}, decode_verify`, 'io.jwt.decode_verify', value, { cert: spki });
  }

  // The form.
  const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
  const lastOther = goodSignature.slice(0, -1) + (goodSignature.endsWith('A') ? 'B' : 'A');
  const padded = (part: string) => part + '='.repeat((4 - (part.length % 4)) % 4);
  const forms: Readonly<Record<string, string>> = {
    empty: '',
    'no period': 'abc',
    'two parts': 'e30.e30',
    'four parts': `${good}.x`,
    'empty parts': '..',
    'no signature': `${goodHeader}.${goodPayload}.`,
    'a newline behind': `${good}\n`,
    'three newlines behind': `${good}\n\n\n`,
    'four newlines behind': `${good}\n\n\n\n`,
    'a newline inside a part': `${goodHeader}.${goodPayload}.${goodSignature.slice(0, 5)}\n${goodSignature.slice(5)}`,
    'a space in front': ` ${good}`,
    'padded parts': [goodHeader, goodPayload, goodSignature].map(padded).join('.'),
    'too much padding': `${goodHeader}.${goodPayload}.${padded(goodSignature)}=`,
    'plain base64 characters': `${goodHeader}.${goodPayload}.ab+/`,
    'spare bits set': `${goodHeader}.${goodPayload}.${lastOther}`,
    'length of one more': `${goodHeader}.${goodPayload}.abcde`,
    'padding inside': `${goodHeader}.${goodPayload}.ab==ab==`,
    'a letter that is not ASCII': `${goodHeader}.${goodPayload}.äääa`,
    'a null character': `${goodHeader}.${goodPayload}.${goodSignature}\u0000`,
  };
  for (const [what, value] of Object.entries(forms)) {
    ask(`form: ${what}, decode`, 'io.jwt.decode', value);
    ask(`form: ${what}, verify`, 'io.jwt.verify_rs256', value, spki);
    ask(`form: ${what}, verify_hs256`, 'io.jwt.verify_hs256', value, secret);
    ask(`form: ${what}, decode_verify`, 'io.jwt.decode_verify', value, { cert: spki });
  }
  const oddParts = '\u00e4.\u00f6\u20ac';
  ask(
    'HS256 over parts that are not ASCII',
    'io.jwt.verify_hs256',
    `${oddParts}.${b64(hs(256)(Buffer.from(oddParts)))}`,
    secret,
  );

  // Nested tokens.
  const inner = token({ alg: 'RS256' }, claims, rs(256));
  for (const cty of ['JWT', 'jwt', 'Jwt', 'JWT ', 'x']) {
    for (const [what, payload] of Object.entries({
      plain: inner,
      quoted: `"${inner}"`,
      'in both quotes': `'"${inner}"'`,
    })) {
      const outer = token({ alg: 'HS256', cty }, payload, hs(256));
      ask(`nested, cty ${cty}, ${what}, decode`, 'io.jwt.decode', outer);
      ask(`nested, cty ${cty}, ${what}, decode_verify`, 'io.jwt.decode_verify', outer, { secret });
    }
    const same = token({ alg: 'RS256', cty }, inner, rs(256));
    ask(`nested, cty ${cty}, same key`, 'io.jwt.decode_verify', same, { cert: spki });
    ask(`nested, cty ${cty}, same key, verify`, 'io.jwt.verify_rs256', same, spki);
    ask(
      `nested, cty ${cty}, inner one forged`,
      'io.jwt.decode_verify',
      token({ alg: 'RS256', cty }, flipped(inner), rs(256)),
      { cert: spki },
    );
  }
};
