/** What `ip -j address` and `ip -j maddress` print, as interfaces of a host. */
import * as v from 'valibot';
import type { HostAddress, HostInterface } from '../../analyzer/netfilter/host/host.js';

const optionalText = v.exactOptional(v.string());
const optionalFlag = v.exactOptional(v.boolean());

const addressSchema = v.object({
  local: v.string(), prefixlen: v.number(), address: optionalText, broadcast: optionalText, scope: optionalText,
  secondary: optionalFlag, deprecated: optionalFlag, tentative: optionalFlag, noprefixroute: optionalFlag,
});

const interfaceSchema = v.object({
  ifindex: v.number(), ifname: v.string(), flags: v.array(v.string()), mtu: v.number(), link_type: v.string(),
  group: optionalText, master: optionalText, address: optionalText, addr_info: v.array(addressSchema),
  linkinfo: v.exactOptional(v.object({ info_kind: optionalText, info_data: v.exactOptional(v.object({ type: optionalText })) })),
});
const groupSchema = v.object({ ifname: v.string(), maddr: v.array(v.object({ address: optionalText })) });

type Json = v.InferOutput<typeof interfaceSchema>;

/** ARPHRD_ETHER and ARPHRD_LOOPBACK, by name or, as `ip -N` prints them, by number. */
const isEther = (type: string): boolean => type === 'ether' || type === '[1]';
const isLoopback = (type: string): boolean => type === 'loopback' || type === '[772]';

function kindOf({ link_type: type, linkinfo }: Json): string {
  if (isLoopback(type)) return 'loopback';
  const kind = linkinfo?.info_kind;
  // A TAP is a tun with Ethernet frames.
  if (!isEther(type)) return kind ?? 'none';
  return kind === undefined || kind === 'tun' ? 'ethernet' : kind;
}

/** The other end comes without its prefix, which is the link's. */
function addressOf({ local, prefixlen, address, broadcast, scope, secondary, deprecated, tentative, noprefixroute }: Json['addr_info'][number]): HostAddress {
  return {
    address: `${local}/${String(prefixlen)}`, ...address !== undefined && { peer: address }, ...broadcast !== undefined && { broadcast }, ...scope !== undefined && { scope },
    ...secondary === true && { secondary }, ...deprecated === true && { deprecated }, ...tentative === true && { tentative }, ...noprefixroute === true && { noprefixroute },
  };
}

function interfaceOf(json: Json, groups: ReadonlyMap<string, readonly string[]>): HostInterface {
  const { ifindex, ifname, flags, mtu, link_type: type, group = '0', master, address, addr_info: addresses } = json;
  const number = Number(group);
  return {
    name: ifname, index: ifindex, kind: kindOf(json), ...isEther(type) && address !== undefined && { mac: address }, mtu, up: flags.includes('UP'),
    ...master !== undefined && { master }, ...number > 0 && { group: number },
    addresses: addresses.map(addressOf), ...groups.has(ifname) && { multicast: groups.get(ifname) ?? [] },
  };
}

/** `multicast` may be empty, where it could not be read. */
export function readInterfaces(addresses: unknown, multicast: unknown): readonly HostInterface[] {
  const groups = new Map(v.parse(v.array(groupSchema), multicast).map(one => [one.ifname, one.maddr.flatMap(({ address }) => address ?? [])]));
  return v.parse(v.array(interfaceSchema), addresses).map(one => interfaceOf(one, groups));
}
