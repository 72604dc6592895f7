import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { emptyRuleset } from '../../analyzer/model/ruleset.js';
import { createHost, type DetailedStep } from '../../analyzer/netfilter/engine.js';

function traced(text: string): DetailedStep {
  const [ruleset = emptyRuleset('ipv4')] = load({ path: 'rules', text }, { family: 'ipv4', backend: 'nft' }).rulesets;
  const host = createHost(ruleset, { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }] });
  return host.sendInDetail({ in: 'eth0', packet: { proto: 'udp', src: '192.0.2.7', dst: '192.0.2.1', sport: 1, dport: 53 } });
}

test('a rule is told before what its target does, also where another rule does so meanwhile', t => {
  const { trail } = traced('*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j MARK --set-mark 1\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j refuse\n:refuse - [0:0]\n-A refuse -j REJECT\nCOMMIT\n');
  t.deepEqual(trail.map(entry => entry.kind === 'rule' ? entry.ref : entry.kind), [
    'stage', 'filter:INPUT:1', 'enter', 'filter:refuse:1', 'generated', 'stage', 'mangle:OUTPUT:1', 'rewrite', 'policy', 'generated-end',
  ]);
});

test('what a local process gets is told as it is after translation', t => {
  const { arrived, verdict } = traced('*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j REDIRECT --to-ports 5353\nCOMMIT\n');
  t.is(verdict, 'delivered');
  t.like(arrived, { src: '192.0.2.7', dst: '192.0.2.1', dport: 5353 });
  t.is(traced('*filter\n:INPUT DROP [0:0]\nCOMMIT\n').arrived, undefined);
});
