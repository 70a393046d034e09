import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { checkServerIdentity, createSecureContext, getCACertificates } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { RegoObject } from '../../../rego/index.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { goBoolean, textMember } from './members.ts';

/** How to speak TLS to the server, and whom to take for it. */
export interface TlsRequest {
  readonly context: () => SecureContext;
  /** Equal for requests that trust the same authorities, show the same certificate and want the same name. */
  readonly identity: string;
  readonly options: Pick<ConnectionOptions, 'checkServerIdentity' | 'rejectUnauthorized' | 'servername'>;
}

interface Material {
  readonly systemRoots: boolean;
  readonly ca: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
}

// Making one of all roots takes 20 ms.
const contexts = new LRUCache<string, SecureContext>({ max: 32 });

let roots: readonly string[] | undefined;

/** Those of Node, and those of the machine, where it has some: Go takes the machine's. */
const usualRoots = (): readonly string[] => {
  roots ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return roots;
};

const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64');

const contextOf = (material: Material): SecureContext => {
  const place = digestOf(material);
  const known = contexts.get(place);
  if (known !== undefined) return known;
  const { ca, cert, key, systemRoots } = material;
  const made = createSecureContext({
    ca: [...(systemRoots || ca.length === 0 ? usualRoots() : []), ...ca],
    ...(cert.length === 0 ? {} : { cert: [...cert], key: [...key] }),
  });
  contexts.set(place, made);
  return made;
};

/** Certificates of authorities, checked: Node would take any text, and trust nothing then. */
const authorities = (pem: string, failure: string): string => {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (cause) {
    throw new BuiltinError(failure, { cause });
  }
  if (blocks.length === 0) throw new BuiltinError(failure);
  return blocks.join('\n');
};

/** Reads a file that the configuration names: what a policy names besides is not even looked for. */
const fileReader =
  (files: readonly string[]) =>
  (request: RegoObject, key: string): string | undefined => {
    const file = textMember(request, key);
    if (file === undefined || file === '') return undefined;
    if (!files.includes(file)) throw new BuiltinError(`${key}: engine.network.tlsFiles does not name ${file}`);
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new BuiltinError(`${key}: ${file} cannot be read`, { cause });
    }
  };

const checkPairs = (material: Material): void => {
  try {
    contextOf(material);
  } catch (cause) {
    throw new BuiltinError('tls: the client certificate and its key cannot be used', { cause });
  }
};

/** The name that the server is asked for and has to prove; an address is not asked for, and has to be proven. */
const verification = (name: string | undefined): TlsRequest['options'] => {
  if (name === undefined || name === '') return {};
  return {
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
};

const isText = (text: string | undefined): text is string => text !== undefined && text !== '';

/** Reads the `tls_` members of a request; `files`: those that policies may name. Throws BuiltinError. */
export const tlsOf = (request: RegoObject, host: string | undefined, files: readonly string[]): TlsRequest => {
  const environment = request.entries.find(([key]) => String(key).endsWith('_env_variable'));
  if (environment !== undefined) throw new BuiltinError(`${environment[0]}: policies read no environment here`);
  const member = (key: string): string | undefined => textMember(request, key);
  const fromFile = fileReader(files);
  const given = member('tls_ca_cert')?.replaceAll('\\n', '\n');
  const file = fromFile(request, 'tls_ca_cert_file');
  const ca = [
    ...(isText(given) ? [authorities(given, 'could not append certificates')] : []),
    ...(isText(file)
      ? [authorities(file, `could not append CA certificates from "${member('tls_ca_cert_file')}"`)]
      : []),
  ];
  const pairs = [
    [member('tls_client_cert'), member('tls_client_key')],
    [fromFile(request, 'tls_client_cert_file'), fromFile(request, 'tls_client_key_file')],
  ].filter((pair): pair is [string, string] => pair.every(isText));
  const name = member('tls_server_name') || host?.replace(/:\d+$/, '');
  const material = {
    systemRoots: goBoolean(request, 'tls_use_system_certs'),
    ca,
    cert: pairs.map(([cert]) => cert),
    key: pairs.map(([, key]) => key),
  };
  if (pairs.length > 0) checkPairs(material);
  const rejectUnauthorized = !goBoolean(request, 'tls_insecure_skip_verify');
  const identity = digestOf([material, rejectUnauthorized, name ?? '']);
  return { context: () => contextOf(material), identity, options: { rejectUnauthorized, ...verification(name) } };
};
