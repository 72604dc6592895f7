/** The checks of kind `nat` about MASQUERADE and SNAT, and about answers to what is translated. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { checks } from '../../analyzer/checks/index.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';
import { findings, found, rules, type Lines } from './nat-rules.js';

test('masquerade-everything: whatever keeps loopback out', t => {
  const first = (...nat: readonly string[]): readonly string[] => found({ nat, filter: ['-A FORWARD -i lan+ -p tcp -m conntrack --ctstate NEW -j ACCEPT'] }).filter(one => one.startsWith('masquerade-everything'));
  t.deepEqual(first('-A POSTROUTING -j MASQUERADE'), ['masquerade-everything nat:POSTROUTING:1']);
  t.deepEqual(first('-A POSTROUTING ! -o eth1 -j SNAT --to-source 203.0.113.9'), ['masquerade-everything nat:POSTROUTING:1']);
  t.deepEqual(first('-A POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE'), ['masquerade-everything nat:POSTROUTING:1']);
  for (const line of ['-o eth0', '! -o lo', '-s 10.0.0.0/8', '! -s 127.0.0.0/8', '! -d 127.0.0.0/8', '-m mark --mark 0x1', '-p udp', '-m addrtype ! --src-type LOCAL']) t.deepEqual(first(`-A POSTROUTING ${line} -j MASQUERADE`), [], line);
  t.deepEqual(first('-A POSTROUTING -o lo -j RETURN', '-A POSTROUTING -j MASQUERADE'), []);
  t.deepEqual(first('-A POSTROUTING -o eth+ -j out', '-A out -j MASQUERADE'), []);
});

test('masquerade-not-forwarded: a network is translated on its way out, and nobody lets it out', t => {
  const lost = (nat: string, filter: readonly string[] = [], options: AnalyzeOptions = {}): readonly string[] => findings({ nat: [`-A POSTROUTING ${nat} -j MASQUERADE`], filter }, options)
    .filter(one => one.check === 'masquerade-not-forwarded').map(({ certainty, rule, message }) => `${certainty} ${rule ?? ''} ${/people of (\S+)/u.exec(message)?.[1] ?? ''}`);
  const [net, told] = ['-s 10.8.0.0/24 -o eth0', ['possible nat:POSTROUTING:1 10.8.0.0/24']];
  t.deepEqual(lost(net), told);
  t.deepEqual(lost('-s 10.8.0.0/24 ! -d 10.8.0.0/24'), told);
  t.deepEqual(lost(net, ['-A FORWARD -p icmp -m icmp --icmp-type 8 -j ACCEPT']), told, 'they may ping');
  t.deepEqual(lost(net, ['-A FORWARD -s 192.168.1.0/24 -o eth0 -j ACCEPT']), told, 'others may');
  t.deepEqual(lost(net, ['-A FORWARD -i wg0 -p tcp -m tcp --dport 443 -j ACCEPT']), [], 'they may see pages');
  t.deepEqual(lost(net, ['-A FORWARD -m set --match-set people src -j ACCEPT']), [], 'some may, and nobody knows who');
  t.deepEqual(lost('-s 192.168.1.0/24 -d 192.168.1.0/24'), [], 'that is for a hairpin');
  t.deepEqual(lost('-o tun0'), [], 'for what this host sends');
  t.deepEqual(lost('-s 10.64.0.2/32 -o wg0 -m owner --uid-owner 1000'), [], 'nobody else has an owner');
  t.deepEqual(lost('-s 10.0.0.0/8 -o lo'), [], 'lo carries nothing else');
  t.deepEqual(lost(net, ['-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT']), told, 'firewalld lets pass what is translated, and nothing is');
  t.deepEqual(lost(net, ['-A FORWARD -j REJECT', '-A FORWARD -i wg0 -j ACCEPT']), [], 'the rule that lets them out is shadowed, and that is told');
  t.deepEqual(lost(net, [], { host: () => ({ sysctls: { 'net.ipv4.ip_forward': 0 } }) }), ['certain nat:POSTROUTING:1 10.8.0.0/24'], 'nothing passes through this host, whatever FORWARD lets pass');
  t.deepEqual(lost(net, ['-A FORWARD -i wg0 -j ACCEPT'], { host: () => ({ sysctls: { 'net.ipv4.ip_forward': 0 } }) }), ['certain nat:POSTROUTING:1 10.8.0.0/24']);
  t.deepEqual(lost(net, ['-A FORWARD -i wg0 -j ACCEPT'], { host: () => ({ sysctls: { 'net.ipv4.ip_forward': 1 } }) }), []);
});

test('masquerade-wrong-interface: everybody leaves by a tunnel, and is translated where nobody does', t => {
  const told = (...filter: readonly string[]): readonly string[] => found({ nat: ['-A POSTROUTING -o eth0 -j MASQUERADE'], filter }).filter(one => one.startsWith('masquerade-w'));
  t.deepEqual(told('-A FORWARD -i eth1 -o tun0 -j ACCEPT'), ['masquerade-wrong-interface nat:POSTROUTING:1 possible']);
  t.deepEqual(told('-A FORWARD -i eth1 -o tun0 -j ACCEPT', '-A FORWARD -i eth2 -o eth0 -j ACCEPT'), [], 'somebody leaves there');
  t.deepEqual(told('-A FORWARD -d 10.9.0.0/16 -i eth1 -o tun0 -j ACCEPT'), [], 'another site, and not the internet');
});

test('masquerade-not-forwarded: those whom docker lets out are its own', t => {
  const told = ['masquerade-not-forwarded nat:POSTROUTING:2 possible'];
  const docker = ['-A FORWARD -o docker0 -j DOCKER', '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT', '-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT'];
  const beside = (nat: string, ...filter: readonly string[]): readonly string[] => found({ nat: ['-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', nat], filter: [...docker, ...filter] }).filter(one => one.startsWith('masq'));
  t.deepEqual(beside('-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE'), told);
  t.deepEqual(beside('-A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE'), told, 'they get to what docker publishes, and no further');
  t.deepEqual(beside('-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE', '-A FORWARD -i wg0 -j ACCEPT'), []);
  t.deepEqual(beside('-A POSTROUTING -s 172.16.0.0/12 -o eth0 -j MASQUERADE'), [], 'a network that has docker’s in it');
});

test('masquerade-not-forwarded: what goes to another network, to neighbours, or comes by the way out, is not out', t => {
  const lost = (...filter: readonly string[]): readonly string[] => found({ nat: ['-A PREROUTING -i ppp0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.8.0.20', '-A POSTROUTING -s 10.8.0.0/24 -o ppp0 -j MASQUERADE'], filter: ['-A FORWARD -d 10.8.0.20/32 -i ppp0 -o eth1 -p tcp -m tcp --dport 80 -j ACCEPT', ...filter] }).filter(one => one.startsWith('masquerade-not'));
  const told = ['masquerade-not-forwarded nat:POSTROUTING:1 possible'];
  t.deepEqual(lost(), told, 'that is for people outside');
  t.deepEqual(lost('-A FORWARD -s 10.8.0.0/24 -d 10.20.0.0/24 -i eth1 -o eth2 -j ACCEPT'), told);
  t.deepEqual(lost('-A FORWARD -d 10.8.0.0/24 -i eth1 -o ppp0 -j ACCEPT'), told, '-d for -s');
  t.deepEqual(lost('-A INPUT -s 10.8.0.0/24 -i eth1 -p udp -m udp --dport 53 -j ACCEPT', '-A FORWARD -s 10.8.0.0/24 -i ppp0 -o eth1 -j ACCEPT'), told, 'interfaces exchanged');
  t.deepEqual(lost('-A FORWARD -s 10.8.0.0/24 -i eth1 -o ppp0 -j ACCEPT'), []);
  t.deepEqual(lost('-A FORWARD -s 10.8.0.0/24 -d 10.99.0.0/16 -o ppp0 -j ACCEPT'), [], 'there is a network of a company');
});

test('masquerade-not-forwarded: what docker lets out is its own containers\', whose network it translates by itself', t => {
  const docker = ['-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT', '-A FORWARD -i docker0 -o docker0 -j ACCEPT'];
  const lost = (nat: string, ...filter: readonly string[]): readonly string[] => findings({ nat: ['-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', `-A POSTROUTING ${nat} -j MASQUERADE`], filter: [...docker, ...filter] })
    .filter(one => one.check === 'masquerade-not-forwarded').map(({ rule, message }) => `${rule ?? ''} ${/people of \S+|leaves by \S+/u.exec(message)?.[0] ?? ''}`);
  t.deepEqual(lost('-s 10.8.0.0/24 -o eth0'), ['nat:POSTROUTING:2 people of 10.8.0.0/24']);
  t.deepEqual(lost('-o eth0'), ['nat:POSTROUTING:2 leaves by eth0,']);
  t.deepEqual(lost('-o eth0', '-A FORWARD -i virbr0 -o virbr0 -j ACCEPT', '-A FORWARD -i virbr0 -o virbr0 -j ACCEPT'), ['nat:POSTROUTING:2 leaves by eth0,'], 'machines may talk to each other, as was said twice');
  t.deepEqual(lost('-s 172.17.0.0/24 -o eth0'), [], 'some of the containers');
  t.deepEqual(lost('-s 10.8.0.0/24 -o eth0', '-A FORWARD -i tun0 -j ACCEPT'), []);
  t.deepEqual(lost('-o eth0', '-A FORWARD -i wlan0 -o eth0 -j ACCEPT'), []);
  t.deepEqual(lost('-o tun0'), [], 'for what this host sends into a tunnel');
});

test('masquerade-incomplete: nobody is translated at all', t => {
  const left = (nat: readonly string[], filter: readonly string[] = ['-A FORWARD -s 192.168.1.0/24 -i eth1 -o eth0 -j ACCEPT']): readonly string[] => findings({ nat, filter }).filter(one => one.check === 'masquerade-incomplete').map(({ certainty, severity, rule, message }) => `${certainty} ${severity} ${rule ?? ''} ${/out by ([a-z0-9]+)/u.exec(message)?.[1] ?? ''}`);
  const [publish, to, told] = ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.20', '-A FORWARD -d 192.168.1.20/32 -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT', 'possible warning filter:FORWARD:3 eth0'];
  const out = '-A FORWARD -s 192.168.1.0/24 -i eth1 -o eth0 -j ACCEPT';
  t.deepEqual(left([publish], [out, to]), [told]);
  t.deepEqual(left([publish, '-A POSTROUTING -d 192.168.1.0/24 -o eth0 -j MASQUERADE'], [out, to]), [told], '-d for -s');
  t.deepEqual(left([publish, '-A POSTROUTING ! -s 192.168.1.0/24 -o eth0 -j MASQUERADE'], [out, to]), ['possible warning nat:POSTROUTING:1 eth0'], 'all but those who are there');
  t.deepEqual(left([publish, '-A POSTROUTING -o eth0 -j MASQUERADE'], [out, to]), []);
  t.deepEqual(left([publish, '-A POSTROUTING -j MASQUERADE'], [out, to]), []);
  t.deepEqual(left([publish], [out.replace('192.168.1.0/24', '203.0.113.64/26'), to]), [], 'public addresses');
  t.deepEqual(left([publish.replace('-i eth0', '-i eth1')]), [], 'who knows where eth0 leads');
  t.deepEqual(left(['-A PREROUTING -i eth1 -p udp -m udp --dport 53 -j REDIRECT'], [out.replace('eth0', 'ppp0')]), ['possible warning filter:FORWARD:3 ppp0']);
  t.deepEqual(left([], [out.replace('eth0', 'ppp0')]), [], 'without table nat it is only a part of the rules');
});

test('masquerade-wrong-interface: nobody leaves by the interface that the rule names, and who comes by it leaves by another as he is', t => {
  const wrong = (nat: readonly string[], filter: readonly string[] = ['-A FORWARD -i eth1 -o eth0 -j ACCEPT'], options: AnalyzeOptions = {}, policy: 'ACCEPT' | 'DROP' = 'DROP'): readonly string[] => findings({ nat, filter, policy }, options)
    .filter(one => one.check === 'masquerade-wrong-interface').map(({ certainty, rule, help, witness }) => `${certainty} ${rule ?? ''} ${/: (-o [^;]*)/u.exec(help)?.[1] ?? ''} ${String(witness?.[0]?.in)}`);
  const masquerade = '-A POSTROUTING -o eth1 -j MASQUERADE';
  const reported = ['possible nat:POSTROUTING:1 -o eth0 eth1'];
  t.deepEqual(wrong([masquerade]), reported);
  t.deepEqual(wrong(['-A POSTROUTING -s 192.168.1.0/24 -o eth1 -j SNAT --to-source 203.0.113.1']), reported);
  t.deepEqual(wrong([masquerade], ['-A FORWARD -i eth1 -o ppp+ -m conntrack --ctstate NEW -j ACCEPT']), ['possible nat:POSTROUTING:1 -o ppp+ eth1']);
  const published = ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.2', '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE'];
  t.deepEqual(wrong(published, ['-A FORWARD -d 10.0.0.2/32 -i eth0 -o eth1 -p tcp -m tcp --dport 443 -j ACCEPT']), [], 'who asks for the published server leaves for it, and nobody else');
  const by = (device: string): AnalyzeOptions => ({ host: () => ({ interfaces: [{ name: 'eth0', addresses: ['203.0.113.1/24'] }, { name: 'eth1', addresses: ['192.168.1.1/24'] }], routes: [`default dev ${device}`] }) });
  t.deepEqual(wrong([masquerade], undefined, by('eth0')), ['certain nat:POSTROUTING:1 -o eth0 eth1']);
  t.deepEqual(wrong([masquerade], undefined, by('eth1')), [], 'that is the way out');
  const dmz = ['-A FORWARD -s 10.0.1.0/24 -i eth2 -o eth0 -j ACCEPT', '-A FORWARD -i eth1 -o eth0 -j ACCEPT'];
  t.deepEqual(wrong(['-A POSTROUTING -s 10.0.1.0/24 -o eth1 -j MASQUERADE'], dmz), [], 'those for whom it is come by eth2, and were translated on their way to eth1 once');
  t.deepEqual(wrong(['-A POSTROUTING -s 10.0.2.0/24 -o eth1 -j MASQUERADE'], dmz), reported);
  t.deepEqual(wrong([masquerade], undefined, {}, 'ACCEPT'), [], 'anything may leave by eth1');
  t.deepEqual(wrong([masquerade], ['-A FORWARD -i eth1 -o eth0 -j ACCEPT', '-A FORWARD -i eth2 -o eth1 -j ACCEPT']), [], 'those of eth2 are translated');
  t.deepEqual(wrong([masquerade], ['-A FORWARD -i eth1 -o eth0 -j ACCEPT', '-A FORWARD -i eth0 -o eth1 -m conntrack --ctstate ESTABLISHED -j ACCEPT']), reported);
  t.deepEqual(wrong([masquerade, '-A POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE']), [], 'what leaves by eth0 is thought of');
  for (const other of ['-m mark --mark 1 -j MASQUERADE', '! -o eth1 -s 10.0.0.0/8 -j MASQUERADE', '-o eth+ -s 10.0.0.0/8 -j MASQUERADE', '-o eth0 -j FROBNICATE']) t.deepEqual(wrong([masquerade, `-A POSTROUTING ${other}`]), [], other);
  for (const line of ['! -o eth1', '', '-d 10.1.0.0/16 -o eth1', '-s 203.0.113.0/24 -o eth1']) t.deepEqual(wrong([`-A POSTROUTING ${line} -j MASQUERADE`]), [], line);
  t.deepEqual(wrong([masquerade], ['-A FORWARD -i eth1 -o eth0 -j ACCEPT', '-A FORWARD -p icmp -j ACCEPT', '-A FORWARD -i lo -j ACCEPT']), reported, 'pings are no reason to translate');
  t.deepEqual(wrong([masquerade], ['-A FORWARD -d 10.1.0.0/16 -i eth1 -o eth0 -j ACCEPT']), [], 'another network inside');
  t.deepEqual(wrong([masquerade], ['-A FORWARD -i eth1 -o eth0 -m set --match-set some src -j ACCEPT']), [], 'who knows who is in the set');
  t.deepEqual(wrong([masquerade], ['-A FORWARD -i eth0 -o eth1 -m conntrack --ctstate ESTABLISHED -j ACCEPT']), []);
  t.deepEqual(wrong(['-A POSTROUTING -o eth1 -g post_home', '-A POSTROUTING -o eth0 -g post_work', '-A post_home ! -o lo -j MASQUERADE', '-A post_work -j RETURN']), ['possible nat:post_home:1 -o eth0 eth1'], 'the way out is named by the rule that leads there');
  t.deepEqual(wrong(['-A POSTROUTING -o eth1 -g post_home', '-A POSTROUTING -g post_home', '-A post_home ! -o lo -j MASQUERADE', '-A post_work -j RETURN']), [], 'so that there are two ways out');
  const vpn = ['-A FORWARD -i wg0 -o wg0 -j ACCEPT', '-A FORWARD -i wg0 -o eth0 -j ACCEPT'];
  t.deepEqual(wrong(['-A POSTROUTING -s 10.8.0.0/24 -o ens3 -j MASQUERADE'], vpn), ['possible nat:POSTROUTING:1 -o eth0 wg0'], 'the card had that name once');
  t.deepEqual(wrong(['-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE'], vpn), []);
  t.deepEqual(wrong(['-A POSTROUTING -s 10.8.0.0/24 -o ens3 -j MASQUERADE'], ['-A FORWARD -s 10.9.0.0/24 -i wg0 -o eth0 -j ACCEPT']), [], 'it is others who are let out');
  t.deepEqual(wrong(['-A POSTROUTING -s 10.8.0.0/24 -o ens3 -j MASQUERADE'], [...vpn, '-A INPUT -i ens3 -p udp -m udp --dport 51820 -j ACCEPT']), [], 'the host has it: eth0 may lead to another network inside');
});

test('masquerade-wrong-interface: the card is called otherwise than in the lines that were copied', t => {
  const wrong = (nat: string, ...filter: readonly string[]): readonly string[] => findings({ nat: [nat], filter: ['-A INPUT -i ens3 -p udp -m udp --dport 51820 -j ACCEPT', ...filter] })
    .filter(one => one.check === 'masquerade-wrong-interface').map(({ rule, message, help }) => `${rule ?? ''} ${/people of \S+ leave by \S+/u.exec(message)?.[0] ?? ''} ${/: (-o [^;]*)/u.exec(help)?.[1] ?? ''}`);
  const [masquerade, told] = ['-A POSTROUTING -o eth0 -j MASQUERADE', ['nat:POSTROUTING:1 people of wg0 leave by ens3, -o ens3']];
  t.deepEqual(wrong(masquerade, '-A FORWARD -i wg0 -o ens3 -j ACCEPT'), told);
  t.deepEqual(wrong(masquerade, '-A FORWARD -o wg0 -j ACCEPT', '-A FORWARD -i wg0 -o ens3 -j ACCEPT'), told, 'the internet is not behind the tunnel');
  t.deepEqual(wrong(masquerade, '-A FORWARD -i wg0 -j ACCEPT'), [], 'they may leave by eth0 as well');
  t.deepEqual(wrong('-A POSTROUTING -o tun0 -j MASQUERADE', '-A FORWARD -i wg0 -o ens3 -j ACCEPT'), [], 'that is for what this host sends');
});

test('masquerade-wrong-interface: what goes back by the interface by which it came does not leave', t => {
  const wrong = (nat: readonly string[], ...filter: readonly string[]): readonly string[] => findings({ nat: nat.map(line => `-A ${line}`), filter: filter.map(line => `-A FORWARD ${line}`) })
    .filter(one => one.check === 'masquerade-wrong-interface').map(({ rule, message, witness }) => `${rule ?? ''} ${String(witness?.[0]?.in)}${message.includes('but those that came by it') ? ' others turn' : ''}`);
  const masquerade = 'POSTROUTING -s 10.66.0.0/24 -o wg0 -j MASQUERADE';
  const [out, turning] = ['-s 10.66.0.0/24 -i wg0 -o eth0 -j ACCEPT', '-i wg0 -o wg0 -j ACCEPT'];
  t.deepEqual(wrong([masquerade], out), ['nat:POSTROUTING:1 wg0']);
  t.deepEqual(wrong([masquerade], out, turning), ['nat:POSTROUTING:1 wg0 others turn']);
  t.deepEqual(wrong([masquerade], out, '-o wg0 -j ACCEPT'), [], 'others are translated');
  t.deepEqual(wrong([masquerade.replace('wg0', 'wg+')], out.replace('wg0', 'wg+'), '-i wg+ -o wg+ -j ACCEPT'), [], 'one of them may lead out');
  const published = 'PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.66.0.5';
  t.deepEqual(wrong([published, masquerade], out, turning), [], 'who asks for the server beside him by the public address must be translated');
  t.deepEqual(wrong([published.replace('-d', '-i eth0 -d'), masquerade], out, turning), ['nat:POSTROUTING:1 wg0 others turn'], 'nobody beside it is sent to the server');
});

test('masquerade-incomplete: a line by which the same server is published as by another', t => {
  const publishes = (device: string, server = '192.168.1.10:443'): string => `-A PREROUTING -i ${device} -p tcp -m tcp --dport 443 -j DNAT --to-destination ${server}`;
  const forgets = (nat: readonly string[], ...filter: readonly string[]): readonly (string | null)[] =>
    findings({ nat: [...nat, '-A POSTROUTING -o eth0 -j MASQUERADE'], filter: ['-A FORWARD -i br0 -o eth0 -j ACCEPT', '-A FORWARD -i br0 -o eth1 -j ACCEPT', '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT', ...filter] }).filter(one => one.check === 'masquerade-incomplete').map(one => one.rule);
  const told = ['nat:POSTROUTING:1'];
  t.deepEqual(forgets([publishes('eth0'), publishes('eth1')]), told);
  t.deepEqual(forgets([publishes('eth0'), publishes('eth1').replace('-i', '-d 198.51.100.7/32 -i')]), told);
  t.deepEqual(forgets([publishes('eth0'), publishes('eth1'), '-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.7']), []);
  t.deepEqual(forgets([publishes('eth0')]), [], 'it may be a network inside');
  t.deepEqual(forgets([publishes('eth0'), publishes('eth1', '192.168.1.20:443')]), [], 'another server');
  t.deepEqual(forgets([publishes('eth0'), publishes('eth1')], '-A FORWARD -i eth1 -o eth0 -j ACCEPT'), [], 'people inside, who may go out');
  t.deepEqual(forgets([publishes('eth0'), publishes('br0')]), [], 'nobody is let out by it');
});

test('masquerade-incomplete: a network, a protocol or a line that table nat forgets', t => {
  const incomplete = (nat: readonly string[], filter: readonly string[], options: AnalyzeOptions = {}, policy: 'ACCEPT' | 'DROP' = 'DROP'): readonly string[] => findings({ nat: nat.map(line => `-A POSTROUTING ${line}`), filter: filter.map(line => `-A FORWARD ${line}`), policy }, options)
    .filter(one => one.check === 'masquerade-incomplete').map(({ certainty, rule, message, witness }) => `${certainty} ${rule ?? ''} ${message.split(' as well')[0] ?? ''} ${witness?.[0]?.in ?? ''}`);
  const [lan, dmz] = ['-s 192.168.1.0/24 -i eth1 -o ppp0 -j ACCEPT', '-s 192.168.2.0/24 -i eth2 -o ppp0 -j ACCEPT'];
  const masquerade = '-s 192.168.1.0/24 -o ppp0 -j MASQUERADE';
  const forgotten = ['possible nat:POSTROUTING:1 FORWARD lets what comes from 192.168.2.0/24 out by ppp0 eth2'];
  t.deepEqual(incomplete([masquerade], [lan, dmz]), forgotten);
  t.deepEqual(incomplete([masquerade], [lan, dmz], { host: () => ({ interfaces: [{ name: 'ppp0', addresses: ['203.0.113.1/24'] }], routes: ['default dev ppp0'] }) }), [forgotten[0]?.replace('possible', 'certain') ?? '']);
  t.deepEqual(incomplete([masquerade], [lan, dmz.replace('-o ppp0 ', '')]), forgotten, 'by whatever way');
  t.deepEqual(incomplete([masquerade], [lan]), []);
  for (const other of ['-s 192.168.0.0/16 -o ppp0 -j SNAT --to-source 203.0.113.1', '-o ppp+ -j MASQUERADE', '! -o eth1 -j MASQUERADE', '-s 192.168.2.0/24 -j ACCEPT', '-s 192.168.2.0/24 -m policy --dir out --pol none -j MASQUERADE', '-o ppp0 -j FROBNICATE']) {
    t.deepEqual(incomplete([masquerade, other], [lan, dmz]), [], other);
  }
  t.deepEqual(incomplete([masquerade], [lan, dmz.replace('-i', '-d 10.20.0.0/16 -i')]), [], 'to a private network only');
  t.deepEqual(incomplete([masquerade], [lan, dmz.replace('-o ppp0', '-o eth1')]), [], 'by another way');
  t.deepEqual(incomplete([masquerade], [lan, dmz.replace('-j', '-m set --match-set some dst -j')]), [], 'who knows what is in the set');
  t.deepEqual(incomplete([masquerade], [lan, '-s 192.168.2.0/24 -i eth2 -o eth1 -j ACCEPT'], {}, 'ACCEPT'), [], 'nobody let them out by name');
  t.deepEqual(incomplete(['-s 192.168.1.0/24 -d 203.0.113.0/24 -o ppp0 -j MASQUERADE'], [lan, dmz]), [], 'translated for one destination');
  t.deepEqual(incomplete(['-s 192.168.1.0/24 -o ppp0 -p tcp -j MASQUERADE'], [lan]), ['possible nat:POSTROUTING:1 FORWARD lets UDP of 192.168.1.0/24 out by ppp0 eth1']);
  t.deepEqual(incomplete(['-o ppp0 -p tcp -j MASQUERADE', '-o ppp0 -p udp -j MASQUERADE'], [lan]), ['possible nat:POSTROUTING:1 FORWARD lets ping out by ppp0 eth1']);
  t.deepEqual(incomplete(['-o ppp0 -p tcp -j MASQUERADE'], [lan.replace('-j', '-p tcp -j')]), []);
  t.deepEqual(incomplete(['-s 192.168.1.0/24 -o ppp0 -p tcp -j MASQUERADE', '-s 192.168.1.0/24 -o ppp0 -j MASQUERADE'], [lan]), []);
  const chains = (...jumps: readonly string[]): string => rules({ nat: [...jumps.map(jump => `-A POSTROUTING ${jump} -j out`), '-A out -s 192.168.1.0/24 -j MASQUERADE'], filter: [lan, dmz].map(line => `-A FORWARD ${line}`) });
  t.deepEqual(found(chains('-o ppp0')), ['masquerade-incomplete nat:out:1 possible'], 'the rule that leads there names the way out');
  t.deepEqual(found(chains('-o ppp0', '-o eth9')), [], 'there are two ways there');
  const lines = ['-i lan0 -o wan1 -j ACCEPT', '-i lan0 -o wan2 -j ACCEPT'];
  t.deepEqual(incomplete(['-o wan1 -j MASQUERADE'], lines), ['possible nat:POSTROUTING:1 FORWARD lets people out by wan2 lan0']);
  t.deepEqual(incomplete(['-o wan1 -j MASQUERADE', '-o wan2 -j MASQUERADE'], lines), []);
  const dialled = ['-s 10.0.0.0/24 -i lan0 -o ppp0 -j ACCEPT', '-s 10.0.0.0/24 -i lan0 -o ppp1 -j ACCEPT'];
  t.deepEqual(incomplete(['-o ppp0 -j MASQUERADE'], dialled), ['possible nat:POSTROUTING:1 FORWARD lets people out by ppp1 lan0']);
  t.deepEqual(incomplete(['-o ppp0 -j MASQUERADE'], [...dialled, '-i ppp1 -o lan0 -j ACCEPT']), [], 'a tunnel: who is there may come in');
  t.deepEqual(incomplete(['-o ppp0 -j MASQUERADE'], [dialled[0] ?? '', '-s 10.0.0.0/24 -d 10.9.0.0/16 -o ppp1 -j ACCEPT']), [], 'to one network only');
  t.deepEqual(incomplete(['-o wan1 -j MASQUERADE'], ['-i lan0 -o wan1 -j ACCEPT', ...dialled.slice(1)]), [], 'nobody says where it leads');
  t.deepEqual(incomplete(['-o wan1 -j MASQUERADE'], ['-i lan0 -o wan1 -j ACCEPT', '-i lan0 -o dmz0 -j ACCEPT', '-i wan1 -o wan2 -j ACCEPT']), [], 'another network inside');
});

test('dnat-catches-outbound: what people inside send to servers elsewhere', t => {
  const caught = (dnat: string, filter: readonly string[] = ['-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -i eth0 -j ACCEPT'], post: readonly string[] = ['-A POSTROUTING -o eth0 -j MASQUERADE']): readonly string[] =>
    findings({ nat: [`-A PREROUTING ${dnat}`, ...post], filter, policy: 'DROP' }).filter(one => one.check === 'dnat-catches-outbound').map(({ rule, help }) => `${rule ?? ''} ${help.split(', ').at(-1) ?? ''}`);
  const to = '-j DNAT --to-destination 10.0.0.5';
  const reported = ['nat:PREROUTING:1 -i eth0'];
  t.deepEqual(caught(`-p tcp -m tcp --dport 80 ${to}`), reported);
  t.deepEqual(caught(`-p tcp -m tcp --dport 80 ${to}`, ['-A FORWARD -d 10.0.0.5/32 -i eth1 -j DROP', '-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -i eth0 -j ACCEPT']), reported, 'nor do they get there');
  t.deepEqual(caught(`! -d 10.0.0.0/8 -p tcp -m multiport --dports 80,443 ${to}`), reported);
  for (const line of [`-d 203.0.113.9/32 -p tcp -m tcp --dport 80 ${to}`, `-i eth0 -p tcp -m tcp --dport 80 ${to}`, `! -i eth1 -p tcp -m tcp --dport 80 ${to}`, `-p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${to}`,
    `! -s 10.0.0.0/8 -p tcp -m tcp --dport 80 ${to}`, '-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128', `-p tcp -m tcp --dport 80 -m set --match-set own dst ${to}`, '-p tcp -m tcp --dport 80 -j DNAT --to-destination 203.0.113.9']) t.deepEqual(caught(line), [], line);
  t.deepEqual(caught(`-p tcp -m tcp --dport 80 ${to}`, ['-A FORWARD -i eth1 -j ACCEPT']), [], 'no stranger gets there: it is a proxy');
  t.deepEqual(caught(`-p tcp -m tcp --dport 80 ${to}`, ['-A FORWARD -d 10.0.0.5/32 -j ACCEPT']), [], 'nobody is let out');
  t.deepEqual(caught(`-p tcp -m tcp --dport 80 ${to}`, undefined, []), [], 'people inside have their own way out');
});

test('dnat-catches-outbound: a rule for people inside that leads to the server which another publishes', t => {
  const caught = (dnat: string, { publish = '-i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5', filter = [] as readonly string[] } = {}): readonly string[] => findings({
    nat: [`-A PREROUTING ${publish}`, `-A PREROUTING ${dnat}`, '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE', '-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.5/32 -j MASQUERADE'],
    filter: [...filter, '-A FORWARD -s 10.0.0.0/24 -i eth1 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -i eth0 -j ACCEPT'],
  }).filter(one => one.check === 'dnat-catches-outbound').map(({ rule, because, help }) => `${rule ?? ''} ${because.map(one => one.rule).join()} ${help}`);
  const inside = '-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
  const reported = ['nat:PREROUTING:2 nat:PREROUTING:1 name what is published, -d ADDRESS'];
  for (const whence of ['-i eth1', '-s 10.0.0.0/24', '! -i eth0']) t.deepEqual(caught(`${whence} ${inside}`), reported, whence);
  t.deepEqual(caught(`-i eth1 ${inside.replace('--dport 80', '--dport 80:90')}`), reported, 'some of the ports');
  t.deepEqual(caught(`-d 203.0.113.9/32 -i eth1 ${inside}`), [], 'the outer address');
  t.deepEqual(caught(`-i eth1 -m addrtype --dst-type LOCAL ${inside}`), []);
  t.deepEqual(caught(`-i eth1 ${inside}`, { publish: '-i eth0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5' }), [], 'another service of that server is published: this one may be a proxy');
  t.deepEqual(caught(`-i eth1 ${inside}:3128`), [], 'a proxy beside it');
  t.deepEqual(caught(`-i eth1 ${inside}`, { filter: ['-A FORWARD -d 10.0.0.5/32 -i eth0 -j DROP'] }), [], 'strangers do not get there');
  t.deepEqual(caught(`-i eth2 ${inside}`), [], 'nobody comes from there');
  t.deepEqual(caught(`-s 10.0.9.0/24 ${inside}`), [], 'nor from there');
  for (const port of ['tcp -m tcp --dport 25', 'udp -m udp --dport 53']) {
    const rule = `-p ${port} -j DNAT --to-destination 10.0.0.5`;
    t.deepEqual(caught(`-i eth1 ${rule}`, { publish: `-i eth0 ${rule}` }), [], 'mail and names are sent to the own server on purpose');
  }
});

test('dnat-catches-outbound: people of each network inside are asked about', t => {
  const caught = (...pre: readonly string[]): readonly string[] => findings({
    nat: [...pre.map(line => `-A PREROUTING ${line}`), '-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5', '-A POSTROUTING -o eth0 -j MASQUERADE'],
    filter: ['-A FORWARD -d 10.0.0.5/32 -i eth0 -j ACCEPT', '-A FORWARD -i lan0 -j ACCEPT', '-A FORWARD -i lan1 -j ACCEPT', '-A FORWARD -i lan2 -p tcp -m tcp --dport 80 -j ACCEPT'],
  }).filter(one => one.check === 'dnat-catches-outbound').map(({ rule, witness }) => `${rule ?? ''} ${witness?.[0]?.in ?? ''}`);
  t.deepEqual(caught(), ['nat:PREROUTING:1 lan0']);
  t.deepEqual(caught('-i lan0 -j ACCEPT'), ['nat:PREROUTING:2 lan1']);
  t.deepEqual(caught('-i lan1 -j ACCEPT'), ['nat:PREROUTING:2 lan0']);
  t.deepEqual(caught('-i lan0 -j ACCEPT', '-i lan1 -j ACCEPT'), [], 'those behind lan2 get nowhere but to that server');
});

/** What nat-shadowed says of exemptions, and of whom that stand before them. */
function late(...nat: readonly string[]): readonly string[] {
  return findings({ nat, filter: ['-A FORWARD -i eth1 -o eth0 -j ACCEPT'] }).filter(one => one.check === 'nat-shadowed').map(({ rule, because, severity, certainty }) => `${severity} ${rule ?? ''} ${because.map(one => one.rule).join()}${certainty === 'possible' ? ' possible' : ''}`);
}

