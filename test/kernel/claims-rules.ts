/** Rule sets whose claims the kernel is to judge, and packets within what their rules ask for. */
import { readFileSync } from 'node:fs';
import { load } from '../../analyzer/model/load.js';
import type { Rule, Table } from '../../analyzer/model/ruleset.js';
import { printRuleset } from '../../analyzer/model/print.js';
import type { PacketSample, Reach, RuleAt } from '../../analyzer/packet-space/answers.js';
import { packetSpace, reach, type PacketSpace } from '../../analyzer/packet-space/index.js';
import { printAddress } from '../../analyzer/values/address.js';
import type { Family } from '../../analyzer/values/value.js';
import { decodeBytes } from '../../grammar/source-text.js';
import { everything, nothing, type Node } from '../packet-space/bdd.js';
import { addressValue, hookPackets, PacketSets, states } from '../packet-space/bdd-packets.js';
import { readRules, type ReadChains, type ReadRule } from '../packet-space/bdd-rules.js';
import { Draw } from '../packet-space/bdd-rulesets.js';
import type { FilterHook } from './claims-stage.js';

export interface Claims {
  readonly family: Family;
  /** One filter table. */
  readonly text: string;
  readonly sets: PacketSets;
  readonly chains: ReadChains;
  readonly space: PacketSpace;
  readonly table: Table;
  readonly answers: ReadonlyMap<Rule, Reach>;
}

const nodeLimit = 1_000_000;
export const filterHooks = ['INPUT', 'FORWARD', 'OUTPUT'] as const satisfies readonly FilterHook[];

/** Names that rules speak of, with a number for a `+`, and two more. */
function interfacesIn(text: string): readonly string[] {
  const named = [...text.matchAll(/ -[io] (\S+)/gu)].map(([, name = '']) => name.replace(/\+$/u, '0')).filter(name => name !== '0');
  return ['', ...new Set([...named, 'eth0', 'eth1', 'lo'])];
}

/** What exact reasoning says of a filter table. */
export function claimsOf(text: string, family: Family): Claims {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'claims', text }, { family, backend: 'legacy' });
  const table = ruleset?.tables.get('filter');
  const error = diagnostics.find(one => one.severity === 'error');
  if (error !== undefined || ruleset === undefined || table === undefined) throw new Error(`${error?.message ?? 'no filter table'}\n${text}`);
  const sets = new PacketSets(family, nodeLimit, interfacesIn(text));
  const space = packetSpace(ruleset);
  return { family, text, sets, chains: readRules(sets, text), space, table, answers: reach(space, table) };
}

/** The rules of a filter table that say nothing but what the plain reading knows: what is left out hangs on a clock, a count or the host. */
function readableFilter(lines: readonly string[], family: Family): string {
  const start = lines.indexOf('*filter');
  const table = start < 0 ? [] : lines.slice(start, lines.indexOf('COMMIT', start));
  const header = table.filter(line => !line.startsWith('-A '));
  const sets = new PacketSets(family, nodeLimit, interfacesIn(table.join('\n')));
  const isReadable = (line: string): boolean => {
    try {
      readRules(sets, [...header, line].join('\n'));
      return true;
    } catch {
      return false;
    }
  };
  return [...header, ...table.filter(line => line.startsWith('-A ') && isReadable(line)), 'COMMIT', ''].join('\n');
}

/** The readable filter tables of a file, one for each family that it has rules for. */
export function claimsIn(path: string): readonly Claims[] {
  const { rulesets, diagnostics } = load({ path, text: decodeBytes(readFileSync(path)) }, { backend: 'legacy' });
  if (diagnostics.some(one => one.severity === 'error')) return [];
  return rulesets.filter(one => one.tables.has('filter')).map(ruleset => claimsOf(readableFilter([...printRuleset(ruleset)], ruleset.family), ruleset.family));
}

export function rulesOf({ chains }: Claims): readonly ReadRule[] {
  return [...chains.values()].flatMap(chain => chain.rules);
}

export function placeOf({ table }: Claims, { chain, position }: ReadRule): RuleAt {
  const rule = table.chains.get(chain)?.rules[position - 1];
  if (rule === undefined) throw new Error(`${chain} ${String(position)}`);
  return { table: table.name, chain, position, rule };
}

