import fc from 'fast-check';
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import type { Ruleset } from '../../analyzer/model/ruleset.js';
import { createHost, type Host, type HostSetup } from '../../analyzer/netfilter/engine.js';
import { Packet } from '../../analyzer/packet/packet.js';
import type { Family } from '../../analyzer/values/value.js';

const families = ['ipv4', 'ipv6'] as const;
const backends = ['legacy', 'nft'] as const;

const setups: Readonly<Record<Family, HostSetup>> = {
  ipv4: { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }], routes: ['default via 192.0.2.254 dev eth0'] },
  ipv6: { interfaces: [{ name: 'eth0', addresses: ['2001:db8:1::1/64'] }, { name: 'eth1', addresses: ['2001:db8:2::1/64'] }], routes: ['default via 2001:db8:1::fe dev eth0'] },
};

/** Rules that look into every corner of a packet. */
function nosyRules(family: Family): string {
  const own = family === 'ipv4' ? '-p icmp -m icmp --icmp-type 3/3' : '-p icmpv6 -m icmp6 --icmpv6-type 1';
  const inside = family === 'ipv4' ? '10.0.0.5' : '2001:db8:2::5';
  const nosy = ['-p tcp -m tcp --dport 22 --tcp-flags SYN SYN', '-p tcp -m tcp --tcp-option 3', '-p tcp -m tcpmss --mss 1:1400', '-p udp -m udp --sport 53', '-p sctp -m sctp --chunk-types any INIT', '-p tcp -m multiport --ports 22,80', own,
    '-m string --string abc --algo bm', '-m u32 --u32 "0>>22&0x3C@0>>16=0:65535"', '-p esp -m esp --espspi 1:5', '-m conntrack --ctstate INVALID', '-m connbytes --connbytes 10: --connbytes-dir both --connbytes-mode bytes', '-m recent --set --name r', '-m hashlimit --hashlimit-upto 5/sec --hashlimit-name h --hashlimit-mode srcip,dstport'];
  const log = nosy.map(rule => `-A INPUT ${rule} -j LOG\n-A FORWARD ${rule} -j LOG`).join('\n');
  return `*raw\n-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\nCOMMIT\n*mangle\n-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1200\n-A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options timestamp\n-A PREROUTING -j TOS --set-tos 0x10\nCOMMIT\n`
    + `*nat\n-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination ${inside}\n-A PREROUTING -p udp -j REDIRECT\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n${log}\n-A INPUT -j REJECT\n-A FORWARD -i eth1 -j REJECT\nCOMMIT\n`;
}

function rulesetOf(text: string, family: Family, backend: 'legacy' | 'nft'): Ruleset {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text }, { family, backend });
  if (ruleset === undefined || diagnostics.length > 0) throw new Error(diagnostics.map(one => one.message).join('; '));
  return ruleset;
}

function arrive(host: Host, family: Family, bytes: Uint8Array, at = 'eth0'): string | undefined {
  const packet = new Packet(family, bytes);
  packet.in = at;
  return host.inject(packet).fate?.kind;
}

/** Bytes that begin like a header, so that more than the first check is met. */
function plausible(family: Family, bytes: Uint8Array, protocol: number): Uint8Array {
  const { buffer } = bytes.slice();
  const made = new Uint8Array(buffer);
  const view = new DataView(buffer);
  if (family === 'ipv4' && made.length >= 20) {
    made.set([0x45, 0, made.length >> 8, made.length & 255], 0);
    made.set([made[6] ?? 0, made[7] ?? 0, 64, protocol, 0, 0, 198, 51, 100, 7, 192, 0, 2, 1], 6);
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
    view.setUint16(10, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  }
  if (family === 'ipv6' && made.length >= 40) {
    made.set([0x60, 0, 0, 0, (made.length - 40) >> 8, (made.length - 40) & 255, protocol, 64], 0);
    made.set([0x20, 1, 0x0d, 0xb8, 0, 9], 8);
    made.set([0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 24);
  }
  return made;
}

for (const family of families) for (const backend of backends) {
  test(`random bytes of every length come to an end: ${family}, ${backend}`, t => {
    const host = createHost(rulesetOf(nosyRules(family), family, backend), setups[family]);
    const protocols = fc.constantFrom(0, 1, 6, 17, 33, 43, 44, 47, 50, 51, 58, 60, 132, 135, 136, 255);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), protocols, fc.boolean(), (bytes, protocol, isPlausible) => {
      const fate = arrive(host, family, isPlausible ? plausible(family, bytes, protocol) : bytes);
      t.not(fate, undefined);
    }), { numRuns: 3000, seed: 3 });
    for (let length = 0; length <= 100; length++) t.notThrows(() => arrive(host, family, plausible(family, new Uint8Array(length).fill(length), length)));
  });
}

