/** Logs that strangers can fill, mail that leaves by itself, and what one family lets in alone. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';

function host(...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...rules, 'COMMIT', ''].join('\n');
}

function found(check: string, text: string, options: AnalyzeOptions = {}): string[] {
  const { findings, internalErrors } = analyze({ path: 'outward.rules', text }, options);
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === check).map(({ rule }) => rule ?? '');
}

test('unlimited-log: a limit in the rule, on the way or before it', t => {
  const log = '-j LOG --log-prefix "in "';
  t.deepEqual(found('unlimited-log', host(`-A INPUT ${log}`)), ['filter:INPUT:3']);
  t.deepEqual(found('unlimited-log', host('-A INPUT -m conntrack --ctstate INVALID -j NFLOG', '-A INPUT -m conntrack --ctstate INVALID -j DROP')), ['filter:INPUT:3']);
  t.deepEqual(found('unlimited-log', host(`-A INPUT -m limit --limit 5/min ${log}`)), []);
  t.deepEqual(found('unlimited-log', host(':log - [0:0]', '-A INPUT -m limit --limit 5/min -j log', `-A log ${log}`)), []);
  t.deepEqual(found('unlimited-log', host('-A INPUT -m hashlimit --hashlimit-above 5/min --hashlimit-name x -j DROP', `-A INPUT ${log}`)), []);
  t.deepEqual(found('unlimited-log', host('-A INPUT -m limit --limit 5/min -j ACCEPT', `-A INPUT ${log}`)), ['filter:INPUT:4'], 'what is above the limit comes by');
  t.deepEqual(found('unlimited-log', host(`-A INPUT -s 10.0.0.0/8 ${log}`, `-A OUTPUT ${log}`)), [], 'strangers do not come by');
  t.deepEqual(found('unlimited-log', host(`-A INPUT -p udp ${log}`, `-A INPUT -p tcp ${log}`)).length, 1, 'one finding for all');
});

test('unlimited-log: what is forwarded fills it as well, and who must be on a list does not', t => {
  const log = '-j LOG --log-prefix "x "';
  t.deepEqual(found('unlimited-log', host(`-A FORWARD ${log}`)), ['filter:FORWARD:1']);
  t.deepEqual(found('unlimited-log', host(`-A INPUT -m recent --rcheck --name known --rsource ${log}`)), []);
});

test('unlimited-new-connections: each way in is told, a limit ends it, and so does a list', t => {
  const asked = (...rules: readonly string[]): string[] => found('unlimited-new-connections', host(...rules), { persona: 'auditor' });
  t.deepEqual(asked('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A FORWARD -d 192.0.2.8/32 -j ACCEPT'), ['filter:INPUT:3', 'filter:FORWARD:1']);
  t.deepEqual(asked('-A INPUT -p tcp -m tcp --dport 443 -m limit --limit 9/sec -j ACCEPT'), []);
  t.deepEqual(asked('-A INPUT -p tcp -m tcp --dport 443 -m recent --rcheck --name known --rsource -j ACCEPT'), []);
  for (const above of ['connlimit --connlimit-above 100', 'hashlimit --hashlimit-above 9/sec --hashlimit-mode srcip --hashlimit-name web', 'recent --update --seconds 60 --hitcount 20 --name web --rsource']) {
    t.deepEqual(asked(`-A INPUT -p tcp -m tcp --dport 443 -m ${above} -j DROP`, '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT'), [], 'what is above a limit is dropped');
  }
  const size = (options: AnalyzeOptions): string | undefined => analyze({ path: 'x.rules', text: host('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT') }, { persona: 'auditor', ...options }).findings.find(one => one.check === 'unlimited-new-connections')?.message;
  t.true(size({ host: () => ({ sysctls: { 'net.netfilter.nf_conntrack_max': 7000 } }) })?.includes('with 7000 of them'));
  t.true(size({ settings: { conntrackMax: 9000 } })?.includes('with 9000 of them'));
});

test('unlimited-new-connections: FORWARD counts where the host routes, and what a script leaves as it finds it is possible only', t => {
  const asked = (text: string): string[] => analyze({ path: 'x.rules', text }, { persona: 'auditor' }).findings.filter(one => one.check === 'unlimited-new-connections').map(({ span, certainty }) => `${text.slice(span.start, span.end)} ${certainty}`);
  const open = (...rules: readonly string[]): string => ['*nat', ...rules, 'COMMIT', '*filter', ':INPUT DROP [0:0]', ':FORWARD ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', 'COMMIT', ''].join('\n');
  t.deepEqual(asked(open()), [], 'nothing says that it routes');
  t.deepEqual(asked(open('-A POSTROUTING -o wan0 -j MASQUERADE')), [':FORWARD ACCEPT [0:0] certain']);
  t.deepEqual(asked(open('-A POSTROUTING -o wan0 -j MASQUERADE').replace(':FORWARD ACCEPT [0:0]\n', '')), ['*filter certain'], 'at its table, not at the first of the file');
  t.deepEqual(asked('iptables -A INPUT -p tcp --dport 443 -j ACCEPT\n'), [' possible']);
  t.deepEqual(asked('iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 443 -j ACCEPT\n'), ['iptables -A INPUT -p tcp --dport 443 -j ACCEPT certain']);
});

test('spoofable-source: strict reverse path filtering ends it, on all interfaces or on this one, and a network may come from where it is', t => {
  const interfaces = [{ name: 'lo', addresses: ['127.0.0.1/8'] }, { name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }];
  const at = (sysctls?: Readonly<Record<string, number>>): AnalyzeOptions => ({ host: () => ({ interfaces, routes: ['default via 192.0.2.254 dev eth0'], ...sysctls === undefined ? {} : { sysctls } }) });
  const certainty = (source: string, sysctls?: Readonly<Record<string, number>>): readonly string[] => analyze({ path: 'x.rules', text: host(`-A INPUT -s ${source} -p tcp -m tcp --dport 22 -j ACCEPT`) }, at(sysctls)).findings.filter(one => one.check === 'spoofable-source').map(one => one.certainty);
  t.deepEqual(certainty('10.0.0.0/24', { 'net.ipv4.conf.all.rp_filter': 0 }), ['certain']);
  t.deepEqual(certainty('10.0.0.0/24'), ['possible'], 'nobody knows what the kernel does');
  t.deepEqual(certainty('10.0.0.0/24', { 'net.ipv4.conf.all.rp_filter': 2 }), ['certain'], 'loose filtering asks for some way back only');
  t.deepEqual(certainty('10.0.0.0/24', { 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.eth0.rp_filter': 1 }), []);
  t.deepEqual(certainty('192.0.2.0/24', { 'net.ipv4.conf.all.rp_filter': 0 }), [], 'these are there');
  t.deepEqual(certainty('127.0.0.0/8', { 'net.ipv4.conf.all.rp_filter': 0 }), [], 'the kernel takes none from outside');
  const through = (forward: number): readonly string[] => found('spoofable-source', host('-A FORWARD -s 10.0.0.0/24 -p udp -j ACCEPT'), at({ 'net.ipv4.ip_forward': forward, 'net.ipv4.conf.all.rp_filter': 0 }));
  t.deepEqual([through(1), through(0)], [['filter:FORWARD:1'], []], 'nothing passes a host that forwards nothing');
});

test('outbound-smtp-open: any client, and not the relay alone', t => {
  const gateway = (...rules: readonly string[]): string => `*nat\n-A PREROUTING -i wan0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.5.8:80\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host(...rules)}`;
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -i lan0 -o wan0 -j ACCEPT')), ['filter:FORWARD:1']);
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -s 192.168.5.0/24 -p tcp -m multiport --dports 25,80 -j ACCEPT')), ['filter:FORWARD:1']);
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -s 192.168.5.25/32 -o wan0 -j ACCEPT')), []);
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -i lan0 -o wan0 -p tcp -m multiport --dports 80,443 -j ACCEPT')), []);
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -i wan0 -o lan0 -p tcp -j ACCEPT')), [], 'the other way round');
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD ! -s 192.168.5.25/32 -p tcp -m tcp --dport 25 -j DROP', '-A FORWARD -i lan0 -o wan0 -j ACCEPT')), []);
});

test('outbound-smtp-open: who comes by an interface that rules name, and is not redirected', t => {
  const of = (nat: string, ...rules: readonly string[]): string[] => found('outbound-smtp-open', `*nat\n${nat}\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host(...rules)}`);
  const syn = '-A PREROUTING -i lan0 -p tcp -m tcp --syn -j REDIRECT --to-ports 9040';
  t.deepEqual(of(syn, '-A FORWARD -i lan0 -o wan0 -j ACCEPT'), [], 'what begins a connection comes to a program of this host');
  t.deepEqual(of(syn.replace('--syn', '--dport 80'), '-A FORWARD -i lan0 -o wan0 -j ACCEPT'), ['filter:FORWARD:1']);
  t.deepEqual(of(syn, '-A FORWARD -i lan+ -o wan0 -j ACCEPT'), ['filter:FORWARD:1'], 'there are others');
  t.deepEqual(of('', '-A FORWARD -i lan0 -p tcp -j DROP', '-A FORWARD -o wan0 -j ACCEPT'), [], 'nobody is behind interfaces that none names');
  t.deepEqual(of('', '-A FORWARD -o wan0 -j ACCEPT'), ['filter:FORWARD:1']);
  t.deepEqual(found('outbound-smtp-open', `*nat\n${syn}\nCOMMIT\n${host().replace('FORWARD DROP', 'FORWARD ACCEPT')}`), [], 'nothing says that this host routes');
});

test('outbound-smtp-open: limits and lists of the unwanted keep nobody else in, unless they are for mail', t => {
  const all = (line: string, policy = 'DROP'): readonly string[] => analyze({ path: 'x.rules', text: `*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host(line, '-A FORWARD -i lan0 -o wan0 -j ACCEPT').replace(':FORWARD DROP', `:FORWARD ${policy}`)}` })
    .findings.filter(one => one.check === 'outbound-smtp-open').map(({ rule, certainty }) => `${rule ?? '-'} ${certainty}`);
  t.deepEqual(all('-A FORWARD -p tcp -m tcp --syn -m connlimit --connlimit-above 100 -j REJECT'), ['filter:FORWARD:2 certain']);
  t.deepEqual(all('-A FORWARD -p tcp -m hashlimit --hashlimit-above 100/sec --hashlimit-mode srcip --hashlimit-name s -j DROP'), ['filter:FORWARD:2 certain']);
  t.deepEqual(all('-A FORWARD -m set --match-set bad src -j DROP'), ['filter:FORWARD:2 possible']);
  t.deepEqual(all('-A FORWARD -m recent --name bad --rcheck --seconds 60 -j DROP'), ['filter:FORWARD:2 possible']);
  t.deepEqual(all('-A FORWARD -m set ! --match-set good src -j DROP'), []);
  t.deepEqual(all('-A FORWARD -p tcp -m tcp --dport 25 -m set --match-set lan src -j DROP'), []);
  t.deepEqual(all('-A FORWARD -p tcp -m tcp --dport 25 -m hashlimit --hashlimit-above 10/hour --hashlimit-mode srcip --hashlimit-name s -j DROP'), []);
});

test('family-parity: what one family opens to strangers and the other does not', t => {
  const v6 = (text: string): string => `# Generated by ip6tables-save v1.8.9\n${text}`;
  const beside = (...rules: readonly string[]): AnalyzeOptions => ({ sibling: { path: 'rules.v4', text: host(...rules) } });
  const redis = '-A INPUT -p tcp -m tcp --dport 6379 -j ACCEPT';
  t.deepEqual(found('family-parity', v6(host(redis)), beside()), ['filter:INPUT:3']);
  t.deepEqual(found('family-parity', v6(host(redis)), beside('-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 6379 -j ACCEPT')), ['filter:INPUT:3']);
  t.deepEqual(found('family-parity', v6(host(redis)), beside('-A INPUT -p tcp -m tcp --dport 6000:7000 -j ACCEPT')), []);
  t.deepEqual(found('family-parity', v6(host('-A INPUT -s fe80::/10 -p tcp -m tcp --dport 6379 -j ACCEPT', '-A INPUT -p udp -m udp --dport 546 -j ACCEPT')), beside()), []);
  t.deepEqual(found('family-parity', v6(host(redis))), [], 'nobody knows the other');
  const listed = '-A INPUT -p tcp -m tcp --dport 6379 -m set --match-set clients src -j ACCEPT';
  t.deepEqual(found('family-parity', v6(host(redis)), beside(listed)), ['filter:INPUT:3'], 'who is in a set is no stranger');
  t.deepEqual(found('family-parity', v6(host(redis)), beside(listed, '-A INPUT -p tcp -m tcp --dport 6379 -j ACCEPT')), []);
  t.deepEqual(found('family-parity', v6(host(redis)), beside('-A INPUT -m set ! --match-set bad src -p tcp -m tcp --dport 6379 -j ACCEPT')), [], 'a list of the banned');
});

test('family-parity: where all is open, what one family closes and the other does not', t => {
  const open = (...rules: readonly string[]): string => ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
  const told = (six: readonly string[], four: readonly string[], more: AnalyzeOptions = {}): readonly (string | undefined)[] => analyze({ path: 'rules.v6', text: open(...six) }, { ...more, sibling: { path: 'rules.v4', text: open(...four) } })
    .findings.filter(one => one.check === 'family-parity').map(({ message, severity }) => `${severity} ${/in to (.*), and IPv4/u.exec(message)?.[1] ?? ''}`);
  const [mysql, redis] = ['-A INPUT -i eth0 -p tcp -m tcp --dport 3306 -j DROP', '-A INPUT -i eth0 -p tcp -m tcp --dport 6379 -j DROP'];
  t.deepEqual(told([mysql], [mysql, redis]), ['warning tcp/6379 by eth0']);
  t.deepEqual(told([], [mysql, redis]), ['warning tcp/3306, tcp/6379 by eth0']);
  t.deepEqual(told([mysql, redis], [mysql]), []);
  t.deepEqual(told([], ['-A INPUT ! -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j REJECT']), ['warning tcp/22']);
  t.deepEqual(told(['-A INPUT ! -s 2001:db8::/64 -p tcp -m tcp --dport 22 -j REJECT'], ['-A INPUT ! -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j REJECT']), []);
  t.deepEqual(told([], ['-A INPUT -i eth0 -p tcp -m tcp --syn -j DROP']), ['warning tcp/1-65535 by eth0'].map(one => one.replace('tcp/1-65535', 'tcp/1-138, tcp/140-65535')), 'IPv6 carries no NetBIOS');
  t.deepEqual(told([], ['-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP', '-A INPUT -s 192.0.2.9/32 -j DROP', '-A INPUT -p udp -m udp --dport 137:138 -j DROP', '-A INPUT -i lan0 -p tcp -m tcp --dport 22 -j DROP']), [], 'a limit, somebody, NetBIOS, those inside');
  t.deepEqual(told([], ['-A INPUT -p tcp -m tcp --dport 22 -m set ! --match-set admins src -j DROP']), ['warning tcp/22'], 'who is in a set is no stranger');
  t.deepEqual(told(['-A INPUT -p tcp -m tcp --dport 22 -m set ! --match-set admins6 src -j DROP'], ['-A INPUT -p tcp -m tcp --dport 22 -m set ! --match-set admins src -j DROP', '-A INPUT -m set --match-set bad src -j DROP']), []);
  t.deepEqual(told([], [mysql], { host: () => ({ sysctls: { 'net.ipv6.conf.all.disable_ipv6': 1 } }) }), [], 'there is no IPv6');
});

test('unprotected-family: a rule of which nobody knows what it asks for speaks of something, and not of all', t => {
  const of = (six: string): readonly string[] => found('unprotected-family', `# Generated by ip6tables-save v1.8.9\n${six}`, { sibling: { path: 'rules.v4', text: host() } });
  t.is(of(host().replace('INPUT DROP', 'INPUT ACCEPT')).length, 1);
  t.deepEqual(of(host('-A INPUT -p tcp -m tcp --dport no-such-service -j ACCEPT')), []);
  t.deepEqual(of(host('-A INPUT -p tcp --no-such-option -j ACCEPT')), []);
  t.is(of(host('-A INPUT -p tcp -m tcp --dport no-such-service -j DROP').replace('INPUT DROP', 'INPUT ACCEPT')).length, 1);
});

test('family-parity: what IPv6 does not open is told once', t => {
  const open = ['22', '80', '443'].map(port => `-A INPUT -p tcp -m tcp --dport ${port} -j ACCEPT`);
  const of = (four: readonly string[], ...six: readonly string[]): readonly (string | undefined)[] => analyze({ path: 'rules.v4', text: host(...four) }, { sibling: { path: 'rules.v6', text: `# Generated by ip6tables-save v1.8.9\n${host(...six)}` } })
    .findings.filter(one => one.check === 'family-parity').map(({ rule, severity, alike, because, message }) => [rule, severity, alike, because.length, /in to (.*), and IPv6/u.exec(message)?.[1]].join(' '));
  t.deepEqual(of(open), ['filter:INPUT:3 info 3 3 tcp/22, tcp/80, tcp/443']);
  t.deepEqual(of(open, ...open.slice(0, 2)), ['filter:INPUT:5 info  1 tcp/443']);
  t.deepEqual(of(open, ...open), []);
  const many = Array.from({ length: 12 }, (_, i) => `-A INPUT -p tcp -m tcp --dport ${String(7000 + 2 * i)} -j ACCEPT`);
  t.regex(of(many)[0] ?? '', / tcp\/7014 and 4 more$/u);
});

test('family-parity: of a range of ports it names those that the other family does not open', t => {
  const said = (six: string, ...four: readonly string[]): readonly (string | undefined)[] => analyze({ path: 'rules.v6', text: `# Generated by ip6tables-save v1.8.9\n${host(six)}` }, { sibling: { path: 'rules.v4', text: host(...four) } })
    .findings.filter(one => one.check === 'family-parity').map(({ message }) => /in to (.*), and IPv4/u.exec(message)?.[1]);
  const range = '-A INPUT -p tcp -m tcp --dport 8000:8100 -j ACCEPT';
  t.deepEqual(said(range, range), []);
  t.deepEqual(said(range, '-A INPUT -p tcp -m tcp --dport 8000:8049 -j ACCEPT'), ['tcp/8050-8100'], 'the lowest is open in both');
  t.deepEqual(said(range, '-A INPUT -p tcp -m tcp --dport 8040:8200 -j ACCEPT'), ['tcp/8000-8039'], 'the highest is');
  t.deepEqual(said(range, '-A INPUT -p tcp -m tcp --dport 8050 -j ACCEPT'), ['tcp/8000-8049, tcp/8051-8100']);
  t.deepEqual(said(range, '-A INPUT -p tcp -m tcp --dport 8020 -j DROP', range), ['tcp/8020']);
  t.deepEqual(said(range), ['tcp/8000-8100']);
  t.deepEqual(said('-A INPUT -p udp -m udp --dport 60:70 -j ACCEPT'), ['udp/60-66, udp/69-70'], 'DHCP is a matter of each family');
});

test('outbound-smtp-open: a script that leaves the policy as it finds it says nothing of it', t => {
  const script = (...lines: readonly string[]): string => ['#!/bin/sh', 'iptables -F', 'iptables -t nat -A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE', ...lines, ''].join('\n');
  t.deepEqual(found('outbound-smtp-open', script()), []);
  t.deepEqual(found('outbound-smtp-open', script('iptables -P FORWARD ACCEPT')), ['']);
});

test('outbound-smtp-open: what a bridge passes on, or a set lets out, is not any machine', t => {
  const gateway = (...rules: readonly string[]): string => `*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host(...rules)}`;
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT')), []);
  t.deepEqual(found('outbound-smtp-open', gateway(':KUBE-FORWARD - [0:0]', '-A FORWARD -j KUBE-FORWARD', '-A KUBE-FORWARD -j ACCEPT')), [], 'what a program lets out is its own');
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -i wan0 -o wan0 -j ACCEPT')), [], 'nobody inside');
  for (const own of ['vmnet+', 'veth+', 'lxcbr0', 'dummy0']) t.deepEqual(found('outbound-smtp-open', gateway(`-A FORWARD -i ${own} -o wan0 -j ACCEPT`)), [], 'machines that this host runs');
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -o wan0 -j ACCEPT'), { host: () => ({ sysctls: { 'net.ipv4.ip_forward': 0 } }) }), [], 'a host that does not route');
  t.deepEqual(found('outbound-smtp-open', gateway('-A FORWARD -o wan0 -m set --match-set servers src -j ACCEPT')), []);
  const help = (rule: string): string | undefined => analyze({ path: 'x.rules', text: gateway(rule) }).findings.find(one => one.check === 'outbound-smtp-open')?.help;
  t.regex(help('-A FORWARD -i lan0 -o wan0 -j ACCEPT') ?? '', /-I FORWARD ! -s RELAY -o wan0 /u, 'mail that comes in is let alone');
});

test('source-port-trusted: who chooses his port gets where others do not', t => {
  const trusted = (...rules: readonly string[]): string[] => found('source-port-trusted', host(...rules));
  t.deepEqual(trusted('-A INPUT -p tcp -m tcp --sport 443 -j ACCEPT'), ['filter:INPUT:3']);
  t.deepEqual(trusted('-A INPUT -p udp -m multiport --sports 53,123 -j ACCEPT'), ['filter:INPUT:3']);
  t.deepEqual(trusted('-A INPUT -p udp -m udp --sport 53 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT'), ['filter:INPUT:3']);
  t.deepEqual(trusted('-A INPUT -p tcp -m tcp --sport 443 -m conntrack --ctstate ESTABLISHED -j ACCEPT'), []);
  t.deepEqual(trusted('-A INPUT -p tcp -m tcp --sport 443 ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT'), []);
  t.deepEqual(trusted('-A INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT'), []);
  t.deepEqual(trusted('-A INPUT -p tcp -m tcp --sport 1024:65535 -j ACCEPT'), [], 'everybody sends from there');
  t.deepEqual(trusted('-A INPUT -p tcp -m tcp --sport 51413 -j ACCEPT'), ['filter:INPUT:3'], 'hardly anybody has that one by chance');
  t.deepEqual(trusted('-A INPUT -s 192.0.2.53/32 -p udp -m udp --sport 53 -j ACCEPT'), [], 'one server is trusted');
  t.deepEqual(trusted('-A INPUT -p udp -m udp --sport 53 -j ACCEPT', '-A INPUT -p udp -j ACCEPT'), [], 'it is open to all');
  t.deepEqual(trusted('-A INPUT -p tcp -m tcp --sport 443 -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 25,80,443,8080,8443 -j ACCEPT'), ['filter:INPUT:3'], 'some ports are open to all, but not those');
  const example = (rule: string): string | undefined => analyze({ path: 'outward.rules', text: host(rule, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT') }).findings.find(one => one.check === 'source-port-trusted')?.message.match(/gets to [a-z]+\/[0-9]+/u)?.[0];
  t.is(example('-A INPUT -p udp -m udp --sport 53 -j ACCEPT'), 'gets to udp/161');
  t.is(example('-A INPUT -p tcp -m tcp --sport 443 -j ACCEPT'), 'gets to tcp/3306', 'port 22 is open to all here');
  t.deepEqual(trusted('-A INPUT -p udp -j DROP', '-A INPUT -p udp -m udp --sport 53 -j ACCEPT'), []);
  const open = (...rules: readonly string[]): string[] => found('source-port-trusted', host(...rules).replace('INPUT DROP', 'INPUT ACCEPT'));
  t.deepEqual(open('-A INPUT -i eth0 -p tcp -m tcp --sport 22 -j ACCEPT', '-A INPUT -i eth0 -j DROP'), ['filter:INPUT:3'], 'that others get in by another interface is nothing to those behind this one');
  t.deepEqual(open('-A INPUT -i eth0 -p tcp -m tcp --sport 22 -j ACCEPT'), []);
});

test('source-port-trusted: a rule may be meant for the service at that port, where nobody gets to it', t => {
  const help = (...rules: readonly string[]): boolean => analyze({ path: 'outward.rules', text: host(...rules) }).findings.some(one => one.check === 'source-port-trusted' && one.help.includes('--dport in place of --sport'));
  const from22 = '-A INPUT -p tcp -m tcp --sport 22 -j ACCEPT';
  t.true(help(from22));
  t.false(help(from22, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'));
  for (const one of ['tcp', 'udp']) t.false(help(`-A INPUT -p ${one} -m ${one} --sport 53 -j ACCEPT`), 'answers to what the host asks');
});

test('source-port-trusted: no client begins a connection at the port of a service, whoever he is', t => {
  const told = (text: string): readonly string[] => analyze({ path: 'outward.rules', text }).findings.filter(({ check }) => check === 'source-port-trusted').map(({ certainty, severity, rule, help }) => `${certainty} ${severity} ${rule ?? ''} ${/write (--\w+)/u.exec(help)?.[1] ?? ''}`);
  const of = (...rules: readonly string[]): readonly string[] => told(host(...rules));
  const friends = '-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --sport 22 -j ACCEPT';
  t.deepEqual(of(friends), ['possible warning filter:INPUT:3 --dport']);
  t.deepEqual(of(friends.replace('-m tcp --sport 22', '-m multiport --sports 22,53')), ['possible warning filter:INPUT:3 --dports']);
  t.deepEqual(of(friends.replace('-j', '-m conntrack --ctstate NEW -j')), ['possible warning filter:INPUT:3 --dport']);
  t.deepEqual(of(friends.replace('-j', '-m conntrack --ctstate ESTABLISHED -j')), [], 'answers');
  t.deepEqual(of(friends.replace('.0/24', '.7/32')), [], 'it may be for the answers of one server');
  t.deepEqual(of(friends.replace('.0/24', '.7/32').replace('-j', '-m conntrack --ctstate NEW -j')), ['possible warning filter:INPUT:3 --dport'], 'no answer is NEW');
  t.deepEqual(told(host(friends).replace('ESTABLISHED', 'UNTRACKED')), [], 'answers pass by it');
  t.deepEqual(of(friends.replace('--sport 22', '--sport 22 --dport 22')), []);
  t.deepEqual(of(friends.replace('22', '20')), [], 'data of FTP');
  t.deepEqual(of(friends.replace('22', '1024:65535')), [], 'clients');
  t.deepEqual(of(friends.replace(/tcp/gu, 'udp').replace('22', '53')), ['possible warning filter:INPUT:3 --dport']);
  t.deepEqual(of(friends.replace(/tcp/gu, 'udp').replace('22', '123')), [], 'servers of time ask each other so');
  t.deepEqual(told(`*raw\n-A PREROUTING -p tcp -m tcp --sport 22 -j CT --notrack\nCOMMIT\n${host(friends)}`), [], 'answers that are not tracked');
  t.deepEqual(told(`*nat\n-A PREROUTING -i eth0 -p tcp -m tcp --sport 443 -j DNAT --to-destination 10.0.0.5\nCOMMIT\n${host()}`), ['possible warning nat:PREROUTING:1 --dport']);
});

test('source-port-trusted: of either port, the one that the sender chooses will do', t => {
  const trusted = (...rules: readonly string[]): readonly string[] => analyze({ path: 'outward.rules', text: host(...rules) }).findings
    .filter(({ check }) => check === 'source-port-trusted').map(({ rule, message, witness }) => [rule, (/gets to [a-z]+\/[0-9]+/u.exec(message))?.[0], witness !== null].join(' '));
  const either = '-A INPUT -p tcp -m multiport --ports 22,80 -j ACCEPT';
  t.deepEqual(trusted(either), ['filter:INPUT:3 gets to tcp/3306 true'], 'not to those that are open to all by the rule');
  t.deepEqual(trusted(either.replace('-j', '-m conntrack --ctstate NEW -j')), ['filter:INPUT:3 gets to tcp/3306 true']);
  t.deepEqual(trusted(either.replace('-j', '-m conntrack --ctstate ESTABLISHED -j')), []);
  t.deepEqual(trusted(either, '-A INPUT -p tcp -j ACCEPT'), [], 'open to all');
  t.deepEqual(trusted('-A INPUT -p tcp -m multiport ! --ports 22,80 -j ACCEPT'), []);
  t.deepEqual(trusted('-A INPUT -p udp -m multiport --ports 67,68 -m udp --dport 67:68 -j ACCEPT'), [], 'a destination port besides');
  t.deepEqual(trusted('-A INPUT -p tcp -m multiport --ports 80,40000:50000 -j ACCEPT'), [], 'from which everybody may send');
});

test('source-port-trusted: answers to any port of a client are meant, and so are the servers that listen there', t => {
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'outward.rules', text: host(...rules) }).findings
    .filter(({ check }) => check === 'source-port-trusted' || check === 'exposed-service').map(({ rule, check, message }) => [check, rule, /gets to .*drops/u.exec(message)?.[0]].join(' '));
  t.deepEqual(told('-A INPUT -p udp -m udp --sport 53 --dport 1024:65535 -j ACCEPT'), ['source-port-trusted filter:INPUT:3 gets to udp/1900, and to all of 1024-65535 that no rule drops']);
  t.deepEqual(told('-A INPUT -p udp -m udp --sport 53 --dport 32768:61000 -j ACCEPT'), [], 'clients only');
  t.deepEqual(told('-A INPUT -p udp -m udp --sport 53 --dport 1024:65535 -m conntrack --ctstate ESTABLISHED -j ACCEPT'), []);
  t.deepEqual(told('-A INPUT -p tcp -m tcp --sport 20 --dport 3306 -j ACCEPT'), ['exposed-service filter:INPUT:3 '], 'it is the service that is named');
});

test('exposed-service: of either port, the one that the sender does not choose is what counts', t => {
  t.deepEqual(found('exposed-service', host('-A INPUT -p tcp -m multiport --ports 6379 -j ACCEPT')), ['filter:INPUT:3']);
  t.deepEqual(found('exposed-service', host('-A INPUT -p tcp -m multiport --sports 6379 -j ACCEPT')), []);
});

test('people inside are shown as coming by no interface of containers, where they may come by another', t => {
  const from = (check: string, nat: string, ...forward: readonly string[]): readonly string[] => analyze({ path: 'outward.rules', text: ['*nat', nat, 'COMMIT', '*filter', ':FORWARD DROP', ...forward, 'COMMIT', ''].join('\n') })
    .findings.filter(one => one.check === check).map(({ witness }) => witness?.[0]?.in ?? '');
  t.deepEqual(from('invalid-leaks-unnatted', '-A POSTROUTING -o ppp0 -j MASQUERADE', '-A FORWARD -o ppp0 -j ACCEPT'), ['eth0']);
  t.deepEqual(from('invalid-leaks-unnatted', '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', '-A FORWARD -i docker0 -j ACCEPT'), ['docker0']);
  t.deepEqual(from('dnat-catches-outbound', '-A PREROUTING -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5\n-A POSTROUTING -o ppp0 -j MASQUERADE', '-A FORWARD -j ACCEPT'), ['eth0']);
});
