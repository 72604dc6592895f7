/** The types of sets that ipset knows, and of what parts their elements are. */
import type { Family } from '../../values/value.js';

/** `port` has a protocol with it, `plainPort` none; a `mac` of −1 is one that the first packet fills in. */
export type Part = 'ip' | 'net' | 'port' | 'plainPort' | 'mac' | 'mark' | 'iface' | 'set';

export interface SetType {
  readonly name: string;
  readonly storage: 'bitmap' | 'hash' | 'list';
  readonly parts: readonly Part[];
  /** How many of the parts, from the first on, tell elements apart; of the rest a bucket is searched. */
  readonly keyParts: number;
  /** Positions of the parts that are networks. */
  readonly nets: readonly number[];
  /** A prefix length of 0 is allowed (IP_SET_HASH_WITH_NET0). */
  readonly takesNet0: boolean;
  /** The families it comes in; none: it is of no family and takes packets of both. */
  readonly families: readonly Family[];
  /** Options of `create` besides those that all have. */
  readonly options: readonly string[];
}

const partOf: Readonly<Record<string, Part>> = { ip: 'ip', net: 'net', port: 'port', mac: 'mac', mark: 'mark', iface: 'iface', set: 'set' };
const both: readonly Family[] = ['ipv4', 'ipv6'];

function define(name: string, families: readonly Family[], options: readonly string[]): SetType {
  const [storage = '', list = ''] = name.split(':');
  const kind = storage === 'bitmap' ? 'bitmap' : storage === 'list' ? 'list' : 'hash';
  const parts = list.split(',').map((word): Part => kind === 'bitmap' && word === 'port' ? 'plainPort' : partOf[word] ?? 'ip');
  const isSearched = name === 'bitmap:ip,mac' || name === 'hash:net,iface';
  return {
    name, storage: kind, parts, keyParts: isSearched ? 1 : parts.length, nets: [...parts.keys()].filter(index => parts[index] === 'net'),
    takesNet0: name === 'hash:net,iface' || name === 'hash:net,net' || name === 'hash:net,port,net', families, options,
  };
}

const hash = ['family', 'hashsize', 'maxelem', 'bucketsize', 'initval', 'forceadd'];
const masks = ['netmask', 'bitmask'];

const all: readonly SetType[] = [
  define('bitmap:ip', ['ipv4'], ['range', 'netmask']),
  define('bitmap:ip,mac', ['ipv4'], ['range']),
  define('bitmap:port', [], ['range']),
  define('hash:ip', both, [...hash, ...masks]),
  define('hash:ip,mac', both, hash),
  define('hash:ip,mark', both, [...hash, 'markmask']),
  define('hash:ip,port', both, [...hash, ...masks]),
  define('hash:ip,port,ip', both, hash),
  define('hash:ip,port,net', both, hash),
  define('hash:mac', [], hash),
  define('hash:net', both, hash),
  define('hash:net,iface', both, hash),
  define('hash:net,net', both, [...hash, ...masks]),
  define('hash:net,port', both, hash),
  define('hash:net,port,net', both, hash),
  define('list:set', [], ['size']),
];

/** Older names that `create` still takes (ipset(8)). */
const aliases: Readonly<Record<string, string>> = {
  ipmap: 'bitmap:ip', macipmap: 'bitmap:ip,mac', portmap: 'bitmap:port', iphash: 'hash:ip', ipporthash: 'hash:ip,port',
  ipportiphash: 'hash:ip,port,ip', ipportnethash: 'hash:ip,port,net', nethash: 'hash:net', setlist: 'list:set',
};

const byName: ReadonlyMap<string, SetType> = new Map(all.map(type => [type.name, type]));

export function setType(name: string): SetType | undefined {
  return byName.get(aliases[name] ?? name);
}
