/** ICMP types, and the states in which they are seen: every type behind nothing, behind a request, and as an error about what was seen and what was not. Tracking is the same for both backends. */
import { buildPacket } from '../../../analyzer/netfilter/scenario/build-packet.js';
import type { ScenarioPacket, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Expectation, type Place } from './define.js';

const states = ['INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED'] as const;
type State = typeof states[number];

/** A rule for each state. */
const rulesOf = (chain: string): string => table('filter', ...states.map(state => `-A ${chain} -m conntrack --ctstate ${state}`));
const seen = (state: State, chain = 'FORWARD', before: readonly string[] = []): Expectation => ({ path: [...before, `filter:${chain}:${String(states.indexOf(state) + 1)}`, `filter:${chain}:policy`] });
/** No rule of raw took it. */
const past = ['raw:PREROUTING:policy'];

type Message = Omit<ScenarioPacket, 'proto'>;
type Told = readonly [ScenarioStep, Expectation];

const query = ({ client, server }: Place): ScenarioPacket => ({ proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 });
const asks = ({ icmp, client, server }: Place, more: Message): ScenarioStep => from('eth0', { code: 0, ttl: 255, ...more, proto: icmp, src: client, dst: server });
const answers = ({ icmp, client, server }: Place, more: Message): ScenarioStep => from('eth1', { code: 0, ttl: 255, ...more, proto: icmp, src: server, dst: client });

const pairs = { ipv4: [[8, 0], [13, 14], [15, 16], [17, 18]], ipv6: [[128, 129], [139, 140]] } as const;
const errors = { ipv4: [3, 4, 5, 11, 12], ipv6: [0, 1, 2, 3, 4, 5, 50, 100, 101, 126, 127] } as const;
/** Neither requests, nor answers, nor errors. */
const others = {
  ipv4: { INVALID: [1, 2, 6, 7, 9, 10, 19, 30, 40, 42, 43, 253, 255], UNTRACKED: [] },
  ipv6: { INVALID: [137, 138, 141, 142, 144, 147, 148, 149, 150, 153, 154, 157, 160, 200, 255], UNTRACKED: [130, 131, 132, 133, 134, 135, 136, 143, 151, 152] },
} as const;

/** A request before and after its answer, and the answer before and after the request. */
function pairSteps(place: Place, [request, answer]: readonly [number, number]): readonly Told[] {
  const id = 100 + request;
  return [
    [answers(place, { type: answer, id }), seen('INVALID')], [asks(place, { type: request, id }), seen('NEW')], [asks(place, { type: request, id }), seen('NEW')], [answers(place, { type: request, id }), seen('NEW')],
    [asks(place, { type: answer, id }), seen('ESTABLISHED')], [answers(place, { type: answer, id }), seen('ESTABLISHED')], [asks(place, { type: request, id }), seen('ESTABLISHED')], [answers(place, { type: answer, id }), seen('ESTABLISHED')],
    [asks(place, { type: request, id: id + 1, quote: query(place) }), seen('NEW')], [answers(place, { type: answer, id: id + 2, quote: query(place) }), seen('INVALID')],
    [asks(place, { type: request, id: id + 3, badcsum: true }), seen('INVALID')],
  ];
}

/** About a datagram that was seen, by whoever sends it, about one that was not, and about nothing. */
function errorSteps(place: Place, type: number): readonly Told[] {
  return [
    [answers(place, { type, quote: query(place) }), seen('RELATED')], [answers(place, { type, quote: { ...query(place), dport: 99 } }), seen('INVALID')],
    [asks(place, { type, quote: { ...query(place), src: place.server, dst: place.client, sport: 53, dport: 40000 } }), seen('RELATED')], [asks(place, { type, id: 7 }), seen('INVALID')],
  ];
}

const [redirect, redirectedHeader] = [137, 4];

/** A router of the link tells of a better way for what the host has sent. */
function redirectOf({ self, client }: Place, quoted: ScenarioPacket): ScenarioPacket {
  const bytes = buildPacket({ ...quoted, src: self, dst: client }, 'ipv6')[0] ?? new Uint8Array();
  const option = [redirectedHeader, Math.ceil(bytes.length / 8) + 1, 0, 0, 0, 0, 0, 0, ...bytes, ...new Uint8Array(-bytes.length & 7)];
  const hex = [...new Uint8Array(32), ...option].map(byte => byte.toString(16).padStart(2, '0')).join('');
  return { proto: 'icmpv6', src: 'fe80::fe', dst: self, type: redirect, code: 0, ttl: 255, payload_hex: hex };
}

export const icmpTypeCases: readonly Case[] = [
  ...cases('ICMP requests are NEW and then ESTABLISHED, answers INVALID and then ESTABLISHED', place => ({
    rules: rulesOf('FORWARD'), steps: [[from('eth0', query(place)), seen('NEW')], ...pairs[place.family].flatMap(pair => pairSteps(place, pair))],
  }), { backends: ['nft'] }),
  ...cases('ICMP errors are RELATED or INVALID', place => ({
    rules: rulesOf('FORWARD'), steps: [[from('eth0', query(place)), seen('NEW')], ...errors[place.family].flatMap(type => errorSteps(place, type))],
  }), { backends: ['nft'] }),
  ...cases('other ICMP messages have one state, whatever was seen', place => ({
    rules: rulesOf('FORWARD'),
    steps: [
      [from('eth0', query(place)), seen('NEW')],
      ...(['INVALID', 'UNTRACKED'] as const).flatMap(state => others[place.family][state].flatMap((type): readonly Told[] => [
        [asks(place, { type, id: 1 }), seen(state)], [answers(place, { type, id: 1 }), seen(state)], [answers(place, { type, quote: query(place) }), seen(state)],
      ])),
    ],
  }), { backends: ['nft'] }),
  ...cases('what NOTRACK names is UNTRACKED, and an error about it INVALID', place => ({
    rules: `${table('raw', '-A PREROUTING -p udp -j CT --notrack', `-A PREROUTING -p ${place.icmp} -m ${place.isV6 ? 'icmp6 --icmpv6-type' : 'icmp --icmp-type'} ${String(place.ping)} -j CT --notrack`)}${rulesOf('FORWARD')}`,
    steps: [
      [from('eth0', query(place)), {}], [answers(place, { type: errors[place.family][1], quote: query(place) }), seen('INVALID', 'FORWARD', past)],
      [asks(place, { type: place.ping, id: 1 }), {}], [answers(place, { type: place.pong, id: 1 }), seen('INVALID', 'FORWARD', past)],
    ],
  }), { backends: ['nft'] }),
  ...cases('a Redirect of neighbour discovery about what the host has sent is RELATED, about something else INVALID', place => ({
    rules: rulesOf('INPUT'),
    steps: [
      [local({ ...query(place), src: place.self, dst: place.client }), {}],
      [from('eth0', redirectOf(place, query(place))), seen('RELATED', 'INPUT')], [from('eth0', redirectOf(place, { ...query(place), dport: 99 })), seen('INVALID', 'INPUT')],
    ],
  }), { families: ['ipv6'], backends: ['nft'] }),
];
