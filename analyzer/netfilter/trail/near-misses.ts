/** Rules that would have let a packet pass, but for one thing: where somebody whose packet was dropped should look first. */
import { meaningOf } from '../../extensions/use.js';
import { printBody } from '../../model/print.js';
import { isOpaque, type Chain, type MatchUse, type Rule, type RuleBody, type Table } from '../../model/ruleset.js';
import { asksTheUnknown, type Constraint } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { Verdict, type HookName, type World } from '../../packet/traversal.js';
import { compileTable } from '../tables/compile-table.js';
import { referenceOf, Step, type CompiledChain, type CompiledRule } from '../tables/compiled-rule.js';
import { TableTraversal, type Recorder } from '../tables/traverse.js';

/** A rule that would have accepted the packet, but for one thing. */
export interface NearMiss {
  /** `filter:INPUT:3` */
  readonly rule: string;
  /** In its file, from 1; 0 where it came from none. */
  readonly line: number;
  /** What the packet is not: `-s 192.0.2.0/26`. */
  readonly missed: string;
}

/** Where the packet stands. */
export interface Place {
  readonly packet: Packet;
  readonly table: string;
  readonly hook: HookName;
  readonly world: World;
}

const everything: RuleBody = {
  source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, protocol: undefined, fragment: undefined,
  matches: [], target: { kind: 'none' },
};

/** It names services: ports, or types of ICMP. */
function namesService(constraint: Constraint): boolean {
  switch (constraint.kind) {
    case 'within': case 'masked': return constraint.field === 'dport' || constraint.field === 'icmpType';
    case 'all': case 'any': return constraint.of.some(namesService);
    default: return false;
  }
}

interface Condition {
  readonly body: RuleBody;
  readonly text: string;
  readonly isService: boolean;
}

/** What a match asks of the packet alone; a copy without `matches` neither counts nor remembers. */
function* matchConditions(use: MatchUse, { protocol }: Rule, { table, world }: Place): Generator<Condition, void> {
  if (isOpaque(use)) return;
  const number = typeof protocol?.value === 'number' ? { number: protocol.value, negated: protocol.negated } : undefined;
  const meaning = meaningOf(use, { family: world.family, backend: world.backend, table, protocol: number, ordered: [] });
  if (asksTheUnknown(meaning)) return;
  const { matches, ...definition } = use.definition;
  const text = printBody({ ...everything, matches: [use] }, { table, family: world.family, backend: world.backend }).trim();
  yield { body: { ...everything, protocol, matches: [{ ...use, definition }] }, text, isService: namesService(meaning) };
}

/** A rule's conditions, each as a rule of its own. */
function conditionsOf(rule: Rule, place: Place): readonly Condition[] {
  const { source, destination, inInterface, outInterface, protocol } = rule;
  const bodies = [{ source }, { destination }, { inInterface }, { outInterface }, { protocol }].map((one): RuleBody => ({ ...everything, ...one }));
  const base = bodies.map((body): Condition => ({ body, text: printBody(body, { table: place.table, family: place.world.family, backend: place.world.backend }).trim(), isService: false }));
  return [...base.filter(({ text }) => text !== ''), ...rule.matches.flatMap(use => [...matchConditions(use, rule, place)])];
}

/** Notes which rules of a chain matched. */
class Listener implements Recorder {
  readonly matches = new Set<number>();
  acts(): void { /* no condition has a target */ }
  matched({ position }: CompiledRule): void { this.matches.add(position - 1); }
  policy(): void { /* it has none */ }
  entered(): void { /* nothing is entered */ }
  left(): void { /* nothing is left */ }
  noted(): void { /* nobody reads it */ }
  hotdropped(): void { /* the rest is not asked, and so does not match */ }
  unknown(): boolean { return true; }
}

/** The positions of the conditions that hold: the engine itself is asked. */
function holding(conditions: readonly Condition[], like: Chain, { packet, table, hook, world }: Place): ReadonlySet<number> {
  const rules = conditions.map(({ body }): Rule => ({ ...body, line: 0, start: 0, end: 0, counters: undefined }));
  const chain: Chain = { ...like, hook: undefined, policy: undefined, rules };
  const alone: Table = { name: table as Table['name'], line: 0, span: like.span, chains: new Map([[chain.name, chain]]) };
  const compiled = compileTable(alone, world).get(chain.name);
  const listener = new Listener();
  if (compiled !== undefined) new TableTraversal(packet, table, hook, world, listener).run(compiled);
  return listener.matches;
}

function nearMiss(compiled: CompiledRule, place: Place): NearMiss | undefined {
  if (compiled.step !== Step.Accept) return undefined;
  const conditions = conditionsOf(compiled.rule, place);
  if (!conditions.some(({ isService }) => isService)) return undefined;
  const holds = holding(conditions, compiled.chain.chain, place);
  const [missed, ...others] = conditions.filter((_, index) => !holds.has(index));
  if (missed === undefined || others.length > 0 || missed.isService) return undefined;
  return { rule: referenceOf(compiled), line: compiled.rule.line, missed: missed.text };
}

/** As many as anybody wants to read, of as many rules as can be looked at in a moment. */
const mostMisses = 3, mostRules = 5000;

/** Rules that accept the packet's service and that the packet missed by one condition. `passed`: the rules that it passed by. */
export function nearMisses(passed: Iterable<CompiledRule>, place: Place): readonly NearMiss[] {
  const found: NearMiss[] = [];
  let looked = 0;
  for (const rule of passed) {
    const miss = nearMiss(rule, place);
    if (miss !== undefined) found.push(miss);
    if (found.length === mostMisses || ++looked === mostRules) break;
  }
  return found;
}

/** The rules that a packet has passed by in a base chain and in those that were called from it. */
export class PassedRules {
  /** Up to which rule a chain was read. */
  readonly #read = new Map<CompiledChain, number>();
  #returned: CompiledChain | undefined;

  matched({ chain, position }: CompiledRule, verdict: Verdict | 'jump' | 'goto'): void {
    this.#read.set(chain, position);
    this.#returned = verdict === Verdict.Return ? chain : undefined;
  }

  /** The chain is left: behind its last rule, unless one of its rules said so. */
  ended(chain: CompiledChain): void {
    if (this.#returned !== chain) this.#read.set(chain, Infinity);
    this.#returned = undefined;
  }

  *rules(): Generator<CompiledRule, void> {
    for (const [chain, end] of this.#read) {
      for (let index = 0; index + 1 < end; index++) {
        const rule = chain.ruleAt(index);
        if (rule === undefined) break;
        yield rule;
      }
    }
  }
}
