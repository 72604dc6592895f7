/** What `collect` writes and `trace` says of it, against what the kernel of that host then does: the counters of its rules tell. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { load } from '../../analyzer/model/load.js';
import type { ScenarioAnswer } from '../../analyzer/netfilter/scenario.js';
import { reasonToSkip } from '../kernel/real-iptables.js';
import { folderWith, run } from './run.js';

const onKernel = reasonToSkip() === undefined ? test : test.skip;
const systemPath = { ...process.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

const rules = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 9999 -j CT --notrack
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 198.51.100.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m limit --limit 1/hour --limit-burst 3 -j ACCEPT
-A INPUT -s 198.51.100.128/25 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p udp -j REJECT --reject-with icmp-port-unreachable
-A FORWARD -m set --match-set bad src -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth0 -j services
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A services -m set --match-set ok dst,dst -j ACCEPT
-A services -p tcp -j REJECT --reject-with tcp-reset
COMMIT
`;

/** A router between a client and a server, each in a namespace of its own. */
class Lab {
  readonly names = { client: `ipl-c-${randomUUID().slice(0, 8)}`, router: `ipl-r-${randomUUID().slice(0, 8)}`, server: `ipl-s-${randomUUID().slice(0, 8)}` };

  ip(...words: string[]): string { return execFileSync('ip', words, { env: systemPath, encoding: 'utf8' }); }

  inside(where: keyof Lab['names'], words: readonly string[], input = ''): string {
    return execFileSync('ip', ['netns', 'exec', this.names[where], ...words], { env: systemPath, encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'ignore'] });
  }

  constructor(t: ExecutionContext, backend: 'nft' | 'legacy') {
    const { client, router, server } = this.names;
    t.teardown(() => { for (const name of Object.values(this.names)) this.ip('netns', 'del', name); });
    for (const name of Object.values(this.names)) this.ip('netns', 'add', name);
    this.#link(client, 'eth0', '198.51.100.7', '198.51.100.1');
    this.#link(server, 'eth1', '10.0.0.5', '10.0.0.1');
    this.inside('router', ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    this.inside('router', ['ipset', 'restore'], 'create bad hash:ip\nadd bad 203.0.113.66\ncreate ok hash:net,port\nadd ok 10.0.0.0/24,tcp:8080\n');
    this.inside('router', [`iptables-${backend}-restore`], rules);
    this.ip('-n', router, 'link', 'set', 'lo', 'up');
  }

  /** An end with its default route to the router, whose side of the link has this name. */
  #link(end: string, name: string, address: string, gateway: string): void {
    const { router } = this.names;
    this.ip('link', 'add', 'end', 'netns', end, 'type', 'veth', 'peer', 'name', name, 'netns', router);
    for (const [where, device, own] of [[end, 'end', address], [router, name, gateway]] as const) {
      this.ip('-n', where, 'addr', 'add', `${own}/24`, 'dev', device);
      this.ip('-n', where, 'link', 'set', device, 'up');
    }
    this.ip('-n', end, 'route', 'add', 'default', 'via', gateway);
  }

  /** Packets counted so far by each rule and each policy. */
  counters(backend: 'nft' | 'legacy'): ReadonlyMap<string, bigint> {
    const [ruleset] = load({ path: 'saved', text: this.inside('router', [`iptables-${backend}-save`, '-c']) }).rulesets;
    const counted = new Map<string, bigint>();
    for (const [table, { chains }] of ruleset?.tables ?? []) for (const [name, chain] of chains) {
      if (chain.policyCounters !== undefined) counted.set(`${table}:${name}:policy`, chain.policyCounters.packets);
      for (const [index, rule] of chain.rules.entries()) counted.set(`${table}:${name}:${String(index + 1)}`, rule.counters?.packets ?? 0n);
    }
    return counted;
  }
}

const connect = (address: string, port: number, from: number): readonly string[] => ['python3', '-c', `import socket
s = socket.socket(); s.bind(('198.51.100.7', ${String(from)})); s.settimeout(0.4)
try: s.connect(('${address}', ${String(port)}))
except OSError: pass`];
const datagram = (address: string, port: number, from: number): readonly string[] => ['python3', '-c', `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', ${String(from)})); s.sendto(b'x', ('${address}', ${String(port)}))`];

/** An echo request, and a moment for its reply. */
const ping = (address: string): readonly string[] => ['python3', '-c', `import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); s.settimeout(1)
s.sendto(struct.pack('!BBHHH', 8, 0, 0xffff - 0x0801, 1, 0), ('${address}', 0)); s.recv(99)`];

/** What is traced, and what makes the kernel see the same. */
const probes: readonly (readonly [words: readonly string[], where: 'client' | 'server', command: readonly string[]])[] = [
  [['--packet', 'tcp 198.51.100.7:40002 > 198.51.100.1:22'], 'client', connect('198.51.100.1', 22, 40002)],
  [['--packet', 'udp 198.51.100.7:40003 > 198.51.100.1:53'], 'client', datagram('198.51.100.1', 53, 40003)],
  [['--packet', 'udp 198.51.100.7:40004 > 198.51.100.1:9999'], 'client', datagram('198.51.100.1', 9999, 40004)],
  [['--packet', 'tcp 198.51.100.7:40005 > 10.0.0.5:81'], 'client', connect('10.0.0.5', 81, 40005)],
  [['--conversation', 'icmp 198.51.100.7 > 198.51.100.1'], 'client', ping('198.51.100.1')],
  [['--conversation', 'icmp 10.0.0.5 > 198.51.100.7'], 'server', ping('198.51.100.7')],
  // Nobody listens: the server answers with RST.
  [['--packet', 'tcp 198.51.100.7:40006 > 198.51.100.1:80', '--packet', 'tcp 10.0.0.5:8080 > 198.51.100.7:40006 flags RA seq 0 ack 1001'], 'client', connect('198.51.100.1', 80, 40006)],
];

for (const backend of ['nft', 'legacy'] as const) {
  onKernel(`what trace says of a host that was collected is what its kernel does: ${backend}`, async t => {
    const lab = new Lab(t, backend);
    const file = join(folderWith(t, {}), 'host.json');
    for (const [words, where, command] of probes) {
      t.is((await run(['collect', '--netns', lab.names.router, '--output', file])).code, 0);
      const { stdout, stderr } = await run(['trace', '--host', file, '--format', 'json', ...words]);
      const { steps } = JSON.parse(stdout) as ScenarioAnswer;
      const said = steps.flatMap(({ path, generated }) => [...path, ...generated.flatMap(own => own.path)]);
      const before = lab.counters(backend);
      lab.inside(where, command);
      const counted = [...lab.counters(backend)].filter(([name, packets]) => packets > (before.get(name) ?? 0n)).map(([name]) => name);
      t.deepEqual([...new Set(said)].sort(), counted.sort(), `${words.join(' ')}\n${stderr}`);
    }
  });
}
