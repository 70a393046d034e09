// A call of each builtin with operands that are large, or small and hard, as JSON: builtins in Wasm are left out, their
// instructions are counted.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { makeAuthority } from '../../test/support/certificates.ts';

export type Operands = readonly unknown[];

const bytes = 200_000;
const items = 9_000;
const some = 300;

const text = 'ab'.repeat(bytes / 2);
const noAscii = 'é日'.repeat(bytes / 5);
const numbers = Array.from({ length: items }, (_, at) => at);
const words = numbers.map((at) => `word-${at}`);
const members = Object.fromEntries(numbers.map((at) => [`member-${at}`, at]));
const digits = Number('7'.repeat(15));
const half = numbers.slice(0, items / 2);
const mixed = { words: words.slice(0, items / 2), members: Object.fromEntries(half.map((at) => [`m${at}`, at])) };
const json = JSON.stringify(mixed);
const networks = numbers.slice(0, some).map((at) => `10.${at >> 8}.${at & 255}.0/24`);
const addresses = numbers.slice(0, some).map((at) => `10.${at >> 8}.${at & 255}.1`);
const moment = 1_700_000_000_000_000_000;
const zoned = [moment, 'Europe/Zurich'];
const deep = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

const keys = {
  rs: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  es256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  es384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  es512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  eddsa: generateKeyPairSync('ed25519'),
};
const pem = (pair: (typeof keys)['rs']): string => String(pair.publicKey.export({ type: 'spki', format: 'pem' }));
const secret = 'secret';
const claims = Buffer.from(JSON.stringify({ sub: 'alice', words: words.slice(0, 1_000) })).toString('base64url');
const bodyOf = (alg: string): string =>
  `${Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')}.${claims}`;
const hashed = (alg: string): string => {
  const body = bodyOf(alg);
  return `${body}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(body)
    .digest('base64url')}`;
};
const signed = (alg: string, pair: (typeof keys)['rs'], hash: string | null): string => {
  const body = bodyOf(alg);
  const key = { key: pair.privateKey, ...(alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}) };
  return `${body}.${sign(hash, Buffer.from(body), key).toString('base64url')}`;
};
const symmetric = { kty: 'oct', k: Buffer.from(secret).toString('base64url') };
const rsaKey = keys.rs.privateKey.export({ format: 'jwk' });
const certificates = makeAuthority('prices');
const { cert, key } = certificates.issue('prices.example');
const graphqlSchema = `type Query { ${numbers
  .slice(0, some)
  .map((at) => `f${at}: String`)
  .join(' ')} }`;
const graphqlQuery = `{ ${numbers
  .slice(0, some)
  .map((at) => `f${at}`)
  .join(' ')} }`;
const schema = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } };
const module = `package p\n${numbers
  .slice(0, some)
  .map((at) => `r${at} if input.a[${at}] == ${at}`)
  .join('\n')}\n`;
const edits = numbers.slice(0, some).map((at) => ({ op: 'add', path: `/0`, value: at }));
const paths = numbers.slice(0, some).map((at) => `member-${at}`);
const layers = Object.fromEntries(
  numbers.slice(0, 40).map((at) => [String(at), at < 39 ? [String(at + 1), String((at % 13) + 20)] : []]),
);

const hashes = (name: string): readonly (readonly [string, Operands])[] => [
  [`crypto.${name}`, [text]],
  [`crypto.${name}`, [noAscii]],
];

