/** Address translation. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const end = (address: string, port: number): string => `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
const sent = (packet: ScenarioPacket): readonly (ScenarioPacket & { readonly oif: string })[] => [packet as ScenarioPacket & { readonly oif: string }];
const udp = (src: string, sport: number, dst: string, dport: number): ScenarioPacket => ({ proto: 'udp', src, dst, sport, dport });

export const natCases: readonly Case[] = [
  ...cases('masquerading, and the answer on its way back, which skips nat', (place: Place) => ({
    rules: table('nat', '-A POSTROUTING -o eth0 -j MASQUERADE') + table('filter'),
    steps: [
      [from('eth1', udp(place.server, 40000, place.client, 53)), {
        path: ['nat:PREROUTING:policy', 'filter:FORWARD:policy', 'nat:POSTROUTING:1'], verdict: 'forwarded eth0',
        out: sent({ ...udp(place.self, 40000, place.client, 53), ttl: 63, tos: 0, oif: 'eth0' } as ScenarioPacket),
      }],
      [from('eth0', udp(place.client, 53, place.self, 40000)), {
        path: ['filter:FORWARD:policy'], verdict: 'forwarded eth1', out: sent({ ...udp(place.client, 53, place.server, 40000), ttl: 63, tos: 0, oif: 'eth1' } as ScenarioPacket),
      }],
    ],
  })),
  ...cases('a port of the host is that of a server behind it', place => ({
    rules: table('nat', `-A PREROUTING -p udp --dport 53 -j DNAT --to-destination ${end(place.server, 5353)}`) + table('filter'),
    steps: [
      [from('eth0', udp(place.client, 40000, place.self, 53)), { path: ['nat:PREROUTING:1', 'filter:FORWARD:policy', 'nat:POSTROUTING:policy'], verdict: 'forwarded eth1', ct: { state: 'NEW', dir: 'ORIGINAL', status: ['DNAT'] } }],
      [from('eth1', udp(place.server, 5353, place.client, 40000)), { path: ['filter:FORWARD:policy'], verdict: 'forwarded eth0', ct: { state: 'ESTABLISHED', dir: 'REPLY', status: ['SEEN_REPLY', 'CONFIRMED', 'DNAT'] } }],
    ],
  })),
  ...cases('REDIRECT in PREROUTING and in OUTPUT', place => ({
    rules: table('nat', '-A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353', '-A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 5354') + table('filter', '-A INPUT -p udp --dport 5353', '-A INPUT -p udp --dport 5354'),
    steps: [
      [from('eth0', udp(place.client, 40000, place.server, 53)), { path: ['nat:PREROUTING:1', 'filter:INPUT:1', 'filter:INPUT:policy', 'nat:INPUT:policy'], verdict: 'delivered' }],
      [local(udp(place.self, 40000, place.client, 53)), { verdict: 'delivered' }],
    ],
  })),
  ...cases('DNAT in OUTPUT re-routes; filter OUTPUT sees the old interface', place => ({
    rules: table('nat', `-A OUTPUT -p udp -j DNAT --to-destination ${place.server}`, '-A POSTROUTING -o eth1') + table('filter', '-A OUTPUT -o eth0'),
    steps: [[local(udp(place.self, 40000, place.client, 53)), { path: ['nat:OUTPUT:1', 'filter:OUTPUT:1', 'filter:OUTPUT:policy', 'nat:POSTROUTING:1', 'nat:POSTROUTING:policy'], verdict: 'sent eth1' }]],
  })),
  ...[40000, 600, 300].map(port => cases(`two clients with source port ${String(port)}: the second gets another of its class`, place => ({
    rules: table('nat', '-A POSTROUTING -o eth0 -j MASQUERADE') + table('filter'),
    steps: [[from('eth1', udp(place.server, port, place.client, 53)), { verdict: 'forwarded eth0' }], [from('eth1', udp(place.other, port, place.client, 53)), { verdict: 'forwarded eth0' }]],
  }))).flat(),
  ...cases('two clients with one ICMP id', place => ({
    rules: table('nat', '-A POSTROUTING -o eth0 -j MASQUERADE') + table('filter'),
    steps: [place.server, place.other].map(src => [from('eth1', { proto: place.icmp, src, dst: place.client, type: place.ping, id: 7 }), { verdict: 'forwarded eth0' }] as const),
  })),
  ...cases('one SNAT tuple in two zones is no clash', place => ({
    rules: table('raw', `-A PREROUTING -s ${place.server} -j CT --zone 1`, `-A PREROUTING -s ${place.other} -j CT --zone 2`) + table('nat', `-A POSTROUTING -o eth0 -j SNAT --to-source ${place.self}`) + table('filter'),
    steps: [place.server, place.other].map(src => [from('eth1', udp(src, 40000, place.client, 53)), { verdict: 'forwarded eth0', out: sent({ ...udp(place.self, 40000, place.client, 53), ttl: 63, tos: 0, oif: 'eth0' } as ScenarioPacket) }] as const),
  })),
  ...cases('DNAT to 127.0.0.1 needs route_localnet in PREROUTING', place => ({
    rules: table('nat', '-A PREROUTING -p udp -j DNAT --to-destination 127.0.0.1') + table('filter'),
    steps: [
      [from('eth0', udp(place.client, 40000, place.self, 53)), { path: ['nat:PREROUTING:1'], verdict: 'drop', by: 'kernel: martian' }],
      [from('eth0', udp(place.client, 40001, place.self, 53), { sysctls: { 'net.ipv4.conf.all.route_localnet': 1 } }), { verdict: 'delivered' }],
    ],
  }), { families: ['ipv4'] }),
  ...cases('… and not in OUTPUT', place => ({
    rules: table('nat', '-A OUTPUT -p udp -j DNAT --to-destination 127.0.0.1') + table('filter'),
    steps: [[local(udp(place.self, 40000, place.client, 53)), {}]],
  }), { families: ['ipv4'] }),
  ...cases('the reply tuple of a DNATed flow is taken: a source port is rewritten with no rule', place => ({
    rules: table('nat', `-A PREROUTING -d ${place.self} -p udp --dport 53 -j DNAT --to-destination ${place.server}`) + table('filter'),
    steps: [
      [from('eth0', udp(place.client, 40000, place.self, 53)), { verdict: 'forwarded eth1', ct: { state: 'NEW', dir: 'ORIGINAL', status: ['DNAT'] } }],
      [from('eth0', udp(place.client, 40000, place.server, 53)), { verdict: 'forwarded eth1' }],
    ],
  })),
  ...cases('an error about a DNATed flow is translated as the flow is', place => {
    const error = place.isV6 ? { type: 1, code: 0 } : { type: 3, code: 1 };
    return {
      rules: table('nat', `-A PREROUTING -d ${place.self} -p udp --dport 53 -j DNAT --to-destination ${place.server}`) + table('filter'),
      steps: [
        [from('eth0', udp(place.client, 40000, place.self, 53)), { verdict: 'forwarded eth1' }],
        [from('eth1', { proto: place.icmp, src: place.other, dst: place.client, ...error, quote: udp(place.client, 40000, place.server, 53) }), { path: ['filter:FORWARD:policy'], verdict: 'forwarded eth0', ct: { state: 'RELATED', dir: 'REPLY', status: ['CONFIRMED', 'DNAT'] } }],
      ],
    };
  }),
  ...cases('SNAT to an address, and NETMAP', place => ({
    rules: table('nat', `-A POSTROUTING -p tcp -j SNAT --to-source ${place.self}`, `-A POSTROUTING -p udp -j NETMAP --to ${place.isV6 ? '2001:db8:9::/64' : '203.0.113.0/24'}`) + table('filter'),
    steps: [
      [from('eth1', { proto: 'tcp', src: place.server, dst: place.client, sport: 40000, dport: 80 }), { path: ['nat:PREROUTING:policy', 'filter:FORWARD:policy', 'nat:POSTROUTING:1'], verdict: 'forwarded eth0' }],
      [from('eth1', udp(place.server, 40000, place.client, 53)), { path: ['nat:PREROUTING:policy', 'filter:FORWARD:policy', 'nat:POSTROUTING:2'], verdict: 'forwarded eth0' }],
    ],
  })),
  ...cases('zones keep flows apart', place => ({
    rules: table('raw', '-A PREROUTING -i eth0 -j CT --zone 1', '-A PREROUTING -i eth1 -j CT --zone 2') + table('filter', '-A FORWARD -m conntrack --ctstate NEW'),
    steps: [[from('eth0', udp(place.client, 40000, place.server, 53)), { verdict: 'forwarded eth1' }], [from('eth1', udp(place.server, 53, place.client, 40000)), { path: ['raw:PREROUTING:2', 'raw:PREROUTING:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth0' }]],
  })),
  ...cases('SNAT to a range of ports, and to what is asked for', place => ({
    rules: table('nat', `-A POSTROUTING -p udp --dport 53 -j SNAT --to-source ${end(place.self, 5000)}`, '-A POSTROUTING -p tcp -j MASQUERADE --to-ports 6000') + table('filter'),
    steps: [
      [from('eth1', udp(place.server, 40000, place.client, 53)), { verdict: 'forwarded eth0', out: sent({ ...udp(place.self, 5000, place.client, 53), ttl: 63, tos: 0, oif: 'eth0' } as ScenarioPacket) }],
      [from('eth1', { proto: 'tcp', src: place.server, dst: place.client, sport: 40000, dport: 80 }), { verdict: 'forwarded eth0' }],
    ],
  })),
  ...cases('SNAT in INPUT', place => ({
    rules: table('nat', `-A INPUT -p udp -j SNAT --to-source ${place.server}`) + table('filter'),
    steps: [[from('eth0', udp(place.client, 40000, place.self, 53)), { path: ['nat:PREROUTING:policy', 'filter:INPUT:policy', 'nat:INPUT:1'], verdict: 'delivered' }]],
  })),
];
