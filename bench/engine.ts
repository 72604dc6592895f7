/**
 * How many packets a second the engine lets travel: `node build/bench/engine.js [packets]`, and with `--long` whether memory stays flat over ten million.
 * Beside it runs the naive method: each rule's meaning asked of the packet as it stands in the model, with nothing compiled.
 */
import { meaningOf } from '../analyzer/extensions/use.js';
import { load } from '../analyzer/model/load.js';
import { isOpaque, type Rule, type Ruleset } from '../analyzer/model/ruleset.js';
import { buildPacket } from '../analyzer/netfilter/scenario/build-packet.js';
import { createHost, type Host } from '../analyzer/netfilter/engine.js';
import { compileConstraint } from '../analyzer/netfilter/tables/predicate.js';
import { Packet } from '../analyzer/packet/packet.js';
import { rewriteAddress } from '../analyzer/packet/rewrite.js';
import type { Traversal } from '../analyzer/packet/traversal.js';

const [count = '400000'] = process.argv.slice(2).filter(word => !word.startsWith('--'));
const isLong = process.argv.includes('--long');

/** A filter of so many rules in INPUT; those that accept come last. */
function rulesetOf(rules: number, stateful: boolean): Ruleset {
  const drops = Array.from({ length: rules - (stateful ? 2 : 1) }, (_, index) => `-A INPUT -s 203.0.${String(index >> 8)}.${String(index & 255)}/32 -p tcp -m tcp --dport ${String(1000 + index)} -j DROP`);
  const lines = ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...drops, ...stateful ? ['-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'] : [], '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', 'COMMIT', ''];
  const [ruleset] = load({ path: 'bench', text: lines.join('\n') }, { backend: 'legacy' }).rulesets;
  if (ruleset === undefined) throw new Error('no rules');
  return ruleset;
}

function hostOf(ruleset: Ruleset): Host {
  return createHost(ruleset, { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }], routes: ['default via 192.0.2.254 dev eth0'] });
}

const flows = Array.from({ length: 1000 }, (_, index) => buildPacket({ proto: 'tcp', src: `198.51.100.${String(index % 250)}`, dst: '192.0.2.1', sport: 20_000 + index, dport: 22, flags: 'A' }, 'ipv4')[0] ?? new Uint8Array());

function packetOf(index: number): Packet {
  const packet = new Packet('ipv4', (flows[index % flows.length] ?? new Uint8Array()).slice());
  packet.in = 'eth0';
  return packet;
}

function perSecond(packets: number, travel: (index: number) => void): number {
  for (let index = 0; index < Math.min(packets, 20_000); index++) travel(index);
  const start = performance.now();
  for (let index = 0; index < packets; index++) travel(index);
  return packets / (performance.now() - start) * 1000;
}

/** Every match of every rule, asked one by one. */
function naive(rules: readonly Rule[]): (index: number) => void {
  const cx = { family: 'ipv4', backend: 'legacy', table: 'filter', protocol: undefined, ordered: [] } as const;
  return index => {
    const t = { packet: packetOf(index), hotdrop: false, unknown: () => false } as unknown as Traversal;
    for (const rule of rules) for (const use of rule.matches) if (!isOpaque(use)) compileConstraint(meaningOf(use, cx), 'ipv4')(t);
  };
}

function table(): void {
  for (const { rules, stateful, goal } of [{ rules: 30, stateful: false, goal: 200_000 }, { rules: 30, stateful: true, goal: 200_000 }, { rules: 3000, stateful: false, goal: 50_000 }]) {
    const ruleset = rulesetOf(rules, stateful);
    const host = hostOf(ruleset);
    const packets = Math.floor(Number(count) * (rules > 1000 ? 0.25 : 1));
    const speed = perSecond(packets, index => { host.inject(packetOf(index)); });
    const slow = perSecond(Math.ceil(packets * 3 / rules), naive(ruleset.tables.get('filter')?.chains.get('INPUT')?.rules ?? []));
    console.log(`${`${String(rules)} rules${stateful ? ', tracked' : ''}`.padEnd(22)} ${Math.round(speed).toLocaleString('en').padStart(10)} packets/s  ${(speed / slow).toFixed(0)}× the naive method  ${speed >= goal ? `over ${String(goal)}` : `UNDER ${String(goal)}`}`);
  }
}

function long(): void {
  const host = hostOf(rulesetOf(30, true));
  for (let index = 0; index <= 10_000_000; index++) {
    const packet = packetOf(index);
    // Always another flow.
    rewriteAddress(packet, 'source', 0x6400_0000 + index);
    if (index % 1000 === 0) host.advance(1);
    host.inject(packet);
    if (index % 1_000_000 === 0) console.log(`${String(index / 1_000_000)} M packets, each of another flow: ${String(host.connectionCount)} tracked, ${String(Math.round(process.memoryUsage().rss / 1e6))} MB`);
  }
}

if (isLong) long();
else table();
