import test from 'ava';
import { load } from '../../../analyzer/model/load.js';
import { emptyRuleset } from '../../../analyzer/model/ruleset.js';
import { createHost, type Host, type HostSetup, type TraceOptions } from '../../../analyzer/netfilter/engine.js';
import type { HostSocket } from '../../../analyzer/netfilter/host/host.js';

const setup: HostSetup = {
  interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }],
  routes: ['default via 192.0.2.254 dev eth0', 'local default dev lo table 100'], ipRules: ['fwmark 0x1 lookup 100'],
};

/** A host whose rules in mangle PREROUTING are these, and connection tracking is on. */
function hostWith(rules: readonly string[], sockets: readonly HostSocket[] | undefined, options: TraceOptions = {}): Host {
  const text = ['*mangle', ':PREROUTING ACCEPT [0:0]', ...rules.map(rule => `-A PREROUTING ${rule}`), 'COMMIT', '*filter', ':INPUT ACCEPT [0:0]', '-A INPUT -m conntrack --ctstate INVALID -j DROP', 'COMMIT', ''].join('\n');
  const [ruleset = emptyRuleset('ipv4')] = load({ path: 'rules', text }, { family: 'ipv4', backend: 'nft' }).rulesets;
  return createHost(ruleset, { ...setup, ...sockets === undefined ? {} : { sockets } }, options);
}

const client = '198.51.100.7';

function matches(host: Host, proto: string, dst: string, dport: number, flags = 'S'): boolean {
  const { path } = host.send({ in: 'eth0', packet: { proto, src: client, dst, sport: 40000, dport, ...proto === 'tcp' ? { flags } : {} } });
  return path.includes('mangle:PREROUTING:1');
}

test('a socket that is bound to the address is found, and one for all addresses only with --nowildcard', t => {
  const sockets: readonly HostSocket[] = [
    { protocol: 'tcp', address: '192.0.2.1', port: 22 }, { protocol: 'tcp', address: '*', port: 80 }, { protocol: 'udp', address: '0.0.0.0', port: 53 },
    { protocol: 'tcp', address: '192.0.2.1', port: 25, interface: 'lo' }, { protocol: 'tcp', address: '::', port: 443 },
  ];
  const plain = hostWith(['-m socket'], sockets), wide = hostWith(['-m socket --nowildcard'], sockets);
  t.true(matches(plain, 'tcp', '192.0.2.1', 22));
  t.false(matches(plain, 'tcp', '192.0.2.1', 80));
  for (const [proto, port] of [['tcp', 22], ['tcp', 80], ['udp', 53]] as const) t.true(matches(wide, proto, '192.0.2.1', port));
  for (const [proto, port] of [['udp', 22], ['tcp', 25], ['tcp', 443], ['tcp', 81]] as const) t.false(matches(wide, proto, '192.0.2.1', port));
  t.false(matches(hostWith(['-m socket --transparent'], [{ protocol: 'tcp', address: '192.0.2.1', port: 22, transparent: false }]), 'tcp', '192.0.2.1', 22));
});

test('what nobody says about sockets is unknown', t => {
  const step = { in: 'eth0', packet: { proto: 'tcp', src: client, dst: '192.0.2.1', dport: 22 } };
  const unsaid = hostWith(['-m socket -j DROP'], undefined, { unknown: 'match' }).send(step);
  t.deepEqual([unsaid.verdict, unsaid.unknown?.map(({ why }) => why)], ['drop', ['it is not known which sockets the host has']]);
  const opaque = hostWith(['-m socket --transparent -j DROP'], [{ protocol: 'tcp', address: '192.0.2.1', port: 22 }]).send(step);
  t.deepEqual([opaque.verdict, opaque.unknown?.length], ['delivered', 1]);
});

test('a flow has a socket of its own once the other side has answered', t => {
  const host = hostWith(['-m socket'], [{ protocol: 'tcp', address: '0.0.0.0', port: 80 }]);
  t.false(matches(host, 'tcp', '192.0.2.1', 80));
  host.send({ in: 'local', packet: { proto: 'tcp', src: '192.0.2.1', dst: client, sport: 80, dport: 40000, flags: 'SA', ack: 1001 } });
  t.true(matches(host, 'tcp', '192.0.2.1', 80, 'A'));
  host.send({ in: 'local', packet: { proto: 'udp', src: '192.0.2.1', dst: client, sport: 999, dport: 53 } });
  const answer = host.send({ in: 'eth0', packet: { proto: 'udp', src: client, dst: '192.0.2.1', sport: 53, dport: 999 } });
  t.deepEqual(answer.path.slice(0, 1), ['mangle:PREROUTING:1']);
});

test('an ICMP error finds the socket of what it quotes', t => {
  const host = hostWith(['-m socket'], [{ protocol: 'udp', address: '192.0.2.1', port: 53 }]);
  const error = (sport: number): readonly string[] => host.send({ in: 'eth0', packet: { proto: 'icmp', type: 3, code: 3, src: client, dst: '192.0.2.1', quote: { proto: 'udp', sport, dport: 999 } } }).path;
  t.is(error(53)[0], 'mangle:PREROUTING:1');
  t.is(error(54)[0], 'mangle:PREROUTING:policy');
});

test('TPROXY gives a flow to a proxy that listens, and its later packets find that by themselves', t => {
  const rules = ['-m socket --transparent -j MARK --set-mark 1', '-p tcp -m mark ! --mark 1 -j TPROXY --on-port 3128 --tproxy-mark 0x1'];
  const host = hostWith(rules, [{ protocol: 'tcp', address: '0.0.0.0', port: 3128, transparent: true }]);
  const send = (flags: string): readonly [string, readonly string[]] => {
    const { verdict, path } = host.send({ in: 'eth0', packet: { proto: 'tcp', src: client, dst: '203.0.113.9', sport: 40000, dport: 80, flags, ack: flags === 'S' ? 0 : 1001, seq: flags === 'S' ? 1000 : 1001 } });
    return [verdict, path.filter(one => one.startsWith('mangle'))];
  };
  t.deepEqual(send('S'), ['delivered', ['mangle:PREROUTING:2']]);
  host.send({ in: 'local', packet: { proto: 'tcp', src: '203.0.113.9', dst: client, sport: 80, dport: 40000, flags: 'SA', ack: 1001 } });
  t.deepEqual(send('A'), ['delivered', ['mangle:PREROUTING:1', 'mangle:PREROUTING:policy']]);
  t.is(hostWith(rules, []).send({ in: 'eth0', packet: { proto: 'tcp', src: client, dst: '203.0.113.9', dport: 80 } }).verdict, 'drop');
});
