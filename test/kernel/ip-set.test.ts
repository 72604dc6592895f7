/** Sets as the kernel has them: `ipset test` and ours give the same answers, and what it saves we save. */
import test from 'ava';
import * as fc from 'fast-check';
import { readIpSets } from '../../analyzer/packet/ip-set/read-ip-sets.js';
import { setType, type Part } from '../../analyzer/packet/ip-set/set-type.js';
import type { Packet } from '../../analyzer/packet/packet.js';
import { ipv4, tcp, udp } from '../netfilter/packet-bytes.js';
import { inNamespace, reasonToSkip } from './real-iptables.js';

const onKernel = reasonToSkip() === undefined ? test.serial : test.skip;

/** Sets of the types that every kernel has; with few addresses, so that elements and packets meet. */
const headers: readonly string[] = [
  'hash:ip', 'hash:ip netmask 28', 'hash:ip bitmask 255.0.255.3', 'bitmap:ip range 10.0.0.0/24', 'bitmap:ip range 10.0.0.0/24 netmask 29', 'bitmap:port range 1-100',
  'hash:ip,port', 'hash:ip,port netmask 30', 'hash:ip,port,ip', 'hash:ip,port,net', 'hash:net', 'hash:net,port', 'hash:net,iface',
];

const address = fc.tuple(fc.constantFrom('10.0.0', '10.0.1', '10.1.0'), fc.integer({ min: 1, max: 20 })).map(([net, host]) => `${net}.${String(host)}`);
const net = fc.tuple(address, fc.constantFrom(8, 16, 24, 28, 30, 31, 32)).map(([host, length]) => `${host}/${String(length)}`);
const name = fc.constantFrom('eth0', 'eth1', 'tun0');

interface Probe {
  readonly packet: Packet;
  readonly src: string;
  readonly dst: string;
  /** As ipset names it. */
  readonly port: string;
  readonly plainPort: string;
}

const probe: fc.Arbitrary<Probe> = fc.tuple(address, address, fc.constantFrom('tcp', 'udp', 'icmp', 'gre'), fc.integer({ min: 78, max: 84 }), name).map(([src, dst, protocol, port, iface]) => {
  const ends = { src, dst };
  const packet = protocol === 'tcp' ? tcp({ dport: port }, ends) : protocol === 'udp' ? udp(1000, port, '', ends)
    : protocol === 'icmp' ? ipv4({ ...ends, protocol: 1, payload: [port % 4, 1, 0, 0, 0, 0, 0, 0] }) : ipv4({ ...ends, protocol: 47, payload: [0, 0, 8, 0] });
  packet.in = iface;
  const word = protocol === 'icmp' ? `icmp:${String(port % 4)}/1` : protocol === 'gre' ? 'gre:0' : `${protocol}:${String(port)}`;
  // A port that is not in the bitmap stands for none.
  return { packet, src, dst, port: word, plainPort: protocol === 'tcp' || protocol === 'udp' ? String(port) : '200' };
});

function elementPart(part: Part): fc.Arbitrary<string> {
  switch (part) {
    case 'ip': return address;
    case 'net': return net;
    case 'iface': return fc.tuple(fc.oneof(name, fc.constantFrom('eth', 'tun')), fc.constantFrom('', '', 'physdev:')).map(([word, prefix]) => prefix + word);
    case 'plainPort': return fc.integer({ min: 78, max: 84 }).map(String);
    default: return probe.map(({ port }) => port);
  }
}

/** An element and its flags. */
function element(parts: readonly Part[]): fc.Arbitrary<string> {
  const flag = parts.includes('iface') ? fc.constantFrom('', '', ' nomatch', ' wildcard') : parts.includes('net') ? fc.constantFrom('', '', ' nomatch') : fc.constant('');
  return fc.tuple(fc.tuple(...parts.map(elementPart)), flag).map(([words, nomatch]) => words.join(',') + nomatch);
}