test('nat-shadowed: what IPsec is to take is exempt too late, or in time', t => {
  const nat = (...lines: readonly string[]): readonly string[] => late(...lines.map(line => `-A POSTROUTING ${line}`));
  const [masquerade, exempt] = ['-s 10.0.0.0/24 -o eth0 -j MASQUERADE', '-m policy --dir out --pol ipsec -j ACCEPT'];
  t.deepEqual(nat(masquerade, exempt), ['warning nat:POSTROUTING:2 nat:POSTROUTING:1']);
  t.deepEqual(nat(masquerade, `-s 10.0.0.0/16 -d 10.9.0.0/16 ${exempt}`), ['warning nat:POSTROUTING:2 nat:POSTROUTING:1']);
  t.deepEqual(nat(exempt, masquerade), []);
  t.deepEqual(nat(masquerade.replace('-j', '-m policy --dir out --pol none -j'), exempt), [], 'it is none of those');
  t.deepEqual(nat(masquerade, exempt, '-s 10.0.1.0/24 -o eth0 -j MASQUERADE'), [], 'others are kept from being translated');
  t.deepEqual(nat(masquerade, `-s 10.0.1.0/24 ${exempt}`), [], 'nothing of it was translated before');
});

test('nat-shadowed: an exemption of some addresses stands too late, or in time', t => {
  const masquerade = '-A POSTROUTING -s 10.1.0.0/16 -o eth0 -j MASQUERADE';
  const exempt = '-A POSTROUTING -s 10.1.0.0/16 -d 10.2.0.0/16 -j ACCEPT';
  const told = ['warning nat:POSTROUTING:2 nat:POSTROUTING:1'];
  for (const line of [exempt, exempt.replace('ACCEPT', 'RETURN'), '-A POSTROUTING -d 10.2.0.0/16 -j ACCEPT', '-A POSTROUTING -s 10.1.0.9/32 -j ACCEPT']) t.deepEqual(late(masquerade, line), told.map(one => `${one} possible`), 'that network may be behind another interface');
  t.deepEqual(late(masquerade.replace(' -o eth0', ''), exempt.replace('10.1.0.0/16', '10.0.0.0/8')), told, 'by whatever interface they leave');
  t.deepEqual(late(exempt, masquerade), []);
  for (const line of [exempt.replace('10.1', '10.3'), exempt.replace('-j', '-o eth1 -j'), '-A POSTROUTING -s 10.1.0.0/16 -j ACCEPT', '-A POSTROUTING -j ACCEPT', '-A POSTROUTING -o eth1 -j RETURN']) t.deepEqual(late(masquerade, line), [], 'for none that are translated, or for the rest of them');
  t.deepEqual(late(masquerade.replace('-o', '! -d 10.0.0.0/8 -o'), exempt), [], 'who are translated are others');
  t.deepEqual(late(masquerade, exempt, '-A POSTROUTING -s 10.1.0.0/16 -o eth2 -j MASQUERADE'), [], 'others are kept from being translated');
  const proxy = '-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128';
  t.deepEqual(late(proxy, '-A PREROUTING -i eth1 -d 10.0.0.0/8 -j RETURN'), ['warning nat:PREROUTING:2 nat:PREROUTING:1']);
  t.deepEqual(late(proxy, '-A PREROUTING -s 10.1.0.9/32 -j RETURN'), ['warning nat:PREROUTING:2 nat:PREROUTING:1 possible']);
});

