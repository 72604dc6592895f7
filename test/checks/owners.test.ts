/** Chains and rules that programs make are known as theirs, and nobody is told how to write them. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { ownersOf } from '../../analyzer/checks/shared/owners.js';
import { load } from '../../analyzer/model/load.js';

/** The owners of the chains and of the rules of a filter table with these lines. */
function owners(lines: readonly string[], head = ''): { readonly chains: Record<string, string>; readonly rules: readonly (string | undefined)[] } {
  const [ruleset] = load({ path: 'x.rules', text: `${head}*filter\n${lines.join('\n')}\nCOMMIT\n` }).rulesets;
  const table = ruleset?.tables.get('filter');
  if (ruleset === undefined || table === undefined) throw new Error('not loaded');
  const known = ownersOf(ruleset);
  const all = [...table.chains.values()];
  return {
    chains: Object.fromEntries(all.flatMap(chain => known.ofChain(chain) === undefined ? [] : [[chain.name, known.ofChain(chain) ?? '']])),
    rules: all.flatMap(chain => chain.rules.map(rule => ({ rule, owner: known.ofRule(table, chain, rule) }))).sort((a, b) => a.rule.line - b.rule.line).map(one => one.owner),
  };
}

for (const [chain, owner] of [
  ['DOCKER-ISOLATION-STAGE-1', 'docker'], ['KUBE-SVC-ABCDEF', 'kubernetes'], ['cali-fw-cali1234', 'calico'], ['CILIUM_FORWARD', 'cilium'], ['ufw-user-input', 'ufw'],
  ['f2b-sshd', 'fail2ban'], ['fail2ban-ssh', 'fail2ban'], ['sshguard', 'sshguard'], ['LIBVIRT_FWX', 'libvirt'], ['ISTIO_OUTPUT', 'istio'], ['NETAVARK_FORWARD', 'netavark'], ['CNI-FORWARD', 'cni'],
  ['AZURE-NPM-INGRESS', 'azure-npm'], ['WEAVE-NPC', 'weave'], ['FLANNEL-FWD', 'flannel'], ['ts-input', 'tailscale'], ['neutron-openvswi-INPUT', 'neutron'], ['MINIUPNPD', 'miniupnpd'],
  ['quantum-l3-agent-snat', 'neutron'], ['nova-api-INPUT', 'nova'], ['AS0_ACCEPT', 'OpenVPN Access Server'], ['CROWDSEC_CHAIN', 'CrowdSec'], ['PSAD_BLOCK_INPUT', 'psad'],
  ['AWS-SNAT-CHAIN-0', 'Amazon VPC CNI'], ['OVN-KUBE-NODEPORT', 'OVN-Kubernetes'], ['IP-MASQ-AGENT', 'kubernetes'], ['ironic-inspector', 'ironic'],
  ['NETBIRD-ACL-INPUT', 'NetBird'], ['nm-sh-in-wlan0', 'NetworkManager'], ['mwan3_hook', 'mwan3'], ['CONSUL_PROXY_OUTPUT', 'Consul'], ['KUMA_MESH_INBOUND', 'Kuma'], ['OPENSHIFT-MASQUERADE', 'OpenShift'], ['CATTLE_PREROUTING', 'Rancher'],
  ['piavpn.OUTPUT', 'Private Internet Access'], ['connman-INPUT', 'ConnMan'], ['_NDM_FORWARD', 'Keenetic'], ['openclash_output', 'OpenClash'], ['PSW_OUTPUT', 'PassWall'], ['sshuttle-m-12300', 'sshuttle'], ['nixos-fw', 'NixOS'],
] as const) {
  test(`${chain} is made by ${owner}, and so is the rule that leads there`, t => {
    t.deepEqual(owners([`:${chain} - [0:0]`, `-A INPUT -j ${chain}`, `-A ${chain} -s 192.0.2.1/32 -j DROP`, '-A INPUT -s 192.0.2.1/32 -j DROP']), { chains: { [chain]: owner }, rules: [owner, owner, undefined] });
  });
}

for (const chain of ['DOCKERS', 'kube-ssh', 'my-f2b', 'sshguard-own', 'californian', 'ufwx', 'IN_public', 'dynamic', 'LOCAL', 'zone_lan_forward', 'ts-web', 'nova', 'AS01', 'PSAD', 'crowd', 'AWS-SNAT', 'IP-MASQUERADE', 'nm-share', 'NETBIRDS', 'PSWAN', 'sshuttle-own', 'openclashed', 'mwan', 'nixos']) {
  test(`${chain} is somebody’s own`, t => {
    t.deepEqual(owners([`:${chain} - [0:0]`, `-A INPUT -j ${chain}`]), { chains: {}, rules: [undefined] });
  });
}

