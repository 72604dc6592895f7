/** Where it is known what is in the sets, rules are read as if they named the addresses. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { load } from '../../analyzer/model/load.js';
import { withIpSets } from '../../analyzer/model/with-ip-sets.js';
import { ask, packetSpace } from '../../analyzer/packet-space/index.js';
import { pipeline, reachThrough } from '../../analyzer/packet-space/pipeline/index.js';
import { is } from '../../analyzer/packet/constraint.js';

const rules = ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -m set --match-set blocked src -j DROP', '-A INPUT -s 203.0.113.7/32 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 198.51.100.9/32 -p tcp -m tcp --dport 22 -j ACCEPT', 'COMMIT', ''].join('\n');
const blocked = 'create blocked hash:net\nadd blocked 203.0.113.0/24\n';

function shadowed(text: string, ipsets?: string): readonly string[] {
  const { findings, internalErrors } = analyze({ path: 'sets.rules', text }, ipsets === undefined ? {} : { ipsets });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === 'shadowed-rule').map(one => one.rule ?? '');
}

test('a rule for what a set holds is shadowed by it, and a packet shows it', t => {
  t.deepEqual(shadowed(rules), [], 'nobody knows');
  t.deepEqual(shadowed(rules, blocked), ['filter:INPUT:4']);
  const finding = analyze({ path: 'sets.rules', text: rules }, { ipsets: blocked }).findings.find(one => one.rule === 'filter:INPUT:4');
  t.is(finding?.witness?.[0]?.packet['src'], '203.0.113.7');
});

test('not by elements that are there for a time, by sets that rules fill, nor by empty ones', t => {
  t.deepEqual(shadowed(rules, 'create blocked hash:net timeout 600\nadd blocked 203.0.113.0/24\n'), []);
  t.deepEqual(shadowed(rules, 'create blocked hash:net timeout 600\nadd blocked 203.0.113.0/24 timeout 0\n'), ['filter:INPUT:4']);
  t.deepEqual(shadowed(rules.replace('COMMIT', '-A INPUT -p udp -j SET --add-set blocked src\nCOMMIT'), blocked), []);
  t.deepEqual(shadowed(rules, 'create blocked hash:net\n'), []);
  t.deepEqual(shadowed(rules, `${blocked}this is no line of ipset\n`), ['filter:INPUT:4']);
});

test('a set that the host does not have: the kernel would refuse the rules', t => {
  const missing = (ipsets?: string): readonly string[] => analyze({ path: 'sets.rules', text: rules.replace('COMMIT', '-A INPUT -p udp -j SET --add-set seen src\nCOMMIT') }, ipsets === undefined ? {} : { ipsets })
    .findings.filter(one => one.check === 'list-never-filled').map(({ message }) => /no set (\w+)/u.exec(message)?.[1] ?? message);
  t.deepEqual(missing(), [], 'nobody knows');
  t.deepEqual(missing(''), ['blocked', 'seen']);
  t.deepEqual(missing(`${blocked}create seen hash:ip\n`), []);
});

test('the host says it as well', t => {
  const { findings } = analyze({ path: 'sets.rules', text: rules }, { host: () => ({ ipsets: blocked }) });
  t.deepEqual(findings.filter(one => one.check === 'shadowed-rule').map(one => one.rule), ['filter:INPUT:4']);
});

test('thousands of addresses are told apart; of more than a rule can be written out for nothing is said', t => {
  const list = (count: number): string => `create blocked hash:ip maxelem 70000\n${Array.from({ length: count }, (_, i) => `add blocked 20.${String(i >> 8)}.${String(i & 255)}.1\n`).join('')}add blocked 203.0.113.7\n`;
  const many = list(65_000);
  const [ruleset] = load({ path: 'sets.rules', text: rules }).rulesets;
  const known = ruleset === undefined ? undefined : withIpSets(ruleset, many);
  const table = known?.tables.get('filter');
  if (known === undefined || table === undefined) return t.fail();
  const space = packetSpace(known);
  t.is(ask(space, table, 'INPUT', is('src', 0x1405_0601), ['accept']).kind, 'yes', 'what is under way');
  t.deepEqual([shadowed(rules, list(3000)), shadowed(rules, many)], [['filter:INPUT:4'], []]);
  const [whole, last] = [pipeline(known), table.chains.get('INPUT')?.rules[4]];
  t.is(whole === undefined || last === undefined ? '' : reachThrough(whole, last).kind, 'live');
});
