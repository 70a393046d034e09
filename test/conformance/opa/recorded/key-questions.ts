import type { KeyObject } from 'node:crypto';
import {
  type Ask,
  b64,
  certificate,
  claims,
  ec,
  ed,
  eddsa,
  good,
  type Json,
  jwk,
  koblitz,
  otherRsa,
  p256,
  pem,
  rs,
  rsa,
  set,
  smallRsa,
  spki,
  text,
  token,
  x25519,
} from './makers.ts';

export const askKeys = (ask: Ask): void => {
  // Keys: several, by id, by algorithm, unreadable.
  const k = (id: string, key: KeyObject, more: { readonly [key: string]: Json } = {}) => jwk(key, { kid: id, ...more });
  const byId = token({ alg: 'RS256', kid: 'a' }, claims, rs(256));
  const keySets: Readonly<Record<string, string>> = {
    'right key under the id': set(k('b', otherRsa.publicKey), k('a', rsa.publicKey)),
    'wrong key under the id, right one beside it': set(k('a', otherRsa.publicKey), k('b', rsa.publicKey)),
    'no key under the id': set(k('b', otherRsa.publicKey), k('c', rsa.publicKey)),
    'id twice, right key second': set(k('a', otherRsa.publicKey), k('a', rsa.publicKey)),
    'right id, other alg': set(k('a', rsa.publicKey, { alg: 'RS512' })),
    'other id, other alg': set(k('b', rsa.publicKey, { alg: 'RS512' })),
    'other id, same alg': set(k('b', rsa.publicKey, { alg: 'RS256' })),
    'alg of encryption': set(k('a', rsa.publicKey, { alg: 'RSA-OAEP' })),
    'alg none': set(k('a', rsa.publicKey, { alg: 'none' })),
    'alg ES256K': set(k('a', rsa.publicKey, { alg: 'ES256K' })),
    'alg unknown': set(k('a', rsa.publicKey, { alg: 'XX' }), k('a', rsa.publicKey)),
    'alg null': set(k('a', rsa.publicKey, { alg: null })),
    'id null': set(jwk(rsa.publicKey, { kid: null })),
    'id a number': set(jwk(rsa.publicKey, { kid: 1 })),
    'use enc': set(k('a', rsa.publicKey, { use: 'enc', key_ops: ['encrypt'] })),
    'use a list': set(k('a', rsa.publicKey, { use: ['sig'] })),
    'key_ops a string': set(k('a', rsa.publicKey, { key_ops: 'verify' })),
    'members unknown': set(k('a', rsa.publicKey, { x: [1, { y: null }], ext: true })),
    'an EC key among them': set(k('b', ec[256].publicKey), k('a', rsa.publicKey)),
    'an X25519 key among them': set(k('b', x25519.publicKey), k('a', rsa.publicKey)),
    'an oct key among them': set({ kty: 'oct', k: 'AQID' }, k('a', rsa.publicKey)),
    'a secp256k1 key among them': set(k('b', koblitz.publicKey), k('a', rsa.publicKey)),
    'a key without kty': set({ n: 'AQ' }, k('a', rsa.publicKey)),
    'kty in capitals': set({ ...k('a', rsa.publicKey), kty: undefined as unknown as Json, KTY: 'RSA' }),
    'member D in capitals': set({ ...k('a', rsa.publicKey), D: 'AQAB' }),
    'kty of another kind': set({ ...k('a', rsa.publicKey), kty: 'EC' }),
    'a private key': set(k('a', rsa.privateKey)),
    'a private key without p': set({ ...k('a', rsa.privateKey), p: undefined as unknown as Json }),
    'a private key with d of another': set({ ...k('a', rsa.privateKey), d: jwk(otherRsa.privateKey).d ?? null }),
    'no keys': set(),
    'keys null': text({ keys: null }),
    'keys an object': text({ keys: {} }),
    'set and more': `${set(k('a', rsa.publicKey))} x`,
    'set and white space': ` ${set(k('a', rsa.publicKey))}\n\n`,
    'single key and more': `${text(k('a', rsa.publicKey))} x`,
    'a list of keys': text([k('a', rsa.publicKey)]),
    'n in plain base64': set({
      ...k('a', rsa.publicKey),
      n: Buffer.from(String(jwk(rsa.publicKey).n), 'base64url').toString('base64'),
    }),
    'n with a leading zero byte': set({
      ...k('a', rsa.publicKey),
      n: b64(Buffer.concat([Buffer.alloc(1), Buffer.from(String(jwk(rsa.publicKey).n), 'base64url')])),
    }),
    'n empty': set({ ...k('a', rsa.publicKey), n: '' }),
    'e even': set({ ...k('a', rsa.publicKey), e: 'AQAA' }),
    'e one': set({ ...k('a', rsa.publicKey), e: 'AQ' }),
    'e of 40 bits': set({ ...k('a', rsa.publicKey), e: b64(Buffer.from([1, 0, 0, 0, 1])) }),
    'e of 72 bits': set({ ...k('a', rsa.publicKey), e: b64(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 1])) }),
    'x5c good': set(k('a', rsa.publicKey, { x5c: [certificate(rsa.privateKey).replace(/-----[^-]+-----|\n/g, '')] })),
    'x5c bad': set(k('a', rsa.publicKey, { x5c: ['AQID'] })),
    'x5c a string': set(k('a', rsa.publicKey, { x5c: 'AQID' })),
    'not JSON': 'x',
    empty: '',
  };
  for (const [what, keys] of Object.entries(keySets)) {
    ask(`key set: ${what}`, 'io.jwt.verify_rs256', byId, keys);
    ask(`key set, decode_verify: ${what}`, 'io.jwt.decode_verify', byId, { cert: keys });
  }
  const cert = certificate(rsa.privateKey);
  const pems: Readonly<Record<string, string>> = {
    certificate: cert,
    'certificate of another key': certificate(otherRsa.privateKey),
    'without the last newline': spki.trimEnd(),
    'with CRLF': spki.replaceAll('\n', '\r\n'),
    'with a blank line behind': `${spki}\n`,
    'with spaces behind the last line': `${spki.trimEnd()}  \n`,
    'with a second block': spki + cert,
    'with text in front': `some text\n${spki}`,
    'with text in front, no newline between': `some text ${spki}`,
    'with a header line': spki.replace('\n', '\nA: b\n\n'),
    'with spaces inside': spki.replace('MII', 'M I\tI'),
    'base64 on one line': spki.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, ''),
    'base64 with a bad character': spki.replace('MII', 'M*I'),
    'begin and end of different types': spki.replace('END PUBLIC KEY', 'END CERTIFICATE'),
    'of type RSA PUBLIC KEY': rsa.publicKey.export({ format: 'pem', type: 'pkcs1' }) as string,
    'a private key': rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    'type X': spki.replaceAll('PUBLIC KEY', 'X'),
    'broken DER': '-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----\n',
    'broken certificate': '-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n',
    'nothing in it': '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n',
    'a lone END in front': `-----END PUBLIC KEY-----\n${spki}`,
    'a broken block in front': `-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----\n${spki}`,
    'an X25519 key': pem(x25519.publicKey),
  };
  for (const [what, key] of Object.entries(pems)) ask(`PEM ${what}`, 'io.jwt.verify_rs256', good, key);
  ask(
    'RSA of 1,016 bits',
    'io.jwt.verify_rs256',
    token({ alg: 'RS256' }, claims, rs(256, smallRsa.privateKey)),
    pem(smallRsa.publicKey),
  );
  for (const [what, key] of Object.entries({ P256: ec[256], P384: ec[384], P521: ec[512] })) {
    const publicJwk = jwk(key.publicKey);
    ask(`${what} point off the curve`, 'io.jwt.verify_es256', p256, text({ ...publicJwk, y: publicJwk.x ?? null }));
    ask(`${what} certificate`, 'io.jwt.verify_es256', p256, certificate(key.privateKey));
  }
  ask('P256 private JWK', 'io.jwt.decode_verify', p256, { cert: text(jwk(ec[256].privateKey)) });
  ask('Ed25519 private JWK', 'io.jwt.decode_verify', token({ alg: 'EdDSA' }, claims, eddsa), {
    cert: text(jwk(ed.privateKey)),
  });
  ask('Ed25519 certificate', 'io.jwt.verify_eddsa', token({ alg: 'EdDSA' }, claims, eddsa), certificate(ed.privateKey));
  ask(
    'Ed25519 JWK too short',
    'io.jwt.verify_eddsa',
    token({ alg: 'EdDSA' }, claims, eddsa),
    text({ kty: 'OKP', crv: 'Ed25519', x: 'AQ' }),
  );
  ask(
    'Ed448 JWK',
    'io.jwt.verify_eddsa',
    token({ alg: 'EdDSA' }, claims, eddsa),
    text({ kty: 'OKP', crv: 'Ed448', x: 'AQ' }),
  );
};
