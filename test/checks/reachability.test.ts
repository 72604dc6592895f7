/** never-matches, unreachable-chain, unreachable-after-goto, jump-to-empty-chain: what they say, and where they must not. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { HostSetup } from '../../analyzer/netfilter/engine.js';
import type { Finding } from '../../analyzer/finding.js';

const names = ['never-matches', 'unreachable-chain', 'unreachable-after-goto', 'jump-to-empty-chain', 'shadowed-rule'];

function of(text: string, family: 'ipv4' | 'ipv6' = 'ipv4'): readonly Finding[] {
  const { findings, internalErrors } = analyze({ path: 'x.rules', text }, { family });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => names.includes(one.check));
}

function filter(...lines: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
}

function found(...lines: readonly string[]): readonly string[] {
  return of(filter(...lines)).map(one => `${one.check} ${one.rule ?? ''}`.trim());
}

function table(name: string, ...lines: readonly string[]): readonly string[] {
  return of([`*${name}`, ...lines, 'COMMIT', ''].join('\n')).map(one => `${one.check} ${one.rule ?? ''}`.trim());
}

test('never-matches: a name that no interface can have', t => {
  const told = (...lines: readonly string[]): readonly unknown[] => of(filter(...lines)).map(one => [one.check, one.rule, one.help.split(':')[0]]);
  t.deepEqual(told('-A INPUT -i eth0:1 -p tcp -j ACCEPT', '-A OUTPUT -o a/b -j DROP'), [['never-matches', 'filter:INPUT:1', 'write -i eth0'], ['never-matches', 'filter:OUTPUT:1', 'write the name that `ip link` shows behind -o']]);
  t.deepEqual(told('-A INPUT ! -i eth0:1 -p tcp -j ACCEPT', '-A INPUT -i eth0.1 -j ACCEPT', '-A INPUT -i br-lan@x -j ACCEPT'), []);
});

test('never-matches: fragments, where connection tracking puts them together', t => {
  const told = (...lines: readonly string[]): readonly string[] => of(filter(...lines)).map(one => `${one.check} ${one.severity} ${one.certainty} ${one.rule ?? ''}`);
  const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  t.deepEqual(told('-A INPUT -s 10.0.0.0/8 -f -j ACCEPT', known, '-A INPUT -p tcp -j ACCEPT'), ['never-matches info certain filter:INPUT:1']);
  t.deepEqual(told(':evil - [0:0]', known, '-A INPUT -j evil', '-A OUTPUT -j evil', '-A evil -f -j DROP', '-A evil -p tcp -m tcp --dport 25 -j DROP'), ['never-matches info certain filter:evil:1']);
  t.deepEqual(told(known, '-A INPUT -p tcp -f -m tcp --dport 25 -j DROP', '-A INPUT -p tcp -j ACCEPT'), ['never-matches error certain filter:INPUT:2'], 'a fragment has no port');
  t.deepEqual(told('-A INPUT ! -f -p tcp -j ACCEPT', known, '-A INPUT -p udp -j ACCEPT'), []);
  t.deepEqual(told('-A INPUT -f -j ACCEPT', '-A INPUT -p tcp -j ACCEPT'), [], 'nothing tracks connections');
  t.deepEqual(of(`*raw\n:PREROUTING ACCEPT\n-A PREROUTING -f -j DROP\nCOMMIT\n${filter(known)}`).map(one => one.rule), ['raw:PREROUTING:1']);
});

test('shadowed-rule: to drop what is rejected before is no error', t => {
  const told = (...lines: readonly string[]): readonly string[] => of(filter(...lines)).map(one => `${one.check} ${one.severity} ${one.rule ?? ''}`);
  t.deepEqual(told('-A INPUT -j REJECT --reject-with icmp-host-prohibited', '-A INPUT -s 10.0.0.0/8 -j DROP'), ['shadowed-rule warning filter:INPUT:2']);
  t.deepEqual(told('-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -s 10.1.0.0/16 -p tcp -j REJECT --reject-with tcp-reset'), ['shadowed-rule warning filter:INPUT:2']);
  t.deepEqual(told('-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -s 10.1.0.0/16 -j REJECT --reject-with icmp-port-unreachable'), ['shadowed-rule error filter:INPUT:2']);
});

test('a RETURN at the end of a chain is there to be read, whether packets come to it or not', t => {
  const told = (...lines: readonly string[]): readonly string[] => of(filter(':a - [0:0]', ':b - [0:0]', '-A INPUT -j a', ...lines)).map(one => `${one.check} ${one.severity} ${one.rule ?? ''}`);
  t.deepEqual(told('-A a -s 10.0.0.0/8 -j ACCEPT', '-A a ! -s 10.0.0.0/8 -j DROP', '-A a -j RETURN'), ['shadowed-rule info filter:a:3']);
  t.deepEqual(told('-A a -j b', '-A a -j RETURN', '-A b -p tcp -j DROP', '-A b ! -p tcp -j ACCEPT'), ['unreachable-after-goto info filter:a:2']);
  t.deepEqual(told('-A a -s 10.0.0.0/8 -j ACCEPT', '-A a -s 10.1.0.0/16 -j RETURN', '-A a -p tcp -j DROP'), ['shadowed-rule error filter:a:2']);
});

test('never-matches: a translation that no rule of table nat makes', t => {
  const asks = (words: string): string => filter('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', `-A FORWARD -m conntrack ${words} -j ACCEPT`);
  const nat = (...lines: readonly string[]): string => ['*nat', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', ...lines, 'COMMIT', ''].join('\n');
  const told = (text: string): readonly string[] => of(text).map(one => `${one.check} ${one.severity} ${one.certainty} ${one.rule ?? ''}`);
  const dead = ['never-matches info possible filter:FORWARD:2'];
  const [masquerade, dnat] = ['-A POSTROUTING -o eth0 -j MASQUERADE', '-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2'];
  t.deepEqual(told(nat() + asks('--ctstate DNAT')), dead);
  t.deepEqual(told(nat() + asks('--ctstate SNAT,DNAT')), dead);
  t.deepEqual(told(nat(masquerade) + asks('--ctstate NEW -m conntrack --ctstate DNAT')), dead, 'only what a helper expects could be');
  t.deepEqual(told(nat(masquerade) + asks('--ctstate DNAT')), dead, 'whatever is behind what belongs to known connections');
  t.deepEqual(told(nat(masquerade) + asks('--ctstate NEW -m conntrack --ctstate SNAT')), []);
  t.deepEqual(told(nat(dnat) + asks('--ctstate DNAT')), []);
  const to = (dst: string, words = '--ctstate NEW -m conntrack --ctstate DNAT'): string => asks(words).replace('-A FORWARD -m conntrack --ctstate NEW', `-A FORWARD -d ${dst} -m conntrack --ctstate NEW`);
  t.deepEqual(told(nat(dnat) + to('10.0.0.3')), dead, 'where no rule sends them');
  t.deepEqual(told(nat(dnat) + to('10.0.0.0/30')), []);
  t.deepEqual(told(nat('-A PREROUTING -d 203.0.113.0/24 -j NETMAP --to 10.0.7.0/24') + to('10.0.6.255')), dead);
  t.deepEqual(told(nat('-A PREROUTING -d 203.0.113.0/24 -j NETMAP --to 10.0.7.0/24') + to('10.0.7.255')), []);
  t.deepEqual(told(nat(dnat, '-A PREROUTING -p tcp -j REDIRECT --to-ports 80') + to('10.0.0.3')), [], 'an address of the host');
  t.deepEqual(told(nat(dnat, '-A PREROUTING -p tcp -j DNAT --to-destination :80') + to('10.0.0.3')), [], 'wherever they go already');
  t.deepEqual(told(asks('--ctstate DNAT')), [], 'the host may have a table nat that is not in the file');
  t.deepEqual(told(nat('-A PREROUTING -j FULLCONENAT') + asks('--ctstate DNAT')), [], 'a target that nobody knows');
});

test('never-matches: a destination that no rule makes of the one that the connection began with', t => {
  const nat = (...lines: readonly string[]): string => ['*nat', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', ...lines, 'COMMIT', ''].join('\n');
  const told = (table: string, asks: string, words = '--ctdir ORIGINAL'): readonly string[] => of(table + filter(`-A FORWARD ${asks} ${words} -j ACCEPT`)).map(one => `${one.check} ${one.severity} ${one.certainty} ${one.rule ?? ''}`);
  const dead = ['never-matches info possible filter:FORWARD:1'];
  const [address, port] = ['-d 10.0.0.5/32 -m conntrack --ctorigdst 192.0.2.0/24', '-p tcp -m tcp --dport 443 -m conntrack --ctorigdstport 8443'];
  for (const asks of [address, port]) {
    t.deepEqual(told(nat(), asks), dead);
    t.deepEqual(told(nat('-A POSTROUTING -o eth0 -j MASQUERADE'), asks, '--ctstate NEW'), dead);
    t.deepEqual(told(nat(), asks, '--ctstate ESTABLISHED'), [], 'packets of the other direction go to who began it');
    t.deepEqual(told('', asks), [], 'the host may have a table nat that is not in the file');
    for (const target of ['FULLCONENAT', 'DNAT --to-destination 10.0.0.5:443']) t.deepEqual(told(nat(`-A PREROUTING -p tcp -j ${target}`), asks), [], target);
  }
  t.deepEqual(told(nat(), address.replace('192.0.2.0/24', '10.0.0.0/24')), []);
  t.deepEqual(told(nat(), address.replace('--ctorigdst', '! --ctorigdst')), [], 'all others');
  t.deepEqual(told(nat(), port.replace('8443', '400:500')), []);
  t.deepEqual(told(nat('-A PREROUTING -d 198.51.100.7/32 -j DNAT --to-destination 10.0.0.5'), address), dead, 'those of another address');
  t.deepEqual(told(nat('-A PREROUTING -d 192.0.2.7/32 -j DNAT --to-destination 10.0.0.6'), address), dead, 'to another server');
  t.deepEqual(told(nat('-A PREROUTING -d 192.0.2.7/32 -j DNAT --to-destination 10.0.0.0-10.0.0.9'), address), []);
  t.deepEqual(told(nat('-A PREROUTING -d 192.0.2.7/32 -p tcp -j REDIRECT'), address), [], 'an address of the host');
  t.deepEqual(told(nat('-A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 10.0.0.0/24'), address), []);
  t.deepEqual(told(nat('-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.5'), port), dead, 'the port stays');
  t.deepEqual(told(nat('-A PREROUTING -p tcp -m tcp --dport 8443 -j REDIRECT --to-ports 443'), port), []);
  t.deepEqual(of(nat() + filter('-A FORWARD -d 2001:db8::5/128 -m conntrack --ctorigdst 2001:db8:1::/48 --ctdir ORIGINAL -j ACCEPT'), 'ipv6').map(one => one.rule), ['filter:FORWARD:1']);
});

test('connections may be translated by others, or have been: nothing is shadowed for certain because no rule of table nat does it', t => {
  const told = (nat: string, ...lines: readonly string[]): readonly string[] => of(`*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n${nat}COMMIT\n${filter(...lines)}`).map(one => one.check);
  const [notTranslated, behind] = ['-A FORWARD -m conntrack ! --ctstate DNAT -j DROP', '-A FORWARD -i eth1 -j ACCEPT'];
  t.deepEqual(told('', notTranslated, behind), []);
  t.deepEqual(told('-A POSTROUTING -o eth0 -j MASQUERADE\n', '-A FORWARD -m conntrack --ctstate NEW -m conntrack ! --ctstate DNAT -j DROP', '-A FORWARD -m conntrack --ctstate NEW -j ACCEPT'), []);
  t.deepEqual(told('-A PREROUTING -i eth0 -j DNAT --to-destination 10.0.0.2\n', '-A FORWARD -d 10.0.0.3/32 -m conntrack ! --ctstate DNAT -j DROP', '-A FORWARD -d 10.0.0.3/32 -j ACCEPT'), []);
});

test('never-matches: a mark of connections that no rule sets', t => {
  const told = (mark: string, ...mangle: readonly string[]): readonly string[] => of(['*mangle', ':PREROUTING ACCEPT', ...mangle.map(line => `-A PREROUTING ${line}`), 'COMMIT', filter(`-A INPUT -m connmark ${mark} -j ACCEPT`)].join('\n')).map(one => `${one.check} ${one.severity} ${one.certainty} ${one.rule ?? ''}`);
  const dead = ['never-matches info possible filter:INPUT:1'];
  const restore = '-j CONNMARK --restore-mark';
  t.deepEqual(told('--mark 0x1', restore), dead);
  t.deepEqual(told('! --mark 0x0', restore), dead);
  t.deepEqual(told('--mark 0x2', restore, '-p tcp -j CONNMARK --set-mark 0x1'), dead);
  t.deepEqual(told('--mark 0x2', restore, '-j CONNMARK --set-mark 0x1'), [], 'unreachable-rule names the rule that always sets another');
  t.deepEqual(told('--mark 0x0', restore), []);
  t.deepEqual(told('! --mark 0x1', restore), []);
  t.deepEqual(told('--mark 0x1', '-j CONNMARK --set-mark 0x1'), []);
  t.deepEqual(told('--mark 0x3', '-j CONNMARK --or-mark 0x1', '-j CONNMARK --or-mark 0x2'), []);
  t.deepEqual(told('--mark 0x1', '-j CONNMARK --save-mark'), []);
  t.deepEqual(told('--mark 0x1', '-j CONNMARK --set-mark 0x2 --right-shift-mark 1'), []);
  t.deepEqual(found('-A INPUT -m connmark --mark 0x1 -j ACCEPT'), [], 'the host may have a table mangle that is not in the file');
});

test('what firewalld lets pass as translated is nothing new where no rule translates', t => {
  const rules = (nat: string): readonly string[] => analyze({ path: 'x.rules', text: `*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n${nat}COMMIT\n${filter('-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT', '-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')}` })
    .findings.map(one => one.check).filter(one => one === 'invalid-accepted');
  t.deepEqual(rules(''), ['invalid-accepted']);
});

test('never-matches: ICMP of the other family, and what to write in its place', t => {
  const told = (family: 'ipv4' | 'ipv6', protocol: string): readonly unknown[] => of(filter(`-A INPUT -p ${protocol} -j ACCEPT`), family).map(one => [one.check, one.severity, one.help]);
  t.deepEqual(told('ipv6', 'icmp'), [['never-matches', 'warning', 'write -p ipv6-icmp in place of -p icmp']]);
  t.deepEqual(told('ipv6', '1'), told('ipv6', 'icmp'));
  t.deepEqual(told('ipv4', 'icmpv6'), [['never-matches', 'warning', 'write -p icmp in place of -p ipv6-icmp']]);
  for (const [family, protocol] of [['ipv4', 'icmp'], ['ipv6', 'icmpv6']] as const) t.deepEqual(told(family, protocol), []);
  t.deepEqual(of(filter('-A INPUT ! -p icmp -j ACCEPT'), 'ipv6'), [], 'all packets match that');
});

test('never-matches: a type of ICMP by its number in the other family', t => {
  const told = (family: 'ipv4' | 'ipv6', type: string): readonly unknown[] => {
    const [protocol, option] = family === 'ipv4' ? ['icmp', '--icmp-type'] : ['ipv6-icmp', '--icmpv6-type'];
    return of(filter(`-A INPUT -p ${protocol} -m ${protocol === 'icmp' ? 'icmp' : 'icmp6'} ${option} ${type} -j ACCEPT`), family).map(one => `${one.severity}: ${one.help}`);
  };
  for (const [type, meant] of [[0, 129], [5, 137], [8, 128], [9, 134], [10, 133], [11, 3], [12, 4]]) t.deepEqual(told('ipv6', String(type)), [`warning: write --icmpv6-type ${String(meant)}, or delete it`]);
  for (const type of ['1', '3', '4', '128', '129', '135', '100']) t.deepEqual(told('ipv6', type), [], type);
  for (const [type, meant] of [[128, 8], [129, 0], [137, 5]]) t.deepEqual(told('ipv4', String(type)), [`warning: write --icmp-type ${String(meant)}, or delete it`]);
  for (const type of ['0', '3', '3/4', '8', '11', '255', '42']) t.deepEqual(told('ipv4', type), [], type);
  t.deepEqual(of(filter('-A INPUT -p ipv6-icmp -m icmp6 ! --icmpv6-type 8 -j ACCEPT'), 'ipv6'), [], 'all others');
});

for (const [rule, words] of [
  ['-p udp -m udp --dport 53 -m multiport --dports 80,443', '`-m udp --dport 53` and `-m multiport --dports 80,443` exclude each other'],
  ['-s 10.0.1.0/24 -m iprange --src-range 10.0.0.1-10.0.0.5', '`-s 10.0.1.0/24` and `-m iprange --src-range 10.0.0.1-10.0.0.5` exclude each other'],
  ['-m conntrack --ctstate NEW -m state --state ESTABLISHED', '`-m conntrack --ctstate NEW` and `-m state --state ESTABLISHED` exclude each other'],
  ['-s 10.0.0.0/8 -p tcp -m tcp --dport 22 -m length --length 100:50', '`-m length --length 100:50` excludes every packet'],
  ['-p tcp -m tcp --tcp-flags SYN ACK', '`-m tcp --tcp-flags SYN ACK` excludes every packet'],
  ['-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -m conntrack --ctstate NEW', '`-m tcp --tcp-flags SYN,ACK SYN,ACK` and `-m conntrack --ctstate NEW` exclude each other: connection tracking never calls a TCP packet with such flags NEW'],
  ['-p icmp -m icmp --icmp-type 0 -m conntrack --ctstate NEW', '`-m icmp --icmp-type 0` and `-m conntrack --ctstate NEW` exclude each other: connection tracking never calls an ICMP message of such a type NEW'],
  ['-p icmp -m icmp --icmp-type 3/4 -m state --state NEW,ESTABLISHED', '`-m icmp --icmp-type 3/4` and `-m state --state NEW,ESTABLISHED` exclude each other: connection tracking never calls an ICMP message of such a type NEW or ESTABLISHED'],
  ['-m mark --mark 0x1/0x2', '`-m mark --mark 0x1/0x2` excludes every packet'],
  ['-m conntrack ! --ctstate NEW,ESTABLISHED,RELATED,INVALID,UNTRACKED', '`-m conntrack ! --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED` excludes every packet'],
  ['! -i +', '`! -i +` excludes every packet'],
] as const) {
  test(`never-matches says what is to blame: ${rule}`, t => {
    const [finding, ...others] = of(filter(`-A INPUT ${rule} -j ACCEPT`));
    t.deepEqual([finding?.check, finding?.severity, others.length], ['never-matches', 'error', 0]);
    t.is(finding?.message, `no packet can match this rule: ${words}`);
  });
}

test('criteria that leave one packet are no contradiction', t => {
  t.deepEqual(found('-A INPUT -p udp -m udp --dport 53 -m multiport --dports 53,80 -j ACCEPT', '-A INPUT -s 10.0.0.4/30 -m iprange --src-range 10.0.0.1-10.0.0.4 -j ACCEPT', '-A INPUT -m limit --limit 1/s -m set --match-set x src -m set ! --match-set x dst -j DROP'), []);
});

test('a time that never comes, and one that is always', t => {
  const time = (options: string): readonly string[] => found(`-A INPUT -p tcp -m time ${options} -j ACCEPT`, '-A INPUT -p tcp -j DROP');
  for (const none of ['--datestart 2030-01-01 --datestop 2020-01-01', '! --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun']) t.deepEqual(time(none), ['never-matches filter:INPUT:1'], none);
  for (const all of ['--timestart 08:00 --timestop 08:00', '--timestart 08:00:01 --timestop 08:00', '--timestart 0:00 --timestop 23:59:59']) t.deepEqual(time(all), ['shadowed-rule filter:INPUT:2'], all);
  for (const some of ['--timestart 08:00:02 --timestop 08:00', '--timestart 08:00 --timestop 08:01', '--timestart 08:00 --timestop 08:00 --weekdays Mon', '--datestart 2030-01-01']) t.deepEqual(time(some), [], some);
});

test('never-matches: flags that a state has are no contradiction, an ACK that is picked up least of all', t => {
  t.deepEqual(found('-A INPUT -p tcp -m tcp ! --syn -m conntrack --ctstate NEW -j DROP', '-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -m conntrack --ctstate NEW,ESTABLISHED -j DROP'), []);
  t.deepEqual(found('-A INPUT -p tcp -m tcp --tcp-flags RST RST -m conntrack --ctstate NEW -j LOG', '-A INPUT -p tcp -m tcp --tcp-flags FIN FIN -m conntrack --ctstate NEW -j LOG'), [], 'behind a SYN, and in what was picked up');
  t.deepEqual(found('-A INPUT -p tcp -m conntrack --ctstate NEW -j new', '-A INPUT -p tcp -j new2', ':new - [0:0]', '-A new -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j LOG', '-A new -p tcp -m tcp --tcp-flags FIN,ACK FIN,ACK -j LOG', ':new2 - [0:0]', '-A new2 -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j LOG'), ['never-matches filter:new:1'], 'asked by the jump');
});

test('never-matches: states that an ICMP type has are no contradiction', t => {
  const types = (...rules: readonly string[]): readonly string[] => found(...rules.map(rule => `-A INPUT -p icmp -m ${rule} -j LOG`));
  t.deepEqual(types('icmp --icmp-type 3 -m state --state NEW,ESTABLISHED,RELATED', 'icmp --icmp-type 0 -m conntrack --ctstate ESTABLISHED,RELATED', 'conntrack --ctstate NEW', 'icmp --icmp-type any -m conntrack --ctstate NEW', 'icmp ! --icmp-type 8 -m conntrack --ctstate NEW', 'icmp --icmp-type 9 -m conntrack --ctstate INVALID'), [], 'errors are RELATED, replies ESTABLISHED, and there are requests other than echo');
  t.deepEqual(types('icmp --icmp-type 3 -m conntrack --ctstate ESTABLISHED', 'icmp --icmp-type 8 -m conntrack --ctstate RELATED', 'icmp --icmp-type 9 -m conntrack --ctstate NEW,ESTABLISHED,RELATED'), [1, 2, 3].map(position => `never-matches filter:INPUT:${String(position)}`));
  t.deepEqual(found('-A INPUT -p icmp -m conntrack --ctstate RELATED -j errors', ':errors - [0:0]', '-A errors -p icmp -m icmp --icmp-type 11 -j ACCEPT', '-A errors -p icmp -m icmp --icmp-type 0 -j ACCEPT'), ['never-matches filter:errors:2'], 'asked by the jump');
});

test('never-matches: neighbour discovery is UNTRACKED', t => {
  const found6 = (state: string): readonly unknown[] => of(filter(`-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m conntrack --ctstate ${state} -j ACCEPT`, '-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -m conntrack --ctstate NEW -j ACCEPT'), 'ipv6').map(one => one.rule);
  t.deepEqual(found6('NEW'), ['filter:INPUT:1']);
  t.deepEqual(found6('NEW,UNTRACKED'), []);
});

test('a contradiction in IPv6', t => {
  t.deepEqual(of(filter('-A INPUT -s 2001:db8::/32 -m iprange --src-range fd00::1-fd00::5 -j ACCEPT', '-A INPUT -s 2001:db8::/32 -m iprange --src-range 2001:db7::1-2001:db8:: -j ACCEPT'), 'ipv6').map(one => one.rule), ['filter:INPUT:1']);
});

test('an interface that packets do not have where the chain is entered', t => {
  t.deepEqual(found(':x - [0:0]', '-A INPUT -j x', '-A x -o eth0 -j ACCEPT'), ['never-matches filter:x:1']);
  t.deepEqual(found(':x - [0:0]', '-A INPUT -j x', '-A FORWARD -j x', '-A x -o eth0 -j ACCEPT'), []);
  t.deepEqual(table('mangle', ':x - [0:0]', '-A OUTPUT -j x', '-A x -i eth0 -j ACCEPT'), ['never-matches mangle:x:1']);
  t.deepEqual(table('mangle', ':x - [0:0]', '-A POSTROUTING -j x', '-A x -i eth0 -j ACCEPT'), [], 'what is forwarded has one there');
});

test('what loading refuses is not said twice', t => {
  t.deepEqual(found('-A INPUT -o eth0 -j ACCEPT', '-A OUTPUT -i eth0 -j ACCEPT'), []);
});

test('nat sees NEW and RELATED packets', t => {
  t.deepEqual(table('nat', '-A POSTROUTING -m conntrack --ctstate ESTABLISHED -j MASQUERADE', '-A POSTROUTING -m conntrack --ctstate INVALID,UNTRACKED -j ACCEPT', '-A POSTROUTING -m conntrack --ctstate NEW,ESTABLISHED -j MASQUERADE'), ['never-matches nat:POSTROUTING:1', 'never-matches nat:POSTROUTING:2']);
  t.deepEqual(table('nat', '-A POSTROUTING -m conntrack --ctstate RELATED -j MASQUERADE', '-A POSTROUTING -m conntrack ! --ctstate INVALID -j MASQUERADE'), []);
});

test('in raw only packets over lo have a state', t => {
  t.deepEqual(table('raw', '-A PREROUTING -i eth0 -m conntrack --ctstate NEW -j ACCEPT', '-A PREROUTING -m conntrack --ctstate ESTABLISHED -j ACCEPT'), ['never-matches raw:PREROUTING:1', 'never-matches raw:PREROUTING:2']);
  t.deepEqual(table('raw', '-A PREROUTING -i lo -m conntrack --ctstate NEW -j ACCEPT', '-A PREROUTING -m conntrack --ctstate NEW,INVALID -j ACCEPT', '-A PREROUTING -p udp -j NOTRACK', '-A PREROUTING -m conntrack --ctstate UNTRACKED -j ACCEPT'), []);
});

test('rules of a chain that no jump leads their packets to are told once, with the jumps', t => {
  const [finding, ...others] = of(filter(':web - [0:0]', '-A INPUT -p tcp -m tcp --dport 80 -j web', '-A INPUT -p tcp -m tcp --dport 443 -j web', '-A web -p udp -j DROP', '-A web -p tcp -m tcp --dport 8080 -j DROP', '-A web -s 192.0.2.1/32 -j DROP'));
  t.deepEqual([finding?.check, finding?.rule, finding?.because.map(one => one.rule), others.length], ['never-matches', 'filter:web:1', ['filter:INPUT:1', 'filter:INPUT:2', 'filter:web:2'], 0]);
});

test('a chain that is never entered is one finding, with the chains behind it', t => {
  const [finding, ...others] = of(filter(':a - [0:0]', ':b - [0:0]', ':c - [0:0]', '-A a -j b', '-A b -j c', '-A c -p tcp -j ACCEPT', '-A c -p udp -j ACCEPT'));
  t.deepEqual([finding?.check, others.length], ['unreachable-chain', 0]);
  t.regex(finding?.message ?? '', /chain `b`, nor into `c` behind it: only chains that nothing jumps to/u);
});

test('the jump to it is reported where it is shadowed, and its rules are not', t => {
  t.deepEqual(found(':a - [0:0]', '-A INPUT -p tcp -j DROP', '-A INPUT -p tcp -m tcp --dport 22 -j a', '-A a -s 192.0.2.1/32 -j ACCEPT', '-A a -s 192.0.2.2/32 -j ACCEPT'), ['unreachable-chain', 'shadowed-rule filter:INPUT:2']);
});

test('behind a goto that takes every packet, all rules are one finding', t => {
  const lines = [':a - [0:0]', '-A INPUT -g a', '-A INPUT -p tcp -j ACCEPT', '-A INPUT -p udp -j DROP', '-A a -s 192.0.2.1/32 -j DROP'];
  t.deepEqual(found(...lines), ['unreachable-after-goto filter:INPUT:2']);
  t.deepEqual(of(filter(...lines))[0]?.because.map(one => one.rule), ['filter:INPUT:1', 'filter:INPUT:3']);
});

test('and behind a jump to a chain that decides about all; not where some come back', t => {
  t.deepEqual(found(':a - [0:0]', '-A INPUT -j a', '-A INPUT -p tcp -j ACCEPT', '-A a -p tcp -j REJECT', '-A a -j DROP'), ['unreachable-after-goto filter:INPUT:2']);
  t.deepEqual(found(':a - [0:0]', '-A INPUT -j a', '-A INPUT -p tcp -j ACCEPT', '-A a -s 192.0.2.1/32 -j RETURN', '-A a -j DROP'), []);
  t.deepEqual(found(':a - [0:0]', '-A INPUT -p udp -g a', '-A INPUT -p tcp -j ACCEPT', '-A a -s 192.0.2.1/32 -j DROP'), []);
});

test('a goto and a jump from which no packet comes back, in words', t => {
  const told = (flag: string): string => of(filter(':a - [0:0]', `-A INPUT ${flag} a`, '-A INPUT -p tcp -j ACCEPT', '-A a -j DROP'))[0]?.message ?? '';
  t.is(told('-g'), 'no packet comes to this rule: rule 1 (-g a) leads every packet away, and a goto does not come back');
  t.is(told('-j'), 'no packet comes to this rule: rule 1 (-j a) leads every packet away, and none that this one would match comes back');
});

test('what stands behind a call and would do the same is a warning, by a chain of its own as well', t => {
  const severity = (last: string, ...block: readonly string[]): readonly string[] => of(filter(':filters - [0:0]', ':block - [0:0]', ':refuse - [0:0]', ':ports - [0:0]', '-A INPUT -j filters', `-A INPUT ${last}`, '-A filters -p tcp -m tcp --dport 22 -j ACCEPT', '-A filters -j block', ...block.map(one => `-A block ${one}`), '-A refuse -p tcp -j REJECT --reject-with tcp-reset', '-A refuse -j REJECT', '-A ports -p tcp -j ACCEPT', '-A ports -j REJECT'))
    .filter(one => one.check === 'unreachable-after-goto').map(one => one.severity);
  t.deepEqual(severity('-j block', '-j REJECT'), ['warning']);
  t.deepEqual(severity('-g block', '-p udp -j DROP', '-m limit --limit 1/sec -j LOG', '-j REJECT'), ['warning'], 'the very same chain');
  t.deepEqual(severity('-j refuse', '-j REJECT'), ['warning'], 'another that does the same');
  t.deepEqual(severity('-j REJECT', '-j refuse'), ['warning']);
  t.deepEqual(severity('-j refuse', '-j DROP'), ['error']);
  t.deepEqual(severity('-p tcp -j filters', '-j REJECT'), ['warning'], 'it was there before');
  t.deepEqual(severity('-j ports', '-j REJECT'), ['error'], 'it would let some in');
});

test('jumps to one empty chain are one finding; a chain with a rule without a target is not empty', t => {
  t.deepEqual(found(':a - [0:0]', '-A INPUT -j a', '-A FORWARD -p tcp -j a', '-A OUTPUT -j a'), ['jump-to-empty-chain filter:INPUT:1']);
  t.deepEqual(found(':a - [0:0]', '-A INPUT -j a', '-A a'), []);
});

function overlaps(...lines: readonly string[]): readonly string[] {
  const { findings } = analyze({ path: 'x.rules', text: filter(...lines) });
  return findings.filter(one => ['correlated-rules', 'partially-shadowed-rule'].includes(one.check)).map(one => `${one.check} ${one.rule ?? ''}`);
}

test('a chain of banned addresses that is called behind the rules for services bans nobody there', t => {
  const late = (rules: readonly string[], bans: readonly string[] = ['-s 203.0.113.7/32 -j DROP', '-j RETURN']): readonly string[] => analyze({ path: 'x.rules', text: ['*filter', ':INPUT DROP [0:0]', ':bans - [0:0]', ...rules.map(one => `-A INPUT ${one}`), ...bans.map(one => `-A bans ${one}`), 'COMMIT', ''].join('\n') })
    .findings.filter(one => one.check === 'correlated-rules').map(({ severity, rule }) => `${severity} ${rule ?? ''}`);
  const [ssh, web] = ['-p tcp -m tcp --dport 22 -j ACCEPT', '-p tcp -m multiport --dports 80,443 -j ACCEPT'];
  t.deepEqual(late([ssh, web, '-j bans']), ['warning filter:INPUT:3']);
  t.deepEqual(late([ssh, '-j bans'], ['-m set --match-set banned src -j DROP']), ['warning filter:INPUT:2']);
  t.deepEqual(late(['-j bans', ssh, web]), []);
  t.deepEqual(late([web, '-p tcp -m tcp --dport 22 -j bans', ssh]), [], 'it is for ssh');
  t.deepEqual(late(['-i lo -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-j bans', ssh]), [], 'some are let in by their address');
  t.deepEqual(late([ssh, '-j bans'], ['-s 203.0.113.7/32 -j DROP', '-p tcp -m tcp --dport 25 -j ACCEPT']), [], 'that is no list of the banned');
  t.deepEqual(late([ssh, '-j bans'], ['-j RETURN']), [], 'nobody is banned');
  t.deepEqual(late([`-i eth1 ${ssh}`, '-j bans']), [], 'who is inside is not on the internet');
  t.deepEqual(late([`-i eth0 ${ssh}`, '-j bans']), ['warning filter:INPUT:2']);
  t.deepEqual(late(['-p udp -m udp --sport 67 --dport 68 -j ACCEPT', '-j bans'], ['-s 10.0.0.0/8 -j DROP']), [], 'who gives addresses is on the same link');
  t.deepEqual(late([ssh, '-j bans'], ['-s 203.0.113.7/32 -i eth1 -j RETURN', '-s 203.0.113.7/32 -j DROP']), [], 'who lies is kept out');
  t.deepEqual(late([ssh, '-j bans'], ['! -s 203.0.113.0/24 -j DROP']), [], 'so he is here');
  t.deepEqual(late([ssh, '-s 203.0.113.0/24 -i eth1 -j bans']), [], 'that is about one network');
});

test('who drops before takes nothing from a rule that rejects', t => {
  t.deepEqual(overlaps('-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate INVALID -j DROP', '-A INPUT -m set --match-set banned src -j DROP', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -m set --match-set allowed src -j ACCEPT', '-A INPUT -p udp -j REJECT --reject-with icmp-port-unreachable'), []);
});

test('an address that is blocked behind a rule which lets it in; a list of them is one finding', t => {
  t.deepEqual(overlaps('-A INPUT -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -s 127.0.0.0/8 ! -i lo -j DROP', '-A INPUT -p tcp -j REJECT'), [], 'the kernel lets nobody in who comes with such an address');
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -s 203.0.113.7/32 -j DROP', '-A INPUT -s 203.0.113.8/32 -j DROP', '-A INPUT -p tcp -j REJECT'), ['correlated-rules filter:INPUT:2']);
  for (const who of ['-m set --match-set bad src', '-m iprange --src-range 203.0.113.1-203.0.113.9', '-s 203.0.113.7/32 -i eth0 -m comment --comment "sends spam"', '-s 203.0.113.7/32 -p tcp', '-m set --match-set bad src -p tcp -m conntrack --ctstate INVALID,NEW']) {
    t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', `-A INPUT ${who} -j DROP`, '-A INPUT -p tcp -j REJECT'), ['correlated-rules filter:INPUT:2'], who);
  }
  for (const who of ['-m set ! --match-set bad src', '-m set --match-set bad src -p udp', '-m set --match-set bad src -p tcp -m tcp --dport 1:1023', '-m limit --limit 9/min']) t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', `-A INPUT ${who} -j DROP`, '-A INPUT -p tcp -j REJECT'), [], who);
  t.deepEqual(overlaps('-A INPUT -p tcp -m set --match-set good src -j ACCEPT', '-A INPUT -m set --match-set bad src -j DROP', '-A INPUT -p tcp -j REJECT'), [], 'an exception for some');
  t.deepEqual(overlaps('-A INPUT -p icmp -j ACCEPT', '-A INPUT -m set --match-set bad src -j DROP', '-A INPUT -p tcp -j ACCEPT'), [], 'anybody may ping');
  t.deepEqual(overlaps('-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A OUTPUT -d 203.0.113.7/32 -j DROP'), ['correlated-rules filter:OUTPUT:2']);
});

test('of blocks that ask for a protocol as well, a few are looked at, and they leave room for those that do not', t => {
  const block = (last: number, protocol: string): string => `-A INPUT -s 203.0.113.${String(last)}/32${protocol} -j DROP`;
  const many = Array.from({ length: 25 }, (_, i) => block(i, ' -p tcp'));
  const { findings } = analyze({ path: 'x.rules', text: filter('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', ...many, block(100, ''), '-A INPUT -p tcp -j REJECT') });
  t.regex(findings.find(one => one.check === 'correlated-rules')?.message ?? '', /of this rule and of 20 like it/u, '20 of TCP, and the last');
});

test('blocked first, known connections first, or a trusted address first: as it should be', t => {
  t.deepEqual(overlaps('-A INPUT -s 203.0.113.7/32 -j DROP', '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT'), []);
  t.deepEqual(overlaps('-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -s 203.0.113.7/32 -j DROP', '-A INPUT -p tcp -j ACCEPT'), []);
  t.deepEqual(overlaps('-A INPUT -s 203.0.113.0/28 -j ACCEPT', '-A INPUT -s 203.0.113.0/24 -j DROP'), []);
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -s 203.0.113.7/32 -p tcp -m tcp --dport 1:1023 -j DROP'), [], 'it says itself what it is about');
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -s 203.0.113.7/32 -m conntrack --ctstate RELATED,ESTABLISHED -j DROP'), [], 'no connection begins so');
});

test('a block that comes too late is not redundant as well, nor are those like it that are too many to look at', t => {
  const told = (...lines: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: filter(...lines) }).findings.filter(one => ['correlated-rules', 'redundant-rule'].includes(one.check)).map(({ check, rule, fix }) => `${check} ${rule ?? ''} ${fix?.safety ?? 'no fix'}`);
  const sip = '-A INPUT -p udp -m udp --dport 5060 -m conntrack --ctstate NEW -j ACCEPT';
  t.deepEqual(told(sip, '-A INPUT -s 203.0.113.7/32 -m conntrack --ctstate NEW -j DROP'), ['correlated-rules filter:INPUT:2 no fix']);
  t.deepEqual(told(sip, '-A INPUT -s 203.0.113.7/32 -p udp -j DROP'), ['correlated-rules filter:INPUT:2 no fix']);
  t.deepEqual(told(sip, '-A INPUT -s 203.0.113.7/32 -p tcp -j DROP'), ['redundant-rule filter:INPUT:2 safe']);
  const many = Array.from({ length: 30 }, (_, i) => `-A INPUT -s 203.0.113.${String(i)}/32 -j DROP`);
  t.deepEqual(told(sip, ...many), ['correlated-rules filter:INPUT:2 no fix']);
  t.is(told(...many, sip).length, 0, 'they are in time');
  t.deepEqual(told(':bans - [0:0]', sip, '-A INPUT -j bans', '-A bans -s 203.0.113.7/32 -j DROP', '-A bans -s 203.0.113.9/32 -j DROP'), ['correlated-rules filter:INPUT:2 no fix']);
});

test('little is left of a rule: told where others decide otherwise, and were not written for it', t => {
  const wide = '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 1000:65535 -j ACCEPT';
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 1024:65535 -j DROP', wide), ['partially-shadowed-rule filter:INPUT:2']);
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 1024:40000 -j DROP', wide), [], 'half is left');
  t.deepEqual(overlaps('-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 1024:65535 -j DROP', wide), [], 'plainly an exception to it');
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 1024:65535 -j ACCEPT', wide), [], 'the same verdict');
  t.deepEqual(overlaps('-A INPUT ! -s 192.0.2.0/29 -j DROP', wide), [], 'a guard says what all that follows is for');
});

test('what a goto or RETURN leads away is decided elsewhere, so that nothing of the rule is done', t => {
  const severity = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: ['*filter', ':INPUT DROP [0:0]', ':mail - [0:0]', ...rules, 'COMMIT', ''].join('\n') }).findings.filter(one => one.check === 'shadowed-rule').map(one => `${one.severity} ${String(one.rule)}`);
  const https = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  t.deepEqual(severity('-A INPUT -p tcp -g mail', https, '-A mail -p tcp -m tcp --dport 25 -j ACCEPT'), ['error filter:INPUT:2']);
  t.deepEqual(severity('-A INPUT -p tcp -j RETURN', https), ['error filter:INPUT:2']);
  t.deepEqual(severity('-A INPUT -p tcp -g mail', https, '-A mail -j ACCEPT'), ['warning filter:INPUT:2']);
  t.deepEqual(severity('-A INPUT -p tcp -j mail', https, '-A mail -p tcp -m tcp --dport 1:1000 -j ACCEPT'), ['warning filter:INPUT:2']);
});

test('what others than lo bring of loopback addresses is nobody’s loss', t => {
  const severity = (rule: string, host?: HostSetup): readonly string[] => analyze({ path: 'x.rules', text: filter('-A INPUT -i lo -j ACCEPT', '-A INPUT -s 127.0.0.0/8 ! -i lo -j DROP', `-A INPUT ${rule}`) }, host === undefined ? {} : { host: () => host }).findings.filter(one => one.check === 'shadowed-rule').map(one => one.severity);
  const asterisk = '-s 127.0.0.1/32 -p tcp -m tcp --dport 5038';
  t.deepEqual(severity(`${asterisk} -j ACCEPT`), ['warning']);
  t.deepEqual(severity(`${asterisk} -j ACCEPT`, { sysctls: { 'net.ipv4.conf.all.route_localnet': 1 } }), ['error']);
  t.deepEqual(severity(`${asterisk} -j DROP`), ['error'], 'lo is let in');
});

test('of a rule without a target it is not said what never happens', t => {
  const text = '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -p tcp -m recent --set --name x --rsource\nCOMMIT\n';
  t.is(analyze({ path: 'x.rules', text }).findings.find(one => one.check === 'shadowed-rule')?.message, 'no packet can match this rule: rule 1 takes all of them first');
});

test('who drops INVALID packets first of all need not look for them behind', t => {
  const redundant = (rule: string): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n${rule}\n-A INPUT -p tcp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n` }).findings.filter(one => one.check === 'redundant-rule').map(one => one.rule);
  t.deepEqual(redundant('-A INPUT -m conntrack --ctstate INVALID -j DROP'), []);
  t.deepEqual(redundant('-A INPUT -p udp -m conntrack --ctstate INVALID -j DROP'), ['filter:INPUT:1']);
  t.deepEqual(redundant('-A INPUT -p udp -j DROP'), ['filter:INPUT:1']);
});

test('what a rule remembers is not done without it', t => {
  const redundant = (rule: string): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n-A INPUT -m recent --rcheck --name known --rsource -j ACCEPT\n${rule}\nCOMMIT\n` }).findings.filter(one => one.check === 'redundant-rule').map(one => one.rule);
  t.deepEqual(redundant('-A INPUT -p tcp -m tcp --dport 7000 -m recent --set --name known --rsource -j DROP'), []);
  t.deepEqual(redundant('-A INPUT -p tcp -m tcp --dport 7000 -j DROP'), ['filter:INPUT:2']);
});

test('a chain that is there to drop says so at its end', t => {
  const redundant = (last: string): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n:logdrop - [0:0]\n-A INPUT -p udp -j logdrop\n-A logdrop -m limit --limit 9/min -j LOG\n-A logdrop ${last}\nCOMMIT\n` }).findings.filter(one => one.check === 'redundant-rule').map(one => one.rule);
  t.deepEqual(redundant('-j DROP'), []);
  t.deepEqual(redundant('-p udp -j DROP'), ['filter:logdrop:2']);
});

/** A container that docker publishes, as docker writes it; and rules of a person's. */
function dockerHost({ policy = 'DROP', first = [], late = [], nat = [] }: { readonly policy?: string; readonly first?: readonly string[]; readonly late?: readonly string[]; readonly nat?: readonly string[] }): string {
  return [
    '*nat', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', ':DOCKER -', '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
    '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', '-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 5432 -j MASQUERADE', ...nat,
    '-A DOCKER -i docker0 -j RETURN', '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 172.17.0.2:5432', 'COMMIT',
    '*filter', ':INPUT DROP', `:FORWARD ${policy}`, ':OUTPUT ACCEPT', ':DOCKER -', ':DOCKER-USER -', ...first, '-A FORWARD -j DOCKER-USER',
    '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -o docker0 -j DOCKER', '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT', '-A FORWARD -i docker0 -o docker0 -j ACCEPT', ...late,
    '-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 5432 -j ACCEPT', 'COMMIT', '',
  ].join('\n');
}

