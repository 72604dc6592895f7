/** Which TCP flags can be seen in which state: exact reasoning, judged by the tracker of the engine. */
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { ask, correlated, packetSpace, reach, reachWith } from '../../analyzer/packet-space/index.js';
import { all, ctstates, is, masked } from '../../analyzer/packet/constraint.js';
import { Lab } from '../netfilter/conntrack/lab.js';

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

function tableOf(...lines: readonly string[]): { readonly space: ReturnType<typeof packetSpace>; readonly table: Parameters<typeof reach>[1] } {
  const { rulesets: [ruleset] } = load({ path: 'x', text: ['*filter', ':INPUT DROP [0:0]', ':S - [0:0]', ...lines, 'COMMIT', ''].join('\n') });
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

test('RELATED have those of NEW', t => {
  t.deepEqual(aliveIn('RELATED', true), aliveIn('NEW', true));
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
