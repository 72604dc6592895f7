/** What routing answers, in either family. */
import type { Packet } from '../../packet/packet.js';
import type { AddressType } from '../../values/address-types.js';
import type { Address } from '../../values/address.js';
import type { InputRoute, OutputRequest, OutputRoute, ReversePathOptions } from './decision.js';

export interface FamilyRouting {
  /**
   * Where a packet goes that came in by `packet.in` and has passed PREROUTING: with its mark and its destination as they are now.
   * Not for packets that were looped back: they keep the route that they left by.
   */
  input(packet: Packet): InputRoute;
  /** By which way a local packet leaves, and with which source where it has none. */
  output(request: OutputRequest): OutputRoute;
  /** The same anew, because its mark, addresses or TOS were changed in OUTPUT. */
  reroute(packet: Packet): OutputRoute;
  /** What `-m addrtype` may find of an address; with an interface (`--limit-iface-…`), as if there were no other. */
  addressTypes(address: Address, device?: string): ReadonlySet<AddressType>;
  /** Whether packets to the group, by this interface, are for this host too. */
  isJoined(device: string, group: Address): boolean;
  /** `-m rpfilter`. */
  reversePath(packet: Packet, options: ReversePathOptions): boolean;
  /** What MASQUERADE takes: an address of the interface. `nextHop` is, in IPv4, the gateway where there is one; in IPv6 the destination. undefined: there is none. */
  sourceAddress(device: string, nextHop: Address): Address | undefined;
}