test('partially-shadowed-rule: who closes a port of a container behind what docker lets in closes nothing, and is warned', t => {
  const told = (...of: Parameters<typeof dockerHost>): readonly unknown[] => analyze({ path: 'x.rules', text: dockerHost(...of) }, { family: 'ipv4' })
    .findings.filter(({ check }) => check === 'partially-shadowed-rule' || check === 'redundant-rule').map(({ check, severity, rule, witness }) => [check, severity, rule, witness !== null]);
  const port = '-p tcp -m tcp --dport 5432 -j DROP';
  for (const asks of ['', '-i eth0 ', '-o docker0 ', '-d 172.17.0.2/32 ']) for (const policy of ['DROP', 'ACCEPT']) {
    t.deepEqual(told({ policy, late: [`-A FORWARD ${asks}${port}`] }), [['partially-shadowed-rule', 'warning', 'filter:FORWARD:6', true]], `${asks}${policy}`);
  }
  t.deepEqual(told({ first: ['-A FORWARD -i eth0 -p tcp -m tcp --dport 5432 -j DROP'] }), [], 'in time');
  t.deepEqual(told({ first: ['-A DOCKER-USER ! -s 192.0.2.0/24 -i eth0 -p tcp -m tcp --dport 5432 -j DROP'], policy: 'ACCEPT', late: [`-A FORWARD -i eth0 ${port}`] }), [], 'strangers are kept out before');
  t.deepEqual(told({ first: ['-A FORWARD -d 172.17.0.2/32 -i eth0 -p tcp -m tcp --dport 5432 -j ACCEPT'], policy: 'ACCEPT', late: [`-A FORWARD -i eth0 ${port}`] }), [], 'an exception of one’s own');
  t.deepEqual(told({ policy: 'ACCEPT', late: [`-A FORWARD -i tun0 ${port}`] }), [], 'for others');
  t.deepEqual(told({ policy: 'ACCEPT', nat: ['-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE'], late: [`-A FORWARD ${port}`] }), [], 'for those of a VPN, maybe');
});

