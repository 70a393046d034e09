import { generateKeyPairSync } from 'node:crypto';
import { type Ask, claims, ec, ed, type Json, jwk, jwkOct, otherRsa, rsa, secret, smallRsa, text } from './makers.ts';

export const askDigestsAndSigning = (ask: Ask): void => {
  // Digests.
  for (const value of ['', 'abc', 'äöü €', '\u0000', 'x'.repeat(1000)]) {
    for (const name of ['md5', 'sha1', 'sha256']) ask(`${name} of ${value.slice(0, 8)}`, `crypto.${name}`, value);
    for (const name of ['md5', 'sha1', 'sha256', 'sha512']) {
      for (const key of ['', 'key', 'k'.repeat(64), 'k'.repeat(65), 'k'.repeat(128), 'k'.repeat(129)]) {
        ask(`hmac ${name} of ${value.slice(0, 8)} with ${key.length}`, `crypto.hmac.${name}`, value, key);
      }
    }
    ask(`hmac equal ${value.slice(0, 8)}`, 'crypto.hmac.equal', value, 'abc');
  }

  // Signing, where the result is the same every time; and where there is none.
  const signing: Readonly<Record<string, readonly [Json, Json, Json]>> = {
    HS256: [{ typ: 'JWT', alg: 'HS256' }, { z: 1, a: '<&>\u2028é\u0001\b"\\', n: [1.5, 1e21, null] }, jwkOct(secret)],
    RS256: [{ alg: 'RS256' }, claims, jwk(rsa.privateKey)],
    'RS512, set of keys': [{ alg: 'RS512' }, {}, { keys: [jwk(rsa.privateKey), jwk(ec[256].privateKey)] }],
    EdDSA: [{ alg: 'EdDSA' }, claims, jwk(ed.privateKey)],
    'RS256 with only d, p and q': [
      { alg: 'RS256' },
      claims,
      {
        ...jwk(rsa.privateKey),
        dp: undefined as unknown as Json,
        dq: undefined as unknown as Json,
        qi: undefined as unknown as Json,
      },
    ],
    'RS256 with d of another key': [
      { alg: 'RS256' },
      claims,
      { ...jwk(rsa.privateKey), d: jwk(otherRsa.privateKey).d ?? null },
    ],
    'RS256 with a public key': [{ alg: 'RS256' }, claims, jwk(rsa.publicKey)],
    'RS256 with an EC key': [{ alg: 'RS256' }, claims, jwk(ec[256].privateKey)],
    'RS256 with an RSA key of 1,016 bits': [{ alg: 'RS256' }, claims, jwk(smallRsa.privateKey)],
    'HS256 with an RSA key': [{ alg: 'HS256' }, claims, jwk(rsa.privateKey)],
    'HS256 with an empty key': [{ alg: 'HS256' }, claims, jwkOct('')],
    'ES256 with an RSA key': [{ alg: 'ES256' }, claims, jwk(rsa.privateKey)],
    'EdDSA with an EC key': [{ alg: 'EdDSA' }, claims, jwk(ec[256].privateKey)],
    'EdDSA with x of another': [
      { alg: 'EdDSA' },
      claims,
      { ...jwk(ed.privateKey), x: jwk(generateKeyPairSync('ed25519').publicKey).x ?? null },
    ],
    Ed25519: [{ alg: 'Ed25519' }, claims, jwk(ed.privateKey)],
    none: [{ alg: 'none' }, claims, jwk(ed.privateKey)],
    'no alg': [{}, claims, jwk(ed.privateKey)],
    'alg a number': [{ alg: 1 }, claims, jwk(ed.privateKey)],
    'no keys': [{ alg: 'HS256' }, claims, { keys: [] }],
    'typ a number': [{ alg: 'HS256', typ: 1 }, claims, jwkOct(secret)],
    'header a list': [['HS256'], claims, jwkOct(secret)],
    'payload a string': [{ alg: 'HS256' }, 'x', jwkOct(secret)],
  };
  for (const [what, [header, payload, key]] of Object.entries(signing)) {
    ask(`sign ${what}`, 'io.jwt.encode_sign', header, payload, key);
    ask(`sign raw ${what}`, 'io.jwt.encode_sign_raw', text(header), text(payload), text(key));
  }
  const raws: Readonly<Record<string, readonly [string, string]>> = {
    'typ other and payload no JSON': ['{"alg":"HS256","typ":"x"}', 'plain'],
    'typ JWT and payload no JSON': ['{"alg":"HS256","typ":"JWT"}', 'plain'],
    'no typ and payload no JSON': ['{"alg":"HS256"}', 'plain'],
    'payload JSON and more': ['{"alg":"HS256"}', '{} null'],
    'payload with white space': ['{ "alg" : "HS256" }', ' {"b": 1, "a":2}\n'],
    'header no JSON': ['{"alg":"HS256"', '{}'],
    'empty header': ['', '{}'],
  };
  for (const [what, [header, payload]] of Object.entries(raws)) {
    ask(`sign raw, ${what}`, 'io.jwt.encode_sign_raw', header, payload, text(jwkOct(secret)));
  }
};
