/** Which TCP flags and which ICMP types can be seen in which state: exact reasoning, judged by the tracker of the engine. */
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { ask, correlated, packetSpace, reach, reachWith } from '../../analyzer/packet-space/index.js';
import { all, ctstates, is, masked } from '../../analyzer/packet/constraint.js';
import { buildPacket } from '../../analyzer/netfilter/scenario/build-packet.js';
import type { ScenarioPacket } from '../../analyzer/netfilter/scenario.js';
import type { Family } from '../../analyzer/values/value.js';
import { client, Lab, server } from '../netfilter/conntrack/lab.js';

const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const every = Array.from({ length: 64 }, (_, flags) => flags);
const lettersOf = (flags: number): string => names.flatMap((name, bit) => (flags >> bit & 1) === 1 ? [name.slice(0, 1)] : []).join('') || 'none';
const wordsOf = (flags: number): string => names.filter((_, bit) => (flags >> bit & 1) === 1).join(',') || 'NONE';

/** What came before a segment: of a client that nobody answers, or of both. */
const histories: readonly (readonly ['>' | '<', string, number, number][])[] = [
  [], [['>', 'S', 100, 0]], [['>', 'A', 101, 501]], [['>', 'A', 101, 501], ['>', 'FA', 101, 501]],
  [['>', 'S', 100, 0], ['<', 'SA', 500, 101]], [['>', 'S', 100, 0], ['<', 'SA', 500, 101], ['>', 'A', 101, 501]],
];

/** The flags that the tracker saw in a state, behind any of the histories. */
function seenIn(state: string): readonly string[] {
  return every.filter(flags => histories.some(history => (['>', '<'] as const).some(way => [100, 101, 500, 501].some(seq => {
    const lab = new Lab();
    for (const [from, ...segment] of history) lab.tcp(from, ...segment);
    return lab.tcp(way, lettersOf(flags), seq, way === '>' ? 501 : 101).startsWith(state);
  })))).map(wordsOf);
}

function tableOf(...lines: readonly string[]): ReturnType<typeof tableIn> {
  return tableIn('ipv4', lines);
}

function tableIn(family: Family, lines: readonly string[]): { readonly space: ReturnType<typeof packetSpace>; readonly table: Parameters<typeof reach>[1] } {
  const { rulesets: [ruleset] } = load({ path: 'x', text: ['*filter', ':INPUT DROP [0:0]', ':S - [0:0]', ...lines, 'COMMIT', ''].join('\n') }, { family });
  const table = ruleset?.tables.get('filter');
  if (ruleset === undefined || table === undefined) throw new Error('no table');
  return { space: packetSpace(ruleset), table };
}

/** The flags for which rules are alive: in a chain that only this state comes to, or with the state beside them. */
function aliveIn(state: string, isJump: boolean): readonly string[] {
  const flags = (some: number): string => `-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG ${wordsOf(some)}`;
  const { space, table } = tableOf(...isJump ? [`-A INPUT -m conntrack --ctstate ${state} -j S`] : [], ...every.map(some => isJump ? `-A S ${flags(some)} -j LOG` : `-A INPUT -m state --state ${state} ${flags(some)} -j LOG`));
  const answers = reach(space, table);
  const rules = table.chains.get(isJump ? 'S' : 'INPUT')?.rules ?? [];
  return every.filter(some => answers.get(rules[some] ?? rules[0] as never)?.kind === 'live').map(wordsOf);
}

for (const state of ['NEW', 'ESTABLISHED', 'INVALID']) {
  test(`${state} have just the flags that the tracker lets have it`, t => {
    const seen = seenIn(state);
    t.true(seen.length > 15);
    t.deepEqual(aliveIn(state, false), seen, 'asked by one rule');
    t.deepEqual(aliveIn(state, true), seen, 'asked by a jump and a rule');
  });
}

test('UNTRACKED have any flags where a rule exempts packets from tracking, and else those that make sense', t => {
  const sensible = seenIn('ESTABLISHED');
  t.deepEqual(aliveIn('UNTRACKED', false), sensible);
  t.deepEqual(aliveIn('UNTRACKED', true), sensible);
  const alive = (raw: string): number => {
    const { rulesets: [ruleset] } = load({ path: 'x', text: `*raw\n-A PREROUTING ${raw}\nCOMMIT\n*filter\n-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -m conntrack --ctstate UNTRACKED -j LOG\nCOMMIT\n` });
    const table = ruleset?.tables.get('filter');
    return ruleset === undefined || table === undefined ? -1 : [...reach(packetSpace(ruleset), table).values()].filter(one => one.kind === 'live').length;
  };
  t.deepEqual(['-p udp -j NOTRACK', '-s 10.0.0.0/8 -j CT --notrack', '-j TEE --gateway 10.0.0.1', '-j UNHEARD-OF', '-s 10.0.0.0/8 -j DROP'].map(alive), [1, 1, 1, 1, 0]);
});

