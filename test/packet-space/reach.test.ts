import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import type { Rule, Table } from '../../analyzer/model/ruleset.js';
import type { Answer, Fate, PacketSample, Reach, Redundancy, RuleAt } from '../../analyzer/packet-space/answers.js';
import { ask, correlated, generalization, packetSpace, partlyShadowed, reach, reachWith, redundant, relations, type PacketSpace } from '../../analyzer/packet-space/index.js';
import { all, is, not, type Constraint } from '../../analyzer/packet/constraint.js';

interface Case {
  readonly space: PacketSpace;
  readonly table: Table;
  readonly answers: ReadonlyMap<Rule, Reach>;
}

interface Options {
  readonly table?: string;
  readonly family?: 'ipv4' | 'ipv6';
  readonly policy?: string;
}

function caseOf(lines: readonly string[], { table: name = 'filter', family = 'ipv4', policy = 'ACCEPT' }: Options = {}): Case {
  const chains = new Set(lines.flatMap(line => /^-A (\S+)/u.exec(line)?.[1] ?? []).filter(chain => !/^(?:IN|OUT)PUT$|^FORWARD$|^(?:PRE|POST)ROUTING$/u.test(chain)));
  const hooks = name === 'filter' ? ['INPUT', 'FORWARD', 'OUTPUT'] : ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];
  const text = [`*${name}`, ...hooks.map(hook => `:${hook} ${policy} [0:0]`), ...[...chains].map(chain => `:${chain} - [0:0]`), ...lines, 'COMMIT', ''].join('\n');
  const { rulesets: [ruleset] } = load({ path: 'case', text }, { family, backend: 'legacy' });
  const table = [...ruleset?.tables.values() ?? []][0];
  if (ruleset === undefined || table === undefined) throw new Error(text);
  const space = packetSpace(ruleset);
  return { space, table, answers: reach(space, table) };
}

function ruleAt({ table }: Case, chain: string, position: number): RuleAt {
  const rule = table.chains.get(chain)?.rules[position - 1];
  if (rule === undefined) throw new Error(`${chain}:${String(position)}`);
  return { table: table.name, chain, position, rule };
}

/** `live`, or `shadowed INPUT:1 A:2`, in one word. */
function told(one: Case, chain: string, position: number): string {
  const answer = one.answers.get(ruleAt(one, chain, position).rule);
  const by = answer !== undefined && 'by' in answer ? answer.by : [];
  return [answer?.kind ?? 'none', ...by.map(rule => `${rule.chain}:${String(rule.position)}`)].join(' ');
}

function redundancy(one: Case, chain: string, position: number): Redundancy {
  return redundant(one.space, one.table, ruleAt(one, chain, position));
}