test('that a program waits for known connections wherever it may is not told', t => {
  const text = (chain: string): string => `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:${chain} - [0:0]\n-A FORWARD -j ${chain}\n-A ${chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n`;
  const dead = (chain: string): number => analyze({ path: 'x.rules', text: text(chain) }).findings.filter(one => one.check === 'dead-state-match').length;
  t.deepEqual([dead('ufw-before-forward'), dead('forwarded')], [0, 1]);
});

test('what ufw calls in INPUT is its own doing, also behind people’s last word', t => {
  const text = '*filter\n:ufw-before-input - [0:0]\n:ufw-after-input - [0:0]\n:ufw-user-input - [0:0]\n-A INPUT -j ufw-before-input\n-A INPUT -j ufw-after-input\n-A ufw-before-input -j ufw-user-input\n-A ufw-user-input -j DROP\n-A ufw-after-input -p udp -j DROP\nCOMMIT\n';
  t.deepEqual(analyze({ path: 'x.rules', text }).findings.filter(one => one.check === 'unreachable-after-goto'), []);
});

test('DOCKER-USER is docker’s while it is empty; what people put into it is theirs, and the RETURN at its end is not', t => {
  t.deepEqual(owners([':DOCKER-USER - [0:0]', '-A FORWARD -j DOCKER-USER']), { chains: { 'DOCKER-USER': 'docker' }, rules: ['docker'] });
  t.deepEqual(owners([':DOCKER-USER - [0:0]', '-A FORWARD -j DOCKER-USER', '-A DOCKER-USER -s 192.0.2.1/32 -j DROP', '-A DOCKER-USER -j RETURN']).rules, ['docker', undefined, 'docker']);
});

test('rules of built-in chains that name an interface which a program makes, or carry its comment', t => {
  t.deepEqual(owners([
    '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT', '-A FORWARD -o br-0123456789ab -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -o br-lan -j DROP', '-A FORWARD -o weave -j DROP', '-A INPUT -i virbr0 -j ACCEPT',
    '-A FORWARD -m comment --comment "cali:abc" -j ACCEPT', '-A FORWARD -m comment --comment "flanneld forward" -j ACCEPT', '-A FORWARD -m comment --comment "for kubernetes " -j ACCEPT',
    '-A INPUT -i eth0 -m comment --comment nordvpn -j DROP', '-A INPUT -i wt0 -j DROP', '-A INPUT -d 169.254.20.10/32 -p udp -m udp --dport 53 -m comment --comment "NodeLocal DNS Cache: allow DNS traffic" -j ACCEPT',
  ]).rules, ['docker', 'docker', undefined, 'weave', 'libvirt', 'calico', 'flannel', undefined, 'NordVPN', 'NetBird', 'kubernetes']);
});

test('a bridge of docker’s is its own by any name', t => {
  const rules = (...lines: readonly string[]): readonly (string | undefined)[] => owners([':DOCKER - [0:0]', ...lines, '-A FORWARD -i mail ! -o mail -j ACCEPT', '-A FORWARD -i mail -o eth0 -j ACCEPT']).rules;
  t.deepEqual(rules('-A FORWARD -o mail -j DOCKER'), ['docker', 'docker', undefined]);
  t.deepEqual(rules('-A FORWARD -o docker0 -j DOCKER'), ['docker', undefined, undefined]);
});

