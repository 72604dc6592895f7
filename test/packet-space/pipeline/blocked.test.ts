/** What follows from rules before, though nobody knows what the fields are that they write: found without going through what they may be. */
import test from 'ava';
import { load } from '../../../analyzer/model/load.js';
import { pipeline, reachThrough, type Passage } from '../../../analyzer/packet-space/pipeline/index.js';
import { solveBudget } from '../../../analyzer/packet-space/pipeline/solve.js';

const networks = Array.from({ length: 200 }, (_, i) => `-A PREROUTING -s 10.0.${String(i)}.0/24 -m mark --mark 0x0 -j MARK --set-xmark 0x${(1 + i % 3).toString()}/0xffffffff`);

/** Packets that lo gives back may have been given any source. */
const around = (mangle: string): string => `*mangle\n-A PREROUTING -j CONNMARK --restore-mark\n${mangle}\nCOMMIT\n*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n`;

/** Whether packets come to the last rule of a chain. */
function lastOf(text: string, chain: string): readonly [Passage['kind'], readonly string[]] {
  const [ruleset] = load({ path: 'rules', text }).rulesets;
  const made = ruleset === undefined ? undefined : pipeline(ruleset);
  const rule = ruleset?.tables.get('mangle')?.chains.get(chain)?.rules.at(-1);
  if (made === undefined || rule === undefined) throw new Error('no such rule');
  const answer = reachThrough(made, rule, { budget: solveBudget(3000, 300_000), hint: () => ({}) });
  return [answer.kind, answer.kind === 'dead' ? answer.by.map(one => `${one.chain}:${String(one.position)}`) : []];
}

test('who has a mark by then has it no more to be given one', t => {
  const marks = (last: string): string => around([...networks, last].join('\n'));
  t.deepEqual(lastOf(marks('-A PREROUTING -s 10.0.7.0/25 -m mark --mark 0x0 -j MARK --set-xmark 0x9/0xffffffff'), 'PREROUTING'), ['dead', ['PREROUTING:9']]);
  t.is(lastOf(marks('-A PREROUTING -s 10.0.7.0/24 -m mark --mark 0x2 -j MARK --set-xmark 0x9/0xffffffff'), 'PREROUTING')[0], 'live');
});

test('what a chain returns by a mark does not come to the chain that is called behind', t => {
  const calls = (between: string): string => `*mangle\n:verdicts - [0:0]\n:classify - [0:0]\n:quiet - [0:0]\n-A PREROUTING -j CONNMARK --restore-mark\n-A PREROUTING -j classify\n-A PREROUTING -m mark --mark 0x3/0x3 -j RETURN\n${between}-A PREROUTING -j verdicts
${networks.join('\n').replaceAll('PREROUTING', 'classify')}\n-A quiet -m mark --mark 0x1/0x1 -j MARK --set-xmark 0x2/0x2\n-A verdicts -p tcp -m mark --mark 0x3 -j DROP\nCOMMIT\n*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n`;
  t.deepEqual(lastOf(calls(''), 'verdicts'), ['dead', ['PREROUTING:3']]);
  t.is(lastOf(calls('-A PREROUTING -j quiet\n'), 'verdicts')[0], 'live');
});

test('a chain that is called may let none of them come back', t => {
  const marked = ['-m mark ! --mark 0x1/0x1 -j RETURN', '-j MARK --set-xmark 0x0/0x1', '-j ACCEPT'];
  const calls = (call: string, rules: readonly string[], more = ''): readonly [Passage['kind'], readonly string[]] => lastOf(
    `*mangle\n:marked - [0:0]\n:other - [0:0]\n-A PREROUTING -j CONNMARK --restore-mark\n${call}\n-A PREROUTING -m mark --mark 0x1/0x1 -j DROP\n${networks.join('\n').replaceAll('PREROUTING', 'OUTPUT')}
${rules.map(one => `-A marked ${one}`).join('\n')}\n${more}COMMIT\n*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n`, 'PREROUTING');
  t.deepEqual(calls('-A PREROUTING -j marked', marked), ['dead', ['marked:3', 'PREROUTING:2']]);
  t.deepEqual(calls('-A PREROUTING -j marked', marked.slice(0, 2)), ['dead', ['marked:2', 'PREROUTING:2']]);
  t.is(calls('-A PREROUTING -p tcp -j marked', marked)[0], 'live', 'some do not go there');
  t.is(calls('-A PREROUTING -j marked', marked.slice(0, 1))[0], 'live', 'they come out at its end');
  t.is(calls('-A PREROUTING -j marked', ['-s 10.1.0.0/16 -j RETURN', ...marked])[0], 'live', 'some come back before');
  t.is(calls('-A PREROUTING -j marked', ['-s 10.1.0.0/16 -g other', ...marked], '-A other -m mark --mark 0x2/0x2 -j RETURN\n-A other -j ACCEPT\n')[0], 'live', 'some come back from another chain');
  t.is(calls('-A PREROUTING -j marked', ['-s 10.1.0.0/16 -g other', ...marked], '-A other -m mark --mark 0x2/0x2 -j MARK --set-xmark 0x0/0x1\n-A other -j ACCEPT\n')[0], 'dead', 'none comes back from the other chain');
});
