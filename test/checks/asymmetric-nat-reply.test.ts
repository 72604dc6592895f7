/** asymmetric-nat-reply: answers that are exempt from tracking. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { findings, rules } from './nat-rules.js';

test('answers that are exempt from tracking are not translated back', t => {
  const gateway = (raw: readonly string[], nat: readonly string[]): string => ['*raw', ...raw, 'COMMIT', '*nat', ...nat, 'COMMIT', '*filter', ':FORWARD ACCEPT [0:0]', 'COMMIT', ''].join('\n');
  const lost = (raw: readonly string[], ...nat: readonly string[]): string[] => {
    const { findings, internalErrors } = analyze({ path: 'raw.rules', text: gateway(raw, nat) });
    t.deepEqual(internalErrors, []);
    return findings.filter(one => one.check === 'asymmetric-nat-reply').map(one => `${one.rule ?? ''} ${one.because[0]?.rule ?? ''}`);
  };
  const masquerade = '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE';
  const redirect = '-A PREROUTING -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353';
  t.deepEqual(lost(['-A PREROUTING -p udp -m udp --sport 53 -j CT --notrack'], masquerade), ['raw:PREROUTING:1 nat:POSTROUTING:1']);
  t.deepEqual(lost(['-A PREROUTING -i eth0 -p udp -j dns', ':dns - [0:0]', '-A dns -p udp -m udp --sport 53 -j NOTRACK'], masquerade), ['raw:dns:1 nat:POSTROUTING:1']);
  t.deepEqual(lost(['-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack', '-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack'], masquerade), [], 'a name server on a gateway');
  t.deepEqual(lost(['-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack', '-A PREROUTING -p udp -m udp --sport 53 -j CT --notrack'], masquerade), [], 'neither direction is tracked, and nat asked about none');
  t.deepEqual(lost(['-A PREROUTING -i eth1 -p udp -m udp --sport 53 -j CT --notrack'], masquerade), [], 'answers come in by eth0');
  t.deepEqual(lost(['-A PREROUTING -s 10.0.0.0/24 -j CT --notrack'], '-A POSTROUTING -o eth0 -j MASQUERADE'), [], 'whoever is inside is asked by nobody through eth0');
  t.deepEqual(lost(['-A PREROUTING -p udp -m udp --sport 53 -j CT --notrack'], '-A POSTROUTING -p udp -m udp --dport 53 -j ACCEPT', '-A POSTROUTING -p udp -o eth0 -j SNAT --to-source 192.0.2.1'), [], 'these are left as they are');
  t.deepEqual(lost(['-A OUTPUT -p udp -m udp --sport 5353 -j CT --notrack'], redirect), ['raw:OUTPUT:1 nat:PREROUTING:1']);
  t.deepEqual(lost(['-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack'], redirect), [], 'answers are sent from port 5353');
  const sentTo = (address: string, exempt: string): string[] => lost([exempt], `-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination ${address}`);
  t.deepEqual(sentTo('10.0.0.5', '-A PREROUTING -s 10.0.0.0/24 -d 203.0.113.0/24 -j NOTRACK'), ['raw:PREROUTING:1 nat:PREROUTING:1']);
  t.deepEqual(sentTo('10.0.1.1-10.0.1.9', '-A PREROUTING -s 10.0.1.8/29 -j NOTRACK'), ['raw:PREROUTING:1 nat:PREROUTING:1'], 'the last two of them');
  t.deepEqual(sentTo('10.0.0.5', '-A PREROUTING -s 192.0.2.1/32 -j NOTRACK'), [], 'it answers by its own address');
  t.deepEqual(sentTo('10.0.0.5', '-A PREROUTING -s 10.0.0.0/24 -p udp -j NOTRACK'), [], 'as what was asked');
});

test('answers that come to an exemption by luck, or marked, are not told of', t => {
  const lost = (raw: string, nat: string): readonly (string | null)[] => findings(`*raw\n${raw}\nCOMMIT\n*nat\n${nat}\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n`).filter(one => one.check === 'asymmetric-nat-reply').map(one => one.rule);
  const told = ['raw:PREROUTING:1'];
  const [masquerade, random] = ['-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE', '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE --random-fully'];
  const to = (port: string): string => `-A PREROUTING -p udp -m udp --dport ${port} -j CT --notrack`;
  t.deepEqual(lost(to('6081'), random), [], 'of all ports that nat may give, one');
  t.deepEqual(lost(to('40000:50000'), random), told);
  t.deepEqual(lost(to('6081'), '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -p udp -j MASQUERADE --to-ports 6000-6100'), told, 'of few');
  const marked = (mark: string): string => `-A PREROUTING -p udp -m udp --sport 53 -m mark --mark ${mark} -j CT --notrack`;
  t.deepEqual(lost(marked('0x200/0xf00'), masquerade), [], 'nothing comes marked from elsewhere');
  t.deepEqual(lost(marked('0x0/0xf00'), masquerade), told);
  t.deepEqual(lost(`-A PREROUTING -i eth0 -j MARK --set-xmark 0x200/0xf00\n${marked('0x200/0xf00')}`, masquerade), ['raw:PREROUTING:2'], 'it is marked here');
});

test('an answer that is exempt from tracking is shown as it comes by the exemption, on a host that has the server behind another interface', t => {
  const text = rules({
    raw: ['-A PREROUTING -s 10.0.0.5/32 -p tcp -m tcp --sport 443 -j CT --notrack'], nat: ['-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5'],
    filter: ['-A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -j ACCEPT'],
  });
  const [one] = findings(text).filter(({ check }) => check === 'asymmetric-nat-reply');
  t.deepEqual(one?.witness?.map(({ in: from, packet }) => [from, packet['src'] === '10.0.0.5', packet['flags']]), [['eth0', false, 'S'], ['eth1', true, 'SA']]);
  t.true(one?.host?.routes?.includes('10.0.0.5/32 dev eth1'));
});

test('an answer that is exempt from tracking is certain whatever address nat gives the connection, and comes to that address', t => {
  const seen = (raw: string, nat: string): readonly unknown[] => findings(`*raw\n${raw}\nCOMMIT\n*nat\n${nat}\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n`).filter(({ check }) => check === 'asymmetric-nat-reply')
    .flatMap(({ certainty, witness, host }) => [certainty, ...(witness ?? []).map(({ in: from, packet: { src, sport, dst, dport } }) => [from, src, sport, dst, dport]), ...host?.interfaces?.flatMap(({ name, addresses }) => name === 'eth0' ? addresses : []) ?? []]);
  const masquerade = '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE';
  const dns = '-A PREROUTING -p udp -m udp --sport 53 -j CT --notrack';
  t.deepEqual(seen(dns, masquerade), ['certain', ['eth1', '10.0.0.7', 40000, '1.0.0.10', 53], ['eth0', '1.0.0.10', 53, '203.0.113.139', 40000], '203.0.113.139/32']);
  t.deepEqual(seen(dns, '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j SNAT --to-source 192.0.2.1').slice(0, 3), ['certain', ['eth1', '10.0.0.7', 40000, '1.0.0.10', 53], ['eth0', '1.0.0.10', 53, '192.0.2.1', 40000]]);
  t.deepEqual(seen(dns.replace('-p', '-d 192.0.2.1/32 -p'), masquerade), ['possible'], 'who knows whether that is the address');
  t.deepEqual(seen(dns.replace('-p', '-m set --match-set servers src -p'), masquerade), ['possible'], 'nor who is in the set');
  t.deepEqual(seen('-A OUTPUT -p udp -m udp --sport 5353 -j CT --notrack', '-A PREROUTING -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353'), ['certain', ['eth0', '1.0.0.10', 40000, '192.0.2.1', 53], ['local', '192.0.2.1', 5353, '1.0.0.10', 40000]]);
  t.deepEqual(seen('-A OUTPUT -s 192.0.2.1/32 -p udp -m udp --sport 5353 -j CT --notrack', '-A PREROUTING -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353'), ['possible']);
});