export const calls: readonly (readonly [string, Operands])[] = [
  ...['md5', 'sha1', 'sha256'].flatMap(hashes),
  ...['md5', 'sha1', 'sha256', 'sha512'].map((name) => [`crypto.hmac.${name}`, [text, secret]] as const),
  ['crypto.hmac.equal', [text, text]],
  ['sprintf', ['%v %s %d %100.5f', [members, text, digits, 1.5]]],
  ['sprintf', ['%d'.repeat(items), numbers]],
  ['rand.intn', ['key', 1_000]],
  ['uuid.rfc4122', ['key']],
  ['graph.reachable_paths', [layers, ['0']]],
  ['json.patch', [numbers, edits]],
  ['numbers.range_step', [0, 100_000, 3]],
  ['object.subset', [mixed.members, mixed.members]],
  ['object.subset', [numbers, numbers.slice(some)]],
  ['net.cidr_contains_matches', [networks, addresses]],
  ['net.cidr_expand', ['10.0.0.0/18']],
  ['net.cidr_is_valid', [text]],
  ['net.cidr_merge', [networks]],
  ['base64.decode', [Buffer.from(text).toString('base64')]],
  ['base64.is_valid', [Buffer.from(text).toString('base64')]],
  ['base64url.decode', [Buffer.from(text).toString('base64url')]],
  ['base64url.encode_no_pad', [text]],
  ['hex.decode', [Buffer.from(text).toString('hex')]],
  ['hex.encode', [text]],
  ['urlquery.decode', ['%C3%A9'.repeat(bytes / 6)]],
  ['urlquery.decode_object', [words.map((word) => `${word}=1`).join('&')]],
  ['urlquery.encode', [noAscii]],
  ['urlquery.encode_object', [Object.fromEntries(words.map((word) => [word, 'é']))]],
  ['semver.compare', [`1.2.3-${'1.'.repeat(bytes / 4)}1`, `1.2.3-${'1.'.repeat(bytes / 4)}2`]],
  ['semver.is_valid', [`1.2.3-${'1.'.repeat(bytes / 4)}1`]],
  ['units.parse', [`${'7'.repeat(items)}.5Ki`]],
  ['units.parse_bytes', [`${'7'.repeat(items)}Ki`]],
  ['uuid.parse', ['00000000-0000-1000-8000-000000000000']],
  ['regex.find_all_string_submatch_n', ['(a)(b)?', text.slice(0, 20_000), -1]],
  ['regex.find_n', ['(a+)(b+)*', text.slice(0, 20_000), -1]],
  ['regex.is_valid', ['(a?b*)'.repeat(1_000)]],
  ['regex.match', ['^(a?b?)*c$', text]],
  ['regex.match', ['^(\\w+\\s?)*$', `${'a'.repeat(20_000)}!`]],
  ['regex.replace', [text.slice(0, 20_000), 'a(b)', '<$1>']],
  ['regex.split', ['a', text.slice(0, 20_000)]],
  ['regex.template_match', ['urn:{.*}', `urn:${text}`, '{', '}']],
  ['glob.match', ['{a,b,*}{a,ab}*c', [], text.slice(0, 20_000)]],
  ['glob.quote_meta', ['*'.repeat(bytes)]],
  ['indexof', [text, 'c']],
  ['indexof', [text, `${text.slice(0, some)}c`]],
  ['indexof_n', [text, 'a']],
  ['indexof_n', [`${'a'.repeat(bytes)}`, `${'a'.repeat(1_000)}b`]],
  ['strings.any_prefix_match', [words, words]],
  ['strings.any_suffix_match', [words, words.map((word) => `x${word}`)]],
  ['strings.count', [text, 'a']],
  ['strings.split_n', [text, 'b', items]],
  ['time.clock', [zoned]],
  ['time.date', [zoned]],
  ['time.weekday', [zoned]],
  ['time.add_date', [moment, 1, 2, 3]],
  ['time.diff', [zoned, [moment + 3_600_000_000_000, 'Asia/Tokyo']]],
  ['time.parse_duration_ns', ['1h'.repeat(items)]],
  ['time.parse_ns', ['2006-01-02T15:04:05Z07:00', '2024-01-02T15:04:05Z']],
  ['time.parse_rfc3339_ns', ['2024-01-02T15:04:05Z']],
  ['abs', [-digits]],
  ['array.slice', [numbers, 1, items - 1]],
  ['bits.and', [digits, 12_345]],
  ['bits.lsh', [digits, 100_000]],
  ['bits.negate', [digits]],
  ['bits.or', [digits, 12_345]],
  ['bits.rsh', [digits, 3]],
  ['bits.xor', [digits, 12_345]],
  ['ceil', [1e300]],
  ['floor', [1e300]],
  ['round', [1e300]],
  ['concat', [', ', words]],
  ['concat', [text.slice(0, 100), words]],
  ['div', [digits, 7.123]],
  ['rem', [digits, 7]],
  ['minus', [1e300, 1]],
  ['mul', [1e300, 1e300]],
  ['plus', [1e300, 1]],
  ['product', [numbers.slice(1, some)]],
  ['sum', [numbers.map((at) => at + 0.1)]],
  ['format_int', [digits, 2]],
  ['json.filter', [members, paths]],
  ['json.remove', [members, paths]],
  ['json.is_valid', [json]],
  ['json.is_valid', [deep(5_000, '[', ']')]],
  ['json.marshal', [mixed]],
  ['json.unmarshal', [json]],
  ['net.cidr_contains', ['10.0.0.0/8', '10.1.2.3']],
  ['net.cidr_intersects', ['10.0.0.0/8', '10.1.2.0/24']],
  ['object.union_n', [numbers.slice(0, some).map((at) => ({ [`m${at}`]: { n: words.slice(0, 10) } }))]],
  ['replace', [text, 'a', 'xyz']],
  ['replace', [text, '', '-']],
  ['substring', [noAscii, 10, 10_000]],
  ['to_number', ['7'.repeat(some)]],
  ['io.jwt.decode', [hashed('HS256')]],
  ...['256', '384', '512'].map((size) => [`io.jwt.verify_hs${size}`, [hashed(`HS${size}`), secret]] as const),
  ...['256', '384', '512'].map(
    (size) => [`io.jwt.verify_rs${size}`, [signed(`RS${size}`, keys.rs, `sha${size}`), pem(keys.rs)]] as const,
  ),
  ...['256', '384', '512'].map(
    (size) => [`io.jwt.verify_ps${size}`, [signed(`RS${size}`, keys.rs, `sha${size}`), pem(keys.rs)]] as const,
  ),
  ['io.jwt.verify_es256', [signed('ES256', keys.es256, 'sha256'), pem(keys.es256)]],
  ['io.jwt.verify_es384', [signed('ES384', keys.es384, 'sha384'), pem(keys.es384)]],
  ['io.jwt.verify_es512', [signed('ES512', keys.es512, 'sha512'), pem(keys.es512)]],
  ['io.jwt.verify_eddsa', [signed('EdDSA', keys.eddsa, null), pem(keys.eddsa)]],
  ['io.jwt.decode_verify', [signed('RS256', keys.rs, 'sha256'), { cert: pem(keys.rs) }]],
  ['io.jwt.encode_sign', [{ alg: 'RS256' }, { sub: 'a' }, rsaKey]],
  ['io.jwt.encode_sign', [{ alg: 'HS256' }, { words }, symmetric]],
  ['io.jwt.encode_sign_raw', ['{"alg":"HS256"}', json, JSON.stringify(symmetric)]],
  ['crypto.parse_private_keys', [key.repeat(10)]],
  ['crypto.x509.parse_and_verify_certificates', [cert + certificates.cert]],
  ['crypto.x509.parse_certificates', [cert.repeat(20)]],
  ['crypto.x509.parse_keypair', [cert, key]],
  ['crypto.x509.parse_rsa_private_key', [String(keys.rs.privateKey.export({ type: 'pkcs1', format: 'pem' }))]],
  ['graphql.is_valid', [graphqlQuery, graphqlSchema]],
  ['graphql.parse', [graphqlQuery, graphqlSchema]],
  ['graphql.parse_and_verify', [graphqlQuery, graphqlSchema]],
  ['graphql.parse_query', [graphqlQuery]],
  ['graphql.parse_schema', [graphqlSchema]],
  ['graphql.schema_is_valid', [graphqlSchema]],
  ['json.marshal_with_options', [members, { pretty: true }]],
  ['json.match_schema', [members, schema]],
  ['json.verify_schema', [schema]],
  ['regex.globs_match', ['[a-z]+b.*', '[0-9a]*.+']],
  ['rego.parse_module', ['p.rego', module]],
  ['strings.render_template', ['{{range .w}}{{.}}{{end}}', { w: words }]],
  ['time.format', [[moment, 'Europe/Zurich', 'RFC3339']]],
  ['uri.is_valid', [`https://example.com/${text}`]],
  ['uri.parse', [`https://example.com/${text}`]],
  ['yaml.is_valid', [words.map((word) => `- ${word}`).join('\n')]],
  ['yaml.marshal', [members]],
  ['yaml.unmarshal', [words.map((word) => `- ${word}`).join('\n')]],
];

/** Whose work is that of others here, or which take no operands that would be large. */
export const unmeasured: ReadonlySet<string> = new Set([
  ...['opa.runtime', 'time.now_ns', 'trace', 'internal.template_string', 'lt', 'lte', 'gt', 'gte', 'neq'],
  ...['http.send', 'net.lookup_ip_addr', 'providers.aws.sign_req', 'crypto.x509.parse_certificate_request'],
  'crypto.x509.parse_and_verify_certificates_with_options',
]);
