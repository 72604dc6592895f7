/** filter-matches-pre-nat: what filter asks for that nat has rewritten by then. */
import test from 'ava';
import type { Finding } from '../../analyzer/finding.js';
import { findings, found, type Lines } from './nat-rules.js';

const dnat = '-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443';
const container = ['-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80'];
const toContainer = '-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT';

test('filter-matches-pre-nat: the address as it was, the port as it was, the jump to a chain', t => {
  const nat = ['-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443'];
  for (const line of ['-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT', '-A FORWARD -d 203.0.113.9/32 -i eth0 -p tcp -m multiport --dports 8443 -m conntrack --ctstate NEW -j ACCEPT']) t.deepEqual(found({ nat, filter: [line] }), ['filter-matches-pre-nat filter:FORWARD:3'], line);
  t.deepEqual(found({ nat: ['-A PREROUTING -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443'], filter: ['-A FORWARD -p tcp -m tcp --dport 8443 -j ACCEPT'] }), ['filter-matches-pre-nat filter:FORWARD:3']);
  t.deepEqual(found({ nat, filter: ['-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j web', '-A web -s 198.51.100.0/24 -p tcp -m tcp --dport 8443 -j ACCEPT'] }).slice(0, 1), ['filter-matches-pre-nat filter:FORWARD:3']);
});

test('filter-matches-pre-nat: what a network is mapped to is said of the addresses that the rule asks for', t => {
  const six = '*nat\n:PREROUTING ACCEPT\n-A PREROUTING -d 2001:db8:1::/64 -j NETMAP --to fd00:7::/64\nCOMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -d 2001:db8:1::9/128 -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n';
  const help = (lines: Lines | string): readonly string[] => findings(lines).filter(one => one.check === 'filter-matches-pre-nat').map(one => `${/to (\S+)$/u.exec(one.message)?.[1] ?? ''} ${/by then: (.*)$/u.exec(one.help)?.[1] ?? one.help}`);
  const nat = ['-A PREROUTING -d 203.0.113.0/24 -j NETMAP --to 10.0.7.0/24'];
  t.deepEqual(help({ nat, filter: ['-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 443 -j ACCEPT'] }), ['10.0.7.9 -d 10.0.7.9 -p tcp -m tcp --dport 443 -j ACCEPT']);
  t.deepEqual(help({ nat, filter: ['-A FORWARD -d 203.0.113.64/28 -p tcp -m tcp --dport 22 -j ACCEPT'] }), ['10.0.7.64-10.0.7.79 -m iprange --dst-range 10.0.7.64-10.0.7.79 -p tcp -m tcp --dport 22 -j ACCEPT']);
  t.deepEqual(help(six), ['fd00:7::9 -d fd00:7::9 -p tcp -m tcp --dport 80 -j ACCEPT']);
});

test('filter-matches-pre-nat: it matches what nat leaves alone', t => {
  const nat = ['-A PREROUTING -d 203.0.113.9/32 -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443'];
  const filter = (line: string): Lines => ({ nat, filter: ['-A FORWARD -d 10.0.0.5/32 -j ACCEPT', line] });
  for (const line of ['-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT', '-A FORWARD -d 203.0.113.0/24 -i eth0 -j ACCEPT', '-A FORWARD -i eth0 -p tcp -m tcp --dport 8443 -j ACCEPT', '-A FORWARD -d 203.0.113.9/32 -i eth0 -j DROP']) t.deepEqual(found(filter(line)), [], line);
  t.deepEqual(found({ raw: ['-A PREROUTING -s 198.51.100.0/24 -j CT --notrack'], ...filter('-A FORWARD -d 203.0.113.9/32 -i eth0 -p tcp -m tcp --dport 8443 -m conntrack --ctstate UNTRACKED -j ACCEPT') }), []);
});

test('filter-matches-pre-nat: an error where another thing happens, a warning where the same does', t => {
  const nat = ['-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443'];
  const severity = (...filter: readonly string[]): readonly string[] => findings({ nat, filter }).map(one => `${one.check} ${one.severity}`);
  const [named, open] = ['-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 8443', '-A FORWARD -d 10.0.0.5/32 -j ACCEPT'];
  t.deepEqual(severity(`${named} -j ACCEPT`), ['filter-matches-pre-nat error']);
  t.deepEqual(severity(`${named} -j ACCEPT`, open), ['filter-matches-pre-nat warning']);
  t.deepEqual(severity(`${named} -s 198.51.100.0/24 -j DROP`, open), ['filter-matches-pre-nat error']);
});

test('filter-matches-pre-nat: the help opens no more than the rule does', t => {
  const help = (rule: string, nat = '-A PREROUTING -d 203.0.113.9/32 -j DNAT --to-destination 10.0.0.5'): string | undefined => findings({ nat: [nat], filter: [`-A FORWARD ${rule} -j ACCEPT`] }).find(one => one.check === 'filter-matches-pre-nat')?.help.split(': ')[1];
  t.is(help('-d 203.0.113.9/32 -p tcp -m tcp --dport 443'), '-d 10.0.0.5 -p tcp -m tcp --dport 443 -j ACCEPT');
  t.is(help('-s 198.51.100.0/24 -d 203.0.113.9/32 -p tcp -m multiport --dports 80,443'), '-s 198.51.100.0/24 -d 10.0.0.5 -p tcp -m multiport --dports 80,443 -j ACCEPT');
  t.is(help('-d 203.0.113.9/32 -i eth0 -p tcp -m tcp --dport 8443', dnat.replace('-i eth0', '-d 203.0.113.9/32')), '-i eth0 -d 10.0.0.5 -p tcp -m tcp --dport 443 -j ACCEPT');
});

