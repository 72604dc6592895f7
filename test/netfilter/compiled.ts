/** Rules compiled for tests. */
import type { EngineContext } from '../../analyzer/extensions/define.js';
import { load } from '../../analyzer/model/load.js';
import { isOpaque, type Rule } from '../../analyzer/model/ruleset.js';
import { compileMatch } from '../../analyzer/netfilter/tables/predicate.js';
import type { Packet } from '../../analyzer/packet/packet.js';
import { allOf, everyPacket } from '../../analyzer/packet/predicates.js';
import type { HookName, Predicate, World } from '../../analyzer/packet/traversal.js';
import { fakeTraversal, fakeWorld } from './fake-world.js';

/** The rules of a chain as they are loaded; a test that writes a rule which is not is at fault. */
export function loadedRules(lines: readonly string[], world: World, table: string, chain: HookName): readonly Rule[] {
  const text = `*${table}\n${lines.map(line => `-A ${chain} ${line}\n`).join('')}COMMIT\n`;
  const { rulesets, diagnostics } = load({ path: 'rules', text }, { family: world.family, backend: world.backend });
  const error = diagnostics.find(one => one.severity === 'error');
  if (error !== undefined) throw new Error(`${error.message} in ${text}`);
  return [...rulesets[0]?.tables.values() ?? []].flatMap(one => one.chains.get(chain)?.rules ?? []);
}

export function contextOf({ protocol }: Rule, world: World, table: string): EngineContext {
  const number = protocol?.value;
  const { family, backend } = world;
  return { family, backend, table, world, ordered: [], protocol: protocol === undefined || typeof number !== 'number' ? undefined : { number, negated: protocol.negated } };
}

/** What the matches of a rule answer together; its `-p` is asked as well, addresses and interfaces are not. */
export function compileRule(rule: Rule, world: World, table: string): Predicate {
  const cx = contextOf(rule, world, table);
  const { protocol } = cx;
  const isProtocol: Predicate = protocol === undefined ? everyPacket : t => (t.packet.protocol === protocol.number) !== protocol.negated;
  return allOf([isProtocol, ...rule.matches.map(use => isOpaque(use) ? (): boolean => false : compileMatch(use, cx))]);
}

export type Answer = 'match' | 'no match' | 'hotdrop';

/** Compiles one rule, to be asked of packets. */
export function ruleOf(line: string, given: { readonly world?: World; readonly table?: string; readonly hook?: HookName } = {}): (packet: Packet) => Answer {
  const { world = fakeWorld('ipv4', 'legacy'), table = 'raw', hook = 'PREROUTING' } = given;
  const [rule] = loadedRules([line], world, table, hook);
  if (rule === undefined) throw new Error(`no rule in ${line}`);
  const predicate = compileRule(rule, world, table);
  return packet => {
    const t = fakeTraversal(packet, world, hook);
    const matched = predicate(t);
    return t.hotdrop ? 'hotdrop' : matched ? 'match' : 'no match';
  };
}
