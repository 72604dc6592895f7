/** Routing, fragments, and what the kernel drops by itself. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const udp = ({ client, server }: Place): ScenarioPacket => ({ proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 });
const all = table('raw') + table('mangle') + table('filter');
const prerouting = ['raw:PREROUTING:policy', 'mangle:PREROUTING:policy'];
const tracked = table('filter', '-A FORWARD -m conntrack --ctstate NEW');

export const forwardingCases: readonly Case[] = [
  ...cases('FORWARD sees the time to live already counted down', place => ({
    rules: table('filter', `-A FORWARD -m ${place.isV6 ? 'hl --hl' : 'ttl --ttl'}-eq 63`),
    steps: [[from('eth0', udp(place)), { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth1' }]],
  })),
  ...cases('a time to live of 1 ends behind PREROUTING', place => ({
    rules: all,
    steps: [[from('eth0', { ...udp(place), ttl: 1 }), { path: prerouting, verdict: 'drop', by: 'kernel: ttl' }]],
  })),
  ...cases('too big for the next link, and not to be fragmented', place => ({
    rules: all,
    interfaces: [{ name: 'eth0', addresses: [place.isV6 ? '2001:db8::1/64' : '192.0.2.1/24'] }, { name: 'eth1', addresses: [place.isV6 ? 'fd00::1/64' : '10.0.0.1/24'], mtu: 1300 }],
    steps: [[from('eth0', { ...udp(place), payload_len: 1400, ...(place.isV6 ? {} : { df: true }) }), { path: prerouting, verdict: 'drop', by: 'kernel: mtu' }]],
  })),
  ...cases('too big for the next link, and fragmented there', place => ({
    rules: all,
    interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'], mtu: 1000 }],
    steps: [[from('eth0', { ...udp(place), payload_len: 1400 }), { verdict: 'forwarded eth1' }]],
  }), { families: ['ipv4'] }),
  ...cases('rp_filter drops behind PREROUTING', place => ({
    rules: all, sysctls: { 'net.ipv4.conf.all.rp_filter': 1 },
    steps: [[from('eth1', { ...udp(place), dst: place.self }), { path: prerouting, verdict: 'drop', by: 'kernel: rp_filter' }]],
  }), { families: ['ipv4'] }),
  ...cases('a martian source is dropped behind PREROUTING', place => ({
    rules: all,
    steps: [[from('eth0', { ...udp(place), src: '127.0.0.1' }), { path: prerouting, verdict: 'drop', by: 'kernel: martian' }]],
  }), { families: ['ipv4'] }),
  ...cases('nobody is let in who comes from a group, from nowhere, or from an address of this host, and nothing to a loopback address', place => ({
    rules: all,
    steps: [
      ...['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', place.self].map(src => [from('eth0', { ...udp(place), src, dst: place.self }), { path: prerouting, verdict: 'drop', by: 'kernel: martian' }] as const),
      [from('eth0', { ...udp(place), dst: place.loopback }), { path: prerouting, verdict: 'drop', by: 'kernel: martian' }],
    ],
  }), { families: ['ipv4'] }),
  ...cases('a frame for all is not forwarded', place => ({
    rules: all, steps: [[{ ...from('eth0', udp(place)), broadcast: true }, { path: prerouting, verdict: 'drop' }]],
  })),
  ...cases('without a route it is dropped behind PREROUTING', place => ({
    rules: all, routes: [],
    steps: [[from('eth0', { ...udp(place), src: place.neighbour, dst: place.client }), { path: prerouting, verdict: 'drop', by: 'kernel: no route' }]],
  })),
  ...cases('a host that forwards nothing', place => ({
    rules: all, sysctls: place.isV6 ? { 'net.ipv6.conf.all.forwarding': 0 } : { 'net.ipv4.ip_forward': 0 },
    steps: [[from('eth0', udp(place)), { path: prerouting, verdict: 'drop' }]],
  })),
  ...cases('another machine\'s MAC address is not for us', place => ({
    rules: all, steps: [[from('eth0', { ...udp(place), dmac: '02:00:00:00:99:99' }), { path: [], verdict: 'drop', by: 'kernel: otherhost' }]],
  })),
  ...cases('a wrong checksum of the IP header', place => ({
    rules: all, steps: [[from('eth0', { ...udp(place), badipcsum: true }), { path: [], verdict: 'drop', by: 'kernel: bad checksum' }]],
  }), { families: ['ipv4'] }),
  ...cases('fragments are put together before raw, and are fragments again when they leave', place => ({
    rules: table('raw', '-A PREROUTING -p udp') + tracked,
    steps: [
      [from('eth0', { ...udp(place), payload_len: 100, fragsize: 64 }), { path: ['raw:PREROUTING:1', 'raw:PREROUTING:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth1' }],
      [from('eth0', { ...udp(place), payload_len: 100, fragsize: 64, fragorder: [1, 0], ip_id: 7 }), { path: ['raw:PREROUTING:1', 'raw:PREROUTING:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth1' }],
      [from('eth0', { ...udp(place), payload_len: 100, fragsize: 64, fragorder: [0], ip_id: 8 }), { path: [], verdict: 'drop', by: 'kernel: held fragment' }],
    ],
  })),
  ...cases('fragments of a local process are put together too, so -f never matches', place => ({
    rules: table('filter', '-A OUTPUT -f', '-A OUTPUT -m conntrack --ctstate NEW'),
    steps: [[local({ ...udp(place), src: place.self, dst: place.client, payload_len: 100, fragsize: 64 }), { path: ['filter:OUTPUT:2', 'filter:OUTPUT:policy'], verdict: 'sent eth0' }]],
  }), { families: ['ipv4'] }),
  ...cases('without tracking each fragment travels by itself', place => ({
    rules: table('filter', '-A FORWARD -f'),
    steps: [[from('eth0', { ...udp(place), payload_len: 100, fragsize: 64 }), { path: ['filter:FORWARD:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth1', ct: null }]],
  }), { families: ['ipv4'] }),
  ...cases('a fragment for the host itself waits for the others behind PREROUTING', place => ({
    rules: all,
    steps: [[from('eth0', { ...udp(place), dst: place.self, payload_len: 100, fragsize: 64 }), { path: [...prerouting, ...prerouting, 'mangle:INPUT:policy', 'filter:INPUT:policy'], verdict: 'delivered', ct: null }]],
  }), { families: ['ipv4'] }),
  ...cases('a packet to a tun interface', place => ({
    interfaces: [{ name: 'eth0', addresses: [place.isV6 ? '2001:db8::1/64' : '192.0.2.1/24'] }, { name: 'tun0', kind: 'tun', addresses: [place.isV6 ? 'fd00::1/64' : '10.0.0.1/24'] }],
    rules: table('filter', '-A FORWARD -o tun+ -j ACCEPT', '-A FORWARD -i tun0 -j DROP'),
    steps: [
      [from('eth0', udp(place)), { path: ['filter:FORWARD:1'], verdict: 'forwarded tun0' }],
      [from('tun0', { ...udp(place), src: place.server, dst: place.client }), { path: ['filter:FORWARD:2'], verdict: 'drop', by: 'filter:FORWARD:2' }],
    ],
  })),
  ...cases('a packet that leaves by the way it came gets its sender told of the gateway, and not too often', place => ({
    rules: table('filter', '-A FORWARD -i eth0 -o eth0'),
    steps: Array.from({ length: 3 }, () => [from('eth0', { ...udp(place), src: place.neighbour, dst: place.client }), { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth0' }]),
  }), { families: ['ipv4'] }),
  ...cases('a redirect about a translated connection is not sent', place => ({
    rules: table('nat', '-A PREROUTING -p udp -j DNAT --to-destination 192.0.2.33') + table('filter'),
    steps: [[from('eth0', { ...udp(place), src: place.neighbour, dst: place.client }), { verdict: 'forwarded eth0' }]],
  }), { families: ['ipv4'], backends: ['nft'] }),
  ...cases('TCPMSS knows the narrower way, there or back', place => ({
    interfaces: [{ name: 'eth0', addresses: [place.isV6 ? '2001:db8::1/64' : '192.0.2.1/24'], mtu: 1400 }, { name: 'eth1', addresses: [place.isV6 ? 'fd00::1/64' : '10.0.0.1/24'] }],
    rules: table('mangle', '-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu'),
    steps: [
      [from('eth0', { proto: 'tcp', src: place.neighbour, dst: place.server, sport: 40000, dport: 80, mss: 1460 }), { verdict: 'forwarded eth1' }],
      [from('eth1', { proto: 'tcp', src: place.server, dst: place.neighbour, sport: 40000, dport: 80, mss: 1460 }), { verdict: 'forwarded eth0' }],
    ],
  })),
  ...cases('a local packet for which there is no route', place => ({
    rules: all, routes: [],
    steps: [[local({ ...udp(place), src: place.self, dst: place.client }), { path: [], verdict: 'drop', by: 'kernel: no route' }]],
  })),
  ...cases('a blackhole and a prohibit route', place => ({
    rules: all, routes: [`blackhole ${place.client}`, `prohibit ${place.isV6 ? '2001:db8:2::/48' : '203.0.113.0/24'}`],
    steps: [
      [from('eth1', { ...udp(place), src: place.server, dst: place.client }), { path: prerouting, verdict: 'drop' }],
      [from('eth1', { ...udp(place), src: place.server, dst: place.isV6 ? '2001:db8:2::1' : '203.0.113.1' }), { path: prerouting, verdict: 'drop' }],
    ],
  })),
];
