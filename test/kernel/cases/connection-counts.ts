/** What `-m connlimit` counts, and what it drops. */
import type { ScenarioPacket, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const tcp = ({ client, server }: Place, more: Partial<ScenarioPacket>): ScenarioPacket => ({ proto: 'tcp', src: client, dst: server, sport: 40000, dport: 80, ...more });
const udp = ({ client, server }: Place, more: Partial<ScenarioPacket> = {}): ScenarioPacket => ({ proto: 'udp', src: client, dst: server, sport: 40000, dport: 53, ...more });

const begin = (place: Place, sport: number): ScenarioStep => from('eth0', tcp(place, { sport, flags: 'S', seq: 1000 }));
const answer = (place: Place, dport: number): ScenarioStep => from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 80, dport, flags: 'SA', seq: 5000, ack: 1001 }));
const goOn = (place: Place, sport: number): ScenarioStep => from('eth0', tcp(place, { sport, flags: 'A', seq: 1001, ack: 5001 }));
const reset = (place: Place, sport: number): ScenarioStep => from('eth0', tcp(place, { sport, flags: 'R', seq: 1001 }));

/** Rules for more than so many connections, and for one more, and so on. */
const above = (words: string, ...numbers: readonly number[]): string => table('filter', ...numbers.map(number => `-A FORWARD ${words}-m connlimit --connlimit-above ${String(number)} --connlimit-mask 0`));
/** Of a filter FORWARD whose first rules match. */
const first = (count: number): readonly string[] => [...Array.from({ length: count }, (_, index) => `filter:FORWARD:${String(index + 1)}`), 'filter:FORWARD:policy'];

