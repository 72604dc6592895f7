/** Rules with one target each, drawn from the registry, and packets that meet them in the engine, with and without their target. */
import * as fc from 'fast-check';
import type { AnyTarget, Hook, RuleContext, TableName } from '../../analyzer/extensions/define.js';
import type { Use } from '../../analyzer/extensions/use.js';
import { extensionWords } from '../../analyzer/generate/rule.js';
import { load } from '../../analyzer/model/load.js';
import { builtInChains, type Rule, type Ruleset } from '../../analyzer/model/ruleset.js';
import { createHost, type HostSetup } from '../../analyzer/netfilter/engine.js';
import type { ScenarioPacket, ScenarioStep } from '../../analyzer/netfilter/scenario.js';
import type { Field } from '../../analyzer/packet/constraint.js';
import { fieldReaders, type NumberField } from '../../analyzer/packet/field-readers.js';
import type { Packet } from '../../analyzer/packet/packet.js';
import { protocolNumber } from '../../analyzer/packet/protocols.js';
import { quoteForInput } from '../../analyzer/values/text.js';
import type { Backend, Family } from '../../analyzer/values/value.js';

type Protocol = keyof typeof protocolNumber;
export type Fields = ReadonlyMap<Field, number | bigint>;

export interface DrawnTarget {
  readonly line: string;
  readonly ruleset: Ruleset;
  readonly rule: Rule;
  readonly use: Use<AnyTarget>;
  readonly cx: RuleContext & { readonly hook: Hook };
  readonly setup: HostSetup;
  readonly steps: readonly ScenarioStep[];
}

/** What a packet has where the rule is behind it. Absent: it did not come so far. */
export interface Seen {
  readonly packet: Packet;
  readonly fields: Fields;
  readonly matched: boolean;
}

const ends = {
  ipv4: { far: '198.51.100.7', here: '192.0.2.1', inside: '10.0.0.5', nobody: '0.0.0.0' },
  ipv6: { far: '2001:db8:9::7', here: '2001:db8:1::1', inside: '2001:db8:2::5', nobody: '2001:db8:1::2' },
} as const;

