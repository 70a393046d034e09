// X.509 certificates made on the spot: as much of DER as that takes, and node:crypto for the keys.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const octets = (...parts: readonly Buffer[]): Buffer => der(0x04, ...parts);
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const boolean = der(0x01, Buffer.from([255]));
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes);
const time = (when: Date): Buffer => der(0x18, Buffer.from(when.toISOString().replace(/[-:T]|\.\d+/g, '')));

const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(name)))));
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));

const alternative = (name: string): Buffer =>
  isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** A certificate for these names and IPv4 addresses, good for servers and for clients. */
  issue(...names: readonly string[]): Certificate;
}

const made = (subject: string, extensions: readonly Buffer[], issuer?: { name: string; key: KeyObject }) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const day = 86_400_000;
  const content = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer?.name ?? subject),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 30 * day))),
    commonName(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', content, issuer?.key ?? privateKey);
  const text = sequence(content, ecdsaWithSha256, bits(signature)).toString('base64').replace(/.{64}/g, '$&\n');
  const cert = `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
  return { cert, key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string, privateKey };
};

/** An authority of its own, valid from yesterday for a month. */
export const makeAuthority = (name: string): Authority => {
  const isAuthority = sequence(identifier('551d13'), boolean, octets(sequence(boolean)));
  const { privateKey, ...own } = made(name, [isAuthority]);
  return {
    ...own,
    issue: (...names) => {
      const alternatives = sequence(identifier('551d11'), octets(sequence(...names.map(alternative))));
      const { cert, key } = made(names[0] ?? 'nobody', [alternatives], { name, key: privateKey });
      return { cert, key };
    },
  };
};