test('what a program’s marks leave nothing of is its own doing, also where a person has a rule on the way', t => {
  const set = (value: string): string => `-j MARK --set-xmark ${value}`;
  const asked = '-m mark --mark 0x10000/0x10000';
  const pod = (chain: string, profile: string, ...first: readonly string[]): readonly string[] => [
    ...[
      '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-m conntrack --ctstate INVALID -j DROP', set('0x0/0x10000'), ...first, `-j ${profile}`, `${asked} -j RETURN`, `-j ${profile}-none`, `${asked} -j RETURN`, '-j DROP',
    ].map(rule => `-A ${chain} ${rule}`), `-A ${profile} ${set('0x10000/0x10000')}`, `-A ${profile} ${asked} -j RETURN`,
  ];
  const chains = ['FORWARD', 'INPUT', 'from', 'to', 'fw-pod', 'tw-pod', 'pro', 'pri', 'pro-none', 'pri-none'].map(name => `:cali-${name} - [0:0]`);
  const text = [
    '*filter', ...chains, '-A INPUT -j cali-INPUT', '-A FORWARD -j cali-FORWARD', '-A FORWARD -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DROP',
    `-A FORWARD -m comment --comment "cali:1" ${asked} -j ACCEPT`, `-A FORWARD -m comment --comment "cali:2" ${set('0x10000/0x10000')}`,
    `-A cali-FORWARD ${set('0x0/0xe0000')}`, '-A cali-FORWARD -i cali+ -j cali-from', '-A cali-FORWARD -o cali+ -j cali-to',
    '-A cali-INPUT -i cali+ -g cali-from', `-A cali-INPUT ${asked} -j ACCEPT`, `-A cali-INPUT ${set('0x0/0xf0000')}`,
    '-A cali-from -i cali1 -g cali-fw-pod', '-A cali-from -j DROP', '-A cali-to -o cali1 -g cali-tw-pod', '-A cali-to -j DROP',
    ...pod('cali-fw-pod', 'cali-pro', '-p udp -m multiport --dports 4789 -j DROP'), ...pod('cali-tw-pod', 'cali-pri'), 'COMMIT', '',
  ].join('\n');
  const source = { path: 'x.rules', text };
  t.deepEqual(analyze(source).findings.filter(one => one.owner !== undefined), []);
  t.true(analyze(source, { showGenerated: true }).findings.some(one => one.check === 'unreachable-rule'));
});

test('what the images of Oracle Cloud say of its services is nobody’s to merge, and that nothing leads there any more is', t => {
  const services = [53, 67, 69].map(port => `-A InstanceServices -d 169.254.169.254/32 -p udp -m udp --dport ${String(port)} -m comment --comment "See the Oracle-Provided Images section in the documentation" -j ACCEPT`);
  const told = (...lines: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: ['*filter', ':InstanceServices - [0:0]', ...lines, ...services, 'COMMIT', ''].join('\n') }).findings
    .filter(one => one.owner === undefined && one.check !== 'default-accept').map(one => one.check);
  t.deepEqual(told('-A OUTPUT -d 169.254.0.0/16 -j InstanceServices'), []);
  t.deepEqual(told(), ['unused-chain']);
});

test('who lets people from elsewhere to such an interface is no program, nor is whoever speaks of virbr0 where libvirt has chains for that', t => {
  t.deepEqual(owners(['-A FORWARD -i eth0 -o docker0 -j ACCEPT', '-A FORWARD -i eth0 -o virbr0 -j ACCEPT', '-A FORWARD -i virbr0 -o virbr0 -j ACCEPT']).rules, [undefined, undefined, 'libvirt']);
  const lines = [':LIBVIRT_FWI - [0:0]', '-A FORWARD -j LIBVIRT_FWI', '-A LIBVIRT_FWI -o virbr0 -j REJECT', '-A FORWARD -d 192.168.122.10/32 -o virbr0 -p tcp -m tcp --dport 443 -j ACCEPT'];
  t.deepEqual(owners(lines).rules, ['libvirt', 'libvirt', undefined]);
  t.deepEqual(analyze({ path: 'x.rules', text: `*filter\n${lines.join('\n')}\nCOMMIT\n` }).findings.filter(one => one.check === 'unreachable-after-goto').map(one => one.rule), ['filter:FORWARD:2'], 'it stands behind what libvirt rejects');
});

test('who lets anybody begin connections to all guests, or to a port of one, is a person; that libvirt passes on all to a network that it routes is libvirt’s doing', t => {
  t.deepEqual(owners([
    '-A FORWARD -o docker0 -j ACCEPT', '-A FORWARD -o virbr0 -m comment --comment web -j ACCEPT', '-A FORWARD -d 192.168.122.10/32 -o virbr0 -p tcp -m tcp --dport 443 -j ACCEPT',
    '-A FORWARD -d 192.168.122.0/24 -o virbr0 -j ACCEPT', '-A FORWARD -o virbr0 -j REJECT', '-A OUTPUT -o virbr0 -p udp -m udp --dport 68 -j ACCEPT',
  ]).rules, [undefined, undefined, undefined, 'libvirt', 'libvirt', 'libvirt']);
});