test('redundant-rule: an exemption that stands too late is to be moved rather than deleted', t => {
  const redundant = (...lines: readonly string[]): readonly string[] => analyze({ path: 'nat.rules', text: rules({ nat: lines.map(line => `-A POSTROUTING ${line}`), filter: ['-A FORWARD -i eth1 -o eth0 -j ACCEPT'] }) }).findings
    .filter(one => one.check === 'redundant-rule').map(({ rule, help, fix }) => `${rule ?? ''} ${help.split(',')[0] ?? ''} ${fix?.safety ?? 'no fix'}`);
  const masquerade = '-s 10.0.0.0/24 -o eth0 -j MASQUERADE';
  t.deepEqual(redundant(masquerade, '-m policy --dir out --pol ipsec -j ACCEPT'), [], 'nat-shadowed tells of it');
  t.deepEqual(redundant(masquerade, '-d 10.9.0.0/16 -j ACCEPT'), [], 'and of this');
  for (const target of ['ACCEPT', 'RETURN']) t.deepEqual(redundant(masquerade, `-p udp -m udp --dport 500 -j ${target}`), ['nat:POSTROUTING:2 move it before nat:POSTROUTING:1 no fix']);
  for (const line of ['-s 10.0.1.0/24 -j RETURN', '-s 10.0.1.0/24 -m policy --dir out --pol ipsec -j ACCEPT']) t.deepEqual(redundant(masquerade, line), ['nat:POSTROUTING:2 delete it safe'], line);
});

