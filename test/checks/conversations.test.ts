/** Checks of conversations: rule sets in which they must speak, and others that look the same and are right. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { found, host, known, lo, shown } from './talking-hosts.js';

test('one cause of lost ICMP errors is told once', t => {
  const both = (...rules: readonly string[]): string[] => [...found('icmp-errors-dropped', host(...rules)), ...found('related-missing', host(...rules))];
  const web = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  t.deepEqual(both(lo, known, web), []);
  t.deepEqual(both(lo, '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', web), ['warning filter:INPUT:2']);
  t.deepEqual(both(lo, '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A INPUT -p icmp -j ACCEPT', web), []);
  t.deepEqual(both(lo, '-A INPUT -p icmp -m icmp ! --icmp-type 8 -j DROP', known, web), ['warning filter:INPUT:2']);
  t.deepEqual(both(lo, '-A INPUT -p icmp -m icmp --icmp-type 5 -j DROP', known, web), [], 'redirects only');
  const eth0 = '-A INPUT -i eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  t.deepEqual(both(lo, eth0, web), ['info'], 'nobody knows that there is another interface');
  const [lost] = analyze({ path: 'talk.rules', text: host(lo, eth0, web) }).findings.filter(({ check }) => check === 'icmp-errors-dropped');
  t.deepEqual(lost?.witness?.map(step => step.in), ['eth1', 'local', 'eth1'], 'it is none of containers that is shown');
  t.deepEqual(both(lo, '-A INPUT -i docker0 -j ACCEPT', '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A INPUT -p icmp -j DROP', web), ['warning filter:INPUT:3'], 'the internet is behind the one that is not named');
  t.deepEqual(both(lo, '-A INPUT -i eth1 -j ACCEPT', '-A INPUT -i eth0 -p icmp -j DROP', known, '-A INPUT -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT'), ['warning filter:INPUT:3'], 'on one of two links');
});

test('related-missing: a router says itself that a packet is too large for the next link', t => {
  const told = (output: readonly string[], ...forward: readonly string[]): string[] => found('related-missing', `*nat\n-A POSTROUTING -o ppp0 -j MASQUERADE\nCOMMIT\n${host(lo, known, '-A OUTPUT -o lo -j ACCEPT', ...output, ...forward).replace('OUTPUT ACCEPT', 'OUTPUT DROP')}`);
  const through = ['-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i eth1 -o ppp0 -j ACCEPT'];
  const out = '-A OUTPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT';
  t.deepEqual(told([out], ...through), ['info filter:OUTPUT:2']);
  t.deepEqual(told([out.replace('OUTPUT', 'OUTPUT -o ppp0'), '-A OUTPUT -o eth1 -j ACCEPT'], ...through), ['info filter:OUTPUT:2'], 'those for people inside get out');
  t.deepEqual(told([out.replace('NEW', 'NEW,RELATED')], ...through), []);
  t.deepEqual(told([out, '-A OUTPUT -p icmp -j ACCEPT'], ...through), []);
  t.deepEqual(told([out.replace('-m', '-p tcp -m')], ...through), [], 'it is for TCP: nothing says that it is to let errors out');
  t.deepEqual(told([out]), [], 'nothing passes');
});

test('routers anywhere send errors: those of trusted ones do not help', t => {
  const web = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  const told = (...rules: readonly string[]): readonly string[] => found('icmp-errors-dropped', host(lo, ...rules, '-A INPUT -p icmp -j DROP', known, web));
  for (const trusted of ['10.0.0.5/32', '10.0.0.0/8', '198.51.100.0/24']) t.deepEqual(told(`-A INPUT -s ${trusted} -p icmp -j ACCEPT`), ['warning filter:INPUT:3'], trusted);
  t.deepEqual(told('-A INPUT -s 10.0.0.5/32 -p icmp -j DROP', '-A INPUT -p icmp -j ACCEPT'), [], 'one is left out');
  t.deepEqual(told('-A INPUT -s 128.0.0.0/1 -p icmp -j ACCEPT', '-A INPUT -s 0.0.0.0/1 -p icmp -j ACCEPT'), [], 'half the world by each of two rules');
  t.deepEqual(found('related-missing', host(lo, '-A INPUT -s 10.0.0.5/32 -j ACCEPT', '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', web)), ['warning filter:INPUT:3']);
  const inner = '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 443 -j ACCEPT';
  const closed = host(lo, '-A INPUT -s 10.0.0.0/8 -p icmp -j ACCEPT', '-A INPUT -p icmp -j DROP', inner, '-A OUTPUT -d 10.0.0.0/8 -j ACCEPT').replace('OUTPUT ACCEPT', 'OUTPUT DROP');
  t.deepEqual(found('icmp-errors-dropped', closed), [], 'it talks to nobody else');
  const lan = '-A INPUT ! -i eth1 -p icmp -j ACCEPT\n-A INPUT -i eth1 -s 10.0.0.0/8 -p icmp -j ACCEPT\n-A INPUT -p icmp -j DROP';
  t.deepEqual(found('icmp-errors-dropped', `*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n${host(lo, lan, known, web)}`), [], 'no stranger is behind eth1');
  t.truthy(shown('icmp-errors-dropped', host(lo, '-A INPUT -s 198.51.100.0/24 -p icmp -j ACCEPT', '-A INPUT -p icmp -j DROP', known, web)), 'a stranger outside of that network sends it');
});

test('UDP services of which an answer is expected, where OUTPUT lets none pass', t => {
  const told = (...ports: readonly number[]): readonly string[] => ports.flatMap(port => found('missing-established-return', host(lo, known, `-A INPUT -p udp -m udp --dport ${String(port)} -j ACCEPT`, '-A OUTPUT -o lo -j ACCEPT').replace(':OUTPUT ACCEPT', ':OUTPUT DROP')));
  t.is(told(53, 88, 111, 389, 443, 1812, 2049, 5060).length, 8);
  t.deepEqual(told(514, 162, 2055), [], 'syslog, traps and flow records go one way');
});

test('a client of DHCPv6 asks a group, and a server answers from an address of its own', t => {
  const six = (rule: string, ...rules: readonly string[]): readonly string[] => found('missing-established-return', host(lo, known, '-A INPUT -p ipv6-icmp -j ACCEPT', ...rules, `-A OUTPUT ${rule} -j ACCEPT`), { family: 'ipv6' });
  const asks = '-p udp -m udp --sport 546 --dport 547';
  t.deepEqual(six(asks), ['warning filter:OUTPUT:1']);
  t.deepEqual(six(`-d ff02::1:2/128 ${asks}`), ['warning filter:OUTPUT:1']);
  t.deepEqual(six('-p udp -m udp --dport 547'), ['warning filter:OUTPUT:1']);
  t.deepEqual(six(asks, '-A INPUT -s fe80::/10 -p udp -m udp --dport 546 -j ACCEPT'), []);
  t.deepEqual(six(asks, '-A INPUT -i eth0 -p udp -m udp --sport 547 --dport 546 -m conntrack --ctstate NEW -j ACCEPT'), []);
  t.deepEqual(six(asks, '-A INPUT -p udp -m udp --dport 546 -m conntrack --ctstate ESTABLISHED -j ACCEPT'), ['warning filter:OUTPUT:1'], 'it is NEW');
  t.deepEqual(six('-p udp'), [], 'who knows whether there is a client');
  t.deepEqual(six('-p udp -m udp --sport 547 --dport 546'), [], 'a server');
  t.deepEqual(six('-p udp -m udp --dport 547', '-A INPUT -p udp -m udp --dport 547 -j ACCEPT'), [], 'a relay');
  t.deepEqual(six('-d 2001:db8::5/128 -p udp -m udp --dport 547'), [], 'one server, whose answers are ESTABLISHED');
  t.truthy(shown('missing-established-return', `# Generated by ip6tables-save v1.8.9\n${host(lo, known, `-A OUTPUT ${asks} -j ACCEPT`)}`));
});

test('helpers, and what they announce', t => {
  const raw = (rule: string): string => `*raw\n-A PREROUTING ${rule}\nCOMMIT\n`;
  const strict = [lo, '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 21,22 -j ACCEPT'];
  const ftp = raw('-p tcp -m tcp --dport 21 -j CT --helper ftp');
  const waits = '-A INPUT -p tcp -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT';
  t.deepEqual(found('helper-without-related', ftp + host(...strict)), ['warning raw:PREROUTING:1']);
  t.deepEqual(found('helper-without-related', ftp + host(...strict, waits)), []);
  t.deepEqual(found('helper-without-related', ftp + host(lo, known)), [], 'nothing comes in to FTP');
  t.deepEqual(found('helper-without-related', raw('-p udp -m udp --dport 69 -j CT --helper tftp') + host(...strict, '-A INPUT -p udp -m udp --dport 69 -j ACCEPT')), [], 'TFTP answers on its own, and OUTPUT lets it');
  t.deepEqual(found('related-without-helper', host(...strict, waits)), ['warning filter:INPUT:5']);
  t.deepEqual(found('related-without-helper', ftp + host(...strict, waits)), []);
  t.deepEqual(found('related-without-helper', host(...strict, waits.replace(' -m helper --helper ftp', ''))), ['info filter:INPUT:5']);
  t.deepEqual(found('related-without-helper', host(lo, '-A INPUT -p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT')), [], 'what is ESTABLISHED passes by it');
  const led = (...rules: readonly string[]): readonly string[] => found('related-without-helper', host(':data - [0:0]', ':ports - [0:0]', ...strict, ...rules));
  const leads = '-A INPUT -m conntrack --ctstate RELATED -j data';
  t.deepEqual(led(leads, '-A data -p icmp -j ACCEPT', '-A data -j ports', '-A ports -p tcp -m tcp --dport 1024:65535 -j ACCEPT'), ['info filter:ports:1'], 'RELATED is asked for by the jump');
  t.deepEqual(found('related-without-helper', host(':data - [0:0]', lo, leads, '-A data -j ACCEPT')), [], 'ICMP errors come there as well');
  t.deepEqual(led(leads, '-A INPUT -s 192.0.2.1/32 -j data', '-A data -p tcp -j ACCEPT'), [], 'so do others');
  t.deepEqual(found('related-without-helper', host(...strict, waits), { host: () => ({ sysctls: { 'net.netfilter.nf_conntrack_helper': 1 } }) }), [], 'an old kernel attaches helpers by itself');
  t.deepEqual(found('dead-state-match', host(...strict, waits)), [], 'it is told once');
});

test('what a helper expects goes to a port of the client, and is lost where nat translates others', t => {
  const gateway = (...out: readonly string[]): string => `*raw\n-A PREROUTING -i eth1 -p udp -m udp --dport 69 -j CT --helper tftp\nCOMMIT\n*nat\n-A POSTROUTING -s 10.99.0.0/24 -o eth0 -j SNAT --to-source 192.168.1.4\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -i eth1 -p udp -m udp --dport 69 -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n${out.map(rule => `-A OUTPUT ${rule} -j ACCEPT\n`).join('')}COMMIT\n`;
  const lost = (...out: readonly string[]): readonly string[] => found('helper-without-related', gateway(...out));
  t.deepEqual(lost(), ['warning raw:PREROUTING:1']);
  t.deepEqual(lost('-o eth1 -p udp -m udp --sport 67 --dport 68', '-o eth0 -p udp -m multiport --dports 53,123,1194'), ['warning raw:PREROUTING:1'], 'other services');
  t.deepEqual(lost('-o eth1 -p udp -m udp --dport 1024:65535'), []);
  t.deepEqual(lost('-m conntrack --ctstate RELATED'), []);
});

test('SYNPROXY must hear of the clients whom it answers', t => {
  const web = (before: string, states = 'INVALID,UNTRACKED', ...more: readonly string[]): readonly string[] => found('notrack-state-conflict', `*raw\n-A PREROUTING -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -j CT --notrack\nCOMMIT\n*mangle\n${before}COMMIT\n`
    + host(lo, known, ...more, `-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate ${states} -j SYNPROXY --mss 1460`, '-A INPUT -m conntrack --ctstate INVALID -j DROP', '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT'));
  const invalid = '-A PREROUTING -m conntrack --ctstate INVALID -j DROP\n';
  t.deepEqual(web(''), []);
  t.deepEqual(web(invalid), ['error filter:INPUT:3']);
  t.deepEqual(web(invalid.replace('-m', '-p udp -m')), [], 'other packets');
  t.deepEqual(web(invalid.replace('-m', '-i eth1 -m')), [], 'of some people');
  t.deepEqual(web('', 'UNTRACKED'), ['error filter:INPUT:3'], 'it does not ask for them');
  t.deepEqual(web('', 'NEW,UNTRACKED'), [], 'as nf_conntrack_tcp_loose has it');
  t.deepEqual(web('', 'INVALID,UNTRACKED', '-A INPUT -m conntrack --ctstate INVALID -j DROP'), ['error filter:INPUT:4']);
});

test('a rule whose packets under way others take first is told of with these, and no rule is redundant by it', t => {
  const ssh = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';
  const established = '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT';
  const icmp = '-A INPUT -p icmp -j ACCEPT';
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host(...rules) }).findings.filter(one => ['dead-state-match', 'redundant-rule'].includes(one.check))
    .map(({ check, rule, because, help }) => `${check} ${rule ?? ''} by ${because.map(one => one.rule.replace('filter:INPUT:', '')).join(',')}: ${help.split(/[;(]/u)[0] ?? ''}`);
  t.deepEqual(told(lo, icmp, established, ssh, known), ['dead-state-match filter:INPUT:5 by 2,3: delete the rule']);
  t.deepEqual(told(lo, established.replace('ACCEPT', 'DROP'), icmp, ssh, known), ['dead-state-match filter:INPUT:5 by 2,3: move it before rule 2, or delete it']);
  t.deepEqual(told(':icmp - [0:0]', '-A INPUT -p icmp -j icmp', established, ssh, known, '-A icmp -j ACCEPT'), ['dead-state-match filter:INPUT:4 by 1,2,filter:icmp:1: delete the rule']);
  t.deepEqual(told(lo, established, ssh, known), ['redundant-rule filter:INPUT:2 by 4: delete it, or keep it for its counters or as a word to the reader'], 'ICMP errors are left');
  t.deepEqual(told(lo, ...['RELATED', 'RELATED,ESTABLISHED'].map(states => `-A FORWARD -m conntrack --ctstate ${states} -j ACCEPT`)), [1, 2].map(at => `dead-state-match filter:FORWARD:${String(at)} by : let the first packets of such connections in `), 'nothing begins');
});

test('a rule that keeps connections from beginning takes none of their packets', t => {
  const text = '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j DROP\n-A FORWARD ! -p tcp -m conntrack --ctstate NEW,INVALID,UNTRACKED -j DROP\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n';
  t.deepEqual(analyze({ path: 'x.rules', text }).findings.filter(one => one.check === 'dead-state-match').map(({ rule, because }) => [rule, because]), [['filter:FORWARD:3', []]]);
});

test('who is let through to the internet and gets no answer from there is told of, though others would be answered', t => {
  const outside = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host(lo, known, ...rules) }).findings.filter(one => one.check === 'missing-established-return')
    .map(({ severity, certainty, rule, message, witness }) => `${severity} ${certainty} ${rule ?? ''} ${message.endsWith('by eth0') ? 'eth0' : message} ${witness?.[0]?.packet['dport'] === 443 ? '443' : ''}`);
  const both = ['-A FORWARD -i br0 -j ACCEPT', '-A FORWARD -o br0 -j ACCEPT'];
  t.deepEqual(outside('-A FORWARD -i eth0 -j DROP', ...both), ['warning certain filter:FORWARD:2 eth0 443']);
  t.deepEqual(outside('-A FORWARD ! -s 198.51.100.0/24 -i eth0 -j DROP', ...both), ['warning possible filter:FORWARD:2 eth0 443'], 'all but a few are kept out, and maybe these alone are meant');
  t.deepEqual(outside('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i eth0 -j DROP', ...both), []);
  t.deepEqual(outside('-A FORWARD -s 198.51.100.0/24 -i eth0 -j DROP', ...both), [], 'a few are kept out');
  t.deepEqual(outside('-A FORWARD -s 10.0.0.0/8 -i eth0 -j DROP', '-A FORWARD -s 192.0.2.0/24 -i eth0 -j DROP', ...both), [], 'who lies about where he is');
  t.deepEqual(outside('-A FORWARD -i eth0 -j DROP', '-A FORWARD -i br0 ! -o eth0 -j ACCEPT', '-A FORWARD -o br0 -j ACCEPT'), [], 'nobody goes there');
});

test('rules that wait for several helpers are told of once, and as an info where a program wrote them', t => {
  const waits = ['ftp', 'irc', 'sip'].map(helper => `-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -m helper --helper ${helper} -j ACCEPT`);
  const told = (...more: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host(lo, ...waits, ...more) }).findings.filter(one => one.check === 'related-without-helper').map(({ severity, message }) => `${severity}: ${message}`);
  t.deepEqual(told(), ['warning: this rule and 2 more wait for connections that the helpers ftp, irc, sip announce, and no rule attaches them: since Linux 6.0 nothing else does']);
  t.deepEqual(told('-A INPUT -m limit --limit 1/sec -j LOG --log-prefix "IN-unknown:"').map(one => one.slice(0, 4)), ['info'], 'FireHOL');
});

test('a helper of no use is shown by the talk in which it hears of the data, which are RELATED and lost', t => {
  const raw = (rule: string): string => `*raw\n-A ${rule} -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n`;
  const strict = (chain: string): string => `-A ${chain} -m conntrack --ctstate ESTABLISHED -j ACCEPT`;
  const last = (text: string): string | undefined => shown('helper-without-related', text)?.at(-1);
  t.is(last(raw('PREROUTING') + host(lo, strict('INPUT'), '-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT')), 'RELATED filter:INPUT:policy');
  t.is(last(raw('PREROUTING -i eth1') + host(lo, known, strict('FORWARD'), '-A FORWARD -i eth1 -p tcp -m tcp --dport 21 -j ACCEPT')), 'RELATED filter:FORWARD:policy');
  const out = host(lo, known, strict('OUTPUT'), '-A OUTPUT -p tcp -m tcp --dport 21 -j ACCEPT').replace('OUTPUT ACCEPT', 'OUTPUT DROP');
  t.is(last(raw('OUTPUT') + out), 'RELATED filter:OUTPUT:policy');
  t.is(last(raw('PREROUTING') + host(lo, strict('INPUT'), '-A INPUT -p tcp --syn --dport 21 -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED -j DROP')), 'RELATED filter:INPUT:4');
});

test('a rule that waits for a helper in vain is shown by the talk of which nobody tells it', t => {
  const rules = (chain: string, waits = ''): string => host(lo, ...chain === 'INPUT' ? [] : [known], `-A ${chain} -m conntrack --ctstate ESTABLISHED -j ACCEPT`, `-A ${chain} -p tcp -m conntrack --ctstate RELATED -m helper --helper ftp ${waits} -j ACCEPT`, `-A ${chain} -p tcp -m tcp --dport 21 -j ACCEPT`);
  const last = (text: string): string | undefined => shown('related-without-helper', text)?.at(-1);
  t.is(last(rules('INPUT')), 'NEW filter:INPUT:policy');
  t.is(last(rules('FORWARD', '-i eth1 -d 10.1.0.0/16')), 'NEW filter:FORWARD:policy');
  t.is(last(rules('INPUT', '-s 10.0.0.0/8')), 'NEW filter:INPUT:policy');
  const [ports] = analyze({ path: 'x.rules', text: rules('INPUT').replace('--dport 21', '--dport 2:400') }).findings.filter(one => one.check === 'related-without-helper').map(({ witness }) => witness?.map(({ packet: { dport } }) => dport));
  t.deepEqual(ports, [21, 40_000, 21, 40_000, 40_000, 50_000]);
  t.is(last(rules('INPUT', '-m tcp --dport 1024:2000')), undefined, 'that is not the port of the talk');
});

test('FTP sessions without data connections', t => {
  const input = (...rules: readonly string[]): readonly string[] => found('ftp-data-blocked', host(lo, known, ...rules));
  const session = '-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT';
  t.deepEqual(input(session), ['info filter:INPUT:3']);
  t.deepEqual(input('-A INPUT -p tcp -m multiport --dports 20,21,80 -j ACCEPT'), ['info filter:INPUT:3']);
  t.deepEqual(input(session, '-A INPUT -p tcp -m tcp --dport 50000:50100 -j ACCEPT'), [], 'passive ports are open');
  t.deepEqual(input('-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 21 -j ACCEPT', '-A INPUT -s 192.0.2.0/24 -j ACCEPT'), [], 'who may log in may do all');
  t.deepEqual(input('-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 21 -j ACCEPT', '-A INPUT -s 192.0.2.8/32 -j ACCEPT'), ['info filter:INPUT:3'], 'somebody else may');
  t.deepEqual(input('-A INPUT -p tcp -m tcp --dport 20:1024 -j ACCEPT'), [], 'a rule for many ports is not for FTP');
  t.deepEqual(found('ftp-data-blocked', `*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n${host(lo, known, session)}`), [], 'the helper announces them');
  const inner = '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 21 -j ACCEPT';
  t.deepEqual(found('ftp-data-blocked', host(lo, known, inner)), ['info filter:FORWARD:1']);
  t.deepEqual(found('ftp-data-blocked', host(lo, known, inner, '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT')), [], 'what is published may be the data');
});

test('a port is opened for the protocol that its service does not speak', t => {
  const other = (...lines: readonly string[]): readonly string[] => found('other-protocol', host(lo, known, ...lines));
  const told = ['warning filter:INPUT:3'];
  const opens = (protocol: string, port: string): string => `-A INPUT -p ${protocol} -m ${protocol} --dport ${port} -j ACCEPT`;
  t.deepEqual(other(opens('tcp', '51820')), told);
  t.deepEqual(other(opens('tcp', '51820'), opens('udp', '51820')), [], 'both are opened');
  t.deepEqual(other(opens('tcp', '51820'), '-A INPUT -s 203.0.113.0/24 -p udp -j ACCEPT'), [], 'for some it is');
  t.deepEqual(other('-A INPUT -i wg0 -p tcp -m multiport --dports 22,123 -j ACCEPT', '-A INPUT -i eth0 -p udp -m udp --dport 123 -j ACCEPT'), told, 'by another interface');
  t.deepEqual(other('-A INPUT -p tcp -m multiport --dports 69,123 -j ACCEPT'), [...told, ...told], 'two services');
  t.deepEqual(other(opens('udp', '22')), told);
  t.deepEqual(other(opens('tcp', '10000:20000')), [], 'FTP may send its data by these');
  t.deepEqual(other(opens('tcp', '10000:20000'), opens('udp', '5060')), told, 'calls');
  t.deepEqual(other(opens('tcp', '51820'), opens('tcp', '51820').replace('-p', '-s 10.0.0.0/8 -p')), told, 'one of two rules is told, with the other');
  t.deepEqual(other(opens('tcp', '53')), ['info filter:INPUT:3']);
  for (const fine of [[opens('tcp', '53').replace('-p', '-s 192.0.2.7/32 -p')], [opens('tcp', '53'), opens('udp', '53')]]) t.deepEqual(other(...fine), [], 'a zone is copied, or both pass');
  for (const [protocol, port] of [['tcp', '22'], ['tcp', '10000:10100'], ['tcp', '1194'], ['tcp', '100:200'], ['udp', '443'], ['udp', '60000:61000']] as const) t.deepEqual(other(opens(protocol, port)), [], `${protocol}/${port}`);
  t.deepEqual(other(opens('tcp', '123').replace('ACCEPT', 'DROP')), [], 'closed');
  t.deepEqual(other(opens('tcp', '123').replace('-j', '-m conntrack --ctstate ESTABLISHED -j')), [], 'nothing begins');
  const group = '-A INPUT -d 224.0.0.18/32 -p udp -j ACCEPT';
  t.deepEqual(other(group), told);
  t.deepEqual(other(group, group.replace('udp', 'vrrp')), []);
  t.deepEqual(other(group.replace('.18/32', '.251/32')), [], 'mDNS');
  t.deepEqual(found('other-protocol', host(lo, known, opens('tcp', '51820')).replace(':INPUT DROP', ':INPUT ACCEPT')), [], 'nothing is closed');
  t.truthy(shown('other-protocol', host(lo, known, opens('tcp', '51820'))));
});

test('what drops replies or lo in another table is to be mended there', t => {
  const help = (drop: string, check = 'missing-established-return'): string | undefined => analyze({ path: 'x.rules', text: `*mangle\n${drop}\nCOMMIT\n${host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')}` })
    .findings.find(one => one.check === check)?.help;
  t.is(help('-A OUTPUT -m conntrack --ctstate ESTABLISHED -j DROP'), 'let replies pass in front of mangle:OUTPUT:1; no rule of table filter can');
  t.is(help('-A OUTPUT -o lo -j DROP', 'loopback-blocked'), 'let what goes over lo pass in front of mangle:OUTPUT:1; no rule of table filter can');
  t.is(help('-A OUTPUT -p udp -j DROP'), undefined);
});

test('lost pings are an error of a rule for pings, and worth knowing of a rule for more', t => {
  const gateway = (...rules: readonly string[]): string => ['*filter', ':FORWARD DROP [0:0]', ...rules, '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i eth1 -o eth0 -j lan', ':lan - [0:0]', '-A lan -j ACCEPT', 'COMMIT', ''].join('\n');
  const lost = (text: string): string[] => found('missing-established-return', text);
  t.deepEqual(lost(gateway('-A FORWARD -i eth0 -p icmp -j DROP')), ['info filter:FORWARD:3']);
  t.deepEqual(lost(gateway('-A FORWARD -i eth0 -p icmp -j DROP').replace('-o eth0 -j lan', '-o eth0 -p icmp -j lan')), ['error filter:FORWARD:3'], 'only pings come to it');
  t.deepEqual(lost(gateway('-A FORWARD -i eth0 -j DROP')), ['error filter:FORWARD:3'], 'nothing gets back');
});

/** INPUT and OUTPUT drop by default, and lo passes. */
function closed(...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP', ':FORWARD DROP', ':OUTPUT DROP', lo, '-A OUTPUT -o lo -j ACCEPT', ...rules, 'COMMIT', ''].join('\n');
}