test('a conversation of a thousand packets stays one connection', t => {
  const host = createHost(rulesetOf('*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 --syn -j ACCEPT\nCOMMIT\n', 'ipv4', 'nft'), setups.ipv4);
  const ends = { src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 22 };
  const back = { src: ends.dst, dst: ends.src, sport: ends.dport, dport: ends.sport };
  const verdicts = new Set<string>();
  const send = (from: string, packet: object): void => { verdicts.add(host.send({ in: from, packet: { proto: 'tcp', ...packet } }).verdict); };
  send('eth0', { ...ends, flags: 'S', seq: 1000 });
  send('local', { ...back, flags: 'SA', seq: 5000, ack: 1001 });
  let [client, server] = [1001, 5001];
  for (let turn = 0; turn < 500; turn++) {
    send('eth0', { ...ends, flags: 'PA', seq: client, ack: server, payload_len: 10 });
    client += 10;
    send('local', { ...back, flags: 'PA', seq: server, ack: client, payload_len: 20 });
    server += 20;
  }
  t.deepEqual([...verdicts], ['delivered', 'sent eth0']);
  const [connection, ...others] = host.send({ in: 'eth0', packet: { proto: 'tcp', ...ends, flags: 'A', seq: client, ack: server } }).conntrack;
  t.is(connection?.tcp, 'ESTABLISHED');
  t.deepEqual(others, []);
});

test('a full table drops new flows and lets known ones pass', t => {
  const host = createHost(rulesetOf('*filter\n-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n', 'ipv4', 'nft'), { ...setups.ipv4, sysctls: { 'net.netfilter.nf_conntrack_max': 5 } });
  const tcp = (sport: number, flags: string): object => ({ proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport, dport: 22, flags });
  const answers = [1, 2, 3, 4, 5, 6, 7].map(port => {
    host.send({ in: 'eth0', packet: { proto: 'tcp', ...tcp(port, 'S') } });
    return host.send({ in: 'local', packet: { proto: 'tcp', src: '192.0.2.1', dst: '198.51.100.7', sport: 22, dport: port, flags: 'SA', seq: 5000, ack: 1001 } });
  });
  t.true(answers.every(answer => answer.conntrack.length <= 6));
  const late = host.send({ in: 'eth0', packet: { proto: 'udp', src: '198.51.100.9', dst: '192.0.2.1', sport: 1, dport: 53 } });
  t.true(late.verdict === 'drop' ? late.by === 'kernel: table full' : late.conntrack.length <= 5);
});

test('flows are forgotten when the clock jumps', t => {
  const host = createHost(rulesetOf('*filter\n-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n', 'ipv4', 'nft'), setups.ipv4);
  const packet = { proto: 'udp', src: '198.51.100.7', dst: '192.0.2.1', sport: 5353, dport: 53 };
  t.is(host.send({ in: 'eth0', packet }).conntrack.length, 1);
  const later = host.send({ in: 'eth0', packet: { ...packet, sport: 5354 }, advance: 1_000_000_000 });
  t.deepEqual(later.conntrack.map(one => one.orig), ['udp 198.51.100.7:5354>192.0.2.1:53']);
});