test('snat-before-masquerade: never, or across', t => {
  const nat = (...lines: readonly string[]): readonly string[] => found({ nat: lines.map(line => `-A POSTROUTING ${line}`), filter: ['-A FORWARD -i lan+ -p tcp -m conntrack --ctstate NEW -j ACCEPT'] }).filter(one => !one.startsWith('masquerade'));
  t.deepEqual(nat('-o eth0 -j SNAT --to-source 203.0.113.9', '-o eth0 -j MASQUERADE'), ['snat-before-masquerade nat:POSTROUTING:2']);
  t.deepEqual(nat('-s 10.0.0.0/24 -j SNAT --to-source 203.0.113.9', '-o eth0 -j MASQUERADE'), ['snat-before-masquerade nat:POSTROUTING:2 info']);
  t.deepEqual(nat('-s 10.0.0.0/25 -o eth0 -j SNAT --to-source 203.0.113.9', '-s 10.0.0.0/24 -o eth0 -j MASQUERADE'), []);
  t.deepEqual(nat('-o eth1 -j SNAT --to-source 203.0.113.9', '-o eth0 -j MASQUERADE'), []);
  t.deepEqual(nat('-o eth0 -j MASQUERADE', '-o eth0 -j SNAT --to-source 203.0.113.9'), ['nat-shadowed nat:POSTROUTING:2']);
  t.deepEqual(nat('-o eth0 -j SNAT --to-source 203.0.113.9', '-o eth0 -j SNAT --to-source 203.0.113.10'), ['nat-shadowed nat:POSTROUTING:2'], 'nothing is masqueraded');
  t.deepEqual(nat('-s 10.0.0.0/25 -o eth0 -j SNAT --to-source 203.0.113.9', '-s 10.0.0.128/25 -o eth0 -j MASQUERADE', '-s 10.0.0.0/24 -o eth0 -j MASQUERADE'), ['nat-shadowed nat:POSTROUTING:3'], 'some of it is, by another');
  t.deepEqual(nat('-s 10.0.0.0/24 -j SNAT --to-source 203.0.113.9', '-d 198.51.100.0/24 -o eth0 -j MASQUERADE'), [], 'for one destination');
  t.deepEqual(nat('-s 10.0.0.0/24 -d 10.0.0.5/32 -j SNAT --to-source 10.0.0.1', '-o eth0 -j MASQUERADE'), [], 'for a server inside, which is not behind eth0');
  t.deepEqual(nat('-o eth0 -j SNAT --to-source 203.0.113.9', '-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE'), [], 'the one is docker’s');
  t.deepEqual(nat('-s 10.0.0.0/24 -j SNAT --to-source 203.0.113.9', '-o eth0 -m set --match-set some src -j MASQUERADE'), [], 'who knows who is in the set');
});