const ssh = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';
const answers = '-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT';

test('where some replies are lost, it says to whom, and whether they are everyday clients', t => {
  const lost = (...rules: readonly string[]): string[] => analyze({ path: 'talk.rules', text: closed(...rules) }).findings.flatMap(({ check, severity, message }) => check === 'missing-established-return' ? [`${severity}: ${/lost are (.*)$/u.exec(message)?.[1] ?? message}`] : []);
  t.deepEqual(lost(ssh, answers), []);
  t.deepEqual(lost(ssh, '-A OUTPUT -p tcp -m tcp --sport 22 --dport 1024:40000 -j ACCEPT'), ['warning: all except sport 1024:40000']);
  t.deepEqual(lost(ssh, '-A OUTPUT -p tcp -m tcp --sport 22 --dport 1024:65535 -j ACCEPT'), ['info: all except sport 1024:65535'], 'no everyday client has such a port');
  t.deepEqual(lost(ssh, '-A OUTPUT -p tcp -m tcp --dport 25 -j DROP', answers), [], 'nobody begins a connection from there');
  t.deepEqual(lost(ssh, '-A OUTPUT -p tcp -m tcp --dport 600:700 -j DROP', answers), ['info: those to packets with sport 600:700'], 'rsh, NFS');
  t.deepEqual(lost(ssh, '-A OUTPUT -d 203.0.113.0/24 -j DROP', answers), ['warning: those to packets with src 203.0.113.0/24']);
  t.deepEqual(lost('-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -d 203.0.113.0/24 -j DROP', answers), [], 'the rule admits nobody from there');
  t.deepEqual(lost(ssh, '-A OUTPUT -d 10.0.0.0/8 -j DROP', answers), ['info: those to packets with src 10.0.0.0/8'], 'private networks are kept away on purpose, mostly');
  t.deepEqual(lost(ssh, '-A OUTPUT -m iprange --dst-range 10.0.0.0-10.9.255.255 -j DROP', answers).map(one => one.slice(0, 5)), ['info:'], 'in other words');
  const elsewhere = (guard: string): string[] => found('missing-established-return', `*mangle\n:bogons - [0:0]\n-A POSTROUTING ${guard} -j bogons\n-A bogons -j DROP\nCOMMIT\n${host(lo, known, ssh)}`);
  t.deepEqual(elsewhere('-d 192.168.0.0/16'), ['info filter:INPUT:3'], 'by the rule that leads there');
  t.deepEqual(elsewhere('-d 198.51.100.0/24'), ['warning filter:INPUT:3']);
  t.deepEqual(lost(ssh, '-A OUTPUT -o eth0 -m conntrack --ctstate ESTABLISHED -j ACCEPT'), ['info: all except in eth0'], 'nobody knows whether there is another interface');
  t.deepEqual(lost(ssh, '-A OUTPUT -s 192.0.2.1/32 -p tcp -m tcp --sport 22 -j ACCEPT'), [], 'nobody knows whether the host has another address');
  t.deepEqual(lost('-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'), [], 'a blocklist of servers');
  t.deepEqual(lost(ssh, '-A OUTPUT -m mark --mark 0x1 -j DROP', '-A OUTPUT -m ttl --ttl-lt 5 -j DROP', '-A OUTPUT -m length --length 3000: -j DROP', answers), [], 'what no ordinary packet has');
  t.deepEqual(lost(ssh, '-A OUTPUT -m limit --limit 5/min -j DROP', answers), [], 'maybe, maybe not');
});