test('what a person opens before docker’s or libvirt’s own rules, or behind them in vain, is told', t => {
  const shadowed = (...lines: readonly string[]): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:DOCKER - [0:0]\n${lines.join('\n')}\nCOMMIT\n` }).findings.filter(one => one.check === 'shadowed-rule').map(one => one.rule);
  t.deepEqual(shadowed('-A FORWARD -o docker0 -j ACCEPT', '-A FORWARD -o docker0 -j DOCKER', '-A DOCKER ! -i docker0 -o docker0 -j DROP'), ['filter:FORWARD:2']);
  t.deepEqual(shadowed('-A FORWARD -o virbr0 -j REJECT', '-A FORWARD -d 192.168.122.10/32 -o virbr0 -p tcp -m tcp --dport 443 -j ACCEPT'), ['filter:FORWARD:2']);
});

test('zone chains are firewalld’s where firewalld is, and then so are the rules around them', t => {
  const { chains, rules } = owners([':INPUT_ZONES - [0:0]', ':INPUT_direct - [0:0]', ':IN_public_allow - [0:0]', ':f2b-sshd - [0:0]', ':mine - [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -j f2b-sshd', '-A INPUT_direct -p tcp -j ACCEPT', '-A mine -p tcp -j ACCEPT']);
  t.deepEqual(chains, { INPUT_ZONES: 'firewalld', IN_public_allow: 'firewalld', 'f2b-sshd': 'fail2ban' });
  t.deepEqual(rules, ['firewalld', 'fail2ban', undefined, undefined]);
});

test('whoever names addresses or ports in built-in chains is a person, where firewalld or docker never does', t => {
  const firewalld = [':INPUT_ZONES - [0:0]', '-A INPUT -j INPUT_ZONES', '-A INPUT -m conntrack --ctstate INVALID -j DROP', '-A INPUT -p icmp -j ACCEPT', '-A INPUT -j REJECT --reject-with icmp-host-prohibited'];
  const mine = ['-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT', '-A INPUT -s 192.0.2.1/32 -j DROP'];
  t.deepEqual(owners([...firewalld, ...mine]).rules, ['firewalld', 'firewalld', 'firewalld', 'firewalld', undefined, undefined]);
  const lines = [':DOCKER - [0:0]', '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT', '-A FORWARD -s 172.17.0.5/32 -i docker0 ! -o docker0 -p tcp -m tcp --dport 25 -j DROP'];
  t.deepEqual(owners(lines).rules, ['docker', undefined]);
  const { findings } = analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n${[...firewalld, ...mine].join('\n')}\nCOMMIT\n` });
  t.deepEqual(findings.filter(one => one.check === 'shadowed-rule').map(one => one.rule), ['filter:INPUT:5', 'filter:INPUT:6'], 'dead, and not hidden');
});

test('Shorewall, CSF and ferm make all that is there', t => {
  t.deepEqual(owners([':shorewall - [0:0]', ':net-fw - [0:0]', '-A net-fw -j ACCEPT', '-A INPUT -j net-fw']).rules, ['Shorewall', 'Shorewall']);
  t.deepEqual(owners([':LOCALINPUT - [0:0]', ':INVDROP - [0:0]', '-A INVDROP -j DROP', '-A INPUT -j DROP']).rules, ['CSF', 'CSF']);
  t.deepEqual(owners([':web - [0:0]', '-A web -j DROP', '-A INPUT -j DROP'], '# Generated by ferm 2.5 on Mon\n').rules, ['ferm', 'ferm']);
  t.deepEqual(owners([':web - [0:0]', '-A web -j DROP', '-A INPUT -j DROP']).rules, [undefined, undefined]);
});

const generated = `*filter
:INPUT ACCEPT [0:0]
:f2b-sshd - [0:0]
:own - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j f2b-sshd
-A f2b-sshd -m state --state NEW -s 192.0.2.1/32 -j DROP
-A f2b-sshd -s 192.0.2.1/32 -j DROP
-A f2b-sshd -s 192.0.2.1/32 -j DROP
COMMIT
`;

