import { type Ask, claims, good, hs, type Json, secret, spki, text, token } from './makers.ts';

export const askConstraints = (ask: Ask): void => {
  // Constraints.
  const constraintsFor = (value: Json) =>
    ask(
      `constraints ${text(value).slice(0, 60)}`,
      'io.jwt.decode_verify',
      token({ alg: 'HS256' }, claims, hs(256)),
      value,
    );
  for (const value of [
    {},
    { secret: '' },
    { secret, cert: spki },
    { secret: '', cert: spki },
    { secret, unknown: 1 },
    { secret, alg: 1 },
    { secret: 1 },
    { cert: 1 },
    { secret, time: -1 },
    { secret, time: '1' },
    { secret, time: 0 },
    { secret, iss: 'issuer' },
    { secret, iss: 'other' },
    { secret, iss: '' },
    { secret, iss: 1 },
    { secret, aud: 'x' },
    { secret, aud: '' },
    null,
    'x',
    [],
  ] as const) {
    constraintsFor(value as Json);
  }
  for (const aud of ['me', 'you', '', ['me'], ['you', 'me'], [], ['you'], [1, 'me'], 1, null, { me: 1 }, [['me']]]) {
    const value = token({ alg: 'HS256' }, { ...claims, aud }, hs(256));
    for (const wanted of ['me', '', undefined]) {
      const constraint = wanted === undefined ? { secret } : { secret, aud: wanted };
      ask(`aud ${text(aud)}, wanted ${wanted}`, 'io.jwt.decode_verify', value, constraint);
    }
  }
  ask('iss wanted, none claimed', 'io.jwt.decode_verify', token({ alg: 'HS256' }, {}, hs(256)), { secret, iss: 'x' });

  // Times: `exp` and `nbf` at the nanosecond, given as text so that no digit is lost.
  const times = [
    '1700000000',
    '1700000000.5',
    '1700000000.123456789',
    '1.7e9',
    '0',
    '-1',
    '1e400',
    '17000000001',
    '9223372036.854775807',
  ];
  const near = ['-1000', '-300', '-129', '-128', '-127', '-1', '0', '1', '127', '128', '129', '300', '1000'];
  for (const claim of ['exp', 'nbf']) {
    for (const seconds of times) {
      const value = token({ alg: 'HS256' }, `{"${claim}":${seconds}}`, hs(256));
      const middle = BigInt(Math.floor(Math.min(Math.max(Number(seconds), 1), 9e9) * 1e9));
      for (const by of near) {
        const ns = middle + BigInt(by);
        ask(`${claim} ${seconds} at ${ns}`, 'io.jwt.decode_verify', value, { secret, time: `@${ns}` });
      }
    }
    for (const bad of ['"1"', 'null', '[]', 'true']) {
      ask(`${claim} ${bad}`, 'io.jwt.decode_verify', token({ alg: 'HS256' }, `{"${claim}":${bad}}`, hs(256)), {
        secret,
        time: 5,
      });
    }
  }

  // Wrong operands.
  const builtinsOfTwo = [
    'io.jwt.verify_rs256',
    'io.jwt.verify_hs256',
    'io.jwt.verify_eddsa',
    'io.jwt.decode_verify',
    'crypto.hmac.sha256',
    'crypto.hmac.equal',
  ];
  for (const bad of [null, true, 1, [], {}]) {
    ask(`decode of ${text(bad)}`, 'io.jwt.decode', bad);
    ask(`sha256 of ${text(bad)}`, 'crypto.sha256', bad);
    for (const name of builtinsOfTwo) {
      ask(`${name} of ${text(bad)} and a string`, name, bad, 'x');
      ask(`${name} of a token and ${text(bad)}`, name, good, bad);
    }
  }
};
