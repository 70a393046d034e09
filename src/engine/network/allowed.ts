import { BlockList, isIP } from 'node:net';

/** Refused before or at the connection: the sentence says which setting would allow it. */
export class HostRefused extends Error {}

// What the IANA registries of special-purpose addresses do not call globally reachable, and the address at which Azure
// answers its machines. https://www.iana.org/assignments/iana-ipv4-special-registry
const special4 = [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24',
  '192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  '168.63.129.16/32',
];
// Within 2000::/3, outside of which nothing is global: these carry IPv4 addresses or are no one's.
const special6 = '2001::/23 2001:db8::/32 2002::/16 3fff::/20';

const subnets = (list: string): readonly string[] => list.split(' ');

const blockList = (ranges: readonly string[]): BlockList => {
  const blocks = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    blocks.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return blocks;
};

const notGlobal = blockList([...special4.flatMap(subnets), ...subnets(special6)]);
const global6 = blockList(['2000::/3']);

const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');

/** The address without the dress of an IPv4-mapped one: `::ffff:7f00:1` is 127.0.0.1. */
export const plainAddress = (address: string): string => {
  const text = bare(address);
  const mapped = isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(mapped) ?? [];
  if (high === undefined || low === undefined) return mapped;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
};

/** Whether an address is one that anyone on the Internet could mean. */
export const isPublic = (address: string): boolean => {
  const plain = plainAddress(address);
  if (isIP(plain) === 4) return !notGlobal.check(plain, 'ipv4');
  return isIP(plain) === 6 && global6.check(plain, 'ipv6') && !notGlobal.check(plain, 'ipv6');
};

const nameOf = (host: string): string => host.toLowerCase().replace(/\.$/, '');

/** What the list of hosts in the configuration allows. */
export class AllowedHosts {
  private readonly names: ReadonlySet<string>;
  private readonly ranges: BlockList;
  private readonly setting: string;

  /** `setting` is where the hosts stand, as refusals name it. */
  constructor(hosts: readonly string[], setting = 'engine.network.hosts') {
    this.setting = setting;
    const isAddress = (host: string): boolean => isIP(bare(host.split('/', 1)[0] ?? '')) !== 0;
    this.names = new Set(hosts.filter((host) => !isAddress(host)).map(nameOf));
    this.ranges = blockList(hosts.filter(isAddress).map(bare));
  }

  /** Whether a host of a URL, or a name to look up, is in the list. */
  allows(host: string): boolean {
    const plain = plainAddress(host);
    return isIP(plain) === 0 ? this.names.has(nameOf(host)) : this.hasAddress(plain);
  }

  /** Throws HostRefused for one that is not. */
  checkHost(host: string): void {
    if (this.allows(host)) return;
    throw new HostRefused(`disallowed host: ${host} (${this.setting} does not name it)`);
  }

  /** Throws HostRefused for an address that a name stands for, which is neither public nor in the list. */
  checkAddress(host: string, address: string): void {
    const plain = plainAddress(address);
    if (isPublic(plain) || this.hasAddress(plain)) return;
    const why = `is ${plain}, which is not public: ${this.setting} has to name that address, too`;
    throw new HostRefused(`disallowed host: ${host} ${why}`);
  }

  private hasAddress(plain: string): boolean {
    const family = isIP(plain);
    return family !== 0 && this.ranges.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}
