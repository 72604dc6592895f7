/** superfluous-state-match, dead-state-match, notrack-state-conflict, invalid-accepted, established-rule-late: rules that ask for states. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { found, host, known, lo, shown } from './talking-hosts.js';

test('what is exempt from tracking, and a rule that waits for NEW', t => {
  const raw = '*raw\n-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\n-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack\nCOMMIT\n';
  const dns = (match: string): string => host(lo, known, `-A INPUT -p udp -m multiport --dports 53,123 ${match} -j ACCEPT`);
  t.deepEqual(found('notrack-state-conflict', raw + dns('-m conntrack --ctstate NEW')), ['error raw:PREROUTING:1']);
  t.deepEqual(found('notrack-state-conflict', raw + dns('-m conntrack ! --ctstate INVALID')), []);
  t.deepEqual(found('notrack-state-conflict', raw + host(lo, known)), [], 'it is not let in at all');
  t.deepEqual(found('notrack-state-conflict', (raw.replace(/-A OUTPUT.*\n/u, '') + dns('')).replaceAll('--dport 53', '--dport 6081')), [], 'a tunnel: nobody answers to the port from which a packet came');
  t.deepEqual(found('notrack-state-conflict', raw.replace(/-A OUTPUT.*\n/u, '') + dns('')), ['info raw:PREROUTING:1'], 'one way only');
  const closed = host(lo, known, '-A OUTPUT -o lo -j ACCEPT', '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT').replace(':OUTPUT ACCEPT', ':OUTPUT DROP');
  const web = `*raw\n-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack\nCOMMIT\n${closed.replace('COMMIT', '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT')}`;
  t.deepEqual(found('notrack-state-conflict', web), ['error raw:PREROUTING:1'], 'the answers are INVALID, and OUTPUT drops them');
  t.deepEqual(found('notrack-state-conflict', web.replace('-m tcp --dport 80 -j CT', '-m multiport --dports 80,443 -j CT')), ['error raw:PREROUTING:1'], 'several ports');
  t.deepEqual(found('notrack-state-conflict', web.replace(':OUTPUT DROP', ':OUTPUT ACCEPT')), ['info raw:PREROUTING:1'], 'it lets them pass');
  t.deepEqual(found('notrack-state-conflict', `*raw\n-A PREROUTING -i lo -j CT --notrack\n-A OUTPUT -o lo -j CT --notrack\nCOMMIT\n${dns('-m conntrack --ctstate NEW')}`), [], 'over lo');
  for (const limit of ['-m hashlimit --hashlimit-upto 50/sec --hashlimit-mode srcip --hashlimit-name d', '-m limit --limit 50/sec']) {
    t.deepEqual(found('notrack-state-conflict', web.replace('--dport 80 -j ACCEPT', `--dport 80 ${limit} -j ACCEPT`)), ['error raw:PREROUTING:1'], 'for those who take their time as well');
    t.deepEqual(found('notrack-state-conflict', raw + dns(`-m conntrack --ctstate NEW ${limit}`)), ['error raw:PREROUTING:1'], limit);
    t.deepEqual(found('notrack-state-conflict', raw + dns(`${limit} -m conntrack --ctstate NEW`).replace('COMMIT', `-A INPUT -p udp -m udp --dport 53 ${limit} -j ACCEPT\nCOMMIT`)), [], 'some of them pass untracked');
  }
});

test('what no rule exempts from tracking, and a rule that waits for UNTRACKED', t => {
  const raw = (...lines: readonly string[]): string => ['*raw', ...lines, 'COMMIT', ''].join('\n');
  const [requests, answers] = ['-A PREROUTING -d 203.0.113.53/32 -p udp -m udp --dport 53 -j CT --notrack', '-A OUTPUT -s 203.0.113.53/32 -p udp -m udp --sport 53 -j CT --notrack'];
  const dns = '-A INPUT -d 203.0.113.53/32 -p udp -m udp --dport 53 -m conntrack --ctstate UNTRACKED -j ACCEPT';
  const told = (text: string): readonly string[] => found('notrack-state-conflict', text);
  const dead = ['error filter:INPUT:3'];
  t.deepEqual(told(raw(requests, answers) + host(lo, known, dns)), []);
  t.deepEqual(told(raw(answers) + host(lo, known, dns)), dead, 'answers only');
  for (const [a, b] of [['.53/', '.54/'], ['--dport 53', '--sport 53'], ['-p udp -m udp', '-p tcp -m tcp'], ['PREROUTING', 'OUTPUT']] as const) t.deepEqual(told(raw(requests.replace(a, b), answers) + host(lo, known, dns)), dead, b);
  t.deepEqual(told(raw('-A PREROUTING -p udp -j CT --notrack', answers) + host(lo, known, dns)), []);
  t.deepEqual(told(raw('-A PREROUTING -m set --match-set busy dst -j CT --notrack', answers) + host(lo, known, dns)), [], 'nobody knows what is in the set');
  t.deepEqual(told(raw(answers) + host(lo, known, dns, dns.replace('UNTRACKED', 'NEW'))), [], 'they pass as they are');
  t.deepEqual(told(host(lo, known, dns)), [], 'table raw is not in the file');
  t.deepEqual(told(raw(answers) + host(known, dns.replace('INPUT', 'INPUT -i lo'))), [], 'over lo answers come back');
});

test('superfluous-state-match: a rule that drops packets of known connections comes too late for them', t => {
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host(lo, ...rules) }).findings.filter(one => one.check === 'superfluous-state-match').map(one => `${one.rule ?? ''}: ${one.message.split(': ')[1] ?? ''}`);
  const ban = '-A INPUT -s 203.0.113.0/24 -m conntrack --ctstate NEW,ESTABLISHED -j DROP';
  t.deepEqual(told(known, ban), ['filter:INPUT:3: the match takes NEW, and leaves INVALID and UNTRACKED']);
  t.deepEqual(told(known, ban.replace('DROP', 'REJECT')).length, 1);
  t.deepEqual(told(ban, known), [], 'it cuts them');
  t.deepEqual(told(known, ban.replace('NEW,ESTABLISHED', 'NEW')), [], 'it says what it means');
  t.deepEqual(told(known, ban.replace('NEW,ESTABLISHED', 'INVALID,NEW')), []);
  t.is(told(known, ban, ban.replace('DROP', 'ACCEPT').replace('203.0.113', '198.51.100')).length, 2, 'what lets pass is told apart');
});

test('superfluous-state-match: a state that the rule’s packets never have is as idle as one that is taken, but none to be told of by itself', t => {
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host(lo, ...rules) }).findings.filter(one => one.check === 'superfluous-state-match').map(one => /^no (.*) packet comes/u.exec(one.message)?.[1] ?? one.message);
  const ping = '-A INPUT -p icmp -m icmp --icmp-type 8 -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT';
  t.deepEqual(told('-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', ping), ['RELATED and ESTABLISHED']);
  t.deepEqual(told(ping), [], 'no echo request is RELATED');
  t.deepEqual(told('-A INPUT -m conntrack --ctstate RELATED -j ACCEPT', ping), [], 'nor does it take one');
});

test('states that never come to a rule', t => {
  const text = (...rules: readonly string[]): string[] => found('superfluous-state-match', host(lo, ...rules));
  const rule = '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT';
  t.deepEqual(text(known, rule), ['info filter:INPUT:3']);
  t.deepEqual(text(known, rule, rule.replace('22', '23')), ['info filter:INPUT:3'], 'one finding for all of a chain');
  t.deepEqual(text(rule, known), []);
  t.deepEqual(text(known.replace('-m', '-p udp -m'), rule), [], 'others are taken');
  t.deepEqual(text(known.replace('RELATED,ESTABLISHED', 'RELATED'), rule), []);
  t.deepEqual(text(known.replace('RELATED,', ''), known), [], 'RELATED still comes');
  t.deepEqual(text('-A INPUT -m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED -j ACCEPT'), ['info filter:INPUT:2'], 'all that there are');
});

test('the packet of a state that never comes to a rule is shown: the rule before takes it', t => {
  const rule = '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT';
  t.deepEqual(shown('superfluous-state-match', host(lo, known, rule)), ['ESTABLISHED filter:INPUT:2']);
  t.deepEqual(shown('superfluous-state-match', host(lo, rule.replace('22', '23').replace('NEW,ESTABLISHED', 'NEW'), known, rule)), ['ESTABLISHED filter:INPUT:3']);
  const both = '-A INPUT -i eth1 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT';
  t.deepEqual(shown('superfluous-state-match', host(lo, both, '-A INPUT ! -i eth1 -m conntrack --ctstate ESTABLISHED -j ACCEPT', rule))?.map(one => one.split(' ')[0]), ['ESTABLISHED'], 'not the NEW one that is taken as well');
  t.is(shown('superfluous-state-match', host(lo, '-A INPUT -m conntrack --ctstate RELATED -j ACCEPT', rule.replace('ESTABLISHED', 'RELATED'))), undefined, 'a RELATED packet is none that a person sends');
});

test('a packet of a known connection is shown as it passes all the rules before the one that takes it', t => {
  const ports = Array.from({ length: 10 }, (_, i) => `-A INPUT -p tcp -m tcp --dport ${String(i + 1)} -j ACCEPT`);
  t.deepEqual(shown('established-rule-late', host(...ports, known)), ['ESTABLISHED filter:INPUT:11']);
  t.deepEqual(shown('established-rule-late', host(...ports.map(rule => rule.replaceAll('INPUT', 'OUTPUT')), known.replaceAll('INPUT', 'OUTPUT'))), ['ESTABLISHED filter:OUTPUT:11']);
  t.deepEqual(shown('established-rule-late', host(':late - [0:0]', ...ports, '-A INPUT -j late', known.replace('INPUT', 'late'))), ['ESTABLISHED filter:INPUT:11 filter:late:1']);
});

test('of a rule to which another table leaves no packet it is not said what its states add', t => {
  const text = host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT');
  t.is(found('superfluous-state-match', text).length, 1);
  t.deepEqual(found('superfluous-state-match', `*mangle\n-A PREROUTING -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n${text}`), []);
});

test('what a match keeps out is not what was taken before it', t => {
  const kept = (first: string): string | undefined => /keeps out (.*)/.exec(analyze({ path: 'x.rules', text: host(lo, first, '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT') }).findings.find(one => one.check === 'superfluous-state-match')?.message ?? '')?.[1];
  t.is(kept(known), 'INVALID and UNTRACKED');
  t.is(kept(known.replace('RELATED,', '')), 'INVALID, RELATED and UNTRACKED');
});

test('INVALID packets of strangers', t => {
  const text = (...rules: readonly string[]): string[] => found('invalid-accepted', host(lo, known, ...rules));
  t.deepEqual(text('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), ['info filter:INPUT:3']);
  t.deepEqual(text('-A INPUT -p tcp -m tcp --dport 22 -m conntrack ! --ctstate INVALID -j ACCEPT'), []);
  t.deepEqual(text('-A INPUT -s 192.168.0.0/16 -p tcp -m tcp --dport 22 -j ACCEPT'), [], 'from inside only');
  t.deepEqual(text('-A INPUT -s 192.168.0.0/16 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), ['info filter:INPUT:4'], 'whoever is inside may do what he likes');
  t.deepEqual(text('-A INPUT -p udp -m udp --dport 53 -j ACCEPT'), []);
  t.deepEqual(text('-A INPUT -p tcp -m tcp --dport 22 -m set --match-set friends src -j ACCEPT'), [], 'who knows who is in the set');
  t.deepEqual(found('invalid-accepted', host(lo, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')), [], 'no rule asks for states');
  t.deepEqual(found('invalid-accepted', host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), { persona: 'auditor' }), ['warning filter:INPUT:3']);
});

test('every rule that lets INVALID packets in is named, and no other', t => {
  const text = host(
    lo, known, '-A INPUT -s 192.168.0.0/16 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT',
    '-A INPUT -p tcp -m tcp --dport 110 -m set --match-set friends src -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -p udp -m udp --dport 53 -j ACCEPT', '-A INPUT -p tcp -j ACCEPT',
  );
  const [finding] = analyze({ path: 'x.rules', text }).findings.filter(one => one.check === 'invalid-accepted');
  t.is(finding?.rule, 'filter:INPUT:5');
  t.true(finding?.message.startsWith('this rule and 2 others let anybody’s packets in'));
  t.deepEqual(finding?.because.map(({ rule, line }) => [rule, line]), [['filter:INPUT:7', 11], ['filter:INPUT:9', 13]]);
  t.is(finding?.witness?.length, 1);
});

test('ten rules before the one for known connections', t => {
  const ports = (count: number): string[] => Array.from({ length: count }, (_, i) => `-A INPUT -p tcp -m tcp --dport ${String(i + 1)} -m conntrack --ctstate NEW -j ACCEPT`);
  t.deepEqual(found('established-rule-late', host(...ports(9), known)), []);
  t.deepEqual(found('established-rule-late', host(...ports(10), known)), ['info filter:INPUT:11']);
  t.deepEqual(found('established-rule-late', host(lo, '-A INPUT -i eth1 -j ACCEPT', ...ports(10), known)), ['info filter:INPUT:13'], 'whatever comes by other interfaces');
  t.deepEqual(found('established-rule-late', host(known, ...ports(10), known.replace('-m', '-i eth0 -m'))), [], 'others have taken them before');
  t.deepEqual(found('established-rule-late', host(':late - [0:0]', ...ports(5), '-A INPUT -j late', ...ports(4).map(rule => rule.replace('INPUT', 'late')), known.replace('INPUT', 'late'))), ['info filter:late:5'], 'in a chain');
});

test('a service whose packets are exempt, and whose rule waits for NEW, is dead, and that is what is said', t => {
  const raw = '*raw\n-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\n-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack\nCOMMIT\n';
  const text = `${raw}${host(lo, known, '-A INPUT -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT')}`;
  for (const limit of ['', '-m limit --limit 50/sec ']) t.deepEqual(analyze({ path: 'x.rules', text: text.replace('NEW -j', `NEW ${limit}-j`) }).findings.map(one => `${one.severity} ${one.check}`), ['error notrack-state-conflict']);
});

test('invalid-accepted: where the last rule drops only what is NEW, the policy lets in the rest', t => {
  const told = (last: string, policy = 'ACCEPT'): unknown => {
    const { findings } = analyze({ path: 'x.rules', text: host(lo, known, '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT', last).replace(':INPUT DROP', `:INPUT ${policy}`) });
    return findings.filter(one => one.check === 'invalid-accepted').map(({ rule, because, witness }) => [rule, because[0]?.rule, witness?.[0]?.packet['flags']]);
  };
  t.deepEqual(told('-A INPUT -m conntrack --ctstate NEW -j DROP'), [[null, 'filter:INPUT:policy', 'SA']]);
  t.deepEqual(told('-A INPUT -m conntrack --ctstate NEW -j DROP', 'DROP'), []);
  t.deepEqual(told('-A INPUT -m conntrack --ctstate NEW,INVALID -j DROP'), []);
  t.deepEqual(told('-A INPUT -j DROP'), []);
  t.deepEqual(told('-A INPUT -p tcp -m conntrack --ctstate NEW -j DROP'), [], 'default-accept speaks of what else comes in');
});

test('dead-state-match: connections may begin in a chain that a program is yet to fill', t => {
  const dead = (...lines: readonly string[]): number => found('dead-state-match', host('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...lines)).length;
  const jump = (chain: string, hook = 'FORWARD'): readonly string[] => [`:${chain} - [0:0]`, `-A ${hook} -j ${chain}`];
  t.is(dead(...jump('neutron-openvswi-FORWARD')), 0);
  t.is(dead(...jump('neutron-openvswi-FORWARD'), ...jump('MINIUPNPD')), 0);
  t.is(dead(...jump('neutron-openvswi-FORWARD'), '-A neutron-openvswi-FORWARD -j DROP'), 1, 'it has filled it');
  t.is(dead(...jump('nova-api-INPUT', 'INPUT')), 1, 'what it lets in is not forwarded');
  t.is(dead(...jump('f2b-sshd')), 1, 'all that may come there is more to refuse');
  t.is(dead(...jump('ufw-user-forward')), 1, 'people have told it to let nobody through');
  t.is(dead(...jump('mine')), 1);
});

test('dead-state-match: where nothing begins but over lo, the rule for lo is not to blame', t => {
  const told = (...lines: readonly string[]): unknown => {
    const { findings } = analyze({ path: 'x.rules', text: host(lo, known, '-A OUTPUT -o lo -j ACCEPT', ...lines).replace(':OUTPUT ACCEPT', ':OUTPUT DROP') });
    return findings.filter(one => one.check === 'dead-state-match').map(({ rule, message, help }) => [rule, message, help]);
  };
  t.deepEqual(told(), [[
    'filter:INPUT:2', 'no packet that is in the state that this rule waits for comes to it: except over lo, which rule 1 takes first, no connection can begin that would come by here',
    'let the first packets of such connections in or out (NEW), or delete the rule',
  ]]);
  t.deepEqual(told('-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT'), []);
});