test('FireHOL is known by what it logs', t => {
  const log = '-A INPUT -m limit --limit 1/sec -j LOG --log-prefix "DROP UNMATCHED IN-unknown:"';
  t.deepEqual(owners([':in_lan - [0:0]', '-A INPUT -i eth1 -j in_lan', '-A in_lan -j DROP', log]).rules, ['FireHOL', 'FireHOL', 'FireHOL']);
  const twice = `*filter\n:in_lan - [0:0]\n:in_lan2 - [0:0]\n-A INPUT -i eth1 -j in_lan\n-A INPUT -s 192.0.2.0/24 -i eth1 -j in_lan2\n-A in_lan -j DROP\n-A in_lan -j DROP\n-A in_lan2 -j ACCEPT\n${log}\nCOMMIT\n`;
  t.deepEqual(analyze({ path: 'x.rules', text: twice }).findings.filter(one => one.check === 'shadowed-rule').map(one => one.rule), ['filter:INPUT:2'], 'which interface comes first is what people said');
  t.deepEqual(owners([':in_lan - [0:0]', '-A INPUT -i eth1 -j in_lan', '-A in_lan -j DROP', log.replace('-unknown', '')]).rules, [undefined, undefined, undefined]);
});

test('arno-iptables-firewall makes all that is there, also the chains that it leaves empty', t => {
  const lines = [':EXT_INPUT_CHAIN - [0:0]', ':DMZ_INPUT_CHAIN - [0:0]', ':POST_INPUT_CHAIN - [0:0]', '-A INPUT -i eth0 -j EXT_INPUT_CHAIN', '-A INPUT -j POST_INPUT_CHAIN', '-A EXT_INPUT_CHAIN -p tcp -m tcp --dport 22 -j ACCEPT'];
  t.deepEqual(owners(lines).rules, Array.from({ length: 3 }, () => 'arno-iptables-firewall'));
  t.deepEqual(analyze({ path: 'x.rules', text: `*filter\n${lines.join('\n')}\nCOMMIT\n` }).findings.filter(one => ['unused-chain', 'jump-to-empty-chain'].includes(one.check)), []);
});

/** What is found of rules that are shadowed, or stand behind a call that comes not back. */
function dead(...lines: readonly string[]): readonly (string | null)[] {
  return analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n${lines.join('\n')}\nCOMMIT\n` }).findings.filter(one => ['shadowed-rule', 'unreachable-after-goto', 'correlated-rules'].includes(one.check)).map(one => one.rule);
}

test('what FireHOL adds behind an interface that takes everything is its own doing; what a server is told after it refused all is people’s', t => {
  const end = ['-A INPUT -p tcp -m tcp --tcp-flags FIN,ACK FIN,ACK -m conntrack --ctstate INVALID,NEW -j DROP', '-A INPUT -m limit --limit 1/sec -j LOG --log-prefix "IN-unknown:"'];
  const ssh = '-p tcp -m tcp --sport 1024:65535 --dport 22';
  t.deepEqual(dead(':in_world - [0:0]', '-A INPUT -j in_world', ...end, '-A in_world -j DROP'), []);
  t.deepEqual(dead(
    ':in_net - [0:0]', ':out_net - [0:0]', '-A INPUT -i eth0 -j in_net', '-A OUTPUT -o eth0 -j out_net', ...end,
    `-A in_net ${ssh} -m conntrack --ctstate NEW,ESTABLISHED -j REJECT`, `-A in_net -s 198.51.100.0/24 ${ssh} -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT`,
    '-A out_net -p tcp -m tcp --sport 22 -j REJECT', '-A out_net -d 198.51.100.0/24 -p tcp -m tcp --sport 22 -m conntrack --ctstate ESTABLISHED -j ACCEPT',
  ), ['filter:in_net:2']);
});

test('rules from zone to zone stand as people wrote them for Shorewall, and those that it puts around them do not', t => {
  for (const chain of ['net-fw', 'net2fw']) {
    t.deepEqual(dead(
      ':shorewall - [0:0]', `:${chain} - [0:0]`, `-A INPUT -i eth0 -j ${chain}`, `-A ${chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`, `-A ${chain} -p tcp -m tcp --dport 25 -j ACCEPT`,
      `-A ${chain} -s 198.51.100.7/32 -p tcp -m tcp --dport 25 -j DROP`, `-A ${chain} -m addrtype --dst-type MULTICAST -j DROP`, `-A ${chain} -j DROP`,
    ), [`filter:${chain}:3`]);
  }
});

test('a program’s last word about interfaces that no rule names is not told of, a person’s is', t => {
  const lines = ['-A INPUT -i eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -i lo -j ACCEPT', '-A OUTPUT -o eth0 -j ACCEPT', '-A OUTPUT -o lo -j ACCEPT', '-A OUTPUT -j ACCEPT'];
  const lost = (...others: readonly string[]): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n${[...others, ...lines].join('\n')}\nCOMMIT\n` }).findings.filter(one => one.check === 'missing-established-return').map(one => one.rule);
  t.deepEqual(lost(), ['filter:OUTPUT:3']);
  t.deepEqual(lost(':shorewall - [0:0]'), []);
  t.deepEqual(lost(':shorewall - [0:0]', '-A INPUT -i eth0 -j DROP'), ['filter:OUTPUT:1'], 'an interface that is there');
});

