/** What is let in though nobody named it: by a policy, by a rule without conditions, by the family that was forgotten. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';

function host(input: 'ACCEPT' | 'DROP', forward: 'ACCEPT' | 'DROP', ...rules: readonly string[]): string {
  return ['*filter', `:INPUT ${input} [0:0]`, `:FORWARD ${forward} [0:0]`, ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

function found(check: string, text: string, options: AnalyzeOptions = {}): string[] {
  const { findings, internalErrors } = analyze({ path: 'open.rules', text }, options);
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === check).map(({ certainty, rule, message }) => `${certainty} ${rule ?? /INPUT|FORWARD|IPv\d/u.exec(message)?.[0] ?? ''}`);
}

const established = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

test('default-accept: a list of what is forbidden leaves the rest open', t => {
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', '-A INPUT -p tcp -m multiport --dports 23,3306 -j DROP')), ['certain INPUT']);
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', '-A INPUT -m set --match-set bad src -j DROP')), ['certain INPUT'], 'somebody is not on it');
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', '-A INPUT -p tcp -m tcp --syn -j DROP')), ['certain INPUT'], 'UDP is left');
});

test('default-accept: a rule that may accept takes nothing from the policy, nor does one that may lead to a chain which accepts', t => {
  const marked = (target: string): string => host('ACCEPT', 'DROP', ':known - [0:0]', '-A INPUT -j MARK --set-xmark 0x0/0xf', `-A INPUT -m mark --mark 0x1/0x1 -j ${target}`, '-A INPUT -p tcp -m tcp --dport 3306 -j DROP', '-A known -j ACCEPT');
  t.deepEqual(found('default-accept', marked('ACCEPT')), ['certain INPUT']);
  t.deepEqual(found('default-accept', marked('known')), ['certain INPUT']);
});

test('default-accept: whoever ends the chain with DROP has no need of the policy', t => {
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', '-A INPUT -i lo -j ACCEPT', established, '-A INPUT -j REJECT')), []);
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', ':end - [0:0]', '-A INPUT -i lo -j ACCEPT', established, '-A INPUT ! -i lo -g end', '-A end -j DROP')), []);
  t.deepEqual(found('default-accept', `*raw\n-A PREROUTING ! -i lo -p udp -j DROP\n-A PREROUTING ! -i lo -p tcp -j DROP\nCOMMIT\n${host('ACCEPT', 'DROP')}`), []);
});

test('default-accept: ufw and firewalld write rules of their own before the policy', t => {
  const track = (chain: string, policy: 'ACCEPT' | 'DROP' = 'ACCEPT', ...last: readonly string[]): string => host(policy, 'DROP', ':ufw-after-input -', ':ufw-skip-to-policy-input -', `:${chain} -`, established, '-A INPUT -j ufw-after-input', `-A INPUT -j ${chain}`, ...last, '-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input', '-A ufw-skip-to-policy-input -j ACCEPT', `-A ${chain} -p tcp -m conntrack --ctstate NEW -j ACCEPT`, `-A ${chain} -p udp -m conntrack --ctstate NEW -j ACCEPT`);
  t.deepEqual(found('default-accept', track('ufw-track-input')), ['certain INPUT'], 'what its policy ACCEPT would let in behind it');
  t.deepEqual(found('default-accept', track('ours')), ['certain INPUT'], 'a person’s rules are no better');
  t.deepEqual(found('default-accept', track('ufw-track-input', 'DROP')), [], 'another policy');
  const firewalld = ['-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT', '-A INPUT -i lo -j ACCEPT', '-A INPUT -j INPUT_ZONES', '-A INPUT_ZONES -g IN_public', '-A IN_public -p tcp -m tcp --dport 22 -j ACCEPT'];
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', ':INPUT_ZONES -', ':IN_public -', ...firewalld, '-A INPUT -j REJECT')), [], 'of what is translated, table nat has spoken');
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', ':INPUT_ZONES -', ':IN_public -', ...firewalld)), ['certain INPUT'], 'whatever is accepted of that before');
});

test('default-accept: a last rule that says what the policy says is as good as the policy', t => {
  const nat = '*nat\n-A POSTROUTING -s 192.168.0.0/16 -o wan0 -j MASQUERADE\nCOMMIT\n';
  for (const last of ['-j ACCEPT', '-p tcp -j ACCEPT', '-m conntrack --ctstate NEW -j ACCEPT']) {
    t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', '-A INPUT -p tcp -m tcp --dport 3306 -j DROP', `-A INPUT ${last}`)), ['certain INPUT'], last);
    t.deepEqual(found('default-accept', nat + host('DROP', 'ACCEPT', '-A FORWARD -p tcp -m tcp --dport 3306 -j DROP', `-A FORWARD ${last}`)), ['certain FORWARD'], last);
  }
  t.deepEqual(found('default-accept', host('ACCEPT', 'DROP', '-A INPUT -p tcp -j ACCEPT', '-A INPUT -j DROP')), [], 'the policy is not for anybody');
});

test('default-accept: what iptables -S prints says its policies as well', t => {
  t.deepEqual(found('default-accept', '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 3306 -j DROP\n'), ['certain INPUT']);
  t.deepEqual(found('default-accept', 'iptables -A INPUT -p tcp --dport 3306 -j DROP\n'), [], 'commands that leave the policy as it is');
});

test('default-accept: FORWARD matters on a host whose owner has it route', t => {
  const nat = '*nat\n-A POSTROUTING -s 192.168.0.0/16 -o wan0 -j MASQUERADE\nCOMMIT\n';
  const input = ['-A INPUT -i lo -j ACCEPT', established];
  t.deepEqual(found('default-accept', nat + host('DROP', 'ACCEPT', ...input)), ['certain FORWARD']);
  t.deepEqual(found('default-accept', nat + host('DROP', 'ACCEPT', ...input), { host: () => ({ sysctls: { 'net.ipv4.ip_forward': 0 } }) }), []);
  t.deepEqual(found('default-accept', host('DROP', 'ACCEPT', ...input)), [], 'nothing says that it routes');
  const docker = ['-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -o docker0 -j DOCKER', '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT'];
  t.deepEqual(found('default-accept', host('DROP', 'ACCEPT', ':DOCKER - [0:0]', ...input, ...docker)), [], 'docker routes, and its owner does not');
});

test('default-accept: rules that accept, and none that shuts anything', t => {
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: host('ACCEPT', 'DROP', '-A INPUT -i lo -j ACCEPT', established, ...rules) }).findings.filter(one => one.check === 'default-accept').map(one => one.severity);
  const web = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  t.deepEqual(told(web), ['warning']);
  t.deepEqual(told('-A INPUT -s 192.0.2.0/24 -j ACCEPT'), ['warning']);
  t.deepEqual(told(web, '-A INPUT -p tcp -m tcp --dport 3306 -j DROP'), ['info'], 'what is forbidden is named');
  t.deepEqual(told(), ['info'], 'nothing is opened');
  t.deepEqual(told('-A INPUT -i lxcbr0 -p udp -m udp --dport 53 -j ACCEPT', '-A INPUT -i virbr0 -p udp -m udp --dport 67 -j ACCEPT'), ['info'], 'for guests, by programs');
  t.deepEqual(told(web, '-A INPUT -j DROP'), []);
});

test('any-any-accept: in a chain, by a goto, behind other rules', t => {
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', '-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -j ACCEPT')), ['certain filter:INPUT:2']);
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', ':ok - [0:0]', '-A INPUT -s 203.0.113.0/24 -j DROP', established, '-A INPUT -g ok', '-A ok -j ACCEPT')), ['certain filter:INPUT:3']);
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', ':ok - [0:0]', ':tcp - [0:0]', '-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -p tcp -j tcp', '-A INPUT -g ok', '-A ok -j ACCEPT', '-A tcp -j ok')), ['certain filter:ok:1'], 'no rule leads everything there: one has led all of TCP before');
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', '-A FORWARD -s 203.0.113.0/24 -j DROP', '-A FORWARD ! -f -m conntrack ! --ctstate INVALID -j ACCEPT')), [], 'fragments are a condition');
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', '-A FORWARD -s 203.0.113.0/24 -j DROP', '-A FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT')), ['certain filter:FORWARD:2']);
});

test('any-any-accept: one condition is enough, and so is a policy that says the same', t => {
  for (const condition of ['-i eth0', '-s 10.0.0.0/8', '-p icmp', '-m set --match-set friends src', '-m conntrack --ctstate RELATED,ESTABLISHED', '-m mark --mark 1']) {
    t.deepEqual(found('any-any-accept', host('DROP', 'DROP', `-A INPUT ${condition} -j ACCEPT`)), [], condition);
  }
  t.deepEqual(found('any-any-accept', host('ACCEPT', 'DROP', '-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -j ACCEPT')), []);
});

test('any-any-accept: one rule for all, which no program made, and which nobody has to knock for', t => {
  const accepting = (...rules: readonly string[]): string[] => found('any-any-accept', host('DROP', 'DROP', '-A INPUT -s 203.0.113.0/24 -j DROP', ...rules));
  t.deepEqual(accepting(':rest - [0:0]', '-A INPUT -j rest', '-A rest -j ACCEPT'), ['certain filter:INPUT:2']);
  t.deepEqual(accepting(':KUBE-FIREWALL - [0:0]', '-A INPUT -j KUBE-FIREWALL', '-A KUBE-FIREWALL -j ACCEPT'), [], 'kubernetes made it');
  t.deepEqual(accepting(':tcp - [0:0]', ':others - [0:0]', '-A INPUT -p tcp -j tcp', '-A INPUT ! -p tcp -j others', '-A tcp -j ACCEPT', '-A others -j ACCEPT'), ['certain filter:tcp:1', 'certain filter:others:1'], 'each accepts a part');
  t.deepEqual(accepting(':known - [0:0]', '-A INPUT -m recent --rcheck --name knocked --rsource -j known', '-A known -j ACCEPT'), [], 'whoever has knocked');
});

test('any-any-accept: all of a protocol', t => {
  const accepting = (...rules: readonly string[]): string[] => found('any-any-accept', host('DROP', 'DROP', established, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', ...rules));
  for (const all of ['-p tcp', '-p udp', '-p tcp -m tcp --syn', '-p tcp -m tcp --dport 1:65535', '-p tcp -m tcp --sport 1024:65535', '-p udp -m conntrack --ctstate NEW', '-p tcp -m multiport --dports 0:65535']) {
    t.deepEqual(accepting(`-A INPUT ${all} -j ACCEPT`), ['certain filter:INPUT:3'], all);
  }
  for (const some of ['-p icmp', '! -p tcp', '-p tcp -m tcp --dport 1024:65535', '-p tcp -m tcp ! --dport 25', '-p udp -m udp --sport 53', '-i eth1 -p tcp', '-s 10.0.0.0/8 -p tcp', '-p tcp -m set --match-set friends src', '-p tcp -m conntrack --ctstate ESTABLISHED', '-p tcp -m tcp --tcp-flags RST RST']) {
    t.deepEqual(accepting(`-A INPUT ${some} -j ACCEPT`), [], some);
  }
  t.deepEqual(accepting('-A FORWARD -p tcp -j ACCEPT'), ['certain filter:FORWARD:1']);
  t.deepEqual(accepting(':out - [0:0]', '-A FORWARD -o tun0 -j out', '-A out -p tcp -j ACCEPT'), [], 'what goes out by one link');
  t.deepEqual(accepting(':allowed - [0:0]', '-A INPUT -p tcp -m tcp --dport 443 -j allowed', '-A allowed -p tcp -m tcp --syn -j ACCEPT'), [], 'for one port');
  t.deepEqual(accepting(':high - [0:0]', '-A INPUT -p tcp -m tcp --dport 1024:65535 -j high', '-A high -p tcp -j ACCEPT'), []);
  t.deepEqual(accepting(':lan - [0:0]', '-A INPUT -i eth1 -j lan', '-A lan -p tcp -j ACCEPT', '-A lan -p udp -j ACCEPT'), [], 'who knows what is there');
  t.deepEqual(accepting('-A INPUT -p tcp -j DROP', '-A INPUT -p tcp -j ACCEPT'), [], 'it accepts none');
  t.deepEqual(found('any-any-accept', `*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host('DROP', 'DROP', ':in - [0:0]', established, '-A INPUT -i wan0 -j in', '-A in -p udp -j ACCEPT')}`), ['possible filter:in:1'], 'the internet is there');
  t.deepEqual(accepting(':tcp - [0:0]', '-A INPUT -p tcp -j tcp', '-A tcp -s 203.0.113.0/24 -j DROP', '-A tcp -j ACCEPT'), ['certain filter:tcp:2'], 'nothing else is led there');
  t.deepEqual(accepting('-A INPUT -p gre -j DROP', '-A INPUT -j ACCEPT'), ['certain filter:INPUT:4'], 'TCP and UDP');
});

test('any-any-accept: for all but some', t => {
  const accepting = (...rules: readonly string[]): string[] => found('any-any-accept', host('DROP', 'DROP', established, ...rules));
  for (const open of ['! -s 10.0.0.0/8', '! -i lo', '! -s 10.0.0.0/8 -m conntrack --ctstate NEW', '! -s 10.0.0.0/8 -p tcp', '! -s 203.0.113.7/32 ! -i lo -p udp']) t.deepEqual(accepting(`-A INPUT ${open} -j ACCEPT`), ['certain filter:INPUT:2'], open);
  t.deepEqual(accepting('-A FORWARD ! -s 10.0.0.0/8 -j ACCEPT'), ['certain filter:FORWARD:1']);
  for (const other of ['! -i eth0', '! -s 10.0.0.0/8 -i eth1', '! -s 10.0.0.0/8 -p tcp -m tcp --dport 443', '! -s 0.0.0.0/1 -s 10.0.0.0/8', '! -p tcp']) t.deepEqual(accepting(`-A INPUT ${other} -j ACCEPT`), [], other);
  t.deepEqual(accepting('-A INPUT ! -s 10.0.0.0/8 -j DROP', '-A INPUT ! -s 192.168.0.0/16 -j ACCEPT'), [], 'strangers are kept out before');
});

test('any-any-accept: a limit makes it slower, and a list of the banned keeps out those who are on it', t => {
  const accepting = (...rules: readonly string[]): string[] => found('any-any-accept', host('DROP', 'DROP', established, ...rules));
  for (const open of [
    '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m limit --limit 1/sec', '-m limit --limit 10/sec', '-p tcp -m conntrack --ctstate NEW -m hashlimit --hashlimit-upto 10/sec --hashlimit-mode srcip --hashlimit-name a',
    '-p tcp -m connlimit --connlimit-upto 20 --connlimit-mask 32 --connlimit-saddr', '-p tcp -m tcp --dport 1:65535 -m limit --limit 10/sec', '-p tcp -m addrtype --dst-type LOCAL', '-p tcp -m set ! --match-set banned src', '-m set ! --match-set banned src',
  ]) t.deepEqual(accepting(`-A INPUT ${open} -j ACCEPT`), ['certain filter:INPUT:2'], open);
  for (const other of ['-p tcp -m limit --limit 5/sec -m tcp --dport 22', '-p icmp -m limit --limit 5/sec', '-p tcp -m connlimit --connlimit-above 20 --connlimit-mask 32 --connlimit-saddr', '-s 10.0.0.0/8 -m limit --limit 5/sec', '-p tcp -m set --match-set friends src -m limit --limit 5/sec']) t.deepEqual(accepting(`-A INPUT ${other} -j ACCEPT`), [], other);
  t.deepEqual(accepting(':syn - [0:0]', '-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j syn', '-A syn -m limit --limit 1/sec -j ACCEPT', '-A syn -j DROP'), ['certain filter:syn:1']);
  t.deepEqual(accepting(':syn - [0:0]', '-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j syn', '-A syn -m limit --limit 1/sec -j RETURN', '-A syn -j DROP'), [], 'it goes on to the rules for services');
  const { findings, internalErrors } = analyze({ path: 'x.rules', text: host('DROP', 'DROP', established, '-A INPUT -p tcp -m limit --limit 1/sec -j ACCEPT') });
  t.deepEqual(internalErrors, []);
  const open = findings.find(one => one.check === 'any-any-accept');
  t.is(open?.message, 'this rule accepts all of TCP that comes to it, if not faster than a limit allows: what is to be dropped behind it is not');
  t.is(open?.witness?.length, 1);
});

test('any-any-accept: all that comes in by the interface where the internet is', t => {
  const text = (...rules: readonly string[]): string => `*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host('DROP', 'DROP', established, '-A INPUT -i wan0 -p tcp -m tcp --dport 22 -j ACCEPT', ...rules)}`;
  const open = '-A INPUT -i wan0 -j ACCEPT';
  t.deepEqual(found('any-any-accept', text(open)), ['possible filter:INPUT:3']);
  t.deepEqual(found('any-any-accept', text('-A INPUT -i wan0 -m conntrack --ctstate NEW -j ACCEPT')), ['possible filter:INPUT:3']);
  for (const other of ['-A INPUT -i lan0 -j ACCEPT', '-A INPUT ! -i wan0 -j ACCEPT', '-A INPUT -i wan0 -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -i wan0 -p icmp -j ACCEPT', '-A INPUT -i wan0 -m set --match-set friends src -j ACCEPT', '-A INPUT -i wan0 -m limit --limit 3/sec -j ACCEPT']) t.deepEqual(found('any-any-accept', text(other)), [], other);
  t.deepEqual(found('any-any-accept', text('-A INPUT -i wan0 -j DROP', open)), [], 'it accepts none');
  t.deepEqual(found('any-any-accept', text(open), { settings: { trustedInterfaces: ['wan0'] } }), [], 'whoever is there is trusted');
  t.deepEqual(found('any-any-accept', text(open), { settings: { trustedInterfaces: ['lan0'] } }), ['certain filter:INPUT:3']);
  t.deepEqual(found('any-any-accept', text(open), { host: () => ({ routes: ['default via 192.0.2.1 dev lan0'] }) }), []);
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', established, open)), ['possible filter:INPUT:2'], 'its name says so');
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', established, open), { family: 'ipv6' }), ['possible filter:INPUT:2']);
  for (const name of ['eth0', 'ppp0', 'lan0']) t.deepEqual(found('any-any-accept', host('DROP', 'DROP', established, open.replace('wan0', name))), [], 'nobody says where the internet is');
  t.deepEqual(found('any-any-accept', host('DROP', 'DROP', established, '-A INPUT -i wan0 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -i eth1 -j ACCEPT')), [], 'it is behind wan0');
});

test('any-any-accept: all that comes in by the interface where the internet is, and goes through', t => {
  const text = (...rules: readonly string[]): string => `*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n${host('DROP', 'DROP', established, '-A FORWARD -i lan0 -o wan0 -j ACCEPT', ...rules)}`;
  for (const open of ['-A FORWARD -i wan0 -o lan0 -j ACCEPT', '-A FORWARD -i wan0 -j ACCEPT', '-A FORWARD -i wan0 ! -o wan0 -j ACCEPT', '-A FORWARD -i wan0 -o lan0 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT']) {
    t.deepEqual(found('any-any-accept', text(open)), ['possible filter:FORWARD:2'], open);
  }
  const open = '-A FORWARD -i wan0 -o lan0 -j ACCEPT';
  for (const other of [
    '-A FORWARD -i wan0 -o lan0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i wan0 -o wan0 -j ACCEPT', '-A FORWARD -i lan1 -o lan0 -j ACCEPT', '-A FORWARD -i wan0 -o lan0 -p tcp -m tcp --dport 25 -j ACCEPT',
    '-A FORWARD -i wan0 -d 10.0.0.5/32 -o lan0 -j ACCEPT', '-A FORWARD -i wan0 -o lan0 -m conntrack --ctstate DNAT -j ACCEPT',
  ]) t.deepEqual(found('any-any-accept', text(other)), [], other);
  t.deepEqual(found('any-any-accept', text('-A FORWARD -i wan0 -j DROP', open)), [], 'it lets nothing through');
  const inwards = '-A FORWARD -o lan0 -j ACCEPT';
  t.deepEqual(found('any-any-accept', text(inwards)), ['possible filter:FORWARD:2'], 'from anywhere');
  t.deepEqual(found('any-any-accept', text(inwards), { settings: { trustedInterfaces: ['lan0'] } }), ['certain filter:FORWARD:2']);
  for (const other of ['-A FORWARD -o wan0 -j ACCEPT', '-A FORWARD -o docker0 -j ACCEPT', '-A FORWARD ! -o wan0 -p icmp -j ACCEPT', '-A FORWARD -s 10.0.0.0/8 -o lan0 -j ACCEPT', '-A FORWARD -o lan0 -p tcp -m tcp --dport 25 -j ACCEPT', '-A FORWARD ! -i wan0 -o lan0 -j ACCEPT']) t.deepEqual(found('any-any-accept', text(other)), [], other);
  t.deepEqual(found('any-any-accept', text('-A FORWARD -i wan0 -j DROP', inwards)), []);
  t.deepEqual(found('any-any-accept', text(open), { settings: { trustedInterfaces: ['wan0', 'lan0'] } }), [], 'whoever is there is trusted');
  t.deepEqual(found('any-any-accept', text(open), { settings: { trustedInterfaces: ['lan0'] } }), ['certain filter:FORWARD:2']);
  const many = (count: number): string => text(...Array.from({ length: count }, (_, i) => `-A FORWARD -i wan0 -o veth${String(i)} -j ACCEPT`));
  t.is(found('any-any-accept', many(16)).length, 16);
  t.is(found('any-any-accept', many(17)).length, 16);
  t.deepEqual(analyze({ path: 'x.rules', text: many(17) }).undecided, { 'any-any-accept': 1 }, 'of a long list the rest is left open, and that is counted');
});

test('any-any-accept: whatever is for an address of this host', t => {
  const accepting = (...rules: readonly string[]): string[] => found('any-any-accept', host('DROP', 'DROP', established, ...rules));
  const one = '-A INPUT -d 203.0.113.7/32 -j ACCEPT';
  t.deepEqual(accepting(one), ['possible filter:INPUT:2'], 'nobody says whose address it is');
  const known = (address: string): string[] => found('any-any-accept', host('DROP', 'DROP', established, one), { host: () => ({ interfaces: [{ name: 'eth0', addresses: [address] }] }) });
  t.deepEqual(known('203.0.113.7/24'), ['certain filter:INPUT:2']);
  t.deepEqual(known('203.0.113.9/24'), [], 'nothing for another host comes to INPUT');
  t.deepEqual(accepting('-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT'), ['certain filter:INPUT:2']);
  t.deepEqual(accepting('-A INPUT -d 10.0.0.7/32 -j ACCEPT'), [], 'whoever comes to an inner address is inside');
  t.deepEqual(accepting('-A INPUT -d 203.0.113.255/32 -j ACCEPT'), [], 'all hosts of a network, maybe');
  t.deepEqual(accepting('-A INPUT -m addrtype --dst-type BROADCAST -j ACCEPT'), []);
  t.deepEqual(accepting('-A INPUT -d 203.0.113.7/32 -p tcp -m tcp --dport 443 -j ACCEPT'), []);
  t.deepEqual(accepting('-A INPUT -s 198.51.100.0/24 -d 203.0.113.7/32 -j ACCEPT'), []);
  t.deepEqual(accepting('-A INPUT -d 203.0.113.7/32 -m limit --limit 5/sec -j ACCEPT'), []);
  t.deepEqual(accepting('-A INPUT -d 203.0.113.7/32 -j DROP', one), [], 'it accepts none');
  t.deepEqual(accepting('-A FORWARD -d 203.0.113.7/32 -j ACCEPT'), [], 'another host, which may be meant to be open');
});

test('any-any-accept: for those on a list, where anybody gets on it', t => {
  const accepting = (...rules: readonly string[]): string[] => found('any-any-accept', host('DROP', 'DROP', established, ...rules));
  const friends = '-A INPUT -m recent --rcheck --name friends --rsource -j ACCEPT';
  const put = (condition: string, target: string): string => `-A INPUT ${condition} -m recent --set --name friends --rsource ${target}`;
  const web = '-p tcp -m multiport --dports 80,443';
  t.deepEqual(accepting(friends, put(web, '-j ACCEPT')), ['certain filter:INPUT:2'], 'who has seen a page gets everywhere');
  t.deepEqual(accepting(friends, put('-m conntrack --ctstate NEW', '')), ['certain filter:INPUT:2'], 'so does who has sent anything');
  t.deepEqual(accepting(friends.replace('--rcheck', '--update --seconds 60 --hitcount 3'), put(web, '-j ACCEPT')), ['certain filter:INPUT:2']);
  t.deepEqual(accepting(friends, put('-p tcp -m tcp --dport 7000', '-j DROP')), [], 'whoever has knocked');
  t.deepEqual(accepting(friends, put(`-s 203.0.113.0/24 ${web}`, '-j ACCEPT')), [], 'some are known');
  t.deepEqual(accepting(friends, put('-m set --match-set known src', '-j ACCEPT')), []);
  t.deepEqual(accepting(friends, put(web, '-j ACCEPT').replace('friends', 'others')), [], 'another list');
  t.deepEqual(accepting(friends.replace('-j', '-p tcp -m tcp --dport 22 -j'), put(web, '-j ACCEPT')), [], 'for one service');
  t.deepEqual(accepting(friends.replace('-m recent', '-m limit --limit 9/min -m recent'), put(web, '-j ACCEPT')), []);
  t.deepEqual(accepting(friends.replace('--rcheck', '! --rcheck'), put(web, '-j ACCEPT')), [], 'for those who are not on it');
  t.deepEqual(accepting(friends, put(web, '-j ACCEPT').replace('--rsource', '--rdest')), []);
  t.deepEqual(found('any-any-accept', host('ACCEPT', 'DROP', friends, put(web, '-j ACCEPT'))), [], 'all is let in');
  const { findings, internalErrors } = analyze({ path: 'x.rules', text: host('DROP', 'DROP', friends, put(web, '-j ACCEPT')) });
  t.deepEqual(internalErrors, []);
  t.deepEqual(findings.find(one => one.check === 'any-any-accept')?.witness?.map(({ packet }) => packet['dport']), [80, 47_129], 'one packet to get on the list, one to a port of which no rule speaks');
});

test('any-any-accept: in FORWARD, for those on a list on which anybody gets', t => {
  const accepting = (...rules: readonly string[]): string[] => {
    const { findings, internalErrors } = analyze({ path: 'x.rules', text: host('DROP', 'DROP', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...rules) });
    t.deepEqual(internalErrors, []);
    return findings.filter(one => one.check === 'any-any-accept').map(({ rule, because, witness }) => `${rule ?? ''} ${because[0]?.rule ?? ''} ${String(witness?.length)}`);
  };
  const friends = '-A FORWARD -m recent --rcheck --name friends --rsource -j ACCEPT';
  const put = (chain: string, condition: string, target: string): string => `-A ${chain} ${condition} -m recent --set --name friends --rsource ${target}`;
  const web = '-p tcp -m multiport --dports 80,443';
  t.deepEqual(accepting(friends, put('FORWARD', `-i eth0 ${web}`, '-j ACCEPT')), ['filter:FORWARD:1 filter:FORWARD:2 2']);
  t.deepEqual(accepting(friends, put('INPUT', `-i eth0 ${web}`, '-j ACCEPT')), ['filter:FORWARD:1 filter:INPUT:2 undefined'], 'it is one list for the host');
  t.deepEqual(accepting(friends.replace('-m recent', '-i eth0 -o eth1 -m recent'), put('FORWARD', `-i eth0 ${web}`, '-j ACCEPT')), [], 'who names interfaces has thought of somebody');
  t.deepEqual(accepting(friends, put('INPUT', '-p tcp -m tcp --dport 7000', '-j DROP')), [], 'whoever has knocked');
  t.deepEqual(accepting(friends, put('FORWARD', `-i eth1 -o eth0 ${web}`, '-j ACCEPT'), '-A FORWARD -i eth1 -j ACCEPT'), [], 'people inside get on it');
});

const closed = host('DROP', 'DROP', '-A INPUT -i lo -j ACCEPT', established);
const open6 = `# Generated by ip6tables-save v1.8.9\n${host('ACCEPT', 'DROP')}`;
const closed6 = `# Generated by ip6tables-save v1.8.9\n${closed}`;

test('unprotected-family: in one file, or in the one beside it; default-accept then leaves it at that', t => {
  const beside = { sibling: { path: 'rules.v4', text: closed } };
  t.deepEqual(found('unprotected-family', open6, beside), ['certain IPv6']);
  t.deepEqual(found('default-accept', open6, beside), []);
  t.deepEqual(found('unprotected-family', closed6, beside), []);
  t.deepEqual(found('unprotected-family', open6, { sibling: { path: 'rules.v4', text: host('ACCEPT', 'DROP') } }), [], 'neither is protected');
  t.deepEqual(found('unprotected-family', open6), [], 'nobody knows the other');
  t.deepEqual(found('unprotected-family', host('ACCEPT', 'DROP'), { sibling: { path: 'rules.v6', text: closed6 } }), ['certain IPv4']);
  t.deepEqual(found('unprotected-family', open6.replace('COMMIT', '-A INPUT -m frobnicate -j DROP\nCOMMIT'), beside), ['possible IPv6']);
});

test('unprotected-family: those behind a router are reached by IPv6, where IPv4 has private addresses', t => {
  const four = '*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n' + host('DROP', 'DROP', established, '-A FORWARD -i lan0 -j ACCEPT');
  const six = (forward: 'ACCEPT' | 'DROP', ...rules: readonly string[]): string => `# Generated by ip6tables-save v1.8.9\n${host('DROP', forward, '-A INPUT -p ipv6-icmp -j ACCEPT', established, ...rules)}`;
  const beside: AnalyzeOptions = { sibling: { path: 'rules.v4', text: four } };
  const lan = '-A FORWARD -i lan0 -o wan0 -j ACCEPT';
  t.deepEqual(found('unprotected-family', six('ACCEPT', lan), beside), ['certain IPv6']);
  t.deepEqual(found('default-accept', six('ACCEPT', lan), beside), [], 'once is enough');
  t.deepEqual(found('unprotected-family', six('DROP', lan), beside), []);
  t.deepEqual(found('unprotected-family', six('ACCEPT'), beside), [], 'nothing says that it routes IPv6');
  t.deepEqual(found('unprotected-family', six('ACCEPT'), { ...beside, host: () => ({ sysctls: { 'net.ipv6.conf.all.forwarding': 1 } }) }), ['certain IPv6']);
  t.deepEqual(found('unprotected-family', four.replace('FORWARD DROP', 'FORWARD ACCEPT'), { sibling: { path: 'rules.v6', text: six('DROP', lan) } }), [], 'nobody outside can name those inside');
});

test('unprotected-family: a host without IPv6 has nothing to protect there', t => {
  const beside = { sibling: { path: 'rules.v4', text: closed } };
  t.deepEqual(found('unprotected-family', open6, { ...beside, host: () => ({ sysctls: { 'net.ipv6.conf.all.disable_ipv6': 1 } }) }), []);
  t.deepEqual(found('unprotected-family', open6, { ...beside, host: () => ({ interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24', 'fe80::1/64'] }] }) }), []);
  t.deepEqual(found('unprotected-family', open6, { ...beside, host: () => ({ interfaces: [{ name: 'eth0', addresses: ['2001:db8::1/64'] }] }) }), ['certain IPv6']);
});