test('invalid-leaks-unnatted: who lets INVALID packets out, and who does not', t => {
  const text = (...filter: readonly string[]): string => rules({ nat: ['-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE'], filter }).replace('-A FORWARD -m conntrack --ctstate INVALID -j DROP\n', '');
  for (const line of ['-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -s 10.0.0.0/24 -j ACCEPT']) t.deepEqual(found(text(line)), ['invalid-leaks-unnatted filter:FORWARD:2 info'], line);
  for (const line of ['-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT', '-A FORWARD -i eth1 -o eth2 -j ACCEPT', '-A FORWARD -s 10.0.1.0/24 -j ACCEPT', '-A FORWARD -p udp -j ACCEPT']) t.deepEqual(found(text(line)).filter(one => one.startsWith('invalid')), [], line);
  t.deepEqual(found(text('-A FORWARD -o eth0 -m conntrack --ctstate INVALID -j DROP', '-A FORWARD -i eth1 -j ACCEPT')), []);
  t.deepEqual(found(text('-A FORWARD -i eth1 -m set --match-set some src -j ACCEPT')), [], 'who knows who is in the set');
  const behind = (line: string): readonly string[] => found(text(line, '-A FORWARD -i eth1 -j ACCEPT')).filter(one => one.startsWith('invalid'));
  for (const line of ['-A FORWARD -m recent --name bad --rcheck --seconds 60 -j DROP', '-A FORWARD -m set --match-set bad src -j DROP']) t.deepEqual(behind(line), ['invalid-leaks-unnatted filter:FORWARD:3 info possible'], line);
  t.deepEqual(behind('-A FORWARD -m limit --limit 5/sec -j DROP'), [], 'who takes his time is always below it');
  t.deepEqual(behind('-A FORWARD -m connlimit --connlimit-above 100 -j DROP'), ['invalid-leaks-unnatted filter:FORWARD:3 info']);
  t.deepEqual(behind('-A FORWARD -m set ! --match-set bad src -j DROP'), []);
  t.deepEqual(found(text().replace(':FORWARD DROP', ':FORWARD ACCEPT')).filter(one => one.startsWith('invalid')), ['invalid-leaks-unnatted - info'], 'the policy');
  const both = findings(rules({ nat: ['-A POSTROUTING -o eth0 -j MASQUERADE', '-A POSTROUTING -o ppp0 -j MASQUERADE'], filter: ['-I FORWARD -i eth1 -o eth0 -j ACCEPT', '-I FORWARD -i eth1 -o ppp0 -j ACCEPT'] })).filter(({ check }) => check.startsWith('invalid'));
  t.deepEqual(both.map(({ rule, because, help }) => [rule, because.map(one => one.rule), help]), [['filter:FORWARD:2', ['nat:POSTROUTING:1', 'filter:FORWARD:1'], 'drop them first: -I FORWARD -m conntrack --ctstate INVALID -j DROP']], 'each that does');
  t.deepEqual(found(text('-A FORWARD -i eth1 -p tcp -m tcp --syn -j DROP', '-A FORWARD -i eth1 -j ACCEPT')), [], 'no such connections are translated');
  const [one] = findings(text('-A FORWARD -i eth1 -j ACCEPT'));
  t.is(one?.witness?.[0]?.packet['flags'], 'R');
  const [whoever] = findings(text().replace(':FORWARD DROP', ':FORWARD ACCEPT')).filter(({ check }) => check.startsWith('invalid'));
  t.is(whoever?.witness?.[0]?.in, 'eth1', 'who comes by an interface that no rule names is shown by none of containers');
  const label = rules({ nat: ['-A POSTROUTING -s 10.0.0.0/24 -o eth0:1 -j MASQUERADE'], filter: ['-A FORWARD -i eth1 -j ACCEPT'] }).replace('-A FORWARD -m conntrack --ctstate INVALID -j DROP\n', '');
  t.deepEqual(found(label), [], 'nothing leaves by a name that no interface can have');
  t.deepEqual(found(rules({ nat: ['-A POSTROUTING -o eth0 -j MASQUERADE'], filter: ['-A FORWARD -i docker0 -j ACCEPT'] }).replace('-A FORWARD -m conntrack --ctstate INVALID -j DROP\n', '')), ['invalid-leaks-unnatted filter:FORWARD:2 info'], 'unless nobody else does');
  t.deepEqual(findings(text('-A FORWARD -i eth1 -j ACCEPT'), { persona: 'auditor' }).map(({ severity }) => severity), ['warning']);
});