test('IPv6 that was not asked for is shut, whatever FireHOL writes about its conversations; a person who lets nothing begin has forgotten it', t => {
  const known = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const lost = (...more: readonly string[]): readonly string[] => analyze({ path: 'x.v6', text: `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n${['INPUT -i lo -j ACCEPT', 'OUTPUT -o lo -j ACCEPT', `INPUT ${known}`, `OUTPUT ${known}`, ...more].map(one => `-A ${one}`).join('\n')}\nCOMMIT\n` }, { family: 'ipv6' })
    .findings.map(one => one.check).filter(one => ['output-drop-breakage', 'neighbour-discovery-blocked'].includes(one));
  const firehol = 'INPUT -m limit --limit 1/sec -j LOG --log-prefix "IN-unknown:"';
  t.deepEqual(lost(), ['neighbour-discovery-blocked', 'output-drop-breakage']);
  t.deepEqual(lost(firehol), []);
  t.deepEqual(lost(firehol, 'FORWARD -i eth1 -j ACCEPT').length > 0, true, 'others talk through this host');
  const ipv4 = `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n-A INPUT ${known}\n-A OUTPUT ${known}\n-A ${firehol}\nCOMMIT\n`;
  t.true(analyze({ path: 'x.v4', text: ipv4 }, { showGenerated: true }).findings.some(one => one.check === 'output-drop-breakage'), 'of IPv4 that is forgotten');
});

test('what one program leaves nothing of for another is theirs', t => {
  const text = `*nat\n:KUBE-POSTROUTING - [0:0]\n:FLANNEL-POSTRTG - [0:0]\n-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING\n-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG\n-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n-A KUBE-POSTROUTING -j MASQUERADE\n-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN\nCOMMIT\n`;
  const found = (showGenerated: boolean): readonly (string | null)[] => analyze({ path: 'x.rules', text }, { showGenerated }).findings.filter(one => one.check === 'unreachable-rule').map(one => one.rule);
  t.deepEqual([found(false), found(true)], [[], ['nat:FLANNEL-POSTRTG:1']]);
});

test('what one program marks for itself, and another wipes off, is told', t => {
  const text = (...marks: readonly string[]): string => `*mangle\n:cali-POSTROUTING - [0:0]\n-A POSTROUTING -j cali-POSTROUTING\n-A cali-POSTROUTING -j MARK --set-xmark 0x0/0xf0000\nCOMMIT\n*nat\n:ts-postrouting - [0:0]\n-A POSTROUTING -j ts-postrouting\n-A ts-postrouting -m mark --mark 0x40000/0xff0000 -j MASQUERADE\nCOMMIT\n*filter\n:ts-forward - [0:0]\n-A FORWARD -j ts-forward\n${marks.map(one => `${one}\n`).join('')}COMMIT\n`;
  const found = (...marks: readonly string[]): readonly (string | null)[] => analyze({ path: 'x.rules', text: text(...marks) }).findings.filter(one => one.check === 'unreachable-rule').map(one => one.rule);
  t.deepEqual(found('-A ts-forward -i tailscale0 -j MARK --set-xmark 0x40000/0xff0000'), ['nat:ts-postrouting:1']);
  t.deepEqual(found('-A ts-forward -o tailscale0 -j ACCEPT'), [], 'nobody marks anything');
});

test('one translation of Shorewall’s that takes what another is for is not said to be Shorewall’s', t => {
  const text = '*nat\n:net_dnat - [0:0]\n-A PREROUTING -i eth0 -j net_dnat\n-A net_dnat -p tcp -m tcp --dport 443 -j DNAT --to-destination 192.168.1.10\n-A net_dnat -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.10.10.5\nCOMMIT\n*filter\n:shorewall - [0:0]\nCOMMIT\n';
  t.deepEqual(analyze({ path: 'x.rules', text }).findings.filter(one => one.check === 'nat-shadowed').map(one => [one.rule, one.message.includes('made by')]), [['nat:net_dnat:2', false]]);
});