test('RELATED have those of NEW', t => {
  t.deepEqual(aliveIn('RELATED', true), aliveIn('NEW', true));
});

/** All but 255, which to iptables is any of them. */
const types = Array.from({ length: 255 }, (_, type) => type);
const ends = { ipv4: { client, server }, ipv6: { client: 'fd00::2', server: 'fd00:1::2' } } as const;
const icmp = { ipv4: 'icmp', ipv6: 'icmpv6' } as const;
/** Messages that make the tracker know of something, if any do. */
const known = { ipv4: [[], [8], [8, 0], [13], [13, 14], [15], [15, 16], [17], [17, 18]], ipv6: [[], [128], [128, 129], [139], [139, 140]] } as const satisfies Record<Family, readonly (readonly number[])[]>;

/** A packet in an option, as a Redirect of neighbour discovery has it. */
function inOption(quote: ScenarioPacket): string {
  const [bytes = new Uint8Array()] = buildPacket(quote, 'ipv6');
  return [...new Uint8Array(32), 4, 8, 0, 0, 0, 0, 0, 0, ...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** The states in which the tracker saw a message of a type: behind others, from both sides, and as one that quotes a datagram. */
function statesSeen(family: Family, type: number): ReadonlySet<string> {
  const { client: src, server: dst } = ends[family];
  const message = (way: '>' | '<', of: number): ScenarioPacket => ({ proto: icmp[family], ...way === '>' ? { src, dst } : { src: dst, dst: src }, type: of, code: 0, id: 7 });
  const datagram: ScenarioPacket = { proto: 'udp', src, dst, sport: 5000, dport: 53 };
  const quotes = (lab: Lab): readonly string[] => [lab.send(datagram), lab.send({ ...message('<', type), quote: datagram }), lab.send({ ...message('<', type), quote: { ...datagram, dport: 54 } })].slice(1);
  const redirects = (lab: Lab): readonly string[] => [lab.send(datagram), lab.send({ proto: 'icmpv6', src: 'fe80::1', dst: src, type, code: 0, ttl: 255, payload_hex: inOption(datagram) })].slice(1);
  const seen = known[family].flatMap(history => (['>', '<'] as const).map(way => {
    const lab = new Lab(family);
    history.forEach((before, index) => lab.send(message(index === 0 ? '>' : '<', before)));
    return lab.send(message(way, type));
  }));
  const damaged = new Lab(family).send({ ...message('>', type), badcsum: true });
  return new Set([...seen, damaged, ...quotes(new Lab(family)), ...family === 'ipv6' ? redirects(new Lab(family)) : []].map(one => one.split(' ')[0] ?? ''));
}

/** The types for which rules are alive: in a chain that only this state comes to, or with the state beside them. */
function typesAlive(family: Family, state: string, isJump: boolean): readonly number[] {
  const proto = family === 'ipv4' ? 'icmp' : 'ipv6-icmp';
  const match = (type: number): string => family === 'ipv4' ? `-p icmp -m icmp --icmp-type ${String(type)}/0` : `-p ipv6-icmp -m icmp6 --icmpv6-type ${String(type)}`;
  const asked = `-m conntrack --ctstate ${state}`;
  const { space, table } = tableIn(family, isJump ? [`-A INPUT -p ${proto} ${asked} -j S`, ...types.map(type => `-A S ${match(type)} -j LOG`)] : types.map(type => `-A INPUT ${match(type)} ${asked} -j LOG`));
  const answers = reach(space, table);
  const rules = table.chains.get(isJump ? 'S' : 'INPUT')?.rules ?? [];
  return types.filter(type => answers.get(rules[type] as never)?.kind === 'live');
}

for (const family of ['ipv4', 'ipv6'] as const) {
  test(`ICMP messages have just the states that the tracker gives them: ${family}`, t => {
    const seen = types.map(type => statesSeen(family, type));
    for (const state of ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID']) {
      const own = types.filter(type => seen[type]?.has(state) === true);
      // Neighbour discovery with a wrong checksum is INVALID like all else.
      t.true(own.length > 1 && (state === 'INVALID' ? own.length === types.length : own.length < types.length), state);
      for (const isJump of [false, true]) t.deepEqual(typesAlive(family, state, isJump), own, `${state}, asked by ${isJump ? 'a jump and a rule' : 'one rule'}`);
    }
    t.is(typesAlive(family, 'UNTRACKED', true).length, types.length, 'NOTRACK may say so of any');
  });
}

test('ICMP of the other family and other protocols are not taken for impossible', t => {
  const { space, table } = tableOf('-A INPUT -p icmp -m icmp --icmp-type 0 -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A INPUT -p udp -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -p icmp -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED -j ACCEPT');
  t.deepEqual([...reach(space, table).values()].map(one => one.kind), ['live', 'live', 'live', 'live']);
});

test('rules together take all ICMP messages that a state has, and a sample is of a type that has it', t => {
  const { space, table } = tableOf(...[8, 13, 15, 17].map(type => `-A INPUT -p icmp -m icmp --icmp-type ${String(type)} -j DROP`), '-A INPUT -p icmp -m conntrack --ctstate NEW -j LOG', '-A INPUT -p icmp -m conntrack --ctstate RELATED -j LOG', '-A INPUT -p icmp -m conntrack --ctstate ESTABLISHED -j LOG');
  const answers = [...reach(space, table).values()];
  t.deepEqual(answers.slice(4).map(one => one.kind), ['shadowed', 'live', 'live']);
  t.deepEqual(answers.slice(5).map(one => one.kind === 'live' ? one.witness.icmpType : undefined), [3, 0]);
  const first = tableOf('-A INPUT -p icmp -m icmp --icmp-type 8 -j DROP', '-A INPUT -p icmp -m conntrack --ctstate NEW -j LOG');
  t.deepEqual([...reach(first.space, first.table).values()].map(one => one.kind === 'live' ? one.witness.icmpType : undefined), [8, 13], 'of all other types the first that is NEW');
});

test('a sample is of a state that its type can have, where rules tell apart neither well', t => {
  const { space, table } = tableIn('ipv6', ['-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 129 -j ACCEPT', '-A INPUT -m conntrack --ctstate NEW,INVALID,UNTRACKED -j DROP', '-A INPUT -p ipv6-icmp -m icmp6 ! --icmpv6-type 128 -j REJECT']);
  t.deepEqual([...reach(space, table).values()].map(one => one.kind === 'live' ? [one.witness.icmpType, one.witness.ctstate] : []), [[129, 'INVALID'], [undefined, 'NEW'], [1, 'RELATED']]);
});

test('what no rule tells apart is not taken for impossible', t => {
  const { space, table } = tableOf('-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp ! --syn -j DROP', '-A INPUT -p udp -m conntrack --ctstate NEW -j DROP', '-A INPUT -m conntrack --ctstate NEW -j ACCEPT');
  t.deepEqual([...reach(space, table).values()].map(one => one.kind), ['live', 'live', 'live']);
});

test('rules together take what is left of a state', t => {
  const { space, table } = tableOf('-A INPUT -p tcp -m tcp --tcp-flags RST RST -j DROP', '-A INPUT -p tcp -m tcp --tcp-flags ACK ACK -j DROP', '-A INPUT -p tcp -m tcp --syn -j ACCEPT', '-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --sport 1:65535 -j LOG', '-A INPUT -p tcp -m tcp --sport 1:65535 -j LOG');
  const answers = [...reach(space, table).values()];
  t.deepEqual(answers.map(one => one.kind), ['live', 'live', 'live', 'shadowed', 'live'], 'a NEW one is a SYN, a RST, or has an ACK; others are INVALID');
  const synAck = all([is('protocol', 6), is('fragment', 0), masked('tcpFlags', 18, 63)]);
  t.is(ask(space, table, 'INPUT', all([synAck, is('ctstate', ctstates.NEW)]), ['accept', 'drop']).kind, 'no');
  t.is(ask(space, table, 'INPUT', all([synAck, is('ctstate', ctstates.ESTABLISHED)]), ['drop']).kind, 'yes');
});

test('packets that there are not are in no rule’s way', t => {
  const { space, table } = tableOf('-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j DROP', '-A INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT');
  const rules = table.chains.get('INPUT')?.rules ?? [];
  const at = (position: number): Parameters<typeof correlated>[2] => ({ table: 'filter', chain: 'INPUT', position, rule: rules[position - 1] as never });
  t.deepEqual([2, 3].map(position => correlated(space, table, at(position)).kind), ['no', 'correlated']);
  t.is(reachWith(space, table, at(2), masked('tcpFlags', 18, 18)).kind, 'contradiction');
});