/** What of the packet `ipset test` is asked: the first address is the source, the second the destination. */
function wordsOf(parts: readonly Part[], { packet, src, dst, port, plainPort }: Probe): string {
  const words: Partial<Record<Part, string>> = { port, plainPort, iface: packet.in };
  return parts.map((part, index) => words[part] ?? (index === 0 ? src : dst)).join(',');
}

function partsOf(header: string): readonly Part[] {
  return setType(header.split(' ')[0] ?? '')?.parts ?? [];
}

function flagsOf(parts: readonly Part[]): ('src' | 'dst')[] {
  return parts.map((part, index) => part === 'port' || part === 'plainPort' || (index > 0 && part !== 'iface') ? 'dst' : 'src');
}

const seed = 20_260_302;

onKernel('sets of all types hold the same packets as in the kernel', t => {
  const lines: string[] = [];
  const probes: { readonly name: string; readonly header: string; readonly probe: Probe }[] = [];
  for (const [index, header] of headers.entries()) for (let round = 0; round < 3; round++) {
    const set = `s${String(index)}-${String(round)}`;
    const inRange = (word: string): boolean => !header.startsWith('bitmap:ip') || word.startsWith('10.0.0.');
    lines.push(`create ${set} ${header}`);
    for (const word of fc.sample(element(partsOf(header)), { seed: seed + round, numRuns: 12 }).filter(inRange)) lines.push(`add ${set} ${word} -exist`);
    for (const one of fc.sample(probe, { seed: seed + index, numRuns: 25 })) probes.push({ name: set, header, probe: one });
  }
  const text = `${lines.join('\n')}\n`;
  const tests = probes.map(({ name: set, header, probe: one }) => `ipset -q test ${set} ${wordsOf(partsOf(header), one)} && echo y || echo n`);
  const answers = inNamespace(`ipset restore <<'END' || exit 1\n${text}END\n${tests.join('\n')}\n`).trim().split('\n');
  const { sets, problems } = readIpSets(text, { now: () => 0 });
  t.deepEqual(problems, []);
  const differing = probes.flatMap(({ name: set, header, probe: one }, index) => {
    const ours = sets.test(one.packet, { name: set, flags: flagsOf(partsOf(header)) }) === true ? 'y' : 'n';
    return ours === answers[index] ? [] : [`${header}: ${wordsOf(partsOf(header), one)} kernel ${String(answers[index])}; ${lines.filter(line => line.startsWith(`add ${set} `)).join('; ')}`];
  });
  t.deepEqual(differing, []);
  t.true(answers.filter(answer => answer === 'y').length > answers.length / 20, 'too few packets are in a set');
});

onKernel('what the kernel saves is what we save', t => {
  const lines: string[] = [];
  for (const [index, header] of headers.entries()) {
    const options = index % 2 === 0 ? ' counters comment' : ' timeout 1000';
    lines.push(`create s${String(index)} ${header}${options}`);
    const words = fc.sample(element(partsOf(header)), { seed, numRuns: 15 }).filter(word => !header.startsWith('bitmap:ip') || word.startsWith('10.0.0.'));
    for (const word of words) lines.push(`add s${String(index)} ${word}${index % 2 === 0 ? ' packets 3 comment "a b"' : ' timeout 0'} -exist`);
  }
  lines.push('create list list:set', 'add list s1', 'add list s0 before s1');
  const text = `${lines.join('\n')}\n`;
  const { sets, problems } = readIpSets(text, { now: () => 0 });
  t.deepEqual(problems, []);
  // The kernel keeps elements in the order of their hashes, and chooses the hash itself.
  const sorted = (saved: string): string[] => saved.trim().split('\n').map(line => line.replace(/ initval \S+/u, '')).sort();
  t.deepEqual(sorted(sets.save()), sorted(inNamespace(`ipset restore <<'END' || exit 1\n${text}END\nipset save\n`)));
});
