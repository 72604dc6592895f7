/** What a host itself needs: lo, its neighbours, services outside, and somebody who manages it. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { SourceText } from '../../grammar/source-text.js';
import { found, host, known, lo } from './talking-hosts.js';

test('lo is blocked by what it is dropped by, and not where all that it needs passes in another way', t => {
  const blocked = (...rules: readonly string[]): number => found('loopback-blocked', host(...rules)).length;
  t.is(blocked(known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), 1);
  t.is(blocked('-A INPUT -s 127.0.0.0/8 -j DROP', lo, known), 1, 'a rule against spoofing in front of lo');
  t.is(blocked('-A INPUT ! -i lo -d 127.0.0.0/8 -j DROP', lo, known), 0);
  t.deepEqual(found('loopback-blocked', host('-A INPUT -s 127.0.0.1/32 -d 127.0.0.1/32 -j ACCEPT', known)), ['info'], 'its other addresses');
  t.is(blocked('-A INPUT ! -i eth+ -j ACCEPT', known), 0);
  t.is(blocked(known, '-A INPUT -p tcp -m tcp --dport 1:6379 -j ACCEPT'), 0, 'most of it passes, as it does for everybody');
  t.is(blocked(), 1, 'OUTPUT lets everything out, and nothing comes in, not even over lo');
  t.deepEqual(found('loopback-blocked', '*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\nCOMMIT\n'), [], 'nothing at all is wanted');
  t.deepEqual(found('loopback-blocked', `*raw\n-A PREROUTING -i lo -j DROP\nCOMMIT\n${host(lo, known)}`), ['error'], 'another table drops it');
});

test('what a host sends to its other addresses goes over lo, and is told of as an info where rules for 127.0.0.0/8 leave it out', t => {
  const told = (...rules: readonly string[]): readonly string[] => {
    const { findings, internalErrors } = analyze({ path: 'x.rules', text: host(...rules, known) });
    t.deepEqual(internalErrors, []);
    return findings.filter(one => one.check === 'loopback-blocked').map(({ severity, witness, help }) => `${severity} ${JSON.stringify(witness?.[0]?.packet['dst'])} ${help}`);
  };
  const loopback = '-A INPUT -s 127.0.0.0/8 -d 127.0.0.0/8 -i lo -j ACCEPT';
  t.deepEqual(told(loopback), ['info "192.0.2.1" let lo pass first of all: -I INPUT -i lo -j ACCEPT']);
  t.deepEqual(told(), ['error "127.0.0.1" let lo pass first of all: -I INPUT -i lo -j ACCEPT'], 'once, where all of lo is blocked');
  t.deepEqual(told(loopback, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT').map(one => one.slice(0, 4)), ['info']);
  for (const rule of ['-i lo', '-s 203.0.113.5/32 -d 203.0.113.5/32', '-s 10.0.0.0/8', '-p tcp -m tcp --dport 1:6379']) t.deepEqual(told(loopback, `-A INPUT ${rule} -j ACCEPT`), [], rule);
  const six = (...rules: readonly string[]): readonly string[] => found('loopback-blocked', host(...rules, '-A INPUT -p ipv6-icmp -j ACCEPT', known), { family: 'ipv6' });
  t.deepEqual(six('-A INPUT -s ::1/128 -d ::1/128 -j ACCEPT'), ['info']);
  t.deepEqual(six('-A INPUT -s ::1/128 -d ::1/128 -j ACCEPT', '-A INPUT -s 2001:db8::7/128 -i lo -j ACCEPT'), []);
});

test('lo is told of once, with a rule for each of the chains that miss one', t => {
  const closed = (...rules: readonly string[]): string => host(known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', known.replace('INPUT', 'OUTPUT'), '-A OUTPUT -p udp -j ACCEPT', ...rules).replace('OUTPUT ACCEPT', 'OUTPUT DROP');
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: closed(...rules) }).findings.filter(one => /\blo\b|loopback/u.test(one.message)).map(one => `${one.check}: ${one.help}`);
  t.deepEqual(told(), ['loopback-blocked: let lo pass first of all: -I INPUT -i lo -j ACCEPT, and -I OUTPUT -o lo -j ACCEPT']);
  t.deepEqual(told(lo), ['loopback-blocked: let lo pass first of all: -I OUTPUT -o lo -j ACCEPT']);
  t.deepEqual(told('-A OUTPUT -o lo -j ACCEPT'), ['loopback-blocked: let lo pass first of all: -I INPUT -i lo -j ACCEPT']);
  t.deepEqual(told(lo, '-A OUTPUT -o lo -j ACCEPT'), []);
  t.deepEqual(found('loopback-blocked', closed(), { settings: { neededServices: ['dns-udp'] } }), [], 'who has no such programs says so');
});

test('what a host needs is what the settings say', t => {
  const text = '*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT\nCOMMIT\n';
  const needing = (...neededServices: readonly string[]): string[] => found('output-drop-breakage', text, { settings: { neededServices } });
  t.deepEqual(found('output-drop-breakage', text), ['info']);
  t.deepEqual(needing('dns-udp', 'loopback'), []);
  t.deepEqual(needing('dns-udp', 'ntp'), ['info']);
});

test('output-drop-breakage: who lets everything out to its containers lets nobody ask for names there', t => {
  const lost = (...rules: readonly string[]): string[] => analyze({ path: 'x.rules', text: host(lo, known, '-A OUTPUT -o lo -j ACCEPT', ...rules).replace(':OUTPUT ACCEPT', ':OUTPUT DROP') }).findings.filter(one => one.check === 'output-drop-breakage').map(one => one.message.replace(/.*get out: /u, ''));
  const web = '-A OUTPUT -p tcp -m conntrack --ctstate NEW,RELATED,ESTABLISHED -j ACCEPT';
  t.deepEqual(lost('-A OUTPUT -o docker0 -j ACCEPT', web), ['DNS over UDP, NTP, DHCP, ping (but to containers and virtual machines of this host)']);
  t.deepEqual(lost('-A OUTPUT -o virbr+ -p udp -j ACCEPT', web), ['DNS over UDP, NTP, DHCP, ping (but to containers and virtual machines of this host)']);
  t.deepEqual(lost('-A OUTPUT -o docker0 -j ACCEPT', web, '-A OUTPUT -p udp -j ACCEPT'), ['ping (but to containers and virtual machines of this host)']);
  t.deepEqual(lost('-A OUTPUT -o docker0 -p tcp -j ACCEPT', web), ['DNS over UDP, NTP, DHCP, ping']);
  for (const inner of ['-o eth1', '-o tun0', '-d 10.0.0.0/8']) t.deepEqual(lost(`-A OUTPUT ${inner} -j ACCEPT`, web), [], `${inner}: names may be asked for there`);
  t.deepEqual(lost('-A OUTPUT -o veth0 -j ACCEPT'), [], 'a namespace has no other way out');
});

test('output-drop-breakage: a host that takes mail from everybody, and can send none', t => {
  const services = '-A OUTPUT -p udp -m multiport --dports 53,67,123 -j ACCEPT\n-A OUTPUT -p tcp -m multiport --dports 53,80,443 -j ACCEPT\n-A OUTPUT -p icmp -j ACCEPT\n-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const text = (...rules: readonly string[]): string => host(lo, known, '-A OUTPUT -o lo -j ACCEPT', services, ...rules).replace(':OUTPUT ACCEPT', ':OUTPUT DROP');
  const takes = '-A INPUT -p tcp -m multiport --dports 25,587 -j ACCEPT';
  t.deepEqual(found('output-drop-breakage', text(takes)), ['info']);
  for (const rule of ['--dport 25', '-d 203.0.113.25/32 --dport 587', '--dport 1:1024']) t.deepEqual(found('output-drop-breakage', text(takes, `-A OUTPUT -p tcp -m tcp ${rule} -j ACCEPT`)), [], rule);
  t.deepEqual(found('output-drop-breakage', text(takes.replace('-p tcp', '-s 10.0.0.0/8 -p tcp'))), [], 'for people inside');
  t.deepEqual(found('output-drop-breakage', text('-A INPUT -p tcp -j ACCEPT')), [], 'all is let in, and who knows what listens');
  t.deepEqual(found('output-drop-breakage', text(takes), { settings: { neededServices: ['dns-udp'] } }), []);
});

test('output-drop-breakage: who asks does so from ports of everyday clients, and answers of services let nobody out', t => {
  const everything = ['DNS over UDP', 'DNS over TCP', 'HTTP', 'HTTPS', 'NTP', 'DHCP', 'ping'];
  const open = (...rules: readonly string[]): readonly string[] => {
    const text = host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -o lo -j ACCEPT', '-A OUTPUT -p tcp -m tcp --sport 22 -j ACCEPT', ...rules.map(rule => `-A OUTPUT ${rule} -j ACCEPT`)).replace(':OUTPUT ACCEPT', ':OUTPUT DROP');
    const { findings, internalErrors } = analyze({ path: 'talk.rules', text });
    t.deepEqual(internalErrors, [], rules.join('; '));
    const lost = findings.find(one => one.check === 'output-drop-breakage')?.message.split(': ')[1]?.split(', ') ?? [];
    return everything.filter(name => !lost.includes(name));
  };
  t.deepEqual(open(), [], 'answers of SSH');
  t.deepEqual(open('-d 192.168.100.0/24 -p tcp -m tcp --sport 8080'), []);
  for (const ports of ['-m udp --sport 53', '-m udp --sport 51820', '-m udp --sport 60000:61000', '-m multiport --sports 53,40000', '-m multiport --ports 40000']) t.deepEqual(open(`-p udp ${ports}`), [], `answers of a service: ${ports}`);
  t.deepEqual(open('-p udp -m udp --sport 68'), ['DHCP'], 'a client of DHCP, and of nothing else');
  t.deepEqual(open('-p udp -m udp --sport 123'), ['NTP'], 'ntpd asks from there');
  t.deepEqual(open('-p udp -m udp --sport 1024:65535 --dport 123'), ['NTP']);
  t.deepEqual(open('-p udp -m udp --sport 53 --dport 53'), ['DNS over UDP'], 'a resolver that asks from there');
  t.deepEqual(open('-p tcp -m tcp --sport 443 --dport 443'), [], 'nobody asks from there');
  t.deepEqual(open('-p udp -m udp --sport 40000:41000 --dport 53'), ['DNS over UDP'], 'so many a resolver may have of its own');
  t.deepEqual(open('-p udp -m udp --sport 1024:65535 --dport 53', '-p tcp -m tcp --sport 32768:60999 -m multiport --dports 53,80'), ['DNS over UDP', 'DNS over TCP', 'HTTP']);
  t.deepEqual(open('-p tcp -m tcp --sport 49152:65535', '-p udp -m udp ! --sport 0:1023'), ['DNS over UDP', 'DNS over TCP', 'HTTP', 'HTTPS', 'NTP']);
  t.deepEqual(open('-p tcp -m tcp --sport 1024:4999 --dport 80'), [], 'ports of clients of long ago');
});

test('OUTPUT drops by default by a last rule, and in a chain that is called at last', t => {
  const text = (...rules: readonly string[]): string => ['*filter', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':rest - [0:0]', '-A OUTPUT -o lo -j ACCEPT', ...rules, 'COMMIT', ''].join('\n');
  t.deepEqual(found('output-drop-breakage', text('-A OUTPUT -p tcp -m tcp --sport 22 -j ACCEPT', '-A OUTPUT -j REJECT')), ['warning']);
  t.deepEqual(found('output-drop-breakage', text('-A OUTPUT -p tcp -m tcp --sport 22 -j ACCEPT', '-A OUTPUT -g rest', '-A rest -m limit --limit 1/sec -j LOG', '-A rest -j DROP')), ['warning']);
  t.deepEqual(found('output-drop-breakage', text('-A OUTPUT -p udp -m udp --dport 53 -j DROP')), [], 'one thing is forbidden');
});

test('output-drop-breakage: what REJECT sends gets out as well, RELATED to what it refuses', t => {
  const named = (reject: string, ...rules: readonly string[]): readonly string[] => {
    const text = host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', reject, '-A OUTPUT -o lo -j ACCEPT', ...rules.map(rule => `-A OUTPUT ${rule} -j ACCEPT`)).replace(':OUTPUT ACCEPT', ':OUTPUT DROP');
    const { findings, internalErrors } = analyze({ path: 'talk.rules', text });
    t.deepEqual(internalErrors, [], rules.join('; '));
    return findings.filter(one => one.check === 'output-drop-breakage').flatMap(one => one.message.split(/: |, /u).filter(word => word.endsWith('of REJECT')));
  };
  const [all, reset] = ['-A INPUT -j REJECT', '-A INPUT -p tcp -j REJECT --reject-with tcp-reset'];
  const established = '-m conntrack --ctstate ESTABLISHED';
  t.deepEqual(named(all, established), ['ICMP errors of REJECT']);
  t.deepEqual(named(reset, established), ['TCP resets of REJECT']);
  t.deepEqual(named(`${reset}\n${all}`, established), ['TCP resets of REJECT', 'ICMP errors of REJECT']);
  t.deepEqual(named(`${reset}\n${all}`, established, '-m conntrack --ctstate RELATED -p icmp'), ['TCP resets of REJECT']);
  t.deepEqual(named(`${reset}\n${all}`, established, '-m conntrack --ctstate RELATED'), []);
  t.deepEqual(named(reset, '-p tcp -m tcp --sport 22'), [], 'that of a rule for the answers of a service');
  t.deepEqual(named('-A INPUT -i lo -j REJECT', established), [], 'nobody else is rejected');
  t.deepEqual(named('-A INPUT -m conntrack --ctstate INVALID -j REJECT', established), [], 'no new packet');
  t.deepEqual(named('-A FORWARD -p udp -j REJECT', established), ['ICMP errors of REJECT'], 'this host sends it, about what passes');
  t.deepEqual(found('output-drop-breakage', host(lo, known, all)), [], 'OUTPUT lets everything out');
});

test('whoever manages the host gets in, from where he is', t => {
  const ssh = '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT';
  const from = (peers: readonly string[], ...rules: readonly string[]): string[] => found('lockout', host(lo, known, ...rules), { settings: { managementPeers: peers } });
  t.deepEqual(from(['192.0.2.7'], ssh), []);
  t.deepEqual(from(['198.51.100.7'], ssh), ['error']);
  t.deepEqual(from(['2001:db8::7'], ssh), [], 'a peer of the other family');
  t.deepEqual(from(['192.0.2.7'], '-A INPUT -s 192.0.2.7/32 -j DROP', ssh), ['error']);
  t.deepEqual(from([], ssh), [], 'somebody gets in');
  t.deepEqual(from([], '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT'), ['info'], 'a server, and nobody said how it is managed');
  t.deepEqual(from([]), [], 'a desktop');
  t.deepEqual(found('lockout', host(lo, known), { settings: { managementPorts: [2222] } }), ['error'], 'somebody said how');
  const web = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  const beside = (...rules: readonly string[]): { readonly sibling: SourceText } => ({ sibling: { path: 'rules.v6', text: `# Generated by ip6tables-save v1.8.9\n${host(lo, known, ...rules)}` } });
  t.deepEqual(found('lockout', host(lo, known, web), beside(web)), ['info'], 'by neither family');
  t.deepEqual(found('lockout', host(lo, known, web), beside('-A INPUT -s 2001:db8::/32 -p tcp -m tcp --dport 22 -j ACCEPT')), [], 'by the other');
  t.deepEqual(found('lockout', `*raw\n-A PREROUTING -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n${host(lo, known, ssh)}`), ['error'], 'a rule opens the port, and another table closes it');
});

test('a rule for the port by which no connection begins lets nobody in', t => {
  const syn = '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP';
  const enter = '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT';
  t.deepEqual(found('lockout', host(lo, known, `-A INPUT ${syn}`, enter)), ['error']);
  t.deepEqual(found('lockout', host(lo, known, enter.replace('--dport 22', '--dport 22 ! --tcp-flags FIN,SYN,RST,ACK SYN'))), ['error']);
  t.deepEqual(found('lockout', host(lo, known, `-A INPUT ${syn.replace('--tcp', '! --tcp')}`, enter)), []);
});

test('a rule for connections to the port that have begun is meant for some, and one for a port from which no client connects lets none in', t => {
  const begun = '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate ESTABLISHED -j ACCEPT';
  t.deepEqual(found('lockout', host(lo, begun)), ['error']);
  t.deepEqual(found('lockout', host(lo, begun.replace('ESTABLISHED', 'NEW,ESTABLISHED'))), []);
  t.deepEqual(found('lockout', host(lo, begun.replace('INPUT', 'OUTPUT'))), [], 'what this host asks others for');
  t.deepEqual(found('lockout', host(lo, begun.replace('--dport', '--sport'))), [], 'their answers');
  t.deepEqual(found('lockout', host(lo, known, '-A INPUT -p tcp -m tcp --sport 22 -j ACCEPT')), ['info']);
  t.deepEqual(found('lockout', host(lo, known, '-A INPUT -p tcp -m tcp --sport 1024:65535 --dport 22 -j ACCEPT')), []);
});

test('what nat does to other connections lets nobody in, and what another table drops no rule of filter lets in', t => {
  const nat = '*nat\n-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2:80\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n';
  const web = host(lo, known, '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT');
  t.deepEqual(found('lockout', `${nat}${web}`, { settings: { managementPeers: ['192.0.2.0/24'] } }), ['error']);
  t.deepEqual(found('loopback-blocked', `${nat}${web.replace(`${lo}\n`, '').replace('OUTPUT ACCEPT', 'OUTPUT DROP')}`.replace(/COMMIT\n$/u, '-A OUTPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n')), ['error']);
  const [locked] = analyze({ path: 'x.rules', text: `*mangle\n-A PREROUTING -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n${host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')}` }).findings.filter(one => one.check === 'lockout');
  t.is(locked?.help, 'let them pass in front of mangle:PREROUTING:1; no rule of table filter can');
});

test('neighbours are looked for by groups, answer to hosts, and routers are neighbours too', t => {
  const six = (rule: string): string[] => analyze({ path: 'talk.rules', text: host(lo, known, `-A INPUT ${rule} -p ipv6-icmp -j ACCEPT`, '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT') }, { family: 'ipv6' })
    .findings.filter(one => one.check === 'neighbour-discovery-blocked').map(({ certainty, message }) => `${certainty}: ${message.split(' that ')[0] ?? ''}`);
  const [both, asked, told] = ['neighbour solicitations and neighbour advertisements', 'neighbour solicitations', 'neighbour advertisements'];
  t.deepEqual(six(''), []);
  t.deepEqual(six('-s fe80::/10'), [`possible: ${both}`], 'neighbours on the same link ask from the addresses that they use');
  t.deepEqual(six('! -s fe80::/10'), [`possible: ${both}`]);
  t.deepEqual(six('-s ::1/128'), [`certain: ${both}`]);
  t.deepEqual(six('-d ff00::/8'), [`certain: ${told}`]);
  t.deepEqual(six('-d 2001:db8::1/128'), [`certain: ${asked}`]);
  t.deepEqual(six('-s fe80::/10 -d fe80::/10'), [`certain: ${asked}`]);
  t.deepEqual(six('-s 2001:db8::/32'), [`possible: ${both}`]);
});

test('neighbour discovery on links that have neighbours', t => {
  const six = (...rules: readonly string[]): string[] => found('neighbour-discovery-blocked', host(lo, known, ...rules), { family: 'ipv6' });
  const ssh = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';
  t.deepEqual(six(ssh), ['error']);
  t.deepEqual(six('-A INPUT -p ipv6-icmp -j ACCEPT', ssh), []);
  t.deepEqual(six('-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT', '-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT', ssh), ['info'], 'router advertisements alone');
  t.deepEqual(six('-A INPUT -i eth0 -p ipv6-icmp -j ACCEPT', '-A INPUT -i eth0 -j DROP', '-A INPUT -i eth1 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -j DROP'), ['error'], 'one of two links');
  t.deepEqual(six('-A INPUT -i eth0 -p ipv6-icmp -j ACCEPT', '-A INPUT -i wg0 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT'), [], 'the only link with neighbours, and a tunnel');
  t.deepEqual(six('-A INPUT -i eth1 -j ACCEPT', ssh), ['error'], 'the link that no rule names');
  t.deepEqual(six('-A INPUT -i lan0 -j ACCEPT', '-A INPUT -i pppoe-wan -p tcp -m tcp --dport 22 -j ACCEPT'), [], 'outside is a link without neighbours, and nothing begins by any other');
  t.deepEqual(found('neighbour-discovery-blocked', '*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n', { family: 'ipv6' }), [], 'no IPv6 is wanted');
});

test('neighbour discovery: what cannot get out, and what this host asks by some of its own addresses', t => {
  const six = (...rules: readonly string[]): string[] => analyze({ path: 'talk.rules', text: host(lo, known, ...rules, '-A INPUT -p ipv6-icmp -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT') }, { family: 'ipv6' })
    .findings.filter(one => one.check === 'neighbour-discovery-blocked').map(({ severity, certainty, message }) => `${severity} ${certainty}: ${message.replace(/ are dropped: .*/u, '')}`);
  const [asked, told] = ['neighbour solicitations', 'neighbour advertisements'];
  t.deepEqual(six('-A OUTPUT -p ipv6-icmp -j DROP'), [`error certain: ${asked} and ${told} that go out`]);
  t.deepEqual(six('-A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j DROP'), [`error certain: ${told} that go out`]);
  t.deepEqual(six('-A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1 -j DROP'), []);
  t.deepEqual(six('-A OUTPUT -o wg0 -p ipv6-icmp -j DROP'), [], 'a tunnel');
  t.deepEqual(six('-A OUTPUT -d fe80::/10 ! -o lo -j REJECT'), [`error possible: ${told} that go out to link-local addresses`]);
  t.deepEqual(six('-A OUTPUT -d fe80::/10 -p tcp -j REJECT'), []);
  t.deepEqual(six('-A OUTPUT -s fe80::/10 ! -o lo -j REJECT'), [`info possible: ${asked} and ${told} that go out from link-local addresses`]);
  t.deepEqual(six('-A INPUT -d fe80::/10 ! -i lo -j REJECT'), [`info possible: ${told} that come in to link-local addresses`]);
  t.deepEqual(six('-A INPUT -d fe80::/10 -i lo -j REJECT'), []);
  t.deepEqual(six('-A INPUT -d fe80::/10 -j REJECT', '-A FORWARD -p tcp -j ACCEPT'), [`warning possible: ${told} that come in to link-local addresses`], 'a router');
  const some = (...rules: readonly string[]): readonly string[] => found('neighbour-discovery-blocked', host(lo, known, ...rules, '-A INPUT -d ff02::/16 -p ipv6-icmp -j ACCEPT', '-A INPUT -d fe80::/10 -p ipv6-icmp -j ACCEPT'), { family: 'ipv6' });
  t.deepEqual(some('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), ['warning'], 'a host asks by the address from which it sends');
  t.deepEqual(found('neighbour-discovery-blocked', host(lo, '-A INPUT -d ff02::/16 -j ACCEPT', '-A INPUT -d fe80::/10 -j ACCEPT'), { family: 'ipv6' }), [], 'it has link-local addresses alone');
  const closed = host(lo, '-A INPUT -j ACCEPT', '-A OUTPUT -p tcp -j ACCEPT').replace('OUTPUT ACCEPT', 'OUTPUT DROP');
  t.deepEqual(found('neighbour-discovery-blocked', closed, { family: 'ipv6' }), [], 'output-drop-breakage tells it');
  t.deepEqual(found('neighbour-discovery-blocked', closed.replace('COMMIT', '-A OUTPUT -s fe80::/10 -p ipv6-icmp -j ACCEPT\nCOMMIT'), { family: 'ipv6' }), ['warning']);
});

test('neighbour discovery: of all addresses those of the internet are dropped by their name', t => {
  const six = (...rules: readonly string[]): string[] => analyze({ path: 'talk.rules', text: host(lo, ...rules, '-A INPUT -p ipv6-icmp -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT') }, { family: 'ipv6' })
    .findings.filter(one => one.check === 'neighbour-discovery-blocked').map(({ severity, certainty, message }) => `${severity} ${certainty}: ${message.replace(/ are dropped: .*/u, '')}`);
  const [asked, told] = ['neighbour solicitations', 'neighbour advertisements'];
  const out = '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  for (const target of ['DROP', 'REJECT']) t.deepEqual(six(known, `-A INPUT -d 2000::/3 -j ${target}`), [`warning possible: ${told} that come in to addresses of the internet (2000::/3)`]);
  t.deepEqual(six(known, out, '-A OUTPUT -s 2000::/3 -j REJECT'), [`warning possible: ${asked} and ${told} that go out from addresses of the internet (2000::/3)`]);
  t.deepEqual(six(known, out, '-A OUTPUT -d 2000::/3 -j REJECT'), [`info possible: ${told} that go out to addresses of the internet (2000::/3)`]);
  t.deepEqual(six(known, '-A INPUT -s 2000::/3 -j DROP'), [`info possible: ${asked} and ${told} that come in from addresses of the internet (2000::/3)`]);
  t.deepEqual(six('-A INPUT -d 2000::/3 -j DROP', known), [], 'nothing else is for such an address');
  for (const one of ['-A INPUT -d 2001:db8::/32 -j DROP', '-A INPUT -d 2000::/3 -p tcp -j DROP', '-A INPUT -i lo -d 2000::/3 -j DROP', '-A INPUT -i wg0 -d 2000::/3 -j DROP', '-A FORWARD -d 2000::/3 -j DROP']) t.deepEqual(six(known, one), [], one);
  const local = ['-A INPUT -d ff02::/16 -p ipv6-icmp -j ACCEPT', '-A INPUT -d fe80::/10 -p ipv6-icmp -j ACCEPT', '-A INPUT -d fd00::/8 -p ipv6-icmp -j ACCEPT', '-A INPUT -j DROP'];
  t.deepEqual(six(known, ...local), [], 'nobody says that it has one of the internet');
});

test('tunnels have no neighbours: they are known by their names, and what the rules for neighbours leave out by name may be one', t => {
  const six = (...rules: readonly string[]): string[] => analyze({ path: 'talk.rules', text: host(lo, known, ...rules, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT') }, { family: 'ipv6' })
    .findings.filter(one => one.check === 'neighbour-discovery-blocked').map(({ severity, certainty, message }) => `${severity} ${certainty}: ${/(?<links>by .*?) (?:from|are)/u.exec(message)?.groups?.['links'] ?? ''}${message.endsWith('unless that is a tunnel, which has none') ? '?' : ''}`);
  const but = (link: string, more = ''): string => `-A INPUT ! -i ${link} ${more} -p ipv6-icmp -j ACCEPT`;
  for (const tunnel of ['sit1', 'he-ipv6', 'he6', '6in4-wan6', '6rd-wan6', 'tun6to4', 'teredo']) t.deepEqual(six(but(tunnel)), [], tunnel);
  t.deepEqual(six(but('uplink')), ['info possible: by uplink?']);
  t.deepEqual(six(but('uplink+')), ['info possible: by uplink+?']);
  t.deepEqual(six(but('uplink', '-s fe80::/10')), ['warning possible: by uplink or by any other interface'], 'nor does anybody with another');
  t.deepEqual(six('-A INPUT -i eth8 -p ipv6-icmp -j DROP', but('uplink')), ['error certain: by eth8'], 'nobody leaves this one out');
  t.deepEqual(six('-A INPUT -i uplink -p ipv6-icmp -j DROP', '-A INPUT -p ipv6-icmp -j ACCEPT'), ['error certain: by uplink'], 'it is dropped by a rule of its own');
  t.deepEqual(six(but('uplink', '-s 2001:db8::/32')), ['error possible: by uplink or by any other interface'], 'nobody with a link-local address gets in, anywhere');
});

test('output-drop-breakage: neighbours are found by links that have some, not by a tunnel', t => {
  const text = (...lines: readonly string[]): string => `# Generated by ip6tables-save v1.8.9\n${host(lo, known, '-A INPUT -p ipv6-icmp -j ACCEPT', '-A OUTPUT -o lo -j ACCEPT', '-A OUTPUT -o wg0 -j ACCEPT', ...lines).replace(':OUTPUT ACCEPT', ':OUTPUT DROP')}`;
  const peer = '-A OUTPUT -d 2001:db8:5::51/128 -o eth0 -p udp -m udp --dport 51820 -j ACCEPT';
  t.deepEqual(found('output-drop-breakage', text(peer)), ['error']);
  t.deepEqual(found('output-drop-breakage', text(peer, '-A OUTPUT -p ipv6-icmp -j ACCEPT')), []);
  t.deepEqual(found('output-drop-breakage', text()), [], 'there is no other link');
  const names = (rules: string): string => analyze({ path: 'x.rules', text: rules }).findings.find(one => one.check === 'output-drop-breakage')?.message ?? '';
  t.regex(names(text(peer)), /neighbour solicitation.*\(neighbours are looked for by tunnels only\)$/u);
  t.regex(names(text(peer).replace('-o wg0', '-o wg0 -p tcp')), /neighbour solicitation[^()]*$/u);
});