test('a list of unwanted people hides neither lost replies nor lost answers', t => {
  const lost = (...rules: readonly string[]): string[] => analyze({ path: 'talk.rules', text: closed(...rules) }).findings.flatMap(({ check, severity, message }) => check === 'missing-established-return' ? [`${severity}: ${/lost are (.*)/u.exec(message)?.[1] ?? message}`] : []);
  for (const unwanted of ['-m set --match-set unwanted src', '-m recent --rcheck --name unwanted --rsource']) {
    const list = `-A INPUT ${unwanted} -j DROP`;
    t.deepEqual(lost(list, '-A INPUT -p tcp -m tcp --sport 443 -j ACCEPT', '-A INPUT -p icmp -j ACCEPT', '-A OUTPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT'), ['warning: all except dport 443']);
    t.deepEqual(lost(list, ssh, '-A OUTPUT -p tcp -m tcp --sport 22 --dport 1024:40000 -j ACCEPT'), ['warning: all except sport 1024:40000']);
  }
});

test('a rule for odd packets only is asked about, though no everyday reply is lost', t => {
  const lost = (first: string, ...rules: readonly string[]): string[] => [...found('missing-established-return', first + host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', ...rules))];
  const closed = '-A OUTPUT -p tcp -m tcp --sport 23 -j DROP';
  const near = '-A INPUT -p tcp -m tcp --dport 23 -m ttl --ttl-eq 1 -j ACCEPT';
  t.deepEqual(lost('', near, closed), ['error filter:INPUT:4']);
  t.deepEqual(lost('', near), []);
  const exempt = '*raw\n-A PREROUTING -p tcp -m tcp --dport 23 -j NOTRACK\n-A OUTPUT -p tcp -m tcp --sport 23 -j NOTRACK\nCOMMIT\n';
  const untracked = ['-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT', '-A OUTPUT -m conntrack ! --ctstate NEW,ESTABLISHED -j DROP'];
  t.deepEqual(lost(exempt, ...untracked), ['error filter:INPUT:4']);
  t.deepEqual(lost('', ...untracked), []);
});

test('who asks behind the interface by which he came, and is masqueraded, is answered there', t => {
  const text = '*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -o eth0 -m conntrack --ctstate ESTABLISHED -j DROP\n-A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n';
  const { findings, internalErrors } = analyze({ path: 'talk.rules', text });
  const [lost] = findings.filter(({ check }) => check === 'missing-established-return');
  t.deepEqual(internalErrors, []);
  t.is(lost?.rule, 'filter:FORWARD:2');
  t.deepEqual(lost?.witness?.map(({ in: from, packet: { src, sport, dst, dport } }) => [from, src, sport, dst, dport]), [['eth0', '198.51.100.7', 40_000, '192.0.2.1', 22], ['eth0', '192.0.2.1', 22, '203.0.113.139', 40_000]]);
});

test('one rule that drops replies is told once, and a missing rule for replies of each rule that misses it', t => {
  const web = '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT';
  const told = (...rules: readonly string[]): string[] => found('missing-established-return', closed(...rules));
  t.deepEqual(told(ssh, web, '-A OUTPUT -p tcp -j DROP', answers), ['error filter:INPUT:2']);
  t.deepEqual(told(ssh, web), ['error filter:INPUT:2', 'error filter:INPUT:3']);
  t.deepEqual(told(ssh, web, '-A OUTPUT -d 203.0.113.0/24 -j DROP', answers), ['warning filter:INPUT:2']);
  const [one] = analyze({ path: 'talk.rules', text: closed(ssh, web, '-A OUTPUT -d 203.0.113.0/24 -j DROP', answers) }).findings.filter(({ check }) => check === 'missing-established-return');
  t.deepEqual(one?.because.map(({ rule }) => rule), ['filter:OUTPUT:2', 'filter:INPUT:3']);
  t.deepEqual(one?.witness?.map(({ in: from, packet }) => [from, packet['src'], packet['dst']]), [['eth0', '203.0.113.7', '10.0.0.1'], ['local', '10.0.0.1', '203.0.113.7']]);
});

test('an ICMP error that is lost is shown with the connection that it is about, which it quotes', t => {
  const shown = (check: string, text: string): readonly unknown[] => analyze({ path: 'talk.rules', text }).findings.filter(one => one.check === check).map(({ witness }) => witness?.map(({ packet: { proto, dst, quote } }) => quote === undefined ? [proto, dst] : { to: dst, quote }));
  const web = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  const about = { to: '192.0.2.1', quote: { proto: 'tcp', src: '192.0.2.1', dst: '198.51.100.7', sport: 443, dport: 40_000, flags: 'SA' } };
  t.deepEqual(shown('icmp-errors-dropped', host(lo, '-A INPUT -p icmp -j DROP', known, web)), [[['tcp', '192.0.2.1'], ['tcp', '198.51.100.7'], about]]);
  t.deepEqual(shown('related-missing', host(lo, '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', web)), [[['tcp', '192.0.2.1'], ['tcp', '198.51.100.7'], about]]);
  const gateway = `*nat\n-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.5\nCOMMIT\n${host(lo, known, '-A FORWARD -p icmp -j DROP', '-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A FORWARD ! -i eth0 -o eth0 -j ACCEPT')}`;
  t.like(shown('icmp-errors-dropped', gateway).flat().at(-1), { to: '203.0.113.5' }, 'it comes to the address that the router on the way saw');
});

test('a connection that may begin and not go on is of no use', t => {
  const fresh = (device: string, port: string): string => `-A INPUT -i ${device} -p tcp -m tcp --dport ${port} -m conntrack --ctstate NEW -j ACCEPT`;
  const on = (device: string): string => known.replace('INPUT', `INPUT -i ${device}`);
  const stuck = (...rules: readonly string[]): readonly string[] => found('missing-established-return', host(lo, ...rules));
  t.deepEqual(stuck(on('eth0'), fresh('eth0', '22'), fresh('eth1', '5432')), ['error filter:INPUT:4']);
  t.deepEqual(stuck(on('eth0'), on('eth1'), fresh('eth0', '22'), fresh('eth1', '5432')), []);
  t.deepEqual(stuck(on('eth0'), fresh('eth1', '5432'), fresh('eth1', '5432').replace('NEW', 'ESTABLISHED')), [], 'its own rule for what follows');
  t.deepEqual(stuck(on('eth0'), fresh('eth1', '5432').replace('NEW', 'NEW,ESTABLISHED')), []);
  t.deepEqual(stuck(on('eth0'), ':db - [0:0]', '-A INPUT -i eth1 -m conntrack --ctstate NEW -j db', '-A db -i eth1 -p tcp -m tcp --dport 5432 -j ACCEPT', '-A db -i eth1 -p tcp -m tcp --dport 5433 -j ACCEPT'), ['error filter:db:1'], 'one cause, told once');
  t.deepEqual(stuck(on('eth0'), '-A INPUT -i eth1 -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT'), [], 'one question is enough');
  t.deepEqual(shown('missing-established-return', host(lo, on('eth0'), fresh('eth1', '5432'))), ['NEW filter:INPUT:3', 'ESTABLISHED filter:OUTPUT:policy', 'ESTABLISHED filter:INPUT:policy']);
});

test('a connection goes on for an everyday client, and not for one from a port by which answers come', t => {
  const [answers, web] = ['-A INPUT -p tcp -m multiport --sports 53,80,443 -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT'];
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'talk.rules', text: host(lo, ...rules) }).findings.flatMap(({ check, severity, rule, message }) => check === 'missing-established-return' && message.includes('sends next') ? [`${severity} ${rule ?? ''} ${/what (.*) sends/u.exec(message)?.[1] ?? ''}`] : []);
  t.deepEqual(told(answers, web), ['warning filter:INPUT:3 an everyday client (source port 32768 or more)']);
  t.deepEqual(told(answers, web.replace('NEW', 'NEW,ESTABLISHED')), []);
  t.deepEqual(told(answers, web.replace('--dport 22', '--sport 53 --dport 53')), [], 'it is for those who send from there');
  t.deepEqual(told(answers.replace('--sports 53,80,443', '--sports 1024:65535'), web), []);
});