const hairpin = '-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5';
const outward = '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE';
const lets = ['-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -j ACCEPT'];

test('hairpin-missing: where the rules name the network of the server, and its people are translated nowhere on their way there', t => {
  const hairpins = (...nat: readonly string[]): readonly string[] => found({ nat, filter: lets }).filter(one => one.startsWith('hairpin-missing'));
  const missing = ['hairpin-missing nat:PREROUTING:1 info'];
  t.deepEqual(hairpins(hairpin, outward), missing);
  t.deepEqual(hairpins(hairpin), [], 'nothing shows the network');
  t.deepEqual(hairpins(hairpin, '-A POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE'), [], 'so many addresses are not one network');
  t.deepEqual(hairpins(hairpin, '-A POSTROUTING -s 10.0.1.0/24 -o eth0 -j MASQUERADE'), [], 'the network of others');
  t.deepEqual(hairpins(hairpin, '-A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE'), [], 'whatever leaves is translated');
  t.deepEqual(hairpins(hairpin, '-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.5/32 -j SNAT --to-source 10.0.0.1', outward), []);
  t.deepEqual(hairpins(hairpin, '-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.6/32 -j SNAT --to-source 10.0.0.1', outward), missing, 'another server');
  t.deepEqual(hairpins(hairpin.replace('-d 192', '-i eth0 -d 192'), outward), [], 'who comes from inside is not translated at all');
  t.deepEqual(hairpins(hairpin.replace('-d 192', '! -s 10.0.0.0/24 -d 192'), outward), []);
  t.deepEqual(hairpins(hairpin.replace('192.0.2.1', '10.0.0.1'), outward), [], 'nobody asks for an outer address');
  t.deepEqual(hairpins(hairpin.replace('10.0.0.5', '203.0.113.5'), '-A POSTROUTING -s 203.0.113.0/24 -o eth0 -j MASQUERADE'), [], 'the server is on the internet');
  t.deepEqual(hairpins(hairpin.replace('-d 192.0.2.1/32', '-m addrtype --dst-type LOCAL'), outward), missing, 'whatever is an address of this host');
  const proxy = findings({ nat: ['-A PREROUTING ! -s 10.0.0.5/32 -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:3128', outward], filter: ['-A FORWARD -s 10.0.0.0/24 -i eth1 -j ACCEPT'] }).find(one => one.check === 'hairpin-missing');
  t.is(`${proxy?.severity ?? ''}: ${proxy?.message.split(' is sent')[0] ?? ''}`, 'warning: whoever is in 10.0.0.0/24 and asks for any server, as 192.0.2.1,', 'a proxy of their own: nothing works');
  t.deepEqual(found({ nat: [hairpin, outward], filter: lets.slice(1).map(line => line.replace('-d 10', '-i eth0 -d 10')) }), ['masquerade-not-forwarded nat:POSTROUTING:1 possible'], 'table filter lets nobody through from inside');
});

