/** What a host is, apart from the packets: the file that `--host` reads and `iptables-lint collect` writes. docs/host.md explains it. */
import * as v from 'valibot';
import { flag, found, list, noList, object, oneOf, text, whole, type Wrong } from '../../model/schema-words.js';
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

const optional = v.exactOptional;
const u32 = whole(0xffff_ffff);
const port = whole(65_535);
const wrongOffset = (issue: Wrong): string => `must be a whole number of seconds, and is ${found(issue)}`;
const family = oneOf(['ipv4', 'ipv6'], 'family');

/** Keys and their values, whatever the keys are. */
function record<T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, Readonly<Record<string, T>>> {
  return noList(v.record(v.string(), schema, issue => `must be an object, and is ${found(issue)}`));
}

const wordsOrJson = v.union([v.string(), record(v.unknown())], issue => `must be words, as \`ip route\` and \`ip rule\` take them, or an object that \`ip -j\` printed, and is ${found(issue)}`);

function perFamily<T>(schema: v.GenericSchema<unknown, T>, what: string): v.GenericSchema<unknown, PerFamily<T>> {
  return object({ ipv4: optional(schema), ipv6: optional(schema) }, what);
}

const address: v.GenericSchema<unknown, HostAddress> = object({
  address: text,
  peer: optional(text),
  broadcast: optional(text),
  scope: optional(text),
  secondary: optional(flag),
  deprecated: optional(flag),
  tentative: optional(flag),
  noprefixroute: optional(flag),
}, 'the address');
/** Of what is an object only what is wrong with that is said. */
const addressOrText: v.GenericSchema<unknown, string | HostAddress> = v.lazy(value => typeof value === 'object' && value !== null ? address : text);

const hostInterface: v.GenericSchema<unknown, HostInterface> = object({
  name: v.pipe(text, v.regex(/^[^\s/]{1,15}$/u, 'must be the name of an interface: up to 15 characters, no blank, no slash')),
  index: optional(u32),
  kind: optional(text),
  mac: optional(v.pipe(text, v.regex(/^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/iu, 'must be an Ethernet address, as 02:00:00:00:00:01'))),
  mtu: optional(u32),
  up: optional(flag),
  master: optional(text),
  group: optional(u32),
  addresses: optional(list(addressOrText)),
  multicast: optional(list(text)),
}, 'the interface');

const socket: v.GenericSchema<unknown, HostSocket> = object({
  protocol: oneOf(['tcp', 'udp'], 'protocol'),
  address: text,
  port,
  interface: optional(text),
  transparent: optional(flag),
  uid: optional(u32),
  process: optional(text),
}, 'the socket');

export const hostSchema: v.GenericSchema<unknown, HostDescription> = object({
  collected: optional(v.pipe(text, v.isoTimestamp('must be a time of ISO 8601, as 2026-01-31T23:30:00Z'))),
  timeZoneOffset: optional(v.pipe(v.number(wrongOffset), v.integer(wrongOffset))),
  versions: optional(object({ kernel: optional(text), iptables: optional(text), iproute2: optional(text) }, '`versions`')),
  interfaces: optional(v.pipe(list(hostInterface), v.check(all => new Set(all.map(({ name }) => name)).size === all.length, 'two interfaces have the same name'))),
  routes: optional(perFamily(list(wordsOrJson), '`routes`')),
  rules: optional(perFamily(list(wordsOrJson), '`rules`')),
  sysctls: optional(record(v.union([v.number(), v.string()], issue => `must be a number or text, and is ${found(issue)}`))),
  ruleSets: optional(list(object({ family, backend: oneOf(['legacy', 'nft'], 'backend'), text }, 'the rule set'))),
  ipsets: optional(text),
  conntrack: optional(perFamily(text, '`conntrack`')),
  sockets: optional(list(socket)),
  problems: optional(list(text)),
}, 'the host');

/** A host that could be read, or what is wrong with it. */
export type HostReading =
  | { readonly host: HostDescription; readonly problems?: undefined }
  /** One line each: where, and what was expected there. */
  | { readonly host?: undefined; readonly problems: readonly string[] };

/** Checks what was read from a host file; `interfaces.0.mac: must be …` says what is wrong with it. */
export function readHost(value: unknown): HostReading {
  const { success, output, issues } = v.safeParse(hostSchema, value);
  if (success) return { host: output };
  return { problems: issues.map(issue => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`) };
}