const interfaces = {
  ipv4: [{ name: 'eth0', addresses: ['192.0.2.1/24', '192.0.2.2/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }],
  ipv6: [{ name: 'eth0', addresses: ['2001:db8:1::1/64', '2001:db8:1::2/64'] }, { name: 'eth1', addresses: ['2001:db8:2::1/64'] }],
} as const;

const sets = {
  ipv4: `create web hash:ip skbinfo\nadd web ${ends.ipv4.far} skbmark 0x11/0xff\nadd web ${ends.ipv4.here} skbmark 0x2200/0xff00\n`,
  ipv6: `create web6 hash:ip family inet6 skbinfo\nadd web6 ${ends.ipv6.far} skbmark 0x11/0xff\nadd web6 ${ends.ipv6.here} skbmark 0x2200/0xff00\n`,
} as const;

/** Every address of the host, as `local` may write it. */
export const ownAddresses: Readonly<Record<Family, ReadonlySet<number | bigint>>> = {
  ipv4: new Set([0xc000_0201, 0xc000_0202, 0x0a00_0001, 0x7f00_0001]),
  ipv6: new Set([...[1n, 2n].map(host => (0x2001_0db8_0001n << 80n) | host), (0x2001_0db8_0002n << 80n) | 1n, 1n]),
};

const port = fc.oneof(fc.constantFrom(1, 22, 80, 511, 700, 1024, 65_535), fc.integer({ min: 1, max: 65_535 }));
const queryId = { ipv4: { type: 8, code: 0 }, ipv6: { type: 128, code: 0 } } as const;

/** A packet on its way through the hook. One with SYN and FIN is INVALID. */
function stepAt(hook: Hook, family: Family, protocols: readonly Protocol[]): fc.Arbitrary<ScenarioStep> {
  const { far, here, inside, nobody } = ends[family];
  const arriving = (dst: string): Pick<ScenarioStep, 'in'> & { readonly from: string; readonly to: string } => ({ in: 'eth0', from: far, to: dst });
  const sent = [here, nobody].map(src => ({ in: 'local', from: src, to: far }));
  const ways = { PREROUTING: [arriving(here), arriving(inside)], INPUT: [arriving(here)], FORWARD: [arriving(inside)], OUTPUT: sent, POSTROUTING: [arriving(inside), ...sent] };
  return fc.record({
    way: fc.constantFrom(...ways[hook]), proto: fc.constantFrom(...protocols), sport: port, dport: port, ttl: fc.integer({ min: 2, max: 255 }), tos: fc.integer({ min: 0, max: 255 }),
    flags: fc.constantFrom('S', 'S', 'SEC', 'AUE', 'SF'), mss: fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined }), id: fc.integer({ min: 0, max: 65_535 }),
  }).map(({ way, proto, mss, flags, sport, dport, id, ...ip }) => {
    const special = proto === 'tcp' ? { flags, sport, dport, ...mss === undefined ? {} : { mss } }
      : proto === 'icmp' || proto === 'icmpv6' ? { ...queryId[family], id } : { sport, dport };
    return { in: way.in, packet: { proto, src: way.from, dst: way.to, ...ip, ...special } };
  });
}

/** A line of `conntrack -L` about the flow that the packet belongs to, in the direction that its first port says. */
function flowOf({ proto, src = '', dst = '', sport = 0, dport = 0 }: ScenarioPacket, mark: number): string {
  const there = `src=${src} dst=${dst} sport=${String(sport)} dport=${String(dport)}`;
  const back = `src=${dst} dst=${src} sport=${String(dport)} dport=${String(sport)}`;
  if (proto !== 'udp') return '';
  return `udp 17 170 ${sport % 2 === 0 ? `${there} ${back}` : `${back} ${there}`} [ASSURED] mark=${String(mark)} use=1\n`;
}

export type Place = readonly [TableName, Hook];

/** Where packets end behind the rule, so that they are seen as it left them; they are tracked and translated by then. */
function stopsBehind([table, hook]: Place, effect: string): readonly Place[] {
  if (table === 'raw') return [['mangle', hook]];
  if (table !== 'nat' && effect === 'continue') return [[table, hook]];
  if (hook === 'PREROUTING') return [['mangle', 'INPUT'], ['mangle', 'FORWARD']];
  return hook === 'OUTPUT' ? [['filter', 'OUTPUT']] : [];
}

/** All is tracked, and packets that come from outside have a mark already. */
function fileWith(line: string, place: Place, effect: string, mark: number): string {
  const tables: Record<TableName, string[]> = { raw: [], mangle: [], nat: [], filter: [], security: [] };
  for (const [table, hook] of stopsBehind(place, effect)) tables[table].push(`:${hook} DROP [0:0]`);
  tables.raw.push(`-A PREROUTING -j MARK --set-mark ${String(mark)}`, `-A OUTPUT -j MARK --set-mark ${String(mark)}`);
  tables.security.push('-A INPUT -m conntrack --ctstate INVALID');
  tables[place[0]].push(line);
  return Object.entries(tables).map(([name, lines]) => lines.length === 0 ? '' : `*${name}\n${lines.join('\n')}\nCOMMIT\n`).join('');
}

const protocolWords: readonly (readonly string[])[] = [[], ['tcp'], ['udp'], ['sctp'], ['icmp'], ['icmpv6'], ['udplite'], ['dccp'], ['!', 'tcp']];

/** Whom `-p` lets through. */
function protocolsOf([first, second]: readonly string[], family: Family): readonly Protocol[] {
  const all = (['tcp', 'udp', 'sctp', 'udplite', 'dccp', family === 'ipv4' ? 'icmp' : 'icmpv6'] as const);
  return first === '!' ? all.filter(one => one !== second) : first === undefined ? all : all.filter(one => one === first);
}

/** The rule of this line in a file; undefined where it is refused. */
export function readTarget(line: string, text: string, [table, hook]: Place, family: Family, backend: Backend): Pick<DrawnTarget, 'ruleset' | 'rule' | 'use' | 'cx'> | undefined {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text }, { family, backend });
  const at = text.split('\n').indexOf(line) + 1;
  const rule = ruleset?.tables.get(table)?.chains.get(hook)?.rules.find(one => one.line === at);
  if (ruleset === undefined || rule?.target.kind !== 'extension' || diagnostics.some(one => one.severity === 'error')) return undefined;
  const { use } = rule.target;
  const number = rule.protocol?.value;
  const protocol = rule.protocol === undefined || typeof number !== 'number' ? undefined : { number, negated: rule.protocol.negated };
  return { ruleset, rule, use, cx: { family, backend, table, hook, protocol, ordered: use.ordered } };
}

function placesOf({ tables, hooks }: AnyTarget): readonly Place[] {
  return Object.entries(builtInChains).flatMap(([table, chains]) => chains.map((chain): Place => [table as TableName, chain]))
    .filter(([table, hook]) => tables?.includes(table) !== false && (typeof hooks !== 'object' || hooks.includes(hook)));
}