test('what a program marks in other tables before its own rule is its own affair, whatever people ask behind', t => {
  const text = (chain: string): string => `*raw\n:${chain} - [0:0]\n-A PREROUTING -j ${chain}\n-A OUTPUT -j ${chain}\n-A ${chain} -j MARK --set-xmark 0x0/0xf0000\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:${chain} - [0:0]\n-A INPUT -j ${chain}\n-A INPUT -p tcp -m tcp --dport 10255 -j DROP\n-A ${chain} -m mark --mark 0x10000/0x10000 -j ACCEPT\nCOMMIT\n`;
  const found = (chain: string): readonly (string | null)[] => analyze({ path: 'x.rules', text: text(chain) }).findings.filter(one => one.check === 'unreachable-rule').map(one => one.rule);
  t.deepEqual([found('cali-INPUT'), found('marks')], [[], ['filter:marks:1']]);
});

test('Proxmox VE ends each chain with its signature; what people allow a machine stands as they wrote it', t => {
  const chains = [':PVEFW-INPUT - [0:0]', ':tap100i0-IN - [0:0]', '-A INPUT -j PVEFW-INPUT', '-A FORWARD -j tap100i0-IN'];
  const end = ['-A tap100i0-IN -j DROP', '-A tap100i0-IN -m comment --comment "PVESIG:Z3oP1fnNLPHqzLLnDJpDqfYjn0w"'];
  t.deepEqual(dead(...chains, '-A tap100i0-IN -p tcp -m tcp --dport 22 -j ACCEPT', ...end), []);
  t.deepEqual(dead(...chains, '-A tap100i0-IN -p tcp -j ACCEPT', '-A tap100i0-IN -s 203.0.113.7/32 -p tcp -m tcp --dport 22 -j DROP', ...end), ['filter:tap100i0-IN:2']);
  t.deepEqual(dead(...[...chains, ...end].map(one => one.replaceAll('PVEFW-', 'fw-'))).length, 1, 'a person’s chains');
});

test('VyOS marks what people say with the name of their rule set and a number', t => {
  const chains = [':VYATTA_FW_IN_HOOK - [0:0]', ':WAN_IN - [0:0]', '-A INPUT -j VYATTA_FW_IN_HOOK', '-A VYATTA_FW_IN_HOOK -i eth0 -j WAN_IN'];
  const end = '-A WAN_IN -m comment --comment "WAN_IN-10000 default-action drop" -j DROP';
  t.deepEqual(dead(...chains, '-A WAN_IN -m comment --comment WAN_IN-10 -j RETURN', end), []);
  t.deepEqual(dead(...chains, '-A WAN_IN -p tcp -m comment --comment WAN_IN-10 -j RETURN', '-A WAN_IN -s 203.0.113.7/32 -p tcp -m comment --comment WAN_IN-20 -j DROP', end), ['filter:WAN_IN:2']);
});

test('routers of the home make chains for what is switched off; rules of people’s in built-in chains are theirs', t => {
  for (const [chain, owner] of [['PTCSRVWAN', 'Asuswrt'], ['lan2wan', 'DD-WRT'], ['wanout', 'Tomato'], ['UBIOS_INPUT_JUMP', 'UniFi'], ['ANTREA-FORWARD', 'antrea']] as const) {
    t.deepEqual(owners([`:${chain} - [0:0]`, `-A INPUT -j ${chain}`, '-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT']), { chains: { [chain]: owner }, rules: [owner, undefined] });
  }
  t.deepEqual(owners([':logdrop - [0:0]', '-A INPUT -j logdrop']).rules, [undefined], 'anybody’s name');
  t.deepEqual(owners([':TGALLOW - [0:0]', ':P2P - [0:0]', '-A INPUT -j TGALLOW', '-A INPUT -i eth0 -j DROP']).rules, ['APF', 'APF']);
});

test('how generated rules are written is counted, not shown, unless that is asked for', t => {
  const source = { path: 'x.rules', text: generated };
  const { findings, generated: muted } = analyze(source);
  const all = analyze(source, { showGenerated: true });
  t.deepEqual(findings.filter(one => one.owner !== undefined), []);
  t.true(findings.some(one => one.check === 'unused-chain'), 'the chain that nobody made but a person');
  t.true(muted >= 2);
  t.is(all.generated, 0);
  t.is(all.findings.length, findings.length + muted);
  t.is(all.findings.find(one => one.check === 'duplicate-rule')?.owner, 'fail2ban');
});

test('a check that is off is not counted as muted', t => {
  const off = { 'duplicate-rule': 'off', 'deprecated-state-match': 'off' } as const;
  t.is(analyze({ path: 'x.rules', text: generated }, { severities: off }).generated, analyze({ path: 'x.rules', text: generated }).generated - 2);
});