test('whoever is answered by a partner only, and by nobody on the internet, is told so', t => {
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'talk.rules', text: host(lo, ...rules) }).findings.flatMap(({ check, severity, certainty, rule, message }) => check === 'missing-established-return' ? [`${certainty} ${severity} ${rule ?? ''} ${/(?:no|hardly any) reply.*$/u.exec(message)?.[0] ?? ''}`] : []);
  const web = '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT';
  t.deepEqual(told('-A INPUT -s 203.0.113.9/32 -j ACCEPT', web), ['possible warning  hardly any reply from there gets in']);
  t.deepEqual(told('-A INPUT -s 192.168.0.0/16 -j ACCEPT', web), ['possible info  hardly any reply from there gets in'], 'maybe there is nobody else');
  t.deepEqual(told('-A INPUT -i eth1 -j ACCEPT', '-A INPUT -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT'), ['certain warning  no reply from there gets in by eth0']);
  t.deepEqual(told('-A INPUT -i eth0 -j ACCEPT', web), [], 'whether there is another interface nobody knows');
  t.deepEqual(told('-A INPUT -s 203.0.113.9/32 -j ACCEPT', known, web), []);
  t.deepEqual(told('-A INPUT -s 203.0.113.9/32 -j ACCEPT', '-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT', '-A INPUT -p udp -m udp --sport 53 -j ACCEPT'), [], 'answers, as long ago');
  const strict = (rule: string): readonly string[] => found('missing-established-return', host(lo, '-A INPUT -s 203.0.113.9/32 -j ACCEPT', rule, '-A OUTPUT -j DROP')).filter(one => one.includes('OUTPUT'));
  t.deepEqual(strict('-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT'), ['warning filter:OUTPUT:1']);
  t.deepEqual(strict('-A OUTPUT -d 203.0.113.9/32 -p tcp -m tcp --dport 443 -j ACCEPT'), [], 'nobody else is asked');
  t.deepEqual(shown('missing-established-return', host(lo, '-A INPUT -s 203.0.113.9/32 -j ACCEPT', web)), ['null filter:OUTPUT:policy', 'null filter:INPUT:policy']);
});

