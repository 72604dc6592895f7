/** The checks of kind `nat` about DNAT and REDIRECT, and about rules that meet what they translate. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';
import { findings, found, rules, type Lines } from './nat-rules.js';

const dnat = '-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443';

test('dnat-not-forwarded: another port of the server is let through', t => {
  const filter = ['-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 444 -j ACCEPT'];
  t.deepEqual(found({ nat: [dnat], filter }), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(found({ nat: [dnat.replace(':443', '')], filter }), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(found({ nat: [dnat.replace(':443', ':444')], filter }), []);
});

test('dnat-not-forwarded: who is let through by another interface than the one that leads to the rule does not help', t => {
  const nat = (...jumps: readonly string[]): readonly string[] => [...jumps.map(jump => `-A PREROUTING ${jump}`), '-A from_wan -p udp -m udp --dport 51820 -j DNAT --to-destination 10.0.0.5'];
  const filter = ['-A FORWARD -i lan0 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -i wan0 -p udp -m udp --dport 51821 -j ACCEPT'];
  t.deepEqual(found({ nat: nat('-i wan0 -j from_wan'), filter }), ['dnat-not-forwarded nat:from_wan:1']);
  t.deepEqual(found({ nat: nat('-i wan0 -j from_wan', '-i lan0 -j from_wan'), filter }), [], 'those of lan0 get there');
  t.deepEqual(found({ nat: nat('-i wan0 -j from_wan'), filter: [...filter, '-A FORWARD -i wan0 -p udp -m udp --dport 51820 -j ACCEPT'] }), []);
});

test('dnat-not-forwarded: whatever accepts the translated packets will do', t => {
  const accepting = [
    '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -j ACCEPT', '-A FORWARD -d 10.0.0.0/24 -j ACCEPT', '-A FORWARD -i eth0 -j ACCEPT', '-A FORWARD ! -d 10.0.0.6/32 -i eth0 -j ACCEPT',
    '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT', '-A FORWARD -p tcp -m conntrack --ctorigdstport 8443 -j ACCEPT', '-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT', '-A FORWARD -s 198.51.100.0/24 -j ACCEPT',
    '-A FORWARD -m limit --limit 5/sec -j ACCEPT', '-A FORWARD -o eth1 -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT', '-A FORWARD -m set --match-set servers dst -j ACCEPT',
  ];
  for (const line of accepting) t.deepEqual(found({ nat: [dnat], filter: [line] }), [], line);
  t.deepEqual(found({ nat: [dnat], filter: ['-A FORWARD -j forward', '-A forward -p tcp -g servers', '-A servers -d 10.0.0.5/32 -j ACCEPT'] }), []);
});

test('dnat-not-forwarded: and what accepts others will not', t => {
  const others = [
    '-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -d 10.0.0.6/32 -j ACCEPT', '-A FORWARD -p tcp -m tcp --dport 22 -j ACCEPT', '-A FORWARD -p udp -j ACCEPT', '-A FORWARD ! -d 10.0.0.0/24 -j ACCEPT', '-A FORWARD ! -i eth0 -j ACCEPT',
    '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack ! --ctstate NEW -j ACCEPT',
  ];
  for (const line of others) t.deepEqual(found({ nat: [dnat], filter: [line] }), ['dnat-not-forwarded nat:PREROUTING:1'], line);
  t.deepEqual(found({ nat: [dnat], filter: ['-A FORWARD -d 10.0.0.5/32 -j REJECT', '-A FORWARD -d 10.0.0.5/32 -j ACCEPT'] }), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(found({ nat: [dnat], policy: 'ACCEPT', filter: ['-A FORWARD -i eth0 -p tcp -j web', '-A web -p tcp -m tcp --dport 22 -j ACCEPT', '-A web -j DROP', '-A INPUT -j DROP'] }).slice(0, 1), ['dnat-not-forwarded nat:PREROUTING:1']);
});

test('dnat-not-forwarded: people inside get there, and nobody who comes from outside and is to', t => {
  const stuck = (rule: string, ...filter: readonly string[]): readonly string[] => findings({ nat: [rule, '-A POSTROUTING -o eth0 -j MASQUERADE'], filter: ['-A FORWARD -i eth1 -j ACCEPT', ...filter] })
    .filter(one => one.check === 'dnat-not-forwarded' && one.rule?.startsWith('nat:') === true).map(({ severity, rule: at, message, witness }) => `${severity} ${at ?? ''}${/ that come from outside by \S+/u.exec(message)?.[0] ?? ''} ${String(witness?.[0]?.in)}`);
  const published = '-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080';
  t.deepEqual(stuck(published, '-A FORWARD -d 10.0.0.6/32 -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT'), ['warning nat:PREROUTING:1 that come from outside by eth0 eth0']);
  t.deepEqual(stuck(published, '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 8080 -j ACCEPT'), []);
  t.deepEqual(stuck(published, '-A FORWARD -s 198.51.100.0/24 -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT'), [], 'some do');
  t.deepEqual(stuck(published, '-A FORWARD -d 10.0.0.5/32 -i eth0 -j DROP'), [], 'somebody closed it');
  t.deepEqual(stuck(published, '-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT'), [], 'filter-matches-pre-nat tells of it');
  const tunnel = { nat: [published, '-A POSTROUTING -o tun0 -j MASQUERADE'], filter: ['-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT'] };
  t.deepEqual(found(tunnel).filter(one => one.startsWith('dnat-not')), [], 'they come by eth0, where nobody is translated');
  for (const rule of [published.replace('-d 203.0.113.9/32 ', ''), published.replace('-d 203', '-s 10.0.0.0/24 -d 203'), published.replace('203.0.113.9', '192.168.1.9')]) t.deepEqual(stuck(rule), [], 'it is for people inside');
});

test('dnat-not-forwarded: the server itself, and who is let in to all of its network, are not whom it is published for', t => {
  const told = (filter: readonly string[], nat: readonly string[] = [dnat]): readonly string[] => findings({ nat: [...nat, '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE'], filter }).filter(one => one.check === 'dnat-not-forwarded').map(({ severity, rule, witness }) => `${severity} ${rule ?? ''} ${witness?.[0]?.packet['src'] === '10.0.0.5' ? 'of its own' : 'of others'}`);
  t.deepEqual(told(['-A FORWARD -s 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT']), ['error nat:PREROUTING:1 of others'], '-s for -d');
  t.deepEqual(told(['-A FORWARD -s 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -i eth0 -j ACCEPT']), []);
  const forAll = [dnat.replace('-i eth0', '-d 203.0.113.9/32')];
  const partner = '-A FORWARD -s 10.99.0.0/16 -d 10.0.0.0/24 -i eth0 -m policy --dir in --pol ipsec -j ACCEPT';
  t.deepEqual(told([partner], forAll), ['warning nat:PREROUTING:1 of others'], 'partners get everywhere');
  t.deepEqual(told([partner.replace('10.0.0.0/24', '10.0.0.5/32')], forAll), [], 'it may be for partners alone');
});

test('dnat-not-forwarded: all of the server\'s network may begin connections, and nobody else gets to what is published', t => {
  const told = (rule: string, filter: readonly string[], nat: readonly string[] = []): readonly string[] => findings({ nat: [rule, '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE', ...nat], filter }).filter(one => one.check === 'dnat-not-forwarded' && one.rule?.startsWith('nat:') === true).map(({ severity, message }) => `${severity} ${/that come (from elsewhere)?/u.exec(message)?.[1] ?? ''}`);
  const [out, lost] = ['-A FORWARD -s 10.0.0.0/24 -j ACCEPT', ['warning from elsewhere']];
  t.deepEqual(told(dnat, [out]), lost);
  t.deepEqual(told('-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443', [out]), lost);
  t.deepEqual(told(dnat, [out, '-A FORWARD -s 10.1.0.0/24 -o eth0 -j ACCEPT', '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT'], ['-A POSTROUTING -s 10.1.0.0/24 -o eth0 -j MASQUERADE', '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE']), lost, 'other networks inside may as well');
  t.deepEqual(told(dnat, [out, '-A FORWARD -s 192.168.1.0/24 -j ACCEPT']), [], 'it is published for people who are between this host and the internet');
  t.deepEqual(told(dnat, [out, '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -j ACCEPT']), []);
  t.deepEqual(told(dnat, [out, '-A FORWARD -d 10.0.0.5/32 -i eth0 -j DROP']), [], 'somebody closed it');
  for (const rule of [dnat.replace('-i eth0 ', ''), dnat.replace('-i eth0', '-i eth1')]) t.deepEqual(told(rule, [out]), [], 'it leads people inside to a server of their own');
});

test('dnat-not-forwarded: INPUT opens the new address and port, which are this host\'s', t => {
  const nat = ['-A PREROUTING -d 203.0.113.5/32 -i wan0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 192.168.1.1:1194'];
  const opened = '-A INPUT -d 192.168.1.1/32 -i wan0 -p tcp -m tcp --dport 1194 -j ACCEPT';
  const sent = (lines: Lines): readonly string[] => found(lines).filter(one => one.startsWith('dnat'));
  const out = '-A FORWARD -i lan0 -o wan0 -j ACCEPT';
  t.deepEqual(sent({ nat, filter: [opened, out] }), []);
  t.deepEqual(sent({ nat, filter: [opened.replace('-d 192.168.1.1/32 ', ''), out] }), ['dnat-not-forwarded nat:PREROUTING:1 possible'], 'it does not say where');
  for (const others of [opened.replace('1194', '443'), opened.replace('wan0', 'lan0'), opened.replace('192.168.1.1/', '192.168.1.2/'), opened.replace('ACCEPT', 'DROP')]) t.deepEqual(sent({ nat, filter: [others, out] }), ['dnat-not-forwarded nat:PREROUTING:1'], others);
  t.deepEqual(sent({ nat, filter: [opened.replace('-p tcp', '-s 198.51.100.0/24 -p tcp').replace('ACCEPT', 'DROP'), opened, out] }), [], 'some are let in');
});

test('dnat-not-forwarded: another table may drop them', t => {
  const open = ['-A FORWARD -i eth0 -j ACCEPT'];
  t.deepEqual(found({ mangle: ['-A FORWARD -p tcp -m tcp --dport 443 -j DROP'], nat: [dnat], filter: open }), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(found({ mangle: ['-A FORWARD -p tcp -m tcp --dport 8443 -j DROP'], nat: [dnat], filter: open }), []);
});

test('dnat-not-forwarded: the witness is lost where the finding says, and its host has the server behind another interface', t => {
  const [one] = findings({ nat: [dnat] });
  t.deepEqual(one?.witness?.map(step => [step.in, step.packet['dport']]), [['eth0', 8443]]);
  t.true(one?.host?.routes?.includes('10.0.0.5/32 dev eth1'));
  t.is(one?.because[0]?.rule, 'filter:FORWARD:policy');
  t.is(one?.help, 'let them pass, by the address and port that they have by then: -I FORWARD -i eth0 -d 10.0.0.5 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT');
});

test('dnat-not-forwarded: where it hangs on the way out which rule drops it, the witness takes the way of the one that is named', t => {
  const docker = ['-A FORWARD -i eth0 ! -o docker0 -j DROP', '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'];
  t.deepEqual(findings({ nat: [dnat], filter: docker }).filter(one => one.check === 'dnat-not-forwarded').map(one => one.witness !== null), [true]);
});

test('dnat-not-forwarded: one finding for all that end at one place', t => {
  const many = [80, 81, 82, 83, 84, 85, 86].map(port => `-A PREROUTING -i eth0 -p tcp -m tcp --dport ${String(port)} -j DNAT --to-destination 10.0.0.5`);
  const [one, ...others] = findings({ nat: many });
  t.deepEqual(others, []);
  t.regex(one?.message ?? '', /those of 6 other rules/u);
});

test('dnat-not-forwarded: who is at an address of the host itself is not forwarded to', t => {
  const host = { interfaces: [{ name: 'eth0', addresses: ['203.0.113.9/24'] }, { name: 'eth1', addresses: ['10.0.0.5/24'] }] };
  t.deepEqual(found({ nat: [dnat], filter: ['-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT'] }, { host: () => host }), []);
  t.deepEqual(found({ nat: [dnat], filter: ['-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT'] }), ['dnat-not-forwarded nat:PREROUTING:1 possible']);
  t.deepEqual(found({ nat: [dnat] }, { host: () => host }), ['redirect-without-accept nat:PREROUTING:1']);
});

test('dnat-not-forwarded: in IPv6 as well', t => {
  const nat = ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination [fd00::5]:443'];
  t.deepEqual(found({ nat, filter: ['-A FORWARD -d fd00::6/128 -j ACCEPT'] }, { family: 'ipv6' }), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(found({ nat, filter: ['-A FORWARD -d fd00::5/128 -p tcp -m tcp --dport 443 -j ACCEPT'] }, { family: 'ipv6' }), []);
});

const redirect = '-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128';

test('redirect-without-accept: what TPROXY hands to a socket comes with the port for which the client asked', t => {
  const mangle = ['-A PREROUTING -p tcp -m socket --transparent -j DIVERT', '-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1', '-A DIVERT -j MARK --set-xmark 0x1/0xffffffff', '-A DIVERT -j ACCEPT'];
  const proxied = (...filter: readonly string[]): readonly string[] => found({ mangle, filter });
  t.deepEqual(proxied(), ['redirect-without-accept mangle:PREROUTING:2']);
  t.deepEqual(proxied('-A INPUT -i eth1 -p tcp -m tcp --dport 3129 -j ACCEPT'), ['redirect-without-accept mangle:PREROUTING:2']);
  t.deepEqual(found({ mangle: mangle.slice(1, 2) }), ['redirect-without-accept mangle:PREROUTING:1'], 'whether a program listens is not known: that is no mistake of ours');
  for (const line of ['-i eth1 -p tcp -m tcp --dport 80', '-m mark --mark 0x1/0x1', '-i eth1', '-m socket --transparent']) t.deepEqual(proxied(`-A INPUT ${line} -j ACCEPT`), [], line);
});

test('redirect-without-accept: INPUT must let in the new port', t => {
  for (const line of ['-A INPUT -p tcp -m tcp --dport 3128 -j ACCEPT', '-A INPUT -i eth1 -j ACCEPT', '-A INPUT -m conntrack --ctstate DNAT -j ACCEPT', '-A INPUT -p tcp -m tcp ! --dport 80 -j ACCEPT', '-A INPUT -s 10.0.0.0/24 -p tcp -m multiport --dports 22,3128 -j ACCEPT']) t.deepEqual(found({ nat: [redirect], filter: [line] }), [], line);
  for (const line of ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -i eth0 -j ACCEPT', '-A INPUT -p udp -j ACCEPT']) t.deepEqual(found({ nat: [redirect], filter: [line] }), ['redirect-without-accept nat:PREROUTING:1'], line);
});

test('redirect-without-accept: a rule for the old port says why, in its own finding', t => {
  t.deepEqual(found({ nat: ['-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128'], filter: ['-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT'] }), ['filter-matches-pre-nat filter:INPUT:3']);
});

test('redirect-without-accept: what the host sends itself comes in by lo', t => {
  const nat = ['-A OUTPUT -p tcp -m tcp --dport 80 -m owner --uid-owner 1000 -j REDIRECT --to-ports 9040'];
  t.deepEqual(found({ nat }), []);
  t.deepEqual(found(rules({ nat }).replace('-A INPUT -i lo -j ACCEPT\n', '')), ['redirect-without-accept nat:OUTPUT:1']);
});

test('redirect-without-accept: in a chain to which packets of two hooks come, and only those of one are redirected', t => {
  const nat = ['-A PREROUTING -j web', '-A OUTPUT -j web', '-A web -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128'];
  t.deepEqual(found({ nat }), ['redirect-without-accept nat:web:1']);
});

test('redirect-without-accept: a chain for packets of two hooks redirects to two addresses, so that what lets them in names none', t => {
  const both = ['-A PREROUTING -i eth1 -p tcp -j redsocks', '-A OUTPUT -p tcp -j redsocks', '-A redsocks -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 12345'];
  const help = (nat: readonly string[], without = ''): readonly string[] => findings(rules({ nat }).replace('-A INPUT -i lo -j ACCEPT\n', '').replace(without, '')).filter(one => one.check === 'redirect-without-accept').map(one => one.help);
  t.deepEqual(help(both), ['let them in, by the port that they have by then: -I INPUT -p tcp -m tcp --dport 12345 -m conntrack --ctstate NEW -j ACCEPT']);
  t.deepEqual(help(both.toSpliced(0, 2, '-A OUTPUT -p tcp -j redsocks', '-A PREROUTING -i eth1 -p tcp -j redsocks')), help(both), 'in whatever order they lead there');
  t.deepEqual(help(both.slice(1)), ['let them in, by the port that they have by then: -I INPUT -d 127.0.0.1 -p tcp -m tcp --dport 12345 -m conntrack --ctstate NEW -j ACCEPT']);
  t.deepEqual(found({ nat: [...both, '-A redsocks -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 12346'], filter: ['-A INPUT -i eth1 -p tcp -m tcp --dport 12345 -j ACCEPT'] }), [], 'what the host sends itself comes by lo');
});

test('redirect-without-accept: the help is for the chain that drops them', t => {
  const help = (text: string): string | undefined => findings(text).find(one => one.check === 'redirect-without-accept')?.help.replace(/^let them .*?: /u, '');
  const nat = ['-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9040'];
  const rest = '-m conntrack --ctstate NEW -j ACCEPT';
  t.is(help(rules({ nat, filter: ['-A OUTPUT -p tcp -m tcp --dport 9040 -j local', '-A local -j REJECT'] })), `-I OUTPUT -d 127.0.0.1 -p tcp -m tcp --dport 9040 ${rest}`);
  t.is(help(rules({ nat }).replace('-A INPUT -i lo -j ACCEPT\n', '-A INPUT -i lo -p tcp -m tcp --dport 8118 -j ACCEPT\n')), `-I INPUT -d 127.0.0.1 -p tcp -m tcp --dport 9040 ${rest}`);
  t.is(help(rules({ nat: ['-A PREROUTING -d 198.51.100.1/32 -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination :3128'] })), `-I INPUT -i eth1 -d 198.51.100.1 -p tcp -m tcp --dport 3128 ${rest}`);
  t.is(help(rules({ mangle: ['-A INPUT -p tcp -m tcp --dport 3128 -j DROP'], nat: [redirect], filter: ['-A INPUT -i eth1 -j ACCEPT'] })), 'let them pass in front of mangle:INPUT:1; no rule of table filter can');
});

test('redirect-without-accept: DNAT to loopback, and to a port alone', t => {
  const filter = ['-A FORWARD -i eth1 -o eth0 -j ACCEPT'];
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:3128'], filter }), ['redirect-without-accept nat:PREROUTING:1']);
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination :3128'], filter }), []);
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination :3128'], filter }), ['redirect-without-accept nat:PREROUTING:1']);
});

test('dnat-to-loopback: what comes from outside does not get there, unless route_localnet is set', t => {
  const to = (rule: string, sysctls?: Readonly<Record<string, number>>): readonly string[] => findings({ nat: [rule], filter: ['-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT'] }, sysctls === undefined ? {} : { host: () => ({ sysctls }) })
    .filter(one => one.check === 'dnat-to-loopback').map(({ severity, certainty, witness }) => `${severity} ${certainty} ${witness?.[0]?.in ?? '-'}`);
  const dnat = '-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:8080';
  t.deepEqual(to(dnat), ['warning possible eth1']);
  t.deepEqual(to(dnat.replace(' -i eth1', '')), ['warning possible eth0']);
  t.deepEqual(to(dnat, { 'net.ipv4.conf.all.route_localnet': 0, 'net.ipv4.conf.eth1.route_localnet': 0, 'net.ipv4.conf.eth0.route_localnet': 1 }), ['error certain eth1']);
  t.deepEqual(to(dnat, { 'net.ipv4.conf.all.route_localnet': 0, 'net.ipv4.conf.eth1.route_localnet': 1 }), []);
  t.deepEqual(to(dnat, { 'net.ipv4.conf.all.route_localnet': 1 }), []);
  t.deepEqual(to(dnat, { 'net/ipv4/conf/all/route_localnet': 0 }), ['error certain eth1']);
  t.deepEqual(to(dnat.replace('127.0.0.1', '192.0.2.1')), []);
  t.deepEqual(to(dnat.replace('PREROUTING -i eth1', 'OUTPUT')), [], 'what the host sends itself arrives');
  t.deepEqual(to(dnat.replace('8080', '8081')), [], 'INPUT drops it, and that is told');
  t.deepEqual(found('*nat\n-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination [::1]:8080\nCOMMIT\n', { family: 'ipv6' }), ['dnat-to-loopback nat:PREROUTING:1']);
});

test('dnat-not-forwarded: addresses that the kernel passes nothing on to', t => {
  const to = (address: string, protocol = 'tcp', options: AnalyzeOptions = {}): readonly string[] => found({ nat: [`-A PREROUTING -i eth0 -p ${protocol} -m ${protocol} --dport 80 -j DNAT --to-destination ${address}`], filter: ['-A FORWARD -i eth0 -o eth1 -j ACCEPT'] }, options).filter(one => one.startsWith('dnat-not'));
  t.deepEqual(to('0.0.0.0:8080'), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(to('224.0.0.5'), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(to('239.1.1.1', 'udp'), ['dnat-not-forwarded nat:PREROUTING:1 possible'], 'a daemon may pass it on');
  t.deepEqual(to('255.255.255.255', 'udp'), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(to('192.168.5.255', 'udp'), ['dnat-not-forwarded nat:PREROUTING:1 info possible']);
  const host = (length: number, sysctls = {}): AnalyzeOptions => ({ host: () => ({ interfaces: [{ name: 'eth1', addresses: [`192.168.5.1/${String(length)}`] }], sysctls }) });
  t.deepEqual(to('192.168.5.255', 'udp', host(24)), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(to('192.168.5.255', 'udp', host(23)), ['dnat-not-forwarded nat:PREROUTING:1']);
  t.deepEqual(to('192.168.5.255', 'udp', host(22)), [], 'a host');
  t.deepEqual(to('192.168.5.255', 'udp', host(24, { 'net.ipv4.conf.all.bc_forwarding': 1 })), []);
  for (const address of ['192.168.5.254', '203.0.113.255', '192.168.5.250-192.168.5.255']) t.deepEqual(to(address, 'udp'), [], address);
  t.deepEqual(to('192.168.5.255'), [], 'nobody wakes anybody by TCP: it is a host of a larger network');
});

test('invalid-leaks-unnatted: by the way out, not to containers, nor what this host alone sends', t => {
  const leak = (nat: readonly string[], ...filter: readonly string[]): readonly (string | undefined)[] => findings({ nat, filter: ['-I FORWARD -p tcp -m tcp --dport 22 -j ACCEPT', ...filter] }).filter(one => one.check === 'invalid-leaks-unnatted').map(one => `${/leave by (.*) with/u.exec(one.message)?.[1] ?? ''}: ${one.help.replace('drop them first: ', '')}`);
  t.deepEqual(leak(['-A POSTROUTING -s 172.18.0.0/16 ! -o br-0123456789ab -j MASQUERADE', '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE']), ['interfaces that no rule names: -I FORWARD -m conntrack --ctstate INVALID -j DROP']);
  t.deepEqual(leak(['-A POSTROUTING -s 10.0.0.0/24 ! -d 10.0.0.0/24 -j MASQUERADE', '-A POSTROUTING -s 10.0.1.0/24 -o wan0 -j MASQUERADE'], '-A FORWARD -i eth1 -o eth2 -j ACCEPT'), ['wan0: -I FORWARD -o wan0 -m conntrack --ctstate INVALID -j DROP']);
  t.deepEqual(leak(['-A POSTROUTING -o br0 -m addrtype --src-type LOCAL -j SNAT --to-source 203.0.113.9']), []);
});

const docker = ['-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80'];
const published = '-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT';

test('dnat-not-forwarded: who is let through to a private address that nat leads nobody to from outside', t => {
  const dnat = '-A PREROUTING -i eth0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5:443';
  const told = (nat: readonly string[], ...filter: readonly string[]): readonly string[] => analyze({
    path: 'x.rules', text: ['*nat', ...nat, 'COMMIT', '*filter', ':INPUT DROP', ':FORWARD DROP', ':OUTPUT ACCEPT', ':net-loc -', '-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT', ...filter, 'COMMIT', ''].join('\n'),
  }, { family: 'ipv4' }).findings.filter(({ message }) => /^this rule (?:lets|and another let) in nobody/u.test(message)).map(({ check, severity, certainty, rule }) => `${check} ${severity} ${certainty} ${rule ?? ''}`);
  const out = '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE';
  const server = '-A FORWARD -d 10.0.0.9/32 -i eth0 -p tcp -m tcp --dport 8443 -j ACCEPT';
  const lost = ['dnat-not-forwarded info possible filter:FORWARD:2'];
  t.deepEqual(told([dnat, out], server), lost);
  t.deepEqual(told([dnat, '-A PREROUTING -i eth1 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.9', out], server), lost, 'by another interface');
  t.deepEqual(told([dnat, out], '-A FORWARD -i eth0 -j net-loc', '-A net-loc -d 10.0.0.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT'), ['dnat-not-forwarded info possible filter:net-loc:1']);
  t.deepEqual(told([dnat, '-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.9', out], server), []);
  const masq = ['-A POSTROUTING -o eth0 -j eth0_masq', '-A eth0_masq -s 10.0.0.0/24 -j MASQUERADE'];
  t.deepEqual(told([':eth0_masq -', dnat, ...masq], server, '-A FORWARD -i eth1 -o eth0 -j ACCEPT', '-A FORWARD -i eth2 -o eth0 -j ACCEPT'), lost, 'as Shorewall masquerades');
  t.deepEqual(told([dnat, out].map(line => line.replace('eth0', 'wg0')), server.replace('eth0', 'wg0')), [], 'those at the other end of a tunnel may have a route');
  t.deepEqual(told([out], server), [], 'nobody is translated: who knows where that is done');
  t.deepEqual(told([dnat], server), [], 'routed');
  t.deepEqual(told([dnat, '-A POSTROUTING -o eth0 -j SNAT --to-source 192.168.178.2'], server), [], 'another network is behind it');
  for (const other of ['-A FORWARD -s 10.9.0.0/16 -i eth0 -j ACCEPT', '-A FORWARD -i eth0 -m policy --dir in --pol ipsec -j ACCEPT']) t.deepEqual(told([dnat, out], server, other), [], other);
  t.deepEqual(told([dnat, out], server.replace(' -i eth0', '')), [], 'for those of other interfaces, too');
  t.deepEqual(told([dnat, out], server, server.replace('8443', '8444')), lost, 'two ports of one server, in one finding');
  t.deepEqual(told([dnat, out], server, server.replace('10.0.0.9', '10.0.0.10')), [], 'more servers than are translated: they are routed');
});

test('input-rule-bypassed-by-dnat: a closed port, a port for some', t => {
  for (const line of ['-A INPUT -p tcp -m tcp --dport 8080 -j DROP', '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT', '-A INPUT ! -s 192.0.2.0/24 -p tcp -m multiport --dports 8080,9000 -j REJECT', '-A INPUT -i eth1 -p tcp -m tcp --dport 8080 -j ACCEPT']) {
    t.deepEqual(found({ nat: docker, filter: [line, published] }), ['input-rule-bypassed-by-dnat filter:INPUT:3'], line);
  }
});

test('input-rule-bypassed-by-dnat: rules of other ports, of everything, for everybody, and rules that FORWARD repeats', t => {
  for (const line of ['-A INPUT -p tcp -m tcp --dport 9090 -j DROP', '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT', '-A INPUT -s 192.0.2.0/24 -j ACCEPT', '-A INPUT -p udp -m udp --dport 8080 -j DROP', '-A INPUT -j DROP', '-A INPUT -i docker0 -p tcp -m tcp --dport 8080 -j DROP']) {
    t.deepEqual(found({ nat: docker, filter: [line, published] }), [], line);
  }
  t.deepEqual(found({ nat: docker, filter: ['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT', published.replace('-d', '-s 192.0.2.0/24 -d')] }), []);
  t.deepEqual(found({ nat: docker, filter: ['-A INPUT -p tcp -m tcp --dport 8080 -j DROP', '-A FORWARD -p tcp -m conntrack --ctorigdstport 8080 -j DROP', published] }), []);
});

test('input-rule-bypassed-by-dnat: who closes a port is told so, and where docker wants such rules', t => {
  const told = (line: string, ...chain: readonly string[]): readonly unknown[] => findings({ nat: docker, filter: [line, ...chain, published] }).map(({ message, help }) => [/^this rule does not (?:close|limit)/u.exec(message)?.[0], /-I (?:FORWARD|DOCKER-USER)/u.exec(help)?.[0]]);
  t.deepEqual(told('-A INPUT -p tcp -m tcp --dport 8080 -j DROP'), [['this rule does not close', '-I FORWARD']]);
  t.deepEqual(told('-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT', '-A FORWARD -j DOCKER-USER', '-A DOCKER-USER -s 203.0.113.0/24 -j DROP'), [['this rule does not limit', '-I DOCKER-USER']]);
});

test('input-rule-bypassed-by-dnat: kube-proxy names the port chains before it translates, and which pod gets it is left to chance', t => {
  const pods = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => [
    `-A KUBE-SVC-WEB -m comment --comment "default/web:http" ${i < count - 1 ? `-m statistic --mode random --probability ${(1 / (count - i)).toFixed(11)} ` : ''}-j KUBE-SEP-${String(i)}`,
    `-A KUBE-SEP-${String(i)} -s 10.244.1.${String(i + 2)}/32 -j KUBE-MARK-MASQ`, `-A KUBE-SEP-${String(i)} -p tcp -m tcp -j DNAT --to-destination 10.244.1.${String(i + 2)}:8080`,
  ]).flat();
  const services = ['-A PREROUTING -j KUBE-SERVICES', '-A KUBE-SERVICES -d 10.96.44.12/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB', '-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS', '-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-WEB', '-A KUBE-EXT-WEB -j KUBE-MARK-MASQ', '-A KUBE-EXT-WEB -j KUBE-SVC-WEB', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000'];
  const forward = '-A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT';
  for (const count of [1, 2, 12]) t.deepEqual(found({ nat: [...services, ...pods(count)], filter: ['-A INPUT -p tcp -m tcp --dport 30080 -j DROP', forward] }), ['input-rule-bypassed-by-dnat filter:INPUT:3'], String(count));
  t.deepEqual(found({ nat: [...services, ...pods(2)], filter: ['-A INPUT -p tcp -m tcp --dport 80 -j DROP', forward] }), [], 'the port of an address that is no host');
  t.deepEqual(found({ nat: [...services, ...pods(2).slice(0, -1)], filter: ['-A INPUT -p tcp -m tcp --dport 30080 -j DROP', forward] }), [], 'some come to INPUT');
});

test('input-rule-bypassed-by-dnat: a port that is forwarded from one interface, or for one address, may be meant so', t => {
  const filter = ['-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 22 -j ACCEPT'];
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.0.0.5'], filter }), []);
  t.deepEqual(found({ nat: ['-A PREROUTING ! -s 10.0.0.0/24 -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.0.0.5'], filter }), []);
  t.deepEqual(found({ nat: ['-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.0.0.5'], filter }).filter(one => one.startsWith('input')), ['input-rule-bypassed-by-dnat filter:INPUT:3 info']);
});

test('dnat-not-forwarded: an address that SNAT gives, or that INPUT lets in by another chain, is this host\'s', t => {
  const own = '-A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.1.1:443';
  const input = ['-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate DNAT -j ACCEPT', '-A FORWARD -d 192.168.1.50/32 -j ACCEPT'];
  const stuck = (nat: readonly string[], filter: readonly string[]): readonly string[] => found({ nat: [own, ...nat], filter }).filter(one => one.startsWith('dnat-not-forwarded'));
  const told = ['dnat-not-forwarded nat:PREROUTING:1 possible'];
  t.deepEqual(stuck([], input), told);
  t.deepEqual(stuck(['-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.0/24 -o br0 -j SNAT --to-source 192.168.1.1'], input), []);
  t.deepEqual(stuck(['-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.0/24 -o br0 -j SNAT --to-source 192.168.1.2'], input), told);
  const led = (target: string): readonly string[] => [':logaccept - [0:0]', `-A INPUT -d 192.168.1.1/32 -i eth0 -p tcp -m tcp --dport 443 -j ${target}`, '-A logaccept -j ACCEPT'];
  t.deepEqual(stuck([], led('logaccept')), []);
  t.deepEqual(stuck([], led('DROP')), ['dnat-not-forwarded nat:PREROUTING:1'], 'closed');
});

test('input-rule-bypassed-by-dnat: the address that INPUT opens by its name is this host\'s, and its rule is asked', t => {
  const forced = '-A PREROUTING -i lan0 -p udp -m udp --dport 53 -j DNAT --to-destination 192.168.1.1';
  const nat = [forced, '-A POSTROUTING -s 192.168.1.0/24 -o wan0 -j MASQUERADE'];
  const opened = '-A INPUT -d 192.168.1.1/32 -i lan0 -p udp -m udp --dport 53 -j ACCEPT';
  const out = '-A FORWARD -i lan0 -o wan0 -j ACCEPT';
  for (const line of [opened, opened.replace('-d', '-s 192.168.1.0/24 -d'), opened.replace('udp --dport 53', 'multiport --dports 53,67')]) {
    for (const port of ['', ':53']) t.deepEqual(found({ nat: [forced + port, ...nat.slice(1)], filter: [line, out] }), [], line);
  }
  const told = ['input-rule-bypassed-by-dnat filter:INPUT:3'];
  t.deepEqual(found({ nat, filter: [opened.replace('192.168.1.1/32', '192.168.1.0/24'), out] }), told, 'it may be any of them');
  t.deepEqual(found({ nat, filter: [opened.replace('-i lan0', '-i wan0').replace('-d', '-s 192.168.1.9/32 -d'), '-A INPUT -i lan0 -p udp -m udp --dport 53 -j DROP', out] }), ['input-rule-bypassed-by-dnat filter:INPUT:4'], 'none that are translated');
  t.deepEqual(found({ nat, filter: [opened, '-A FORWARD -d 192.168.1.1/32 -i lan0 -j ACCEPT', out] }), told, 'FORWARD knows it as another host\'s');
  t.deepEqual(found({ nat: [...nat, '-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.1/32 -j MASQUERADE'], filter: [opened, out] }), told, 'and so does nat');
});

test('input-rule-bypassed-by-dnat: what passes with a mark that nobody gives passes not', t => {
  const nat = ['-A PREROUTING -i lan0 -p udp -m udp --dport 53 -j DNAT --to-destination 192.168.1.2', '-A POSTROUTING -s 192.168.1.0/24 -o wan0 -j MASQUERADE'];
  const filter = ['-A INPUT -d 192.168.1.1/32 -i lan0 -p udp -m udp --dport 53 -j ACCEPT', '-A FORWARD -i lan0 -o wan0 -m mark --mark 0x63 -j ACCEPT'];
  const bypassed = (lines: Lines): readonly string[] => found(lines).filter(one => one.startsWith('input-rule'));
  t.deepEqual(bypassed({ nat, filter }), []);
  t.deepEqual(bypassed({ nat, filter, mangle: ['-A PREROUTING -i lan0 -j MARK --set-mark 0x63'] }), ['input-rule-bypassed-by-dnat filter:INPUT:3']);
});

test('nat-shadowed: by another table or an exception it is another check that speaks, and by a duplicate as well', t => {
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth0 -j DNAT --to-destination 10.0.0.5', dnat], filter: ['-A FORWARD -i eth0 -j ACCEPT'] }), ['nat-shadowed nat:PREROUTING:2']);
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth0 -j ACCEPT', dnat], filter: ['-A FORWARD -i eth0 -j ACCEPT'] }), []);
  t.deepEqual(found({ nat: [dnat, dnat], filter: ['-A FORWARD -i eth0 -j ACCEPT'] }), []);
  t.deepEqual(found({ nat: ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 8000:8442 -j DNAT --to-destination 10.0.0.6', '-A PREROUTING -i eth0 -p tcp -m tcp --dport 8444:9000 -j DNAT --to-destination 10.0.0.6', dnat], filter: ['-A FORWARD -i eth0 -j ACCEPT'] }), []);
});

test('nat-shadowed: one that asks for the same is to be deleted, another to be moved; what docker does to itself is its own affair', t => {
  const all = '-A PREROUTING -i eth0 -p tcp -j DNAT --to-destination 10.0.0.5';
  const help = (to: string): string | undefined => findings({ nat: [all, `-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j DNAT --to-destination ${to}`], filter: ['-A FORWARD -i eth0 -j ACCEPT'] })[0]?.help;
  t.is(help('10.0.0.5'), 'delete the rule; what it asks for is done before it');
  t.is(help('10.0.0.25'), 'move it before nat:PREROUTING:1, or delete the one that is not meant');
  const container = (to: string): string => `-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination ${to}:80`;
  const nat = [...docker.slice(0, -1), container('172.17.0.2'), container('172.17.0.3')];
  t.deepEqual(found({ nat, filter: [published] }), []);
  t.deepEqual(found({ nat, filter: [published] }, { showGenerated: true }), ['nat-shadowed nat:DOCKER:2']);
});

test('nat-shadowed: POSTROUTING does not see the address that PREROUTING has rewritten', t => {
  const nat = ['-A PREROUTING -d 203.0.113.9/32 -j DNAT --to-destination 10.0.0.5'];
  const filter = ['-A FORWARD -d 10.0.0.5/32 -j ACCEPT'];
  const post = (to: string): Lines => ({ nat: [...nat, `-A OUTPUT -d 203.0.113.9/32 -j DNAT --to-destination 10.0.0.5`, `-A POSTROUTING -s 10.0.0.0/24 -d ${to} -j SNAT --to-source 10.0.0.1`], filter });
  t.deepEqual(found(post('203.0.113.9/32')), ['hairpin-missing nat:PREROUTING:1 info', 'nat-shadowed nat:POSTROUTING:1'], 'so that its people are not translated');
  t.deepEqual(found(post('10.0.0.5/32')), []);
});

test('redirect-loop: what is sent to web servers by anybody comes back to this host', t => {
  const toProxy = '-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128';
  const loops = (nat: readonly string[], more: Omit<Lines, 'nat'> = {}): readonly string[] => found({ nat, ...more }).filter(one => one.startsWith('redirect-loop'));
  const told = (position: number): readonly string[] => [`redirect-loop nat:OUTPUT:${String(position)} possible`];
  t.deepEqual(loops([toProxy]), told(1));
  t.regex(findings({ nat: [toProxy.replace('-m tcp --dport 80', '-m multiport --dports 80,443')] })[0]?.message ?? '', /^nothing on this host gets to ports 80 and 443 of any server: all is sent to 127\.0\.0\.1 port 3128, /u);
  t.regex(findings({ nat: [toProxy.replace('-p tcp', '-o eth0 -p tcp')] })[0]?.message ?? '', / of any server by eth0: /u);
  t.deepEqual(findings({ nat: [toProxy] })[0]?.witness?.map(step => step.in), ['local'], 'a packet shows it');
  for (const before of ['-o lo -j RETURN', '-d 192.168.0.0/16 -j RETURN', '-m addrtype --dst-type LOCAL -j RETURN', '-p udp -m owner --uid-owner 13 -j RETURN']) t.deepEqual(loops([`-A OUTPUT ${before}`, toProxy]), told(2), before);
  t.deepEqual(loops(['-A OUTPUT -p tcp -j proxy', toProxy.replace('OUTPUT', 'proxy')]), ['redirect-loop nat:proxy:1 possible']);
  t.deepEqual(loops([toProxy.replace('REDIRECT --to-ports 3128', 'DNAT --to-destination 127.0.0.1:3128')]), told(1));
});

test('redirect-loop: whoever may get out may be the proxy, and not every program that is sent to is one', t => {
  const toProxy = '-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128';
  const loops = (nat: readonly string[], more: Omit<Lines, 'nat'> = {}): readonly string[] => found({ nat, ...more }).filter(one => one.startsWith('redirect-loop'));
  const exempt = ['-m owner --uid-owner 13', '-m mark --mark 0xff', '-m cgroup --cgroup 7', '-d 203.0.113.5/32', '-s 192.0.2.2/32', '-m set --match-set upstream dst', '-m dscp --dscp 0x08'];
  for (const one of exempt) t.deepEqual(loops([`-A OUTPUT ${one} -j RETURN`, toProxy]), [], one);
  for (const one of ['-m owner ! --uid-owner 13', '-m owner --uid-owner 1000', '-o lo', '-d 203.0.113.80/32', '! -d 203.0.113.5/32']) t.deepEqual(loops([toProxy.replace('-p tcp', `${one} -p tcp`)]), [], one);
  t.deepEqual(loops([toProxy], { raw: ['-A OUTPUT -m owner --uid-owner 13 -j CT --notrack'] }), [], 'nat does not see it');
  for (const port of ['9040', '12345', '1080']) t.deepEqual(loops([toProxy.replace('3128', port)]), [], 'it sends all on to one server');
  t.deepEqual(loops([toProxy.replace(' -m tcp --dport 80', '')]), [], 'whatever it is for');
  for (const port of ['25', '53']) t.deepEqual(loops([toProxy.replace('--dport 80', `--dport ${port}`)]), [], 'it may be sent on in another way');
  for (const other of [toProxy.replace('OUTPUT', 'PREROUTING'), toProxy.replace('REDIRECT --to-ports 3128', 'DNAT --to-destination 10.0.0.5:3128')]) t.deepEqual(loops([other]), [], other);
  t.deepEqual(loops([toProxy], { filter: ['-A OUTPUT -p tcp -m tcp --dport 3128 -j DROP'] }), [], 'nothing comes to it');
});

test('redirect-loop: what a server inside asks others for comes by the same interface as what its clients ask', t => {
  const proxy = '-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:3128';
  const outward = '-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE';
  const inside = ['-A FORWARD -s 10.0.0.0/24 -i eth1 -j ACCEPT'];
  const loops = (nat: readonly string[], filter: readonly string[] = inside): readonly string[] =>
    findings({ nat, filter }).filter(one => one.check === 'redirect-loop').map(({ rule, severity, certainty }) => `${rule ?? ''} ${severity} ${certainty}`);
  const told = (position: number, severity = 'warning'): readonly string[] => [`nat:PREROUTING:${String(position)} ${severity} possible`];
  t.deepEqual(loops([proxy, outward]), told(1));
  const [one] = findings({ nat: [proxy, outward], filter: inside }).filter(({ check }) => check === 'redirect-loop');
  t.deepEqual(one?.witness?.map(({ in: from, packet }) => [from, packet['src'], packet['dport']]), [['eth1', '10.0.0.5', 80]]);
  t.deepEqual(loops([proxy, '-A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE']), told(1), 'how its clients get their answers is another matter');
  const back = '-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.5/32 -o eth1 -j SNAT --to-source 10.0.0.1';
  t.deepEqual(loops([proxy, back, '-A POSTROUTING -o eth0 -j MASQUERADE'], ['-A FORWARD -i eth1 -j ACCEPT']), told(1), 'what is sent to it leaves by eth1');
  t.deepEqual(loops([proxy, back.replace('eth1', 'eth2'), '-A POSTROUTING -o eth0 -j MASQUERADE'], ['-A FORWARD -i eth1 -j ACCEPT']), [], 'it is behind another');
  t.deepEqual(loops([proxy.replace('--dport 80', '--dport 53'), outward]), told(1, 'info'), 'a name server may ask in another way');
  t.deepEqual(loops([proxy.replace('-p tcp', '! -d 10.0.0.0/24 -p tcp'), '-A POSTROUTING -o eth0 -j MASQUERADE'], ['-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -i eth2 -j ACCEPT']), told(1, 'info'), 'it is in the network that the rule excepts');
  for (const except of ['! -s 10.0.0.5/32', '-s 10.0.0.64/26', '-m set --match-set clients src', '-d 203.0.113.9/32', '-m mark --mark 0x1']) t.deepEqual(loops([proxy.replace('-p tcp', `${except} -p tcp`), outward]), [], except);
  for (const before of ['-s 10.0.0.5/32 -j ACCEPT', '-s 10.0.0.4/31 -p tcp -j RETURN', '-d 203.0.113.9/32 -j RETURN', '-m mac --mac-source 02:00:00:00:00:05 -j RETURN']) t.deepEqual(loops([`-A PREROUTING ${before}`, proxy, outward]), [], before);
  t.deepEqual(loops(['-A PREROUTING -s 10.0.0.6/32 -j RETURN', proxy, outward]), told(2), 'another server');
  t.deepEqual(loops([proxy, outward], ['-A FORWARD -s 10.0.0.5/32 -j DROP', ...inside]), [], 'it may ask nobody');
  t.deepEqual(loops([proxy.replace('eth1', 'eth0'), outward]), [], 'a published service');
  t.deepEqual(loops([proxy.replaceAll('10.0.0.5', '10.1.0.5'), outward], [...inside, '-A FORWARD -s 10.1.0.0/24 -i eth2 -j ACCEPT']), [], 'a server behind another interface');
  t.deepEqual(loops([proxy, outward], [inside[0]?.replace('-j', '-o eth0 -j') ?? '']), [], 'nothing goes back there');
});
