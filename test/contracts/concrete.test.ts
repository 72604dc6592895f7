/** What every match promises about single packets, held over the whole registry. */
import test from 'ava';
import * as fc from 'fast-check';
import type { AnyMatch, AnyOption, EngineContext } from '../../analyzer/extensions/define.js';
import { allMatches } from '../../analyzer/extensions/registry.js';
import { meaningOf, type Use } from '../../analyzer/extensions/use.js';
import { load } from '../../analyzer/model/load.js';
import { isOpaque } from '../../analyzer/model/ruleset.js';
import { compileMatch } from '../../analyzer/netfilter/tables/predicate.js';
import type { Packet } from '../../analyzer/packet/packet.js';
import type { Backend, Family } from '../../analyzer/values/value.js';
import { generateRules } from '../kernel/conformance.js';
import { contextOf } from '../netfilter/compiled.js';
import { fakeTraversal, fakeWorld } from '../netfilter/fake-world.js';
import { brokenBytes, packetOf, wholeBytes } from '../netfilter/packets.js';
import { holds } from '../netfilter/slow-constraint.js';

interface Case {
  readonly line: string;
  readonly use: Use<AnyMatch>;
  readonly cx: EngineContext;
}

const places = (['ipv4', 'ipv6'] as const).flatMap(family => (['legacy', 'nft'] as const).map(backend => ({ family, backend })));

/** Uses of the match as rules make them, with names that are resolved. */
function uses(definition: AnyMatch, family: Family, backend: Backend, count: number, seed: number): readonly Case[] {
  const world = fakeWorld(family, backend);
  return generateRules(family, backend, count, seed, { only: definition.name }).flatMap(({ line, table, chain }) => {
    const { rulesets } = load({ path: 'rule', text: `*${table}\n${line}\nCOMMIT\n` }, { family, backend });
    const rules = rulesets[0]?.tables.get(table)?.chains.get(chain)?.rules ?? [];
    return rules.slice(0, 1).flatMap(rule => rule.matches.flatMap(use => isOpaque(use) || use.definition.name !== definition.name || Object.keys(use.unresolved).length > 0 ? []
      : [{ line, use, cx: contextOf(rule, world, table) }]));
  });
}

interface Answer {
  readonly matched: boolean;
  readonly hotdrop: boolean;
  readonly known: boolean;
}

function compile({ use, cx }: Case): (packet: Packet) => Answer {
  const predicate = compileMatch(use, cx);
  return packet => {
    const t = fakeTraversal(packet, cx.world, 'OUTPUT');
    const matched = predicate(t);
    return { matched, hotdrop: t.hotdrop, known: t.asked.length === 0 };
  };
}

function sample(family: Family, bytes: fc.Arbitrary<Uint8Array>, count: number, seed: number): readonly Packet[] {
  return fc.sample(packetOf(family, bytes), { numRuns: count, seed });
}

const show = (packet: Packet): string => Buffer.from(packet.bytes).toString('hex');

for (const { family, backend } of places) {
  test(`no packet is too strange for a match: ${family}, ${backend}`, t => {
    const packets = [...sample(family, brokenBytes(family), 60, 3), ...sample(family, wholeBytes(family), 20, 4)];
    for (const definition of allMatches(family)) for (const one of uses(definition, family, backend, 6, 5)) {
      const answer = compile(one);
      for (const packet of packets) t.notThrows(() => answer(packet), `${one.line} and ${show(packet)}`);
    }
  });

  test(`where a match asks for nothing but fields, whole packets are judged by them: ${family}, ${backend}`, t => {
    let compared = 0;
    for (const definition of allMatches(family)) for (const one of uses(definition, family, backend, 12, 6)) {
      const answer = compile(one);
      const meaning = meaningOf(one.use, { ...one.cx, ordered: one.use.ordered });
      for (const packet of sample(family, wholeBytes(family, one.cx.protocol?.number), 20, 7)) {
        // iptables-nft's own expressions read the payload of a later fragment as a header.
        if (packet.fragmentOffset > 0 && backend === 'nft' && (definition.name === 'tcp' || definition.name === 'udp')) continue;
        const expected = holds(meaning, packet);
        const { matched, hotdrop } = answer(packet);
        if (expected === undefined || hotdrop) continue;
        compared++;
        t.is(matched, expected, `${one.line} and ${show(packet)}`);
      }
    }
    t.true(compared > 2000, String(compared));
  });
}

/** What keeps an option and its negation from being opposites. */
const asksForMore: ReadonlyMap<string, string> = new Map([
  ...['ah', 'frag', 'rt', 'hbh', 'dst', 'srh'].map(name => [name, 'the packet must have that header'] as const),
  ...['tcp', 'udp', 'icmp', 'icmp6', 'esp', 'ipcomp', 'multiport', 'sctp', 'dccp', 'mh', 'tcpmss', 'ecn'].map(name => [name, 'it must be no later fragment, and have that protocol'] as const),
  ...['conntrack', 'connmark', 'cluster', 'connbytes'].map(name => [name, 'it must have a connection'] as const),
  ['osf', 'it must be a SYN'], ['mac', 'it must have an Ethernet header'], ['owner', 'it must have a sender'], ['ipv6header', 'its headers must be whole'], ['policy', 'IPsec is not modelled'], ['physdev', 'there is no bridge'],
]);

/** Options that look at nothing, given so: they say the same with `!`. */
function saysNothing({ use, cx, line }: Case): boolean {
  const { name } = use.definition;
  if (name === 'policy' || name === 'connbytes' || line.includes('--fraglen') || line.includes('--ahlen')) return true;
  return cx.backend === 'nft' && (name === 'tcp' || name === 'udp');
}

const stateful: ReadonlySet<string> = new Set(['limit', 'hashlimit', 'recent', 'connlimit', 'quota', 'statistic', 'rateest', 'time', 'set', 'connlabel']);

/** The same use with the `!` of its one negatable option taken back; undefined where it has not exactly one. */
function flipped(one: Case): Case | undefined {
  const options = one.use.definition.options as Record<string, AnyOption>;
  const [key, ...more] = Object.keys(one.use.given).filter(name => one.use.given[name] !== undefined);
  const given = key === undefined ? undefined : one.use.given[key];
  if (key === undefined || given === undefined || more.length > 0 || options[key]?.negatable !== true) return undefined;
  const negated = !given.negated;
  const use = { ...one.use, given: { [key]: { ...given, negated } }, ordered: one.use.ordered.map(option => ({ ...option, negated })) };
  return { ...one, use };
}

for (const { family, backend } of places) {
  test(`an option and its negation never match the same packet, and one of them does, where nothing else is asked: ${family}, ${backend}`, t => {
    for (const definition of allMatches(family)) {
      if (stateful.has(definition.name)) continue;
      for (const one of uses(definition, family, backend, 12, 8)) {
        const other = flipped(one);
        if (other === undefined || saysNothing(one)) continue;
        const [first, second] = [compile(one), compile(other)];
        for (const packet of sample(family, wholeBytes(family, one.cx.protocol?.number), 15, 9)) {
          const [a, b] = [first(packet), second(packet)];
          if (!a.known || a.hotdrop) continue;
          t.false(a.matched && b.matched, `both: ${one.line} and ${show(packet)}`);
          if (!asksForMore.has(definition.name)) t.true(a.matched || b.matched, `neither: ${one.line} and ${show(packet)}`);
        }
      }
    }
  });
}