test('what does not work is shown wherever it stands, with its owner', t => {
  const text = '*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n:ufw-user-input - [0:0]\n-A INPUT -j ufw-user-input\n-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n';
  const lost = analyze({ path: 'x.rules', text }).findings.filter(one => one.check === 'missing-established-return');
  t.deepEqual(lost.map(one => [one.rule, one.owner]), [['filter:ufw-user-input:1', 'ufw']]);
});

test('who tells ufw to block an address behind what lets it in is told', t => {
  const lines = ['-A ufw-user-input -p tcp -m tcp --dport 80 -j ACCEPT', '-A ufw-user-input -s 203.0.113.77/32 -j DROP'];
  const found = (chain: string): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n:${chain} - [0:0]\n-A INPUT -j ${chain}\n${lines.join('\n').replaceAll('ufw-user-input', chain)}\nCOMMIT\n` }).findings.filter(one => one.check === 'correlated-rules').map(one => one.rule);
  t.deepEqual(found('ufw-user-input'), ['filter:ufw-user-input:2']);
  t.deepEqual(found('ufw-before-input'), []);
});

test('what one program accepts, and another before it already, is nobody’s to mend; where the other refuses it, it is', t => {
  const taken = (...before: readonly string[]): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:KUBE-FORWARD - [0:0]\n${before.join('\n')}\n-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n` }).findings.filter(one => one.check === 'shadowed-rule' || one.check === 'unreachable-after-goto').map(one => one.check);
  const [known, call] = ['-m conntrack --ctstate RELATED,ESTABLISHED', '-A FORWARD -j KUBE-FORWARD'];
  t.deepEqual(taken(call, `-A KUBE-FORWARD ${known} -j ACCEPT`), []);
  t.deepEqual(taken(call, `-A KUBE-FORWARD ${known} -j DROP`), ['unreachable-after-goto']);
  t.deepEqual(taken(`-A FORWARD ${known} -j ACCEPT`), [], 'docker writes it anew whenever somebody deletes it');
  t.deepEqual(taken(`-A FORWARD ${known} -j DROP`), ['shadowed-rule']);
});

test('what a program does already, and a person says as well, is for when the program is not there', t => {
  const taken = (program: string, ...more: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: `*filter\n:INPUT DROP [0:0]\n:cali-INPUT - [0:0]\n:mine - [0:0]\n${[program, ...more].join('\n')}\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n` })
    .findings.filter(one => one.check === 'shadowed-rule' || one.check === 'unreachable-after-goto').map(({ check, severity }) => `${severity} ${check}`);
  const known = '-m conntrack --ctstate RELATED,ESTABLISHED';
  t.deepEqual(taken('-A INPUT -j cali-INPUT', `-A cali-INPUT ${known} -j ACCEPT`), ['info unreachable-after-goto']);
  t.deepEqual(taken(`-A INPUT ${known} -m comment --comment "cali:x" -j ACCEPT`), ['info shadowed-rule']);
  t.deepEqual(taken('-A INPUT -j cali-INPUT', `-A cali-INPUT ${known} -j DROP`), ['error unreachable-after-goto']);
  t.deepEqual(taken('-A INPUT -j mine', `-A mine ${known} -j ACCEPT`), ['warning unreachable-after-goto']);
});

test('a rule of docker’s that docker shadows is its own affair; one that a person shadows is not, nor what people told ufw', t => {
  const shadowed = (...lines: readonly string[]): readonly (string | null)[] => analyze({ path: 'x.rules', text: `*filter\n:DOCKER - [0:0]\n:ufw-user-input - [0:0]\n${lines.join('\n')}\nCOMMIT\n` }).findings.filter(one => one.check === 'shadowed-rule').map(one => one.rule);
  t.deepEqual(shadowed('-A FORWARD -j DOCKER', '-A DOCKER -s 10.0.0.0/8 -j ACCEPT', '-A DOCKER -s 10.1.0.0/16 -j DROP'), []);
  t.deepEqual(shadowed('-A FORWARD -s 10.0.0.0/8 -j ACCEPT', '-A FORWARD -s 10.1.0.0/16 -j DOCKER'), ['filter:FORWARD:2']);
  t.deepEqual(shadowed('-A INPUT -j ufw-user-input', '-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT', '-A ufw-user-input -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -j DROP'), ['filter:ufw-user-input:2']);
});