test('rules for new connections to which no SYN packet comes: by a rule before, or by themselves', t => {
  const told = (...lines: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: filter('-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...lines) })
    .findings.filter(({ check }) => check === 'partially-shadowed-rule' || check === 'never-matches').map(({ check, severity, certainty, rule }) => `${check} ${severity} ${certainty} ${rule ?? ''}`);
  const isSyn = '--tcp-flags FIN,SYN,RST,ACK SYN';
  const drops = (words: string): string => `-A INPUT -p tcp -m tcp ${words} -m conntrack --ctstate NEW -j DROP`;
  const [web, local] = ['-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 5432 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT'];
  const third = ['partially-shadowed-rule error certain filter:INPUT:4'];
  t.deepEqual(told(drops(isSyn), web), third);
  t.deepEqual(told(drops(isSyn), local), third);
  t.deepEqual(told(drops(isSyn), '-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT'), third, 'whatever comes to that port');
  t.deepEqual(told(drops(`${isSyn} ! -i lo`).replace('-m tcp', ''), web), third);
  t.deepEqual(told(':bad - [0:0]', '-A INPUT -p tcp -j bad', web, `-A bad -p tcp -m tcp ${isSyn} -j REJECT`), third, 'in a chain of its own');
  t.deepEqual(told(`-A INPUT -p tcp -m tcp --dport 80 ! ${isSyn} -m conntrack --ctstate NEW -j ACCEPT`), ['never-matches error certain filter:INPUT:3']);
  t.deepEqual(told(`-A INPUT -p tcp -m tcp --dport 80 ! ${isSyn} -m conntrack --ctstate NEW -j ACCEPT`, web), [], 'the others pass by another rule');
  t.deepEqual(told(`-A INPUT -p tcp -m tcp --dport 80 --tcp-flags SYN,ACK ACK -m conntrack --ctstate NEW -j ACCEPT`), [], 'somebody means what is picked up');
  t.deepEqual(told(drops(`! ${isSyn}`), web), [], 'the right way round');
  t.deepEqual(told(drops(`-s 192.0.2.0/24 ${isSyn}`).replace('-m tcp', ''), web), [], 'of some only');
  t.deepEqual(told(`-A INPUT -p tcp -m tcp ${isSyn} -m limit --limit 3/min -j DROP`, web), [], 'of nobody knows which');
  t.deepEqual(told(`-A INPUT -p tcp -m tcp --dport 80 ${isSyn} -j ACCEPT`, drops(isSyn), web), [], 'connections to it begin by another');
  t.deepEqual(told(`-A INPUT -p tcp -m tcp ${isSyn} -j DROP`, '-A INPUT -p tcp -m tcp --dport 1024:65535 -j ACCEPT', `-A INPUT -p tcp -m tcp --dport 80 ! ${isSyn} -j ACCEPT`), [], 'answers to whatever this host begins');
});

test('list-never-filled: who asks for a list that no rule fills, or that holds other addresses', t => {
  const told = (text: string): readonly string[] => analyze({ path: 'x.rules', text }).findings.filter(({ check }) => check === 'list-never-filled').map(({ severity, certainty, rule }) => `${severity} ${certainty} ${rule ?? ''}`);
  const ask = (words: string, target = 'DROP', chain = 'INPUT'): string => `-A ${chain} -p tcp -m tcp --dport 22 -m recent ${words} -j ${target}`;
  const first = ['warning possible filter:INPUT:1'];
  t.deepEqual(told(filter(ask('--update --seconds 60 --hitcount 4 --name a'))), first);
  t.deepEqual(told(filter(ask('--rcheck --name knock', 'ACCEPT'), ask('--set --name knocked'))), first);
  t.deepEqual(told(filter(ask('--rcheck'), ask('--set --name default', 'ACCEPT'))), first, 'the list is DEFAULT');
  t.deepEqual(told(filter(ask('--rcheck'), ask('--set --name DEFAULT', 'ACCEPT'))), []);
  t.deepEqual(told(filter(ask('--rcheck --name a'), ask('--remove --name a', 'ACCEPT'))), first, 'to take off is not to put on');
  t.deepEqual(told(filter(ask('--rcheck --name a'), ask('! --set --name a', 'ACCEPT'))), [], 'it puts, and does not match');
  t.deepEqual(told(filter(ask('--rcheck --name a'), '-A INPUT -p tcp -j ACCEPT', ask('--set --name a', 'ACCEPT'))), first, 'none comes to the rule that fills it');
  t.deepEqual(told(`*raw\n:PREROUTING ACCEPT\n-A PREROUTING -m recent --set --name a\nCOMMIT\n${filter(ask('--rcheck --name a'))}`), []);
  t.deepEqual(told(filter(ask('--rcheck --name a', 'ACCEPT'), ask('--update --name a', 'ACCEPT'))), first, 'one finding of both');
  const [always] = analyze({ path: 'x.rules', text: filter(ask('! --rcheck --name a')) }).findings.filter(({ check }) => check === 'list-never-filled');
  t.regex(always?.message ?? '', /always so/u);
  const [near] = analyze({ path: 'x.rules', text: filter(ask('--rcheck --name SSH'), ask('--set --name ssh', 'ACCEPT')) }).findings.filter(({ check }) => check === 'list-never-filled');
  t.is(near?.help, 'did you mean `ssh`?');
  t.deepEqual(told(filter(`[7:420] ${ask('--rcheck --name a')}`)), ['info possible filter:INPUT:1'], 'the counter says that it matched');
});

test('list-never-filled: whose addresses are on a list', t => {
  const told = (...lines: readonly string[]): readonly (string | null)[] => analyze({ path: 'x.rules', text: filter(...lines) }).findings.filter(({ check }) => check === 'list-never-filled').map(({ rule }) => rule);
  const use = (chain: string, words: string): string => `-A ${chain} -p udp -m recent ${words} --name a${words.startsWith('--set') ? '' : ' -j ACCEPT'}`;
  t.deepEqual(told(use('INPUT', '--rcheck --rsource'), use('INPUT', '--set --rdest')), ['filter:INPUT:1']);
  t.deepEqual(told(use('INPUT', '--rcheck --rdest'), use('INPUT', '--set --rsource')), ['filter:INPUT:1']);
  t.deepEqual(told(use('INPUT', '--rcheck --rsource'), use('OUTPUT', '--set --rdest')), []);
  t.deepEqual(told(use('INPUT', '--rcheck --rsource'), use('OUTPUT', '--set --rsource')), ['filter:INPUT:1']);
  t.deepEqual(told(use('FORWARD', '--rcheck --rsource'), use('FORWARD', '--set --rdest')), [], 'answers');
  t.deepEqual(told(':a - [0:0]', '-A INPUT -j a', '-A FORWARD -j a', use('a', '--rcheck --rsource'), use('a', '--set --rdest')), []);
});