export const connectionCountCases: readonly Case[] = [
  ...cases('connlimit, and what it does not count', ({ client, self, isV6 }) => {
    const to = (sport: number, more: Partial<ScenarioPacket> = {}): ScenarioPacket => ({ proto: 'tcp', src: client, dst: self, sport, dport: 80, ...more });
    return {
      rules: table('filter', `-A INPUT -p tcp -m connlimit --connlimit-above 1 --connlimit-mask ${isV6 ? '128' : '32'} --connlimit-saddr -j DROP`),
      steps: [
        [from('eth0', to(1001)), { verdict: 'delivered' }], [from('eth0', to(1002), { advance: 0.1 }), { verdict: 'drop', by: 'filter:INPUT:1' }],
        [from('eth0', to(1001, { flags: 'R', seq: 1001 }), { advance: 0.1 })], [from('eth0', to(1003), { advance: 0.1 }), { verdict: 'delivered' }],
      ],
    };
  }),
  ...cases('connlimit looks no further in its list than to the connection itself', ({ client, server, other }) => ({
    rules: table('filter', '-A FORWARD -m connlimit --connlimit-above 1 --connlimit-mask 0'),
    steps: [
      [from('eth0', { proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 }), { path: ['filter:FORWARD:policy'] }],
      [from('eth0', { proto: 'tcp', src: client, dst: other, sport: 40000, dport: 22, flags: 'SA' }), { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'], ct: { state: 'INVALID', dir: null, status: [] } }],
      // What is behind it in the list, and has ended, still counts.
      [from('eth0', { proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 }), { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'] }],
    ],
  })),
  ...cases('connlimit drops what ends the only connection that it counts', place => ({
    rules: table('filter', '-A FORWARD -m connlimit --connlimit-upto 9 --connlimit-mask 0 -j ACCEPT'),
    steps: [
      [begin(place, 40000)], [answer(place, 40000)], [goOn(place, 40000), { verdict: 'forwarded eth1' }],
      [reset(place, 40000), { verdict: 'drop' }], [goOn(place, 40000), { verdict: 'drop' }],
      [begin(place, 40001), { verdict: 'forwarded eth1' }],
    ],
  })),
  ...cases('what ends while others are counted passes connlimit, and is not counted', place => ({
    rules: above('', 0, 1),
    steps: [
      [begin(place, 40000), { path: first(1) }], [answer(place, 40000)], [goOn(place, 40000), { path: first(1) }], [begin(place, 40001), { path: first(2) }],
      [reset(place, 40000), { path: first(1) }],
    ],
  })),
  ...cases('connlimit adds no assured connection to a list', place => ({
    rules: above('-p tcp -m tcp --tcp-flags SYN,ACK ACK ', 0, 1),
    steps: [
      [begin(place, 40000)], [answer(place, 40000)], [begin(place, 40001)], [answer(place, 40001)],
      [goOn(place, 40000), { path: first(1) }], [goOn(place, 40001), { path: first(1) }],
    ],
  })),
  ...cases('connlimit forgets what ended when a packet of an assured connection comes, and not of another', place => ({
    rules: above('', 0, 1),
    conntrack: `udp      17 29 src=${place.client} dst=${place.server} sport=40000 dport=53 src=${place.server} dst=${place.client} sport=53 dport=40000 [ASSURED] use=1\n`,
    steps: [
      [from('eth0', udp(place)), { path: first(1) }], [from('eth0', udp(place, { sport: 40001 })), { path: first(2) }],
      [begin(place, 40002)], [reset(place, 40002)],
      [from('eth0', udp(place)), { path: first(2) }],
    ],
  })),
  ...cases('connlimit counts an INVALID packet by its own tuple, but not where that is of an assured connection', place => ({
    rules: above('', 0, 1),
    steps: [
      [from('eth0', tcp(place, { flags: 'S', seq: 1000 })), { path: first(1) }], [from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 80, dport: 40000, flags: 'SA', seq: 5000, ack: 1001, badcsum: true })), { path: first(2) }],
      [begin(place, 40001)], [answer(place, 40001)], [goOn(place, 40001)], [from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 80, dport: 40001, flags: 'PA', seq: 5001, ack: 1001, badcsum: true })), { path: first(2) }],
      [from('eth0', tcp(place, { sport: 40001, flags: 'PA', seq: 1001, ack: 5001, badcsum: true }))],
      [from('eth0', tcp(place, { sport: 40002, flags: 'S', seq: 1001, badcsum: true }))], [from('eth0', tcp(place, { sport: 40003, flags: 'S', seq: 1001, badcsum: true }))],
    ],
  })),
  ...cases('connlimit drops an INVALID packet of an assured connection that it has not counted', place => ({
    rules: above('', 0),
    conntrack: `udp      17 29 src=${place.client} dst=${place.server} sport=40000 dport=53 src=${place.server} dst=${place.client} sport=53 dport=40000 [ASSURED] use=1\n`,
    steps: [
      [from('eth0', udp(place, { sport: 40001, badcsum: true, payload: 'x' })), { path: first(1) }], [from('eth0', udp(place, { badcsum: true, payload: 'x' })), { verdict: 'drop' }],
    ],
  })),
  ...cases('connlimit and what is not tracked', place => ({
    rules: `*raw\n-A PREROUTING -m dscp --dscp 0x0a -j CT --notrack\nCOMMIT\n${above('', 0, 1)}`,
    steps: [
      [begin(place, 40000)], [answer(place, 40000)], [goOn(place, 40000)],
      [from('eth0', tcp(place, { sport: 40000, flags: 'A', seq: 1001, ack: 5001, tos: 0x28 }))],
      [from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 80, dport: 40000, flags: 'A', seq: 5001, ack: 1001, tos: 0x28 })), { path: ['raw:PREROUTING:1', 'raw:PREROUTING:policy', ...first(1)] }],
      [from('eth0', tcp(place, { sport: 40001, flags: 'S', seq: 1001, tos: 0x28 }))], [from('eth0', tcp(place, { sport: 40002, flags: 'S', seq: 1001, tos: 0x28 }))],
    ],
  })),
  ...cases('connlimit looks through a list once in a tick: what REJECT sends because of a packet, and the packet that comes by again, are counted once more', place => ({
    rules: table('filter', ':twice - [0:0]', '-A INPUT -j twice', '-A INPUT -j twice', '-A OUTPUT -m connlimit --connlimit-upto 1 --connlimit-mask 0 -j REJECT', '-A twice -m connlimit --connlimit-upto 1 --connlimit-mask 0'),
    steps: [
      [local(udp(place, { src: place.self, dst: place.client })), { by: 'filter:OUTPUT:1' }],
      [from('eth0', udp(place, { dst: place.self, sport: 40001 }))],
    ],
  })),
  ...cases('connbytes asks for a count, which what -j CT prepares does not have', place => ({
    rules: table('raw', '-A PREROUTING -j CT --zone 1', '-A PREROUTING -m connbytes ! --connbytes 100: --connbytes-dir original --connbytes-mode bytes', '-A PREROUTING -m connbytes --connbytes 0: --connbytes-dir original --connbytes-mode bytes') + table('filter', '-A FORWARD -m connbytes ! --connbytes 100: --connbytes-dir original --connbytes-mode bytes'),
    steps: [[from('eth0', udp(place)), { path: ['raw:PREROUTING:1', 'raw:PREROUTING:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy'] }]],
  })),
  ...cases('connlimit forgets 65 at once', place => {
    const ports = Array.from({ length: 70 }, (_, index) => 41000 + index);
    return {
      rules: above('-p tcp -m tcp --tcp-flags RST NONE ', 0, 1, 5, 6),
      steps: [...ports.map(port => [begin(place, port)] as const), ...ports.map(port => [reset(place, port)] as const), [begin(place, 40000), { path: first(3) }], [begin(place, 40001), { path: first(2) }]],
    };
  }, { families: ['ipv4'], backends: ['nft'] }),
];