test('filter-matches-pre-nat: a rule for one server names interfaces too', t => {
  const nat = ['-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 2222 -j DNAT --to-destination 10.0.0.5:22', '-A POSTROUTING -o eth0 -j MASQUERADE'];
  const told = (line: string): readonly string[] => found({ nat, filter: ['-A FORWARD -i eth1 -j ACCEPT', line] });
  t.deepEqual(told('-A FORWARD -d 10.0.0.5/32 -i eth0 -o eth1 -p tcp -m tcp --dport 2222 -j ACCEPT').filter(one => one.startsWith('filter')), ['filter-matches-pre-nat filter:FORWARD:4 possible']);
  t.deepEqual(told('-A FORWARD -i eth0 -o eth1 -p tcp -m tcp --dport 2222 -j ACCEPT').filter(one => one.startsWith('filter')), [], 'that server may be behind another interface');
});

test('filter-matches-pre-nat: who names what comes of a translation is right, whatever becomes of it', t => {
  const nat = ['-A PREROUTING -i eth0 -p tcp -j DNAT --to-destination 10.0.0.5', '-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j DNAT --to-destination 10.0.0.25'];
  t.deepEqual(found({ nat, filter: ['-A FORWARD -d 10.0.0.5/32 -j ACCEPT', '-A FORWARD -d 10.0.0.25/32 -i eth0 -p tcp -m tcp --dport 25 -j ACCEPT'] }), ['nat-shadowed nat:PREROUTING:2']);
  const local = ['-A OUTPUT -d 127.0.0.1/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353'];
  t.deepEqual(found({ nat: local, filter: ['-A OUTPUT -d 127.0.0.1/32 -o lo -p udp -m udp --dport 53 -j ACCEPT'] }), ['filter-matches-pre-nat filter:OUTPUT:1']);
  t.deepEqual(found({ nat: local, filter: ['-A OUTPUT -d 127.0.0.1/32 -o lo -p udp -m udp --dport 5353 -j ACCEPT'] }), []);
});

test('filter-matches-pre-nat: a rule that is right already is not to be written again', t => {
  const nat = ['-A OUTPUT -d 127.0.0.1/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353'];
  const wrong = '-A OUTPUT -d 127.0.0.1/32 -o lo -p udp -m udp --dport 53 -j ACCEPT';
  const help = (...filter: readonly string[]): string | undefined => findings({ nat, filter })[0]?.help;
  t.is(help(wrong), 'ask for the address and port that packets have by then: -d 127.0.0.1 -p udp -m udp --dport 5353 -j ACCEPT');
  t.is(help(wrong, '-A OUTPUT -d 127.0.0.1/32 -o lo -p udp -m udp --dport 5353 -j ACCEPT'), 'delete it, if filter:OUTPUT:2 is for the same: that one asks for the address and port that packets have by then');
  t.regex(help(wrong, '-A OUTPUT -d 127.0.0.1/32 -o lo -p udp -m udp --dport 5354 -j ACCEPT', '-A OUTPUT -d 127.0.0.1/32 -o lo -p udp -m udp --dport 5353 -j DROP') ?? '', /^ask/u, 'another port, another verdict');
});

test('filter-matches-pre-nat: what is said of a published port in DOCKER-USER does not meet its connections, though maybe others', t => {
  const user = (...lines: readonly string[]): readonly Finding[] => findings({ nat: container, filter: [':DOCKER-USER - [0:0]', '-A FORWARD -j DOCKER-USER', '-A FORWARD -o docker0 -j DOCKER', toContainer, ...lines] }).filter(one => one.check === 'filter-matches-pre-nat');
  const said = (...lines: readonly string[]): readonly string[] => user(...lines).map(({ rule, severity, certainty, message }) => `${rule ?? ''} ${severity} ${certainty} ${/which (.*?):/u.exec(message)?.[1] ?? ''}`);
  t.deepEqual(said('-A DOCKER-USER -p tcp -m tcp --dport 8080 -j DROP'), ['filter:DOCKER-USER:1 warning possible pass']);
  t.deepEqual(said('-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m multiport --dports 443,8080 -j REJECT'), ['filter:DOCKER-USER:1 warning possible pass']);
  t.deepEqual(said('-A DOCKER-USER -s 198.51.100.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT', '-A DOCKER-USER -i eth0 -j DROP'), ['filter:DOCKER-USER:1 warning possible are dropped']);
  t.deepEqual(said('-A DOCKER-USER -s 198.51.100.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT'), [], 'these pass');
  t.deepEqual(said('-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL -j DROP', '-A DOCKER-USER -p tcp -m tcp --dport 8080 -j DROP'), [], 'they are dropped by another');
  t.deepEqual(said('-A DOCKER-USER -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j DROP', '-A DOCKER-USER -p tcp -m tcp --dport 8080 -j DROP'), []);
  t.deepEqual(said('-A DOCKER-USER -s 172.17.0.0/16 -p tcp -m tcp --dport 8080 -j DROP'), [], 'what containers ask for');
  t.deepEqual(said('-A DOCKER-USER -p tcp -m tcp --dport 8081 -j DROP', '-A DOCKER-USER -p udp -m udp --dport 8080 -j DROP'), []);
  t.deepEqual(said('-A DOCKER-USER -p tcp -m tcp --dport 1024:65535 -j DROP'), [], 'so many ports are no service');
  const [one] = user('-A DOCKER-USER -p tcp -m tcp --dport 8080 -j DROP');
  t.is(one?.help, 'ask for what the client asked for: -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL; or for what packets have by then: ! -i docker0 -d 172.17.0.2 -p tcp -m tcp --dport 80');
  t.deepEqual(one?.witness?.map(({ in: from, packet }) => [from, packet['dport']]), [['eth0', 8080]]);
});

