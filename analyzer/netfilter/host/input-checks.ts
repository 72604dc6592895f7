/** What the kernel drops before PREROUTING, and what it cuts off. */
import { sumOf } from '../../packet/checksum.js';
import type { Packet } from '../../packet/packet.js';
import { isLoopback6, isMapped4, isMulticast6, multicastScope } from './address-kind.js';
import type { IcmpError } from './flow.js';
import { checkHopByHop } from './hop-by-hop.js';
import type { Interfaces } from './interfaces.js';
import type { Sysctls } from './sysctls.js';

export interface InputDrop {
  /** In a word or two, as in `kernel: REASON`. */
  readonly reason: 'bad header' | 'bad checksum' | 'truncated' | 'otherhost' | 'loopback address' | 'scope' | 'invalid source' | 'ipv6 disabled' | 'link-layer broadcast' | 'ip options';
  /** What the sender is told. */
  readonly icmp?: IcmpError;
}

const dropped = (reason: InputDrop['reason']): InputDrop => ({ reason });
const badHeader = dropped('bad header'), badChecksum = dropped('bad checksum'), truncated = dropped('truncated'), otherHost = dropped('otherhost');
const loopbackAddress = dropped('loopback address'), wrongScope = dropped('scope'), invalidSource = dropped('invalid source');
const disabled = dropped('ipv6 disabled'), layer2Unicast = dropped('link-layer broadcast');

/** The bytes without what the link layer put behind them (pskb_trim_rcsum()). */
function trim(packet: Packet, length: number): void {
  if (packet.bytes.length > length) packet.bytes = packet.bytes.subarray(0, length);
}

/** @see ip_rcv_core() in net/ipv4/ip_input.c */
function check4(packet: Packet): InputDrop | undefined {
  const { bytes } = packet;
  const header = (packet.u8(0) & 15) * 4;
  if (bytes.length < 20 || header < 20 || packet.u8(0) >> 4 !== 4 || bytes.length < header) return badHeader;
  if (sumOf(bytes, 0, header) !== 0xffff) return badChecksum;
  const total = packet.u16(2);
  if (bytes.length < total) return truncated;
  if (total < header) return badHeader;
  trim(packet, total);
  return undefined;
}

/** @see ip6_rcv_core() in net/ipv6/ip6_input.c */
function check6(packet: Packet, isLoopback: boolean, sysctls: Sysctls): InputDrop | undefined {
  const device = sysctls.device6(packet.in);
  if (device.disabled) return disabled;
  if (packet.bytes.length < 40 || packet.u8(0) >> 4 !== 6) return badHeader;
  const wrong = checkAddresses(packet, isLoopback, device.dropUnicastInLayer2Multicast);
  if (wrong !== undefined) return wrong;
  const payload = packet.u16(4), isHopByHop = packet.u8(6) === 0;
  if (payload !== 0 || !isHopByHop) {
    if (payload + 40 > packet.bytes.length) return truncated;
    trim(packet, payload + 40);
  }
  const options = isHopByHop ? checkHopByHop(packet, sysctls.get('net.ipv6.max_hbh_opts_number'), sysctls.get('net.ipv6.max_hbh_length')) : undefined;
  return options === undefined ? undefined : { reason: 'ip options', ...options.icmp !== undefined && { icmp: options.icmp } };
}

function checkAddresses(packet: Packet, isLoopback: boolean, dropUnicast: boolean): InputDrop | undefined {
  const source = packet.u128(8), destination = packet.u128(24);
  if ((isLoopback6(source) || isLoopback6(destination)) && !isLoopback) return loopbackAddress;
  const isToGroup = isMulticast6(destination);
  if (isToGroup && multicastScope(destination) === 1 && !isLoopback && packet.linkType !== 'loopback') return wrongScope;
  if (!isToGroup && dropUnicast && (packet.linkType === 'broadcast' || packet.linkType === 'multicast')) return layer2Unicast;
  if (isToGroup && multicastScope(destination) === 0) return wrongScope;
  return isMulticast6(source) || isMapped4(source) ? invalidSource : undefined;
}

/** undefined: PREROUTING is next, and the packet is as long as its header says. */
export function checkInput(packet: Packet, interfaces: Interfaces, sysctls: Sysctls): InputDrop | undefined {
  if (packet.linkType === 'otherhost') return otherHost;
  return packet.family === 'ipv4' ? check4(packet) : check6(packet, interfaces.get(packet.in)?.isLoopback === true, sysctls);
}
