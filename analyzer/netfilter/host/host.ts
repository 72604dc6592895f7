/** What a host is, apart from the packets: the file that `--host` reads and `iptables-lint collect` writes. docs/host.md explains it. */
import * as v from 'valibot';
import type { Backend, Family } from '../../values/value.js';

/** What `ip -j` prints of a route or a rule; or the same in words, as `ip route` and `ip rule` take them. */
export type WordsOrJson = string | Readonly<Record<string, unknown>>;

/** An address of an interface. */
export interface HostAddress {
  /** `192.0.2.1/24`; without a length it is the address alone. */
  readonly address: string;
  /** The other end of a point-to-point link; then the prefix is the peer's. */
  readonly peer?: string;
  readonly broadcast?: string;
  /** `global`, `site`, `link`, `host` or a number. */
  readonly scope?: string;
  /** IPv4: a second address of the same network. */
  readonly secondary?: boolean;
  /** IPv6: not for new connections. */
  readonly deprecated?: boolean;
  /** IPv6: not yet known to be nobody else's. */
  readonly tentative?: boolean;
  readonly noprefixroute?: boolean;
}

/** An interface of the host. */
export interface HostInterface {
  readonly name: string;
  readonly index?: number;
  /** `ethernet`, `tun`, `loopback`, `bridge`, `vlan`, `veth`, `bond`, `wireguard` …; what has no link-layer address is as `tun`. */
  readonly kind?: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** Absent: it is. */
  readonly up?: boolean;
  /** The bridge, bond or VRF that it is a port of. */
  readonly master?: string;
  /** Device group, a number; 0 is the usual one. */
  readonly group?: number;
  /** Strings in the order in which they were added; objects in that of `ip address`, which lists IPv6 addresses with the newest first. */
  readonly addresses?: readonly (string | HostAddress)[];
  /** Multicast groups that it has joined, of both families. Absent: those that the kernel joins by itself. */
  readonly multicast?: readonly string[];
}

/** What somebody listens on. */
export interface HostSocket {
  readonly protocol: 'tcp' | 'udp';
  /** `*` stands for all of both families, `0.0.0.0` and `::` for all of one. */
  readonly address: string;
  readonly port: number;
  readonly interface?: string;
  /** IP_TRANSPARENT, which TPROXY asks for. Absent: it is not known. */
  readonly transparent?: boolean;
  readonly uid?: number;
  /** Name of the program. */
  readonly process?: string;
}

/** Rules that were loaded on the host. */
export interface HostRuleSet {
  readonly family: Family;
  readonly backend: Backend;
  /** What `iptables-save` printed. */
  readonly text: string;
}

/** One of each family, where there is one. */
export interface PerFamily<T> {
  readonly ipv4?: T;
  readonly ipv6?: T;
}

/** What a host is, as `iptables-lint collect` writes it: docs/host.md. */
export interface HostDescription {
  /** When it was taken: ISO 8601, UTC. */
  readonly collected?: string;
  /** Offset of the host's time zone from UTC, in seconds. */
  readonly timeZoneOffset?: number;
  readonly versions?: { readonly kernel?: string; readonly iptables?: string; readonly iproute2?: string };
  readonly interfaces?: readonly HostInterface[];
  readonly routes?: PerFamily<readonly WordsOrJson[]>;
  readonly rules?: PerFamily<readonly WordsOrJson[]>;
  readonly sysctls?: Readonly<Record<string, number | string>>;
  readonly ruleSets?: readonly HostRuleSet[];
  /** The text of `ipset save`. */
  readonly ipsets?: string;
  /** The text of `conntrack -L`. */
  readonly conntrack?: PerFamily<string>;
  readonly sockets?: readonly HostSocket[];
  /** What could not be read of it, and why. */
  readonly problems?: readonly string[];
}