test('filter-matches-pre-nat: a rule that is for something else is right, and who asks for the outer address names somebody', t => {
  const nat = ['-A PREROUTING -d 192.0.2.1/32 -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80'];
  const said = (lines: Lines): readonly string[] => found({ ...lines, filter: [...lines.filter ?? [], '-A FORWARD -d 10.0.0.0/24 -j ACCEPT'] });
  const missed = (severity: string): readonly string[] => [`filter-matches-pre-nat filter:FORWARD:3${severity} possible`];
  t.deepEqual(said({ nat, filter: ['-A FORWARD -p tcp -m tcp --dport 8080 -j DROP'] }), missed(' info'));
  t.deepEqual(said({ nat, filter: ['-A FORWARD -i eth0 -p tcp -m tcp --dport 8080 -j DROP'] }), missed(''));
  t.deepEqual(said({ nat, filter: ['-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 8080 -j DROP'] }), missed(''));
  t.deepEqual(said({ nat, filter: ['-A FORWARD -i eth1 -p tcp -m tcp --dport 8080 -j DROP'] }), [], 'by another interface');
  t.deepEqual(said({ nat, filter: ['-A FORWARD -o eth0 -p tcp -m tcp --dport 8080 -j DROP'] }), [], 'on the way out');
  t.deepEqual(said({ nat, filter: ['-A FORWARD -d 10.0.0.6/32 -p tcp -m tcp --dport 8080 -j DROP'] }), [], 'another server');
  t.deepEqual(said({ nat: [...nat, '-A PREROUTING -i eth0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.0.0.6:8080'], filter: ['-A FORWARD -p tcp -m tcp --dport 8080 -j DROP'] }), ['dnat-not-forwarded nat:PREROUTING:2'], 'it is for port 8080 of another server, which is published by 8081, and drops all of it');
  t.deepEqual(said({ nat, filter: ['-A FORWARD -s 203.0.113.0/24 -d 192.0.2.1/32 -j DROP'] }), missed(''), 'whoever is there gets to the server');
  t.deepEqual(said({ nat, filter: ['-A FORWARD -s 203.0.113.0/24 -d 192.0.2.2/32 -j DROP'] }), []);
  t.deepEqual(said({ nat, filter: ['-A FORWARD -i eth0 -j ACCEPT', '-A FORWARD -i eth0 -p tcp -m tcp --dport 8080 -j DROP'] }), [], 'nothing comes to it');
  t.deepEqual(said({ nat, filter: ['-A FORWARD -p tcp -j both', '-A INPUT -p tcp -j both', '-A both -p tcp -m tcp --dport 8080 -j DROP'] }), [], 'a service of this host');
  t.deepEqual(found({ nat, filter: ['-A FORWARD -s 198.51.100.0/24 -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT'] }), ['dnat-not-forwarded nat:PREROUTING:1'], 'nobody gets to the server');
  const some = { nat: nat.map(line => line.replace('192.0.2.1/32', '192.0.2.0/28')), filter: ['-A FORWARD -s 203.0.113.0/24 -d 192.0.2.1/32 -j DROP'] };
  t.deepEqual(said(some), missed(''));
  t.deepEqual(said({ ...some, mangle: ['-A PREROUTING -s 203.0.113.0/24 -d 192.0.2.1/32 -j DROP'] }), [], 'they do not get so far');
  t.deepEqual(said({ nat: ['-A PREROUTING -d 192.0.2.1/32 -p tcp -j REDIRECT'], filter: ['-A INPUT -s 203.0.113.0/24 -d 192.0.2.1/32 -j DROP', '-A INPUT -p tcp -j ACCEPT'] }), [], 'that may be the address that they get');
  t.deepEqual(said({ nat: ['-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128'], filter: ['-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 80 -j DROP', '-A INPUT -p tcp -m tcp --dport 3128 -j ACCEPT'] }), ['filter-matches-pre-nat filter:INPUT:3 info possible'], 'the proxy takes them all');
});