/** Up to `count` legal rules with the target, and packets for each; of what is drawn, what the loader refuses is left out. */
export function drawTarget(definition: AnyTarget, family: Family, backend: Backend, count: number, seed: number): readonly DrawnTarget[] {
  const { name, effect, protocols } = definition;
  const legal = protocolWords.filter(words => protocolsOf(words, family).length > 0 && (protocols === undefined || protocols.some(one => words.length === 1 && words[0] === one)));
  const drawn = fc.tuple(fc.constantFrom(...placesOf(definition)), fc.constantFrom(...legal), fc.integer({ min: 0, max: 0xffff_ffff })).chain(([place, words, mark]) => {
    const last = words.at(-1);
    const protocol = last === undefined ? undefined : { number: protocolNumber[last as Protocol], negated: words.length > 1 };
    const given = last === undefined ? [] : [...words.slice(0, -1), '-p', last === 'icmpv6' ? '58' : last];
    return fc.tuple(extensionWords(fc, definition, { family, backend, protocol }), fc.array(stepAt(place[1], family, protocolsOf(words, family)), { minLength: 3, maxLength: 3 }), fc.boolean())
      .map(([target, steps, isKnown]) => ({ place, mark, steps, isKnown, line: ['-A', place[1], ...given, '-j', name, ...target.map(quoteForInput)].join(' ') }));
  });
  return fc.sample(drawn, { numRuns: 6 * count, seed }).flatMap(({ place, mark, steps, isKnown, line }) => {
    const found = readTarget(line, fileWith(line, place, String(effect), mark), place, family, backend);
    if (found === undefined || Object.keys(found.use.unresolved).length > 0) return [];
    // Which connection a packet is of hangs on the zone that CT names; only the first packet of a connection meets a rule that translates.
    const conntrack = isKnown && !line.includes('--zone') && effect === 'continue' ? [...new Set(steps.map(({ packet }) => flowOf(packet, (mark ^ 0x0f0f_0f0f) >>> 0)))].join('') : '';
    return [{ line, steps, ...found, setup: { interfaces: interfaces[family], routes: [`default via ${family === 'ipv4' ? '192.0.2.254' : '2001:db8:1::fe'} dev eth0`], ipsets: sets[family], conntrack } }];
  }).slice(0, count);
}

/** The same rule set, in which the rule does nothing. */
export function withoutTarget({ ruleset, rule, cx: { table, hook } }: DrawnTarget): Ruleset {
  const tables = new Map([...ruleset.tables].map(([name, one]) => [name, name !== table ? one : {
    ...one, chains: new Map([...one.chains].map(([chain, body]) => [chain, chain !== hook ? body : { ...body, rules: body.rules.map(each => each === rule ? { ...rule, target: { kind: 'none' } as const } : each) }])),
  }]));
  return { ...ruleset, tables };
}

const { tcp, udp, udplite, sctp, dccp, icmp, icmpv6, esp, ah, ipcomp } = protocolNumber;
const withPorts: readonly number[] = [tcp, udp, udplite, sctp, dccp];
/** Fields of layer 4, and whose they are: elsewhere the same bytes are something else. */
const owners: Readonly<Partial<Record<NumberField, readonly number[]>>> = {
  sport: withPorts, dport: withPorts, tcpFlags: [tcp], icmpType: [icmp, icmpv6], icmpCode: [icmp, icmpv6], spi: [esp, ah, ipcomp], sctpChunk: [sctp],
};

/** The flags that a match can ask for as fields; ECE and CWR are none of them. */
const flagsAsked = 63;

/** What the packet has. One without a connection has neither its mark nor a direction. Interfaces follow from routing. */
function fieldsOf(packet: Packet): Fields {
  const isTracked = packet.connection !== undefined;
  const has = (name: NumberField): boolean => (isTracked || (name !== 'connmark' && name !== 'ctdir')) && owners[name]?.includes(packet.protocol) !== false;
  const numbers = (Object.keys(fieldReaders) as NumberField[]).filter(has);
  const read = (name: NumberField): number => name === 'tcpFlags' ? packet.tcpFlags & flagsAsked : fieldReaders[name](packet);
  return new Map<Field, number | bigint>([['src', packet.src], ['dst', packet.dst], ...numbers.map(name => [name, read(name)] as const)]);
}

/** Sends one packet; undefined where the rule itself or the kernel ends its way. */
export function look(ruleset: Ruleset, { setup, rule: { line } }: DrawnTarget, step: ScenarioStep): Seen | undefined {
  const [journey] = createHost(ruleset, setup, { unknown: 'match' }).travel(step);
  if (journey === undefined) return undefined;
  const { fate, steps, packet } = journey;
  const by = fate !== undefined && 'by' in fate ? fate.by : undefined;
  if (by !== undefined && ('kernel' in by || ('rule' in by && by.rule.rule.line === line))) return undefined;
  return { packet, fields: fieldsOf(packet), matched: steps.some(one => 'rule' in one && one.rule.line === line) };
}