test('hairpin-missing: who comes from inside is marked with any bit, and translated by it', t => {
  for (const mark of ['0x80000000', '0xc0000000', '0x40000000']) {
    const marked = (asked: string, others = ''): readonly unknown[] => {
      const { findings: all, internalErrors } = analyze({ path: 'x.v4', text: rules({ nat: [hairpin, `-A POSTROUTING -m mark --mark ${asked} -j MASQUERADE`, outward], filter: lets }) + `*mangle\n${others}-A PREROUTING -d 192.0.2.1/32 ! -i eth0 -j MARK --set-xmark ${mark}/${mark}\nCOMMIT\n` });
      return [internalErrors, all.filter(one => one.check === 'hairpin-missing').length];
    };
    t.deepEqual(marked(`${mark}/${mark}`), [[], 0], mark);
    t.deepEqual(marked(`${mark}/${mark}`, '-A PREROUTING -p udp -j MARK --set-xmark 0x1/0xffffffff\n'), [[], 0], mark);
    t.deepEqual(marked('0x20000000/0x20000000'), [[], 1], 'another bit');
  }
});

test('hairpin-missing: names are asked of a server of one\'s own, behind the only interface inside', t => {
  const forced = '-A PREROUTING ! -s 192.168.1.5/32 -i br0 -p udp -m udp --dport 53 -j DNAT --to-destination 192.168.1.5';
  const told = (server: string, nat: readonly string[], filter: readonly string[] = []): readonly string[] =>
    findings({ nat: [server, ...nat], filter: ['-A INPUT -i br0 -j ACCEPT', '-A FORWARD -i br0 -j ACCEPT', ...filter] }).filter(one => one.check === 'hairpin-missing').map(({ severity, certainty, rule }) => `${severity} ${certainty} ${rule ?? ''}`);
  const out = '-A POSTROUTING -o eth0 -j MASQUERADE';
  const missing = ['info possible nat:PREROUTING:1'];
  t.deepEqual(told(forced, [out]), missing);
  t.deepEqual(told(forced, ['-A POSTROUTING -d 192.168.1.5/32 -o br0 -p udp -m udp --dport 53 -j MASQUERADE', out]), []);
  t.deepEqual(told(forced, [out], ['-A FORWARD -i br0 -o dmz0 -j ACCEPT']), [], 'it may be there');
  t.deepEqual(told(forced, []), [], 'nobody knows which interface leads inside');
  t.deepEqual(told(forced.replace('-p udp', '-d 203.0.113.9/32 -p udp'), [out]), [], 'a published service, of which nothing shows the network');
  t.deepEqual(told(forced.replaceAll('192.168.1.5', '192.168.1.1'), [out]), [], 'the router\'s own, most likely');
  const named = '-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE';
  t.deepEqual(told(forced, [named]), ['warning certain nat:PREROUTING:1']);
  t.deepEqual(told(forced.replaceAll('192.168.1.5', '192.168.1.254'), [named]), []);
  t.deepEqual(told(forced.replaceAll('192.168.1.5', '192.168.1.254'), [named], ['-I INPUT -i br0 -p udp -m udp --dport 53 -j DROP']), ['warning certain nat:PREROUTING:1'], 'INPUT lets nobody in there');
});