const cases: readonly (readonly [title: string, lines: readonly string[], place: string, told: string, options?: Options])[] = [
  ['a union of rules shadows', ['-A INPUT -s 10.0.0.0/9 -j DROP', '-A INPUT -s 10.128.0.0/9 -j ACCEPT', '-A INPUT -s 10.1.0.0/8 -j ACCEPT'], 'INPUT:3', 'shadowed INPUT:1 INPUT:2'],
  ['what does not take part is not named', ['-A INPUT -p udp -j DROP', '-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -s 10.1.0.0/16 -p udp -m udp --dport 53 -j ACCEPT'], 'INPUT:3', 'shadowed INPUT:1'],
  ['a wildcard covers the names under it', ['-A INPUT -i eth+ -j ACCEPT', '-A INPUT -i eth0.100 -j DROP'], 'INPUT:2', 'shadowed INPUT:1'],
  ['names do not cover a wildcard, however many', ['-A INPUT -i eth0 -j ACCEPT', '-A INPUT -i eth1 -j ACCEPT', '-A INPUT -i eth+ -j DROP'], 'INPUT:3', 'live'],
  ['a wildcard and its opposite cover everything', ['-A INPUT -i eth+ -j ACCEPT', '-A INPUT ! -i eth+ -j ACCEPT', '-A INPUT -j DROP'], 'INPUT:3', 'shadowed INPUT:1 INPUT:2'],
  ['a limit never shadows', ['-A INPUT -m limit --limit 5/sec -j ACCEPT', '-A INPUT -j DROP'], 'INPUT:2', 'live'],
  ['nor does a match that nobody knows, or its opposite', ['-A INPUT -m mystery --x -j ACCEPT', '-A INPUT -m mystery ! --x -j ACCEPT', '-A INPUT -j DROP'], 'INPUT:3', 'live'],
  ['a target that nobody knows may go on', ['-A INPUT -j MYSTERY --x', '-A INPUT -j DROP'], 'INPUT:2', 'live'],
  ['a prefix covers the addresses under it in IPv6', ['-A INPUT -s 2001:db8::/32 -j ACCEPT', '-A INPUT -s 2001:db8:1::/48 -p tcp -j DROP'], 'INPUT:2', 'shadowed INPUT:1', { family: 'ipv6' }],
  ['half a prefix does not', ['-A INPUT -s 2001:db8::/33 -j ACCEPT', '-A INPUT -s 2001:db8::/32 -j DROP'], 'INPUT:2', 'live', { family: 'ipv6' }],
  ['behind a goto the chain goes on only for others', ['-A INPUT -p tcp -g A', '-A INPUT -p tcp -j DROP', '-A A -s 10.0.0.0/8 -j ACCEPT'], 'INPUT:2', 'shadowed INPUT:1'],
  ['behind a jump it goes on for all that come back', ['-A INPUT -p tcp -j A', '-A INPUT -p tcp -j DROP', '-A A -s 10.0.0.0/8 -j ACCEPT'], 'INPUT:2', 'live'],
  ['a goto goes back behind the jump before it', ['-A INPUT -j A', '-A INPUT -j DROP', '-A A -g B', '-A A -j ACCEPT', '-A B -p tcp -j ACCEPT'], 'INPUT:2', 'live'],
  ['what stands behind a goto in its chain is dead', ['-A INPUT -j A', '-A INPUT -j DROP', '-A A -g B', '-A A -j ACCEPT', '-A B -p tcp -j ACCEPT'], 'A:2', 'shadowed A:1'],
  ['RETURN in a built-in chain leaves the rest to the policy', ['-A INPUT -s 10.0.0.0/8 -j RETURN', '-A INPUT -s 10.1.1.1 -j DROP'], 'INPUT:2', 'shadowed INPUT:1'],
  ['RETURN lets packets past what follows it', ['-A INPUT -j A', '-A INPUT -p udp -j DROP', '-A INPUT -p tcp -j DROP', '-A A -p udp -j RETURN', '-A A -j ACCEPT'], 'INPUT:2', 'live'],
  ['and only those', ['-A INPUT -j A', '-A INPUT -p udp -j DROP', '-A INPUT -p tcp -j DROP', '-A A -p udp -j RETURN', '-A A -j ACCEPT'], 'INPUT:3', 'shadowed INPUT:1 A:2'],
  ['a chain behind a dead jump is not reached', ['-A INPUT -j ACCEPT', '-A INPUT -p tcp -j A', '-A A -s 10.0.0.0/8 -j DROP'], 'A:1', 'unreachable-chain INPUT:2'],
  ['nor is one that nobody calls', ['-A A -j DROP'], 'A:1', 'unreachable-chain'],
  ['a rule is not reached through a jump that excludes it', ['-A INPUT -p tcp -j A', '-A A -p udp -j DROP'], 'A:1', 'unreachable-chain INPUT:1'],
  ['criteria may exclude each other', ['-A INPUT -p tcp -m tcp --sport 80 -m multiport ! --sports 80 -j DROP'], 'INPUT:1', 'contradiction'],
  ['no packet in OUTPUT has come in', ['-A OUTPUT -j A', '-A A -i eth0 -j DROP'], 'A:1', 'contradiction'],
  ['and so none has come in by eth0', ['-A OUTPUT -j A', '-A A ! -i eth0 -j ACCEPT', '-A A -j DROP'], 'A:2', 'shadowed A:1'],
  ['TCP flags: all of 64 values', ['-A INPUT -p tcp -m tcp --tcp-flags SYN SYN -j ACCEPT', '-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK ACK -j ACCEPT', '-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK NONE -j ACCEPT', '-A INPUT -p tcp -j DROP'], 'INPUT:4', 'live'],
  ['the same set is the same', ['-A INPUT -m set --match-set s src -j ACCEPT', '-A INPUT -p tcp -m set --match-set s src -j DROP'], 'INPUT:2', 'shadowed INPUT:1'],
  ['marks and masks are exact', ['-A INPUT -m mark --mark 0x1/0x1 -j ACCEPT', '-A INPUT -m mark --mark 0x0/0x1 -j ACCEPT', '-A INPUT -m mark --mark 0x6/0xff -j DROP'], 'INPUT:3', 'shadowed INPUT:2'],
  ['a mark that was set before says nothing of the packet', ['-A INPUT -p tcp -j MARK --set-xmark 0x1/0xffffffff', '-A INPUT -m mark --mark 0x1 -j ACCEPT', '-A INPUT -m mark --mark 0x1 -j DROP'], 'INPUT:3', 'live', { table: 'mangle' }],
  ['masks that are no prefixes', ['-A INPUT -s 10.0.7.0/255.0.255.0 -j ACCEPT', '-A INPUT -s 10.9.7.0/24 -j DROP'], 'INPUT:2', 'shadowed INPUT:1'],
];