const family = v.picklist(['ipv4', 'ipv6']);
const wordsOrJson = v.union([v.string(), v.record(v.string(), v.unknown())], 'Expected words, as `ip route` and `ip rule` take them, or an object that `ip -j` printed');

function perFamily<T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, PerFamily<T>> {
  return v.strictObject({ ipv4: v.exactOptional(schema), ipv6: v.exactOptional(schema) });
}

const address: v.GenericSchema<unknown, HostAddress> = v.strictObject({
  address: v.string(),
  peer: v.exactOptional(v.string()),
  broadcast: v.exactOptional(v.string()),
  scope: v.exactOptional(v.string()),
  secondary: v.exactOptional(v.boolean()),
  deprecated: v.exactOptional(v.boolean()),
  tentative: v.exactOptional(v.boolean()),
  noprefixroute: v.exactOptional(v.boolean()),
});

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
const portNumber = v.pipe(natural, v.maxValue(65535));
const mac = v.pipe(v.string(), v.regex(/^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/iu, 'Expected a MAC address, 02:00:00:00:00:01'));

const hostInterface: v.GenericSchema<unknown, HostInterface> = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[^\s/]{1,15}$/u, 'Expected the name of an interface: up to 15 characters, no blank, no slash')),
  index: v.exactOptional(natural),
  kind: v.exactOptional(v.string()),
  mac: v.exactOptional(mac),
  mtu: v.exactOptional(natural),
  up: v.exactOptional(v.boolean()),
  master: v.exactOptional(v.string()),
  group: v.exactOptional(natural),
  addresses: v.exactOptional(v.array(v.union([v.string(), address]))),
  multicast: v.exactOptional(v.array(v.string())),
});

const socket: v.GenericSchema<unknown, HostSocket> = v.strictObject({
  protocol: v.picklist(['tcp', 'udp']),
  address: v.string(),
  port: portNumber,
  interface: v.exactOptional(v.string()),
  transparent: v.exactOptional(v.boolean()),
  uid: v.exactOptional(natural),
  process: v.exactOptional(v.string()),
});

export const hostSchema: v.GenericSchema<unknown, HostDescription> = v.strictObject({
  collected: v.exactOptional(v.pipe(v.string(), v.isoTimestamp())),
  timeZoneOffset: v.exactOptional(v.pipe(v.number(), v.integer())),
  versions: v.exactOptional(v.strictObject({ kernel: v.exactOptional(v.string()), iptables: v.exactOptional(v.string()), iproute2: v.exactOptional(v.string()) })),
  interfaces: v.exactOptional(v.array(hostInterface)),
  routes: v.exactOptional(perFamily(v.array(wordsOrJson))),
  rules: v.exactOptional(perFamily(v.array(wordsOrJson))),
  sysctls: v.exactOptional(v.record(v.string(), v.union([v.number(), v.string()]))),
  ruleSets: v.exactOptional(v.array(v.strictObject({ family, backend: v.picklist(['legacy', 'nft']), text: v.string() }))),
  ipsets: v.exactOptional(v.string()),
  conntrack: v.exactOptional(perFamily(v.string())),
  sockets: v.exactOptional(v.array(socket)),
  problems: v.exactOptional(v.array(v.string())),
});

/** A host that could be read, or what is wrong with it. */
export type HostReading =
  | { readonly host: HostDescription; readonly problems?: undefined }
  /** One line each: where, and what was expected there. */
  | { readonly host?: undefined; readonly problems: readonly string[] };

/** Checks what was read from a host file; `interfaces.0.mac: Expected …` says what is wrong with it. */
export function readHost(value: unknown): HostReading {
  if (Array.isArray(value)) return { problems: ['the file: Expected an object, and it is a list'] };
  const { success, output, issues } = v.safeParse(hostSchema, value);
  if (success) return { host: output };
  return { problems: issues.map(issue => `${v.getDotPath(issue) ?? 'the file'}: ${issue.expected === 'never' ? 'no such key' : issue.message}`) };
}
