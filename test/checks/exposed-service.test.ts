/** What strangers can reach: by rules that name a service, through all tables. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { exposedService } from '../../analyzer/checks/exposed-service.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';

function host(...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...rules, 'COMMIT', ''].join('\n');
}

function found(text: string, options: AnalyzeOptions = {}): string[] {
  const { findings, internalErrors } = analyze({ path: 'exposed.rules', text }, options);
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === 'exposed-service').map(({ rule, severity, message }) => `${severity} ${rule ?? ''} ${/reach (.*): this/u.exec(message)?.[1] ?? message}`);
}

const redis = '-A INPUT -p tcp -m tcp --dport 6379 -j ACCEPT';
const mysql = ['warning filter:INPUT:3 MySQL (tcp/3306)'];

test('one finding for each rule, with the services that it opens', t => {
  t.deepEqual(found(host('-A INPUT -p tcp -m multiport --dports 22,3306,6379 -j ACCEPT', '-A INPUT -p udp -m udp --dport 11211 -j ACCEPT')), [
    'warning filter:INPUT:3 Redis (tcp/6379) and MySQL (tcp/3306)', 'warning filter:INPUT:4 memcached (udp/11211)',
  ]);
});

test('who lets in all that one host of the internet sends does not trust the interface by which it comes', t => {
  const at = (...admin: readonly string[]): string[] => found(host(redis.replace('-p', '-i eth0 -p'), ...admin));
  const open = ['warning filter:INPUT:3 Redis (tcp/6379)'];
  t.deepEqual(at('-A INPUT -s 203.0.113.5/32 -i eth0 -j ACCEPT'), open);
  t.deepEqual(at('-A INPUT -d 224.0.0.0/4 -i eth0 -j ACCEPT'), open);
  t.deepEqual(at('-A INPUT -i eth0 -j ACCEPT'), []);
  t.deepEqual(at('-A INPUT -s 192.168.1.0/24 -i eth0 -j ACCEPT'), [], 'a network inside');
});

test('what a mesh or a tunnel leads to, by its name, is not the internet', t => {
  for (const name of ['bat0', 'ham0', 'tinc0', 'mesh-vpn', 'wg0']) t.deepEqual(found(host(redis.replace('-p', `-i ${name} -p`))), [], name);
  for (const name of ['eth0', 'batch0', 'hamster']) t.deepEqual(found(host(redis.replace('-p', `-i ${name} -p`))), ['warning filter:INPUT:3 Redis (tcp/6379)'], name);
});

test('what leads to virtual machines and pods, by its name, is not the internet either', t => {
  for (const name of ['vif21.0', 'eni8ca2e41546c', 'azv1a2b3c', 'gke52d0f1']) t.deepEqual(found(host(redis.replace('-p', `-i ${name} -p`))), [], name);
});

test('nodes of Hadoop, and what games and telephone exchanges are governed by', t => {
  t.deepEqual(found(host('-A INPUT -p tcp -m multiport --dports 7077,8021,25575,50070 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 8088 -j ACCEPT')), [
    'warning filter:INPUT:3 the FreeSWITCH event socket (tcp/8021), HDFS (tcp/50070), Spark (tcp/7077) and RCON (tcp/25575)', 'info filter:INPUT:4 YARN (tcp/8088)',
  ]);
});

test('what is opened to those who come through IPsec is open to nobody else', t => {
  for (const option of ['--pol ipsec', '--pol ipsec --proto esp', '--strict --reqid 7']) t.deepEqual(found(host(redis.replace('-j', `-m policy --dir in ${option} -j`))), [], option);
  t.deepEqual(found(host(redis.replace('-j', '-m policy --dir in --pol none -j'))), ['warning filter:INPUT:3 Redis (tcp/6379)']);
  t.deepEqual(found(host('-A INPUT -m policy --dir in --pol none -j DROP', redis)), [], 'who comes without it is dropped before');
  t.deepEqual(found(host('-A INPUT -m policy --dir in --pol ipsec -j DROP', redis)), ['warning filter:INPUT:4 Redis (tcp/6379)']);
});

test('a range that begins with the first display is for displays, and a service is named once', t => {
  const named = (ports: string): string[] => found(host(`-A INPUT -p tcp -m multiport --dports ${ports} -j ACCEPT`)).map(one => one.replace('warning filter:INPUT:3 ', ''));
  t.deepEqual(named('5900:5999'), ['VNC (tcp/5900-5909)']);
  t.deepEqual(named('5900:5999,3306'), ['MySQL (tcp/3306) and VNC (tcp/5900-5909)']);
  t.deepEqual(named('5901:5999'), ['CouchDB (tcp/5984), VNC (tcp/5901-5909) and WinRM (tcp/5985, tcp/5986)'], 'nobody says what it is for');
  t.deepEqual(named('6000:6400'), ['Redis (tcp/6379), Spark (tcp/6066) and X11 (tcp/6000-6009)'], 'so many displays there are not');
});

test('behind a list of thousands of addresses it is told as well', t => {
  const blocked = Array.from({ length: 20_500 }, (_, i) => `-A INPUT -s 10.${String(i >> 8)}.${String(i & 255)}.9/32 -j DROP`);
  const { findings, undecided } = analyze({ path: 'exposed.rules', text: host(...blocked, redis) }, { checks: [exposedService] });
  t.deepEqual(findings.map(({ rule }) => rule), ['filter:INPUT:20503']);
  t.deepEqual(undecided, {});
});

test('where one of the services is open whatever is unknown, the finding is certain', t => {
  const certainty = (...rules: readonly string[]): readonly string[] => analyze({ path: 'exposed.rules', text: host(...rules) }).findings.filter(one => one.check === 'exposed-service').map(one => one.certainty);
  const both = '-A INPUT -p tcp -m multiport --dports 3306,6379 -j ACCEPT';
  t.deepEqual(certainty('-A INPUT -p tcp -m tcp --dport 6379 -m set --match-set unwanted src -j DROP', both), ['certain']);
  t.deepEqual(certainty('-A INPUT -m set --match-set unwanted src -j DROP', both), ['possible']);
});

test('what a rule leaves out that drops all other ports is open as well, if nothing else closes it', t => {
  const open = (policy: string, ...rules: readonly string[]): string[] => found(host(...rules).replace(':INPUT DROP', `:INPUT ${policy}`));
  const others = '-A INPUT -p tcp -m multiport ! --dports 22,443,3306 -j DROP';
  t.deepEqual(open('ACCEPT', others), mysql);
  t.deepEqual(open('ACCEPT', '-A INPUT -p tcp -m tcp ! --dport 3306 -j REJECT --reject-with tcp-reset', '-A INPUT -j ACCEPT'), mysql);
  t.deepEqual(open('DROP', others), []);
  t.deepEqual(open('ACCEPT', others, '-A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 3306 -j DROP'), []);
  t.deepEqual(open('ACCEPT', '-A INPUT -s 10.0.0.0/8 -p tcp -m multiport ! --dports 22,3306 -j DROP'), [], 'it is for those inside, and of the rest default-accept speaks');
  t.deepEqual(open('ACCEPT', '-A FORWARD -p tcp -m multiport ! --dports 22,3306 -j DROP'), []);
  t.deepEqual(open('ACCEPT', others, '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT'), ['warning filter:INPUT:4 MySQL (tcp/3306)'], 'told of the rule that opens it');
  t.deepEqual(open('ACCEPT', '-A INPUT -p tcp -m multiport ! --dports 22,443 -j DROP'), []);
});

test('what a DNAT rule publishes is told of that rule, and not of the one that lets it through', t => {
  const nat = '*nat\n-A PREROUTING -p tcp -m tcp --dport 6379 -j DNAT --to-destination 10.0.0.5\nCOMMIT\n';
  const text = `${nat}${host('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT')}`;
  t.deepEqual(found(text), ['warning nat:PREROUTING:1 Redis (tcp/6379)']);
  const finding = analyze({ path: 'exposed.rules', text }).findings.find(one => one.check === 'exposed-service');
  t.true(finding?.host?.routes?.some(route => route.includes('docker0')), 'the witness gets through on its host');
});

test('a stranger shows it, and the engine agrees', t => {
  const finding = analyze({ path: 'exposed.rules', text: host(redis) }).findings.find(one => one.check === 'exposed-service');
  t.deepEqual(finding?.witness, [{ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 6379, flags: 'S' } }]);
});

test('an earlier DROP, in any table, closes what a rule opens', t => {
  t.deepEqual(found(host('-A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 6000:6999 -j DROP', redis)), []);
  t.deepEqual(found(`*raw\n-A PREROUTING ! -s 10.0.0.0/8 -p tcp -m tcp --dport 6379 -j DROP\nCOMMIT\n${host(redis)}`), []);
  t.deepEqual(found(`${host(redis)}*security\n-A INPUT -p tcp -m tcp --dport 6379 -j DROP\nCOMMIT\n`), []);
});

test('chains, limits and lists of the unwanted do not keep a stranger out', t => {
  t.deepEqual(found(host(':db - [0:0]', '-A INPUT -p tcp -g db', '-A db -p tcp -m tcp --dport 3306 -j ACCEPT')), ['warning filter:db:1 MySQL (tcp/3306)']);
  t.deepEqual(found(host('-A INPUT -p tcp -m tcp --dport 3306 -m hashlimit --hashlimit-upto 3/min --hashlimit-mode srcip --hashlimit-name x -j ACCEPT')), mysql);
  t.deepEqual(found(host('-A INPUT -m recent --name x --update --seconds 60 --hitcount 4 -j DROP', '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT')), ['warning filter:INPUT:4 MySQL (tcp/3306)']);
  t.deepEqual(found(host('-A INPUT -m set --match-set unwanted src -j DROP', '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT')), ['warning filter:INPUT:4 MySQL (tcp/3306)']);
});

test('where some rule has a limit, what hangs on it, or on anything else, is asked without it', t => {
  const open = '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT';
  t.deepEqual(found(host('-A INPUT -p tcp -m tcp --dport 3306 -m limit --limit 3/min -j DROP', open)), [], 'who takes his time is always below it');
  const ping = '-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT';
  t.deepEqual(found(host(ping, '-A INPUT -m set --match-set friends src -p tcp -m tcp --dport 3306 -j ACCEPT')), []);
  const certainty = (...rules: readonly string[]): readonly string[] => analyze({ path: 'exposed.rules', text: host(...rules) }).findings.filter(one => one.check === 'exposed-service').map(one => one.certainty);
  t.deepEqual(certainty(ping, open), ['certain']);
  t.deepEqual(certainty(ping, '-A INPUT -m set --match-set unwanted src -j DROP', open), ['possible']);
});

test('whoever is on a list, has knocked, or comes from a network that is named, is no stranger', t => {
  for (const guard of ['-m set --match-set friends src', '-m recent --name knocked --rcheck --seconds 30', '-s 198.51.100.0/24', '-s 198.51.100.7', '-m iprange --src-range 10.0.0.1-10.0.0.9', '-s 192.168.0.0/16', '-m mac --mac-source 02:00:00:00:00:01', '-m mark --mark 0x1', '-m connmark --mark 0x1', '-m frobnicate --x']) {
    t.deepEqual(found(host(`-A INPUT ${guard} -p tcp -m tcp --dport 3306 -j ACCEPT`)), [], guard);
    t.deepEqual(found(host(':in - [0:0]', `-A INPUT ${guard} -j in`, '-A in -p tcp -m tcp --dport 3306 -j ACCEPT')), [], guard);
  }
});

test('a part of the world is the world', t => {
  t.deepEqual(found(host('-A INPUT -s 0.0.0.0/1 -p tcp -m tcp --dport 3306 -j ACCEPT')), mysql);
  t.deepEqual(found(host('-A INPUT ! -s 203.0.113.0/24 -p tcp -m tcp --dport 3306 -j ACCEPT')), mysql);
});

test('interfaces that are trusted, or of which nobody knows', t => {
  const rule = (name: string): string => `-A INPUT -i ${name} -p tcp -m tcp --dport 3306 -j ACCEPT`;
  t.deepEqual(found(host(rule('eth0'))), mysql, 'the only one');
  t.deepEqual(found(host(rule('docker0'))), [], 'of containers');
  t.deepEqual(found(host(rule('eth1'), '-A INPUT -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT')), [], 'one of two');
  t.deepEqual(found(host(rule('eth1'), '-A INPUT -i eth0 -j ACCEPT')), mysql, 'the other is trusted');
  t.deepEqual(found(host(rule('eth1')), { settings: { trustedInterfaces: ['eth1'] } }), []);
  t.deepEqual(found(host(rule('eth1'), '-A INPUT -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT'), { settings: { trustedInterfaces: ['eth0'] } }), mysql);
  t.deepEqual(found(host(rule('eth1')), { host: () => ({ routes: ['default via 192.0.2.254 dev eth0'] }) }), []);
  t.deepEqual(found(host(rule('eth0')), { host: () => ({ routes: [{ dst: 'default', gateway: '192.0.2.254', dev: 'eth0' }] }) }), mysql);
  const nat = '*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n';
  t.deepEqual(found(nat + host(rule('eth1'))), []);
  t.deepEqual(found(nat + host('-A INPUT ! -i eth1 -p tcp -m tcp --dport 3306 -j ACCEPT')), mysql);
});

test('ranges: what is meant is named, what holds a port by chance is not', t => {
  t.deepEqual(found(host('-A INPUT -p tcp -m tcp --dport 5900:5920 -j ACCEPT')), ['warning filter:INPUT:3 VNC (tcp/5900-5909)']);
  t.deepEqual(found(host('-A INPUT -p tcp -m multiport --dports 3306,30000:40000 -j ACCEPT')), mysql, 'beside a wide one');
  t.deepEqual(found(host('-A INPUT -p tcp -m multiport --dports 22,30000:40000 -j ACCEPT')), []);
  t.deepEqual(found(host('-A INPUT -p udp -m udp --dport 10000:20000 -j ACCEPT', '-A INPUT -p udp -m multiport --dports 4569,5000:65535 -j ACCEPT')), [], 'media');
  t.deepEqual(found(host('-A INPUT -p tcp -m tcp --dport 25000:65535 -j ACCEPT')), [], 'passive FTP');
  t.deepEqual(found(host('-A INPUT -p tcp -m tcp --dport 50000:50999 -j ACCEPT')), [], 'a short range for that');
  t.deepEqual(found(host('-A INPUT -p tcp -m tcp --dport 50070:50075 -j ACCEPT')), ['warning filter:INPUT:3 HDFS (tcp/50070)']);
  t.is(found(host('-A INPUT -p tcp -m tcp --dport 1024:65535 -j ACCEPT')).length, 1);
  t.is(found(host('-A INPUT -p tcp -m tcp ! --dport 22 -j ACCEPT')).length, 1);
  t.deepEqual(found(host('-A INPUT -p tcp -j ACCEPT')), [], 'who opens everything names no service: any-any-accept tells');
});

test('where the policy lets in what a rule leaves, to name somebody in it is no help', t => {
  const help = (policy: string, ...lines: readonly string[]): string => analyze({ path: 'exposed.rules', text: host(...lines).replace(':INPUT DROP', `:INPUT ${policy}`) }).findings.find(one => one.check === 'exposed-service')?.help ?? '';
  t.regex(help('DROP', redis), /^name whom it is for/u);
  t.regex(help('ACCEPT', redis, '-A INPUT -p tcp -j DROP'), /^name whom it is for/u);
  t.regex(help('ACCEPT', redis, '-A INPUT -p tcp -m tcp --dport 25 -j DROP'), /^drop what others send to it .*--dport 6379 -j DROP.*the policy ACCEPT of INPUT lets in what it leaves$/u);
  t.regex(help('DROP', redis, '-A INPUT -p tcp -m tcp --dport 6000:7000 -j ACCEPT'), /filter:INPUT:4 lets in what it leaves$/u);
  t.regex(help('ACCEPT', '-A INPUT -p tcp -m tcp ! --dport 3306 -j DROP'), /^drop what others send to it .*--dport 3306 -j DROP\), or reach it/u);
});

test('services of which nobody thinks first', t => {
  for (const [rule, name] of [['-p udp -m udp --dport 8472', 'VXLAN (udp/8472)'], ['-p tcp -m tcp --dport 4848', 'GlassFish administration (tcp/4848)'], ['-p tcp -m tcp --dport 1801', 'MSMQ (tcp/1801)'], ['-p udp -m udp --dport 5404:5405', 'corosync (udp/5404-5405)']] as const) {
    t.deepEqual(found(host(`-A INPUT ${rule} -j ACCEPT`)), [`warning filter:INPUT:3 ${name}`]);
  }
  t.deepEqual(found(host('-A INPUT -p udp -m udp --dport 514 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 9102 -j ACCEPT')), ['info filter:INPUT:3 syslog (udp/514)', 'info filter:INPUT:4 Bacula or an exporter (tcp/9102)']);
});

test('what DNAT publishes is exposed where FORWARD lets it through, by the port inside', t => {
  const published = (forward: string): string => `*nat\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 8888 -j DNAT --to-destination 10.0.0.5:5432\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n${host(forward)}`;
  t.deepEqual(found(published('-A FORWARD -i eth0 -d 10.0.0.5/32 -p tcp -m tcp --dport 5432 -j ACCEPT')), ['warning nat:PREROUTING:1 PostgreSQL (tcp/5432)']);
  t.deepEqual(found(published('-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT')).length, 1);
  t.deepEqual(found(published('-A FORWARD -s 192.168.0.0/16 -d 10.0.0.5/32 -j ACCEPT')), []);
  t.deepEqual(found(published('-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 8888 -j ACCEPT')), [], 'the port is another by then');
});

test('a router may open it to a server behind it; what goes out is no exposure', t => {
  const nat = '*nat\n-A POSTROUTING -o wan0 -j MASQUERADE\nCOMMIT\n';
  t.deepEqual(found(nat + host('-A FORWARD -i wan0 -p tcp -m tcp --dport 3389 -j ACCEPT')), ['warning filter:FORWARD:1 RDP (tcp/3389)']);
  t.deepEqual(found(nat + host('-A FORWARD -i lan0 -o wan0 -p tcp -m tcp --dport 3389 -j ACCEPT', '-A FORWARD -o wan0 -p tcp -m tcp --dport 3389 -j ACCEPT')), []);
});

test('IPv6', t => {
  t.deepEqual(found(host(redis, '-A INPUT -s 2001:db8:5::/48 -p tcp -m tcp --dport 3306 -j ACCEPT'), { family: 'ipv6' }), ['warning filter:INPUT:3 Redis (tcp/6379)']);
});