for (const [title, lines, place, expected, options] of cases) {
  test(`reach: ${title}`, t => {
    const [chain = '', position] = place.split(':');
    t.is(told(caseOf(lines, options), chain, Number(position)), expected);
  });
}

function witnessOf(answer: Reach | Redundancy | Answer | undefined): PacketSample | undefined {
  return answer !== undefined && 'witness' in answer ? answer.witness : undefined;
}

test('a witness is a packet that a person would choose', t => {
  const one = caseOf(['-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -s 192.168.0.0/16 -i eth1 -p udp -m udp --dport 1000:2000 -j DROP', '-A INPUT -p tcp -m tcp --sport 1:65535 --tcp-flags SYN SYN -j DROP']);
  t.like(witnessOf(one.answers.get(ruleAt(one, 'INPUT', 1).rule)), { src: '198.51.100.7', protocol: 6, sport: 40_000, dport: 22, ctstate: 'NEW', tcpFlags: 2 });
  t.like(witnessOf(one.answers.get(ruleAt(one, 'INPUT', 2).rule)), { src: '192.168.1.7', in: 'eth1', protocol: 17, ctstate: 'NEW' });
});

test('redundant: what the policy or later rules do anyway', t => {
  const one = caseOf(['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -p tcp -j ACCEPT', '-A INPUT -p udp -j DROP'], { policy: 'DROP' });
  t.is(redundancy(one, 'INPUT', 1).kind, 'needed');
  t.is(redundancy(one, 'INPUT', 2).kind, 'needed');
  const answer = redundancy(one, 'INPUT', 4);
  t.deepEqual(answer, { kind: 'redundant', because: [{ table: 'filter', chain: 'INPUT', policy: 'DROP' }] });
});

test('redundant: a rule that keeps packets from the log is needed', t => {
  t.is(redundancy(caseOf(['-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -j LOG', '-A INPUT -j DROP']), 'INPUT', 1).kind, 'needed');
  t.is(redundancy(caseOf(['-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -j DROP']), 'INPUT', 1).kind, 'redundant');
});

test('redundant: rejects differ by what they answer with', t => {
  t.is(redundancy(caseOf(['-A INPUT -p tcp -j REJECT --reject-with tcp-reset', '-A INPUT -j REJECT']), 'INPUT', 1).kind, 'needed');
  t.is(redundancy(caseOf(['-A INPUT -p tcp -j REJECT', '-A INPUT -j REJECT --reject-with icmp-port-unreachable']), 'INPUT', 1).kind, 'redundant');
});

