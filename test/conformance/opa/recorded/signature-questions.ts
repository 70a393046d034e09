import {
  type Ask,
  b64,
  claims,
  ec,
  ed,
  eddsa,
  es,
  families,
  flipped,
  good,
  hs,
  jwk,
  koblitz,
  p256,
  pem,
  ps,
  rs,
  rsa,
  secret,
  text,
  token,
  unsigned,
  verifyName,
  withSignature,
} from './makers.ts';

export const askSignatures = (ask: Ask): void => {
  for (const [alg, { signer, key }] of Object.entries(families)) {
    const good = token({ alg, typ: 'JWT' }, claims, signer);
    ask(`${alg} signed, PEM`, verifyName(alg), good, pem(key));
    ask(`${alg} signed, JWK`, verifyName(alg), good, text(jwk(key)));
    ask(`${alg} one bit of the signature flipped`, verifyName(alg), flipped(good), pem(key));
    ask(
      `${alg} signature cut short`,
      verifyName(alg),
      withSignature(good, (s) => s.subarray(1)),
      pem(key),
    );
    ask(
      `${alg} signature with a zero byte in front`,
      verifyName(alg),
      withSignature(good, (s) => Buffer.concat([Buffer.alloc(1), s])),
      pem(key),
    );
    ask(
      `${alg} empty signature`,
      verifyName(alg),
      withSignature(good, () => Buffer.alloc(0)),
      pem(key),
    );
    ask(`${alg} key of another kind`, verifyName(alg), good, pem(alg === 'EdDSA' ? rsa.publicKey : ed.publicKey));
    ask(`${alg} decode_verify`, 'io.jwt.decode_verify', good, { cert: pem(key) });
    ask(`${alg} decode_verify, JWK with alg`, 'io.jwt.decode_verify', good, { cert: text(jwk(key, { alg })) });
    ask(`${alg} decode_verify, flipped`, 'io.jwt.decode_verify', flipped(good), { cert: pem(key) });
    ask(
      `${alg} decode_verify, signature cut short`,
      'io.jwt.decode_verify',
      withSignature(good, (s) => s.subarray(1)),
      { cert: pem(key) },
    );
    ask(
      `${alg} decode_verify, zero byte in front`,
      'io.jwt.decode_verify',
      withSignature(good, (s) => Buffer.concat([Buffer.alloc(1), s])),
      { cert: pem(key) },
    );
    ask(`${alg} decode_verify, key of another kind`, 'io.jwt.decode_verify', good, {
      cert: pem(alg === 'EdDSA' ? rsa.publicKey : ed.publicKey),
    });
  }
  for (const size of [256, 384, 512] as const) {
    const good = token({ alg: `HS${size}` }, claims, hs(size));
    ask(`HS${size} signed`, `io.jwt.verify_hs${size}`, good, secret);
    ask(`HS${size} other secret`, `io.jwt.verify_hs${size}`, good, `${secret} `);
    ask(`HS${size} flipped`, `io.jwt.verify_hs${size}`, flipped(good), secret);
    ask(`HS${size} empty secret`, `io.jwt.verify_hs${size}`, token({ alg: 'none' }, claims, hs(size, '')), '');
    ask(`HS${size} header and payload that are no JSON`, `io.jwt.verify_hs${size}`, token('x', 'y', hs(size)), secret);
    ask(
      `HS${size} long secret`,
      `io.jwt.verify_hs${size}`,
      token({}, claims, hs(size, secret.repeat(9))),
      secret.repeat(9),
    );
    ask(`HS${size} decode_verify`, 'io.jwt.decode_verify', good, { secret });
    ask(`HS${size} decode_verify, oct key`, 'io.jwt.decode_verify', good, {
      cert: text({ kty: 'oct', k: b64(secret) }),
    });
    ask(`HS${size} oct key to an RSA builtin`, verifyName('RS256'), good, text({ kty: 'oct', k: b64(secret) }));
  }

  // PSS: the builtins that verify take any salt, decode_verify only one as long as the digest.
  for (const salt of [0, 20, 32, 100]) {
    const salted = token({ alg: 'PS256' }, claims, ps(256, salt));
    ask(`PSS salt of ${salt}`, 'io.jwt.verify_ps256', salted, pem(rsa.publicKey));
    ask(`PSS salt of ${salt}, decode_verify`, 'io.jwt.decode_verify', salted, { cert: pem(rsa.publicKey) });
  }

  // ECDSA: halves of whatever length; curve and digest need not belong together.
  const padHalves = (by: number) => (s: Buffer) =>
    Buffer.concat([Buffer.alloc(by), s.subarray(0, s.length / 2), Buffer.alloc(by), s.subarray(s.length / 2)]);
  for (const by of [1, 7, 40]) {
    ask(
      `ES256 halves with ${by} zero bytes each`,
      'io.jwt.verify_es256',
      withSignature(p256, padHalves(by)),
      pem(ec[256].publicKey),
    );
    ask(
      `ES256 halves with ${by} zero bytes each, decode_verify`,
      'io.jwt.decode_verify',
      withSignature(p256, padHalves(by)),
      { cert: pem(ec[256].publicKey) },
    );
  }
  ask(
    'ES256 of zeros',
    'io.jwt.verify_es256',
    withSignature(p256, (s) => Buffer.alloc(s.length)),
    pem(ec[256].publicKey),
  );
  ask(
    'ES256 of ones',
    'io.jwt.verify_es256',
    withSignature(p256, (s) => Buffer.alloc(s.length, 255)),
    pem(ec[256].publicKey),
  );
  ask(
    'ES256 by a P-384 key',
    'io.jwt.verify_es256',
    token({ alg: 'ES256' }, claims, es(256, ec[384].privateKey)),
    pem(ec[384].publicKey),
  );
  ask(
    'ES256 by a P-384 key, decode_verify',
    'io.jwt.decode_verify',
    token({ alg: 'ES256' }, claims, es(256, ec[384].privateKey)),
    { cert: pem(ec[384].publicKey) },
  );
  ask(
    'ES512 by a P-256 key',
    'io.jwt.verify_es512',
    token({ alg: 'ES512' }, claims, es(512, ec[256].privateKey)),
    pem(ec[256].publicKey),
  );
  ask('ES256 with a secp256k1 key', 'io.jwt.verify_es256', p256, pem(koblitz.publicKey));

  // Which algorithm counts.
  const confused = token({ alg: 'HS256' }, claims, hs(256, pem(rsa.publicKey)));
  ask('HS256 made with an RSA public key, RSA builtin', 'io.jwt.verify_rs256', confused, pem(rsa.publicKey));
  ask('HS256 made with an RSA public key, decode_verify', 'io.jwt.decode_verify', confused, {
    cert: pem(rsa.publicKey),
  });
  ask('HS256 made with an RSA public key, as the secret', 'io.jwt.decode_verify', confused, {
    secret: pem(rsa.publicKey),
  });
  for (const alg of [
    'none',
    'None',
    'nOnE',
    '',
    'RS256 ',
    'rs256',
    'HS1',
    'RSA_PKCS1v15_WITH_SHA256',
    'EDDSA',
    'Ed25519',
    'ES256K',
  ]) {
    ask(`alg "${alg}" unsigned, decode_verify`, 'io.jwt.decode_verify', token({ alg }, claims, unsigned), {
      cert: pem(rsa.publicKey),
    });
    ask(`alg "${alg}" signed RS256, decode_verify`, 'io.jwt.decode_verify', token({ alg }, claims, rs(256)), {
      cert: pem(rsa.publicKey),
    });
    ask(
      `alg "${alg}" unsigned, verify_rs256`,
      'io.jwt.verify_rs256',
      token({ alg }, claims, unsigned),
      pem(rsa.publicKey),
    );
    ask(`alg "${alg}" signed EdDSA, decode_verify`, 'io.jwt.decode_verify', token({ alg }, claims, eddsa), {
      cert: pem(ed.publicKey),
    });
  }
  ask(
    'alg ES256 but signed RS256: the builtin decides',
    'io.jwt.verify_rs256',
    token({ alg: 'ES256' }, claims, rs(256)),
    pem(rsa.publicKey),
  );
  ask('alg HMAC_WITH_SHA256', 'io.jwt.decode_verify', token({ alg: 'HMAC_WITH_SHA256' }, claims, hs(256)), { secret });
  ask('no alg, decode_verify', 'io.jwt.decode_verify', token({ typ: 'JWT' }, claims, rs(256)), {
    cert: pem(rsa.publicKey),
  });
  ask('no alg, verify_rs256', 'io.jwt.verify_rs256', token({}, claims, rs(256)), pem(rsa.publicKey));
  ask('alg is a number', 'io.jwt.verify_rs256', token({ alg: 1 }, claims, rs(256)), pem(rsa.publicKey));
  for (const alg of ['RS256', 'RS384', '', 'PS256']) {
    ask(`alg constraint "${alg}"`, 'io.jwt.decode_verify', good, { cert: pem(rsa.publicKey), alg });
  }
};