const unicast = { ipv4: [['1.0.0.0', '126.255.255.255'], ['128.0.0.0', '223.255.255.255']], ipv6: [['2000::', '3fff:ffff::'], ['fd00::', 'fdff:ffff::']] } as const;
const flag = { syn: 2, ack: 16 } as const;

/** The packets that a host can be sent from outside, or sends, without much ado: plain TCP, UDP and echo requests. */
function plainPackets(sets: PacketSets, hook: FilterHook): Node {
  const { bdd, family } = sets;
  const isState = (name: typeof states[number]): Node => sets.is('ctstate', states.indexOf(name));
  const addresses = (['src', 'dst'] as const).map(field => sets.any(unicast[family].map(([low, high]) => sets.range(field, addressValue(low, family), addressValue(high, family)))));
  const noLoopback = (['in', 'out'] as const).map(field => bdd.not(sets.is(field, sets.interfaces.indexOf('lo'))));
  const tcp = sets.any([bdd.and(isState('NEW'), sets.is('tcpFlags', flag.syn)), bdd.and(isState('ESTABLISHED'), sets.is('tcpFlags', flag.ack)), ...hook === 'OUTPUT' ? [] : [isState('INVALID')]]);
  const known = sets.any([isState('NEW'), isState('ESTABLISHED')]);
  const echo = sets.all([sets.is('icmpType', family === 'ipv4' ? 8 : 128), sets.is('icmpCode', 0), known]);
  const protocols = sets.any([bdd.and(sets.is('protocol', 6), tcp), bdd.and(sets.is('protocol', 17), known), bdd.and(sets.is('protocol', family === 'ipv4' ? 1 : 58), echo)]);
  return sets.all([...addresses, ...noLoopback, protocols, sets.is('fragment', 0), sets.is('mark', 0)]);
}

const plain = new WeakMap<PacketSets, Map<FilterHook, Node>>();

function plainOf(sets: PacketSets, hook: FilterHook): Node {
  const known = plain.get(sets) ?? new Map<FilterHook, Node>();
  plain.set(sets, known);
  const packets = known.get(hook) ?? sets.bdd.and(hookPackets(sets, hook), plainPackets(sets, hook));
  known.set(hook, packets);
  return packets;
}

function sampleFrom(sets: PacketSets, bits: Uint8Array): PacketSample {
  const values = sets.valuesOf(bits);
  const protocol = Number(values.protocol);
  const [input, output] = [sets.interfaces[Number(values.in)] ?? '', sets.interfaces[Number(values.out)] ?? ''];
  const address = (value: bigint): string => printAddress(sets.family === 'ipv4' ? Number(value) : value);
  return {
    src: address(values.src), dst: address(values.dst), ...input !== '' && { in: input }, ...output !== '' && { out: output },
    protocol, sport: Number(values.sport), dport: Number(values.dport), ...protocol === 6 && { tcpFlags: Number(values.tcpFlags) },
    ...(protocol === 1 || protocol === 58) && { icmpType: Number(values.icmpType), icmpCode: Number(values.icmpCode) }, ctstate: states[Number(values.ctstate)] ?? 'NEW',
  };
}

/** Plain packets of a hook that a rule asks for: the smallest, the largest, and such between as chance has it; each only once. */
export function cornersOf({ sets }: Claims, rule: ReadRule, hook: FilterHook, draw: Draw, count: number): readonly PacketSample[] {
  const packets = sets.bdd.and(plainOf(sets, hook), rule.match);
  const [none, all] = [sets.bitsOf({}), sets.bitsOf({}).fill(1)];
  if (packets === nothing || packets === everything) return [];
  const wishes = [none, all, ...Array.from({ length: count }, () => none.map(() => draw.below(2)))].slice(0, count);
  const found = new Map(wishes.flatMap(wish => {
    const bits = sets.bdd.member(packets, wish);
    return bits === undefined ? [] : [[bits.join(''), sampleFrom(sets, bits)] as const];
  }));
  return [...found.values()];
}