test('redundant: a RETURN at the end of its chain', t => {
  t.is(redundancy(caseOf(['-A INPUT -j A', '-A INPUT -j LOG', '-A A -p tcp -j ACCEPT', '-A A -j RETURN']), 'A', 2).kind, 'redundant');
  t.is(redundancy(caseOf(['-A INPUT -j A', '-A A -p tcp -j RETURN', '-A A -j DROP']), 'A', 1).kind, 'needed');
});

function asked(lines: readonly string[], packets: Constraint, fates: readonly Fate[]): Answer {
  const { space, table } = caseOf(lines, { policy: 'DROP' });
  return ask(space, table, 'INPUT', packets, fates);
}

const ssh = all([is('protocol', 6), is('dport', 22)]);

test('ask: yes shows a packet and who decides', t => {
  const answer = asked(['-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -p tcp -m tcp --dport 20:30 -j ACCEPT'], ssh, ['accept']);
  t.like(answer, { kind: 'yes', certain: true, by: { chain: 'INPUT', position: 2 } });
  t.like(witnessOf(answer), { protocol: 6, dport: 22, src: '198.51.100.7' });
});

test('ask: no is a proof, and names who decides otherwise', t => {
  t.like(asked(['-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT', '-A INPUT -p tcp -j REJECT'], ssh, ['accept', 'drop']), { kind: 'no', by: [{ chain: 'INPUT', position: 2 }] });
});

test('ask: what is unknown may go either way, and is not certain', t => {
  t.like(asked(['-A INPUT -m limit --limit 1/sec -j ACCEPT'], ssh, ['accept']), { kind: 'yes', certain: false });
  t.like(asked(['-A INPUT -m limit --limit 1/sec -j ACCEPT'], ssh, ['drop']), { kind: 'yes', certain: false });
});

test('ask: a question may speak of what no rule mentions', t => {
  const lines = ['-A INPUT -i eth0 -p tcp -j ACCEPT'];
  t.is(asked(lines, all([ssh, { kind: 'interface', field: 'in', name: 'wlan7', prefix: false }]), ['accept']).kind, 'no');
  const dropped = asked(lines, all([ssh, { kind: 'interface', field: 'in', name: 'wlan7', prefix: false }, is('ttl', 3)]), ['drop']);
  t.like(witnessOf(dropped), { in: 'wlan7', ttl: 3, dport: 22 });
});

test('reachWith: a rule asked about some packets only', t => {
  const one = caseOf(['-A INPUT -p udp -j DROP', '-A INPUT -j ACCEPT']);
  t.is(reachWith(one.space, one.table, ruleAt(one, 'INPUT', 2), ssh).kind, 'live');
  t.is(reachWith(one.space, one.table, ruleAt(one, 'INPUT', 2), is('protocol', 17)).kind, 'shadowed');
  t.is(reachWith(one.space, one.table, ruleAt(one, 'INPUT', 2), ssh, 'FORWARD').kind, 'contradiction');
});

test('jumps in a circle leave every question open', t => {
  const one = caseOf(['-A INPUT -j A', '-A A -j B', '-A B -j A', '-A INPUT -j DROP']);
  t.is(told(one, 'INPUT', 2), 'undecided');
  t.is(redundancy(one, 'INPUT', 2).kind, 'undecided');
  t.is(ask(one.space, one.table, 'INPUT', ssh, ['drop']).kind, 'undecided');
});

test('ten thousand chains, one after the other or one in the other, come to an end', t => {
  const names = Array.from({ length: 10_000 }, (_, i) => `C${String(i)}`);
  const sequence = caseOf(names.flatMap((name, i) => [`-A INPUT -j ${name}`, `-A ${name} -p tcp -m tcp --dport ${String(i + 1)} -j ACCEPT`]));
  t.is(told(sequence, 'C9999', 1), 'live');
  const nested = caseOf(['-A INPUT -j C0', ...names.flatMap((name, i) => [...i + 1 < names.length ? [`-A ${name} -j ${names[i + 1] ?? ''}`] : [], `-A ${name} -p tcp -m tcp --dport ${String(i + 1)} -j ACCEPT`])]);
  t.is(nested.answers.size, 20_000);
});

