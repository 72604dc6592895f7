/** shadowed-rule, redundant-rule, unreachable-chain, unreachable-after-goto, jump-to-empty-chain: what they say, and where they must not. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { Finding } from '../../analyzer/finding.js';
import type { HostSetup } from '../../analyzer/netfilter/engine.js';
import { filter, found, of } from './dead-rules.js';

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

test('a RETURN of what a RETURN before it gives back is superfluous, and no error', t => {
  const told = (...lines: readonly string[]): readonly string[] => of(filter(':a - [0:0]', '-A INPUT -j a', ...lines)).map(one => `${one.check} ${one.severity} ${one.rule ?? ''} ${/never happens|$/u.exec(one.message)?.[0] ?? ''}`.trim());
  t.deepEqual(told('-A a -d 240.0.0.0/4 -j RETURN', '-A a -d 255.255.255.255/32 -j RETURN', '-A a -p tcp -j DROP'), ['shadowed-rule warning filter:a:2']);
  t.deepEqual(told('-A a -s 10.0.0.0/9 -j RETURN', '-A a -s 10.128.0.0/9 -j RETURN', '-A a -s 10.0.0.0/8 -j RETURN', '-A a -p tcp -j DROP'), ['shadowed-rule warning filter:a:3']);
  t.deepEqual(told('-A a -s 10.0.0.0/9 -j RETURN', '-A a -s 10.128.0.0/9 -j ACCEPT', '-A a -s 10.0.0.0/8 -j RETURN', '-A a -p tcp -j DROP'), ['shadowed-rule error filter:a:3 never happens']);
});

test('connections may be translated by others, or have been: nothing is shadowed for certain because no rule of table nat does it', t => {
  const told = (nat: string, ...lines: readonly string[]): readonly string[] => of(`*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n${nat}COMMIT\n${filter(...lines)}`).map(one => one.check);
  const [notTranslated, behind] = ['-A FORWARD -m conntrack ! --ctstate DNAT -j DROP', '-A FORWARD -i eth1 -j ACCEPT'];
  t.deepEqual(told('', notTranslated, behind), []);
  t.deepEqual(told('-A POSTROUTING -o eth0 -j MASQUERADE\n', '-A FORWARD -m conntrack --ctstate NEW -m conntrack ! --ctstate DNAT -j DROP', '-A FORWARD -m conntrack --ctstate NEW -j ACCEPT'), []);
  t.deepEqual(told('-A PREROUTING -i eth0 -j DNAT --to-destination 10.0.0.2\n', '-A FORWARD -d 10.0.0.3/32 -m conntrack ! --ctstate DNAT -j DROP', '-A FORWARD -d 10.0.0.3/32 -j ACCEPT'), []);
});

test('what firewalld lets pass as translated is nothing new where no rule translates', t => {
  const rules = (nat: string): readonly string[] => analyze({ path: 'x.rules', text: `*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n${nat}COMMIT\n${filter('-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT', '-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')}` })
    .findings.map(one => one.check).filter(one => one === 'invalid-accepted');
  t.deepEqual(rules(''), ['invalid-accepted']);
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
  t.is(told('-j'), 'no packet can match this rule: rule 1 (-j a) leads all to another chain first, and none that this one would match comes back', 'others may come back');
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

test('redundant-rule: what is changed in table filter, and dropped behind it', t => {
  const told = (...lines: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: filter(...lines) }).findings.filter(one => one.check === 'redundant-rule').map(({ severity, rule }) => `${severity} ${rule ?? ''}`);
  const [pass, clamp] = ['-A FORWARD -i eth1 -o ppp0 -j ACCEPT', '-A FORWARD -o ppp0 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu'];
  t.deepEqual(told(':FORWARD DROP [0:0]', pass, clamp), ['warning filter:FORWARD:2']);
  t.deepEqual(told(':FORWARD DROP [0:0]', clamp, pass), []);
  t.deepEqual(told(':FORWARD ACCEPT [0:0]', pass, clamp), [], 'others pass');
  t.deepEqual(told(':FORWARD DROP [0:0]', pass, clamp, '-A FORWARD -m set --match-set guests src -j ACCEPT'), [], 'some may');
  t.deepEqual(told(':FORWARD DROP [0:0]', pass, '-A FORWARD -p tcp -j SET --add-set scanners src', '-A FORWARD -p tcp -j MARK --set-mark 1'), [], 'the set stays, and a log names the mark');
});

test('redundant-rule: RETURN leads to the policy', t => {
  const help = (policy: string): string | undefined => analyze({ path: 'x.rules', text: filter(`:INPUT ${policy} [0:0]`, '-A INPUT -s 192.0.2.0/24 -p tcp -j RETURN') }).findings.find(one => one.check === 'redundant-rule')?.help;
  t.regex(help('DROP') ?? '', /write -j ACCEPT/u);
  t.notRegex(help('ACCEPT') ?? '', /write -j ACCEPT/u);
});

test('who is kept out of nothing at all, for the rest is turned away anyway', t => {
  const severity = (...lines: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: filter('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -s 203.0.113.7/32 -j DROP', ...lines) }).findings.filter(one => one.check === 'correlated-rules').map(one => one.severity);
  t.deepEqual(severity(), ['warning']);
  t.deepEqual(severity('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), ['info']);
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
  t.deepEqual(overlaps('-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -m mac --mac-source 00:00:5e:00:53:01 -j DROP', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), ['correlated-rules filter:INPUT:2'], 'a machine');
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

test('behind a rule that drops INVALID packets none for flags that make no sense matches any, but of packets that are not tracked', t => {
  const told = (before: string, ...lines: readonly string[]): readonly string[] => of(before + filter('-A INPUT -m conntrack --ctstate INVALID -j DROP', ...lines))
    .filter(one => one.check === 'shadowed-rule').map(one => `${one.severity} ${one.rule ?? ''} ${String(one.alike ?? 1)}`);
  const flags = (some: string, target = 'DROP'): string => `-A INPUT -p tcp -m tcp --tcp-flags ${some} -j ${target}`;
  const nonsense = ['FIN,SYN FIN,SYN', 'SYN,RST SYN,RST', 'FIN,RST FIN,RST', 'FIN,ACK FIN', 'ALL NONE', 'ALL ALL', 'ALL FIN,PSH,URG', 'ALL PSH'];
  for (const some of nonsense) t.deepEqual(told('', flags(some)), ['info filter:INPUT:2 1'], some);
  for (const some of ['ACK,URG URG', 'ACK,PSH PSH', 'FIN,ACK ACK', 'ALL SYN', 'RST RST']) t.deepEqual(told('', flags(some)), [], `${some}: some make sense`);
  t.deepEqual(told('', ...nonsense.map(some => flags(some))), ['info filter:INPUT:2 8'], 'told together');
  t.deepEqual(told('', flags('ALL NONE', 'LOG'), flags('ALL NONE')), ['error filter:INPUT:2 1', 'info filter:INPUT:3 1']);
  const [mangle, raw] = ['*mangle\n-A PREROUTING -p tcp -j TEE --gateway 10.0.0.9\nCOMMIT\n', '*raw\n-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack\nCOMMIT\n'];
  for (const before of [mangle, raw, raw.replace('CT --notrack', 'UNHEARD-OF')]) t.deepEqual(told(before, flags('ALL NONE')), [], before);
  t.deepEqual(of(filter(flags('FIN,SYN FIN,SYN'), flags('ALL ALL'))).map(one => one.message.includes('INVALID')), [false], 'taken for their flags');
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

function reports(text: string, check: string): readonly Finding[] {
  return analyze({ path: 'x.rules', text }).findings.filter(one => one.check === check);
}

test('rules behind one that turns away all that is NEW let no connection begin, unless they are for other states', t => {
  const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const told = (...lines: readonly string[]): readonly string[] => reports(filter('-A INPUT -i lo -j ACCEPT', ...lines), 'partially-shadowed-rule').map(({ severity, rule, message, because }) => `${severity} ${rule ?? ''} ${String(because.length)} ${/: (.*) before,/u.exec(message)?.[1] ?? ''}`);
  const [no, ssh, dns] = ['-A INPUT -m conntrack --ctstate NEW -j DROP', '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p udp -m udp --dport 53 -j ACCEPT'];
  const all = 'turns away all packets that are NEW';
  t.deepEqual(told(known, no, ssh, dns, '-A INPUT -i eth1 -j ACCEPT'), [`error filter:INPUT:4 3 rule 3 ${all}`], 'one cause, told once');
  t.deepEqual(told(known, no.replace('DROP', 'REJECT --reject-with icmp-port-unreachable'), dns), [`error filter:INPUT:4 1 rule 3 ${all}`]);
  t.deepEqual(told(known, '-A INPUT -m conntrack ! --ctstate INVALID -j DROP', ssh), [`error filter:INPUT:4 1 rule 3 ${all}`]);
  t.deepEqual(told(known, ssh, no), []);
  t.deepEqual(told(known, no.replace('INPUT', 'INPUT -i eth0'), ssh), [], 'others may come in');
  t.deepEqual(told(no, ssh), [], 'it may be for what is ESTABLISHED');
  t.deepEqual(told(known, no.replace('INPUT', 'INPUT -m limit --limit 5/sec'), ssh), [], 'not all');
  t.deepEqual(told(known, no, '-A INPUT -j ACCEPT'), [], 'whatever that is for');
  t.deepEqual(told(known, no, '-A INPUT -p icmp -j ACCEPT'), [], 'of ICMP errors nobody says that they begin something');
  t.deepEqual(reports(`*raw\n-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\nCOMMIT\n${filter(known, no, dns)}`, 'partially-shadowed-rule').length, 0, 'it is not tracked, and not NEW');
});

test('rate-limit-without-effect: a limit behind a rule that lets in all connections counts none', t => {
  const [known, web, many] = ['-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 80,443 -m connlimit --connlimit-above 50 --connlimit-mask 32 --connlimit-saddr -j REJECT --reject-with tcp-reset'];
  const told = (...lines: readonly string[]): readonly string[] => reports(filter(...lines), 'rate-limit-without-effect').map(({ severity, rule, help }) => `${severity} ${rule ?? ''} ${help}`);
  t.deepEqual(told(known, web, many), ['warning filter:INPUT:3 move it before rule 2']);
  t.deepEqual(told(known, many, web), []);
  t.deepEqual(told(known, web.replace('80,443', '80'), many), [], 'port 443 is counted');
  t.deepEqual(told(known, web.replace('-p tcp', '-s 192.0.2.0/24 -p tcp'), many), [], 'others are');
});

test('shadowed-rule: a last word to be safe is no error; a ban that comes too late is', t => {
  const severity = (...rules: readonly string[]): readonly string[] => reports(filter(...rules), 'shadowed-rule').map(one => one.severity);
  const rule = (words: string, target: string): string => `-A INPUT ${words} -p udp -m udp --dport 1701 -j ${target}`;
  const [plain, secure] = ['-m policy --dir in --pol none', '-m policy --dir in --pol ipsec'];
  t.deepEqual(severity(rule(plain, 'DROP'), rule(secure, 'ACCEPT'), rule('', 'DROP')), ['warning']);
  t.deepEqual(severity(rule(plain, 'ACCEPT'), rule(secure, 'DROP'), rule('', 'ACCEPT')), ['error'], 'who lets all in means it');
  t.deepEqual(severity(rule('-s 192.0.2.0/25', 'DROP'), rule('', 'ACCEPT'), rule('-s 192.0.2.0/24', 'DROP')), ['error'], 'half of them get in');
});

test('exception-in-vain: two rules for all but one each are for all', t => {
  const told = (...lines: readonly string[]): readonly string[] => reports(filter(...lines), 'exception-in-vain').map(({ rule, message }) => `${rule ?? ''}${/excepts( \(.*?\))?/u.exec(message)?.[1] ?? ''}`);
  const but = (one: string, rest = '-p tcp -m tcp --dport 22', target = 'DROP'): string => `-A INPUT ${one} ${rest} -j ${target}`;
  const [a, b] = ['! -s 192.0.2.1/32', '! -s 192.0.2.2/32'];
  const second = [`filter:INPUT:2 (${b})`];
  t.deepEqual(told(but(a), but(b)), second);
  t.deepEqual(told(but(a, '', 'ACCEPT'), but(b, '', 'ACCEPT')), second);
  t.deepEqual(told(but(a, '-p tcp'), but(b)), second, 'the first asks for less');
  t.deepEqual(told(but('! -i eth0'), but('! -i eth1')), ['filter:INPUT:2 (! -i eth1)']);
  t.deepEqual(told(but('-p udp -m udp ! --dport 53', ''), but('-p udp -m udp ! --dport 123', '')), ['filter:INPUT:2 (! --dport 123)']);
  t.deepEqual(told(but('! -p tcp', ''), but('! -p udp', '')), ['filter:INPUT:2']);
  t.deepEqual(told(but(a), but('! -s 192.0.2.0/24')), [], 'a network around it');
  t.deepEqual(told(but(a), but(b, '-p tcp -m tcp --dport 80')), []);
  t.deepEqual(told(but(a), but(b, undefined, 'REJECT')), [], 'not to the same end');
  t.deepEqual(told(but(a, '', 'LOG'), but(b, '', 'LOG')), [], 'they go on');
  t.deepEqual(told(but(a, '-m limit --limit 1/min'), but(b, '-m limit --limit 1/min')), [], 'some get past both');
  t.deepEqual(told('-A INPUT -s 192.0.2.2/32 -j ACCEPT', but(a), but(b)), [], 'it got in before');
  t.deepEqual(told(but(a), '-A INPUT -s 192.0.2.1/32 -j ACCEPT', but(b)), [], 'nobody comes to the second');
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
