/** What the packets that begin one connection have in common, so that nat's rules say the same of each of them. */
import test from 'ava';
import { load } from '../../../analyzer/model/load.js';
import { runScenario } from '../../../analyzer/netfilter/engine.js';
import { fate, pipeline, reachThrough } from '../../../analyzer/packet-space/pipeline/index.js';
import { all, ctstates, is, within } from '../../../analyzer/packet/constraint.js';

const rulesets = (text: string, family: 'ipv4' | 'ipv6'): ReturnType<typeof load>['rulesets'] => load({ path: 'rules', text }, { family }).rulesets;

test('a later fragment that nobody puts together belongs to no connection: nat is never asked about it', t => {
  const text = '*nat\n-A PREROUTING -p udp -j DNAT --to-destination [2001:db8::5]:80\nCOMMIT\n*filter\n-A INPUT -m conntrack --ctstate NEW -j DROP\n-A INPUT -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n';
  const { steps } = runScenario(rulesets(text, 'ipv6'), {
    family: 'ipv6', backend: 'nft', rules: text, interfaces: [{ name: 'eth0', addresses: ['2001:db8::1/64'] }],
    // Its length is not a multiple of 8, so that IPv6 does not gather it.
    steps: [{ in: 'eth0', packet: { proto: 'udp', src: '2001:db8::7', dst: '2001:db8::1', frag_off: 8, mf: true, payload_len: 5 } }],
  });
  t.deepEqual(steps.map(({ path }) => path), [['filter:INPUT:2']]);
});

function natModes(rule: string): number {
  const [ruleset] = rulesets(`*nat\n-A PREROUTING ${rule} -j DNAT --to-destination 10.0.0.5\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n`, 'ipv4');
  const made = ruleset === undefined ? undefined : pipeline(ruleset);
  return made?.modes.through.filter(({ nat }) => nat === 1).length ?? -1;
}

test('packets are looked at as translated by another one only where a later one may differ', t => {
  for (const rule of ['-d 192.0.2.1', '-p tcp -m tcp --dport 80', '-p udp -m multiport --dports 53,5353', '-p icmp -m icmp --icmp-type 8']) t.is(natModes(rule), 0, rule);
  for (const rule of ['-i eth0', '-p tcp -m tcp --syn', '-m length --length 100:', '-m mark --mark 1', '-m set --match-set a src']) t.is(natModes(rule), 1, rule);
});

test('what one rule of raw exempts from tracking is told apart from its neighbours', t => {
  const helper = '-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp\n';
  const getsIn = (raw: string): string => {
    const [ruleset] = rulesets(`*raw\n${helper}${raw}COMMIT\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m udp --dport 53:60 -m conntrack --ctstate NEW -j DROP\nCOMMIT\n`, 'ipv4');
    const packets = all([is('protocol', 17), is('fragment', 0), within('dport', 53, 54), is('ctstate', ctstates.NEW)]);
    const made = ruleset === undefined ? undefined : pipeline(ruleset, { asked: [packets] });
    return made === undefined ? 'nothing' : fate(made, 'in', packets, 'accept').kind;
  };
  t.is(getsIn(''), 'none');
  t.is(getsIn('-A PREROUTING -p udp -m udp --dport 54 -j CT --notrack\n'), 'found');
});

test('that raw exempts what has no state says nothing of packets that lo gives back with theirs', t => {
  const text = `*raw
-A PREROUTING -p tcp -j NOTRACK
COMMIT
*filter
:u1 - [0:0]
:u2 - [0:0]
-A INPUT -p tcp -m addrtype ! --dst-type LOCAL -j u1
-A INPUT -d 10.0.0.0/31 -p tcp -m conntrack --ctstate NEW -g u1
-A u1 -d 10.0.0.0/31 -j u2
-A u2 -s 10.0.0.0/31 -p tcp -m addrtype --dst-type LOCAL -j DROP
COMMIT
`;
  const own = '10.0.0.1';
  const { steps } = runScenario(rulesets(text, 'ipv4'), { rules: text, interfaces: [{ name: 'eth0', addresses: [`${own}/24`] }], steps: [{ in: 'local', packet: { proto: 'tcp', src: own, dst: own, dport: 80 } }] });
  t.true(steps[0]?.path.includes('filter:u2:1'));
  const [ruleset] = rulesets(text, 'ipv4');
  const made = ruleset === undefined ? undefined : pipeline(ruleset);
  for (const { rule } of made?.chains.rules ?? []) t.is(made === undefined ? '' : reachThrough(made, rule).kind, 'live');
});