test('partlyShadowed: who takes some, what is taken and what is left', t => {
  const one = caseOf(['-A INPUT -p udp -j DROP', '-A INPUT -s 10.0.0.0/8 -p tcp -j DROP', '-A INPUT -s 10.0.0.0/7 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p icmp -j ACCEPT']);
  const answer = partlyShadowed(one.space, one.table, ruleAt(one, 'INPUT', 3));
  t.like(answer, { kind: 'partly-shadowed', by: [{ position: 2 }], more: false, small: false });
  if (answer.kind !== 'partly-shadowed') return;
  t.like(answer.taken, { src: '10.0.0.7', protocol: 6, dport: 22 });
  t.regex(answer.left.src ?? '', /^11\./u);
  t.is(partlyShadowed(one.space, one.table, ruleAt(one, 'INPUT', 4)).kind, 'no');
});

test('partlyShadowed: what is left may be small', t => {
  const one = caseOf(['-A INPUT -s 10.0.0.0/9 -j DROP', '-A INPUT -s 10.128.0.0/10 -j DROP', '-A INPUT -s 10.192.0.0/11 -j DROP', '-A INPUT -s 10.224.0.0/12 -j DROP', '-A INPUT -s 10.240.0.0/13 -j DROP', '-A INPUT -s 10.0.0.0/8 -j ACCEPT']);
  t.like(partlyShadowed(one.space, one.table, ruleAt(one, 'INPUT', 6)), { kind: 'partly-shadowed', small: true });
  t.like(partlyShadowed(one.space, one.table, ruleAt(one, 'INPUT', 6), 2), { kind: 'partly-shadowed', by: [{ position: 1 }, { position: 2 }], more: true });
});

test('partlyShadowed: a chain below may take some, and a rule before the jump', t => {
  const one = caseOf(['-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -p tcp -j A', '-A INPUT -j LOG', '-A A -s 192.168.0.0/16 -j ACCEPT', '-A A -s 8.0.0.0/6 -j REJECT']);
  t.like(partlyShadowed(one.space, one.table, ruleAt(one, 'A', 2)), { kind: 'partly-shadowed', by: [{ chain: 'INPUT', position: 1 }] });
  const log = partlyShadowed(one.space, one.table, ruleAt(one, 'INPUT', 3));
  t.like(log, { kind: 'partly-shadowed', small: undefined });
  t.deepEqual(log.kind === 'partly-shadowed' ? log.by.map(({ chain }) => chain) : [], ['INPUT', 'A']);
});

test('an exception is no correlation, and a limit is neither', t => {
  const one = caseOf(['-A INPUT -s 10.1.0.0/16 -j ACCEPT', '-A INPUT -p tcp -j ACCEPT', '-A INPUT -m limit --limit 5/sec -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -j DROP']);
  const last = ruleAt(one, 'INPUT', 4);
  t.like(generalization(one.space, one.table, last), { kind: 'generalization', with: [{ position: 1 }] });
  t.like(correlated(one.space, one.table, last), { kind: 'correlated', with: [{ position: 2 }], witness: { protocol: 6 } });
  t.is(correlated(one.space, one.table, ruleAt(one, 'INPUT', 2)).kind, 'no');
  t.deepEqual([...relations(one.space, one.table)].map(({ rule, kind }) => `${String(rule.position)} ${kind}`), ['2 partly-shadowed', '3 partly-shadowed', '4 partly-shadowed', '4 correlated', '4 generalization']);
});

test('no packet of an impossible question arrives, also where the table does not look at what makes it impossible', t => {
  const [ruleset] = load({ path: 'rules', text: '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 192.0.2.1 -j DROP\nCOMMIT\n' }).rulesets;
  const table = ruleset?.tables.get('filter');
  if (ruleset === undefined || table === undefined) throw new Error('no table');
  const lo: Constraint = { kind: 'interface', field: 'out', name: 'lo', prefix: false };
  t.is(ask(packetSpace(ruleset), table, 'FORWARD', all([lo, not(lo)]), ['accept']).kind, 'no');
});