test('names are asked for by UDP, and no answer comes where only TCP is let back in', t => {
  const back = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host(lo, ...rules) }).findings.filter(one => one.check === 'missing-established-return').map(one => /lets (\S+ \S+)/u.exec(one.message)?.[1] ?? '');
  const tcp = known.replace('INPUT', 'INPUT -p tcp');
  t.deepEqual(back(tcp, '-A INPUT -p icmp -j ACCEPT'), ['UDP queries,']);
  t.deepEqual(back(tcp, '-A INPUT -p icmp -j ACCEPT', '-A INPUT -p udp -m udp --sport 53 -j ACCEPT'), []);
  t.deepEqual(back('-A INPUT -p icmp -j ACCEPT'), ['connections out,'], 'the worse is told');
});

test('of ports that are named one by one, those that get no answer are named', t => {
  const text = '*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m multiport --dports 22,80,8443 -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -p tcp -m multiport --sports 22,80 -j ACCEPT\nCOMMIT\n';
  t.regex(analyze({ path: 'x.rules', text }).findings.find(one => one.check === 'missing-established-return')?.message ?? '', /lost are those to packets with dport 8443$/u);
});

test('replies that are lost for certain are told of, though others that the same policy drops are lost by chance only', t => {
  const web = (ports: string): string => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -p tcp -m multiport --dports ${ports} -j ACCEPT
-A OUTPUT -p tcp -m tcp --sport 80 -m limit --limit 100/sec -j ACCEPT
COMMIT
`;
  const lost = (ports: string): readonly string[] => analyze({ path: 'x.rules', text: web(ports) }).findings.filter(({ check }) => check === 'missing-established-return').map(({ message }) => message.split('lost are ')[1] ?? message);
  t.deepEqual(lost('80,443'), ['those to packets with dport 443']);
  t.deepEqual(lost('80'), []);
});

test('who is answered by hosts behind his own interface only, is answered by nobody outside', t => {
  const lost = (...rules: readonly string[]): string[] => analyze({ path: 'talk.rules', text: host(lo, known, ...rules) }).findings.flatMap(({ check, severity, message }) => check === 'missing-established-return' ? [`${severity}: ${/lost are (.*)$/u.exec(message)?.[1] ?? message}`] : []);
  const tunnel = '-A FORWARD -i tun0 -j ACCEPT';
  t.deepEqual(lost(tunnel), ['warning: all except out tun0']);
  t.deepEqual(lost(tunnel, '-A FORWARD -o tun0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'), []);
  t.deepEqual(lost('-A FORWARD -i tun0 -o tun0 -j ACCEPT'), [], 'it is for the tunnel alone');
  const certainty = (rule: string): string[] => analyze({ path: 'talk.rules', text: host(lo, known, rule) }).findings.flatMap(one => one.check === 'missing-established-return' ? [one.certainty] : []);
  t.deepEqual(certainty(tunnel), ['certain']);
  const tunnels = '-A FORWARD -i tun+ -j ACCEPT';
  t.deepEqual(lost(tunnels), ['warning: all except out tun+']);
  t.deepEqual(certainty(tunnels), ['possible'], 'maybe the tunnels are to talk to each other');
  t.deepEqual(lost(tunnels, '-A FORWARD -o tun+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'), []);
  t.deepEqual(lost('-A FORWARD -i tun+ -o tun+ -j ACCEPT'), []);
  t.deepEqual(lost('-A FORWARD -i tun+ -o eth0 -j ACCEPT', '-A FORWARD -i eth0 -o tun+ -j ACCEPT'), []);
  // Each bridge for itself, and one blocked host: others answer.
  t.deepEqual(lost('-A FORWARD -s 10.1.2.3/32 -j DROP', '-A FORWARD -i br0 -o br0 -j ACCEPT', '-A FORWARD -i br0 ! -o br0 -j ACCEPT', '-A FORWARD -o br0 -m conntrack --ctstate ESTABLISHED -j ACCEPT'), []);
});

test('a masqueraded connection has its packets: the reply goes to the address that it was given', t => {
  const nat = '*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n';
  const steps = shown('missing-established-return', nat + host(lo, known, '-A FORWARD -i eth1 -o eth0 -j ACCEPT'));
  t.deepEqual(steps, ['NEW filter:FORWARD:1', 'ESTABLISHED filter:FORWARD:policy']);
});
