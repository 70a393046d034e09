import { lookup as resolve } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { RegoValue } from '../../rego/index.ts';
import { regoSet } from '../../rego/index.ts';
import { BuiltinError } from '../builtins/model.ts';
import { wrongType } from '../builtins/operands.ts';
import type { AllowedHosts } from './allowed.ts';

/** All addresses that a name stands for now. */
export type Resolve = (
  host: string,
  options: { readonly all: true; readonly family?: number },
) => Promise<{ address: string; family: number }[]>;

/** Node's lookup for a connection: gives only addresses that may be connected to, so that no second answer can differ. */
export const checkedLookup =
  (allowed: AllowedHosts, resolveAll: Resolve = resolve): LookupFunction =>
  (host, options, done) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    resolveAll(host, { all: true, family }).then(
      (found) => {
        try {
          for (const { address } of found) allowed.checkAddress(host, address);
        } catch (refused) {
          return done(refused as Error, '');
        }
        const [first] = found;
        if (options.all === true) done(null, found);
        else done(null, first?.address ?? '', first?.family);
      },
      (failed: unknown) => done(failed as Error, ''),
    );
  };

/** `net.lookup_ip_addr`: the addresses of a name as a set of strings; an address is its own. */
export const lookupIpAddr = async (allowed: AllowedHosts, name: RegoValue | undefined): Promise<RegoValue> => {
  if (typeof name !== 'string') throw wrongType(name, 1, 'string');
  const isAddress = isIP(name) !== 0;
  allowed.checkHost(name);
  if (isAddress) return regoSet([name]);
  try {
    const found = await resolve(name, { all: true });
    return regoSet(found.map(({ address }) => address));
  } catch (cause) {
    throw new BuiltinError(`lookup ${name}: no such host`, { cause });
  }
};