test('hairpin-missing: a host that is known has the last word, and the witness leaves as its sender sent it', t => {
  const at = (...addresses: readonly string[]): AnalyzeOptions => ({ host: () => ({ interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/30'] }, { name: 'eth1', addresses }] }) });
  const lines = { nat: [hairpin], filter: lets };
  t.deepEqual(found(lines, at('10.0.0.1/24')), ['hairpin-missing nat:PREROUTING:1']);
  t.deepEqual(found({ ...lines, nat: [hairpin, outward] }, at('10.0.9.1/24')), [], 'the server is behind another router');
  const [one] = findings(lines, at('10.0.0.1/24'));
  t.deepEqual(one?.witness?.map(({ in: from, packet }) => [from, packet['src'], packet['dst']]), [['eth1', '10.0.0.7', '192.0.2.1']]);
  const outer = { nat: [hairpin.replace('10.0.0.5', '203.0.113.5')], filter: ['-A FORWARD -j ACCEPT'] };
  t.deepEqual(found(outer, at('203.0.113.1/24')), ['hairpin-missing nat:PREROUTING:1'], 'neighbours are neighbours, by whatever addresses');
  t.deepEqual(found(outer), [], 'nobody knows who its neighbours are');
  t.is(one?.help, 'translate the source as well, so that the answer comes back by this host: -t nat -A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.5 -p tcp -m tcp --dport 443 -j MASQUERADE');
});

test('of hundreds of published services the one that is not forwarded is found, and no question is left open', t => {
  const servers = Array.from({ length: 450 }, (_, i) => `10.0.${String(i >> 8)}.${String(i & 255)}`);
  const lines = {
    raw: ['-A PREROUTING -s 198.51.100.0/24 -j DROP'],
    nat: servers.map((server, i) => `-A PREROUTING -d 192.0.2.1/32 -i eth0 -p tcp -m tcp --dport ${String(1000 + i)} -j DNAT --to-destination ${server}`),
    filter: servers.slice(0, -1).flatMap((server, i) => ['80', String(1000 + i)].map(port => `-A FORWARD -d ${server}/32 -p tcp -m tcp --dport ${port} -j ACCEPT`)),
  };
  const { findings: all, undecided } = analyze({ path: 'nat.rules', text: rules(lines) }, { checks: checks.filter(({ name }) => ['dnat-not-forwarded', 'filter-matches-pre-nat'].includes(name)) });
  t.deepEqual(all.map(({ check, rule }) => `${check} ${String(rule)}`), ['dnat-not-forwarded nat:PREROUTING:450']);
  t.deepEqual(undecided, {});
});

test('ipsec-translated: what IPsec is to take, and what keeps it from being translated', t => {
  const policy = '-m policy --dir out --pol ipsec';
  const out = `-A FORWARD -s 10.1.0.0/24 -d 10.2.0.0/24 -o eth0 ${policy} --reqid 1 --proto esp -j ACCEPT`;
  const masquerade = '-A POSTROUTING -s 10.1.0.0/24 -o eth0 -j MASQUERADE';
  const told = (lines: Lines): readonly string[] => found({ ...lines, filter: [...lines.filter ?? [out], '-A FORWARD -s 10.1.0.0/24 -o eth0 -j ACCEPT'] }).filter(one => one.startsWith('ipsec-translated'));
  t.deepEqual(told({ nat: [masquerade] }), ['ipsec-translated nat:POSTROUTING:1 possible']);
  t.deepEqual(told({ nat: ['-A POSTROUTING -o eth0 -j out', '-A out -s 10.0.0.0/8 ! -d 10.3.0.0/16 -j SNAT --to-source 192.0.2.1'] }), ['ipsec-translated nat:out:1 possible']);
  t.deepEqual(told({ nat: [masquerade], filter: ['-A FORWARD -o eth0 -j vpn', out.replace('FORWARD', 'vpn').replace(' -o eth0', '')] }), ['ipsec-translated nat:POSTROUTING:1 possible'], 'in a chain');
  t.deepEqual(told({ nat: [masquerade], filter: [`-A FORWARD ${policy} -j vpn`, '-A vpn -s 10.1.0.0/24 -d 10.2.0.0/24 -j ACCEPT'] }), ['ipsec-translated nat:POSTROUTING:1 possible'], 'asked by the jump');
  t.deepEqual(told({ nat: ['-A POSTROUTING -d 10.9.0.0/16 -j vpn', '-A vpn -j ACCEPT', masquerade], filter: ['-A FORWARD -j vpn', out.replace('FORWARD', 'vpn')] }), ['ipsec-translated nat:POSTROUTING:2 possible'], 'a chain of that name in nat, too');
  t.deepEqual(told({ nat: [masquerade], mangle: ['-A FORWARD -m policy --dir out --pol ipsec -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1360'] }), ['ipsec-translated nat:POSTROUTING:1 possible']);
  for (const nat of [
    [`-A POSTROUTING ${policy} -j ACCEPT`, masquerade], [masquerade, `-A POSTROUTING ${policy} -j ACCEPT`], [masquerade.replace('-j', '-m policy --dir out --pol none -j')],
    ['-A POSTROUTING -d 10.0.0.0/8 -j ACCEPT', masquerade], [masquerade.replace('-o', '! -d 10.2.0.0/16 -o')], [masquerade.replace('10.1.0.0', '10.7.0.0')], [masquerade.replace('eth0', 'ppp0')],
  ]) t.deepEqual(told({ nat }), [], nat.join());
  for (const filter of [
    [out.replace(' -s 10.1.0.0/24', '')], [out.replace(' -d 10.2.0.0/24', '')], [out.replace('-j', '-m conntrack --ctstate ESTABLISHED -j')], [out.replace('--pol ipsec --reqid 1 --proto esp', '--pol none')], [out.replace('eth0', 'ipsec0')],
    ['-A FORWARD -d 10.2.0.0/24 -j DROP', out],
    [out.replace('FORWARD', 'OUTPUT')],
  ]) t.deepEqual(told({ nat: [masquerade], filter }), [], filter.join());
  t.deepEqual(told({ nat: [masquerade], raw: ['-A PREROUTING -s 10.1.0.0/24 -d 10.2.0.0/24 -j CT --notrack'] }), [], 'what is not tracked is not translated');
  t.deepEqual(findings(rules({ nat: [masquerade], filter: [out.replace('-j', '-m conntrack --ctstate ESTABLISHED -j'), '-A FORWARD -s 10.1.0.0/24 -o eth0 -j ACCEPT'] }).replace('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n', '')).filter(({ check }) => check === 'ipsec-translated'), [], 'for answers only');
  t.deepEqual(told({ nat: ['-A POSTROUTING -m mark --mark 0x1 -j ACCEPT', masquerade], mangle: [`-A FORWARD ${policy} -j MARK --set-xmark 0x1/0xffffffff`] }), [], 'a mark');
});
