/** never-matches: what it says, and where it must not. */
import test from 'ava';
import { filter, found, of, table } from './dead-rules.js';

test('never-matches: a name that no interface can have', t => {
  const told = (...lines: readonly string[]): readonly unknown[] => of(filter(...lines)).map(one => [one.check, one.rule, one.help.split(':')[0]]);
  t.deepEqual(told('-A INPUT -i eth0:1 -p tcp -j ACCEPT', '-A OUTPUT -o a/b -j DROP'), [['never-matches', 'filter:INPUT:1', 'write -i eth0'], ['never-matches', 'filter:OUTPUT:1', 'write the name that `ip link` shows behind -o']]);
  t.deepEqual(told('-A INPUT ! -i eth0:1 -p tcp -j ACCEPT', '-A INPUT -i eth0.1 -j ACCEPT', '-A INPUT -i br-lan@x -j ACCEPT'), []);
});

test('never-matches: a star in the name of an interface stands for itself', t => {
  t.deepEqual(of(filter('-A INPUT -i tun* -j ACCEPT')).map(one => `${one.severity} ${one.help}`), ['warning write -i tun+: a + at the end stands for the rest of the name']);
  t.deepEqual(found('-A INPUT -i tun+ -j ACCEPT', '-A INPUT ! -i tun* -p udp -j ACCEPT'), []);
});

test('never-matches: nat asks PREROUTING nothing of what this host sends itself', t => {
  t.deepEqual(table('nat', '-A PREROUTING -i lo -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080'), ['never-matches nat:PREROUTING:1']);
  t.deepEqual(table('nat', '-A PREROUTING -d 127.0.0.1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080'), ['never-matches nat:PREROUTING:1']);
  t.deepEqual(table('nat', '-A OUTPUT -d 127.0.0.1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080', '-A PREROUTING ! -d 127.0.0.0/8 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080'), []);
  t.deepEqual(table('nat', '-A OUTPUT -o lo -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080', '-A PREROUTING ! -i lo -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080'), []);
  t.deepEqual(table('raw', '-A PREROUTING -i lo -j CT --notrack'), []);
});

test('never-matches: a text in packets that begin TCP connections', t => {
  const [known, text] = ['-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-p tcp -m tcp --dport 80 -m string --string "/admin" --algo bm -j DROP'];
  t.deepEqual(found(known, `-A INPUT ${text}`), ['never-matches filter:INPUT:2'], 'what is said belongs to a connection that is known');
  t.deepEqual(found(`-A INPUT ${text}`, known), []);
  t.deepEqual(found(`-A INPUT -m conntrack --ctstate NEW ${text}`, known), ['never-matches filter:INPUT:1']);
  t.deepEqual(found(`-A INPUT ${text.replace('tcp --dport', 'tcp --syn --dport')}`, known), ['never-matches filter:INPUT:1']);
  t.deepEqual(found(known, `-A INPUT ${text.replace('--string', '! --string')}`), [], 'no text is in these');
  t.deepEqual(found(known, '-A INPUT -p udp -m udp --dport 53 -m string --hex-string "|03777777|" --algo bm -j DROP'), [], 'UDP begins with what is said');
  t.deepEqual(table('nat', `-A PREROUTING ${text.replace('DROP', 'REDIRECT --to-ports 81')}`), ['never-matches nat:PREROUTING:1']);
  t.deepEqual(table('raw', `-A PREROUTING ${text}`), [], 'raw sees all, and no state of it');
  t.deepEqual(of(`*raw\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n${filter(known, `-A INPUT ${text}`)}`), [], 'nothing belongs to a known connection');
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
