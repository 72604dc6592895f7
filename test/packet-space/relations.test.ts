import test from 'ava';
import * as fc from 'fast-check';
import type { Rule } from '../../analyzer/model/ruleset.js';
import type { Overlap, PartlyShadowed } from '../../analyzer/packet-space/answers.js';
import { correlated, generalization, partlyShadowed, relations } from '../../analyzer/packet-space/index.js';
import { arrivals, meets, packetsOf, ruleText, toyRulesets, ways, type Packet, type ToyRule, type ToyRuleset } from './oracle.js';
import { fail, hooks, loaded, oracleReach, runs, toPacket } from './toy-case.js';

/** Packets of one kind each that ask for a rule, and would come to it if no other rule were certain to be there. */
function wouldCome(toys: ToyRuleset, rule: ToyRule, rich: boolean): readonly { readonly hook: string; readonly packet: Packet }[] {
  return hooks.flatMap(hook => packetsOf(toys, hook, rich).filter(packet => meets(rule, packet) && arrivals(toys, new Set(), hook, packet).has(rule)).map(packet => ({ hook, packet })));
}

function isTakenBefore(toys: ToyRuleset, rule: ToyRule, hook: string, packet: Packet): boolean {
  return ways({ toys }, hook, packet).every(way => !way.matched.includes(rule));
}

function checkPartly(toys: ToyRuleset, rule: ToyRule, answer: PartlyShadowed, byRule: ReadonlyMap<Rule, ToyRule>, rich: boolean): boolean {
  const come = wouldCome(toys, rule, rich);
  const taken = come.filter(({ hook, packet }) => isTakenBefore(toys, rule, hook, packet));
  const isPartly = taken.length > 0 && come.some(({ hook, packet }) => !isTakenBefore(toys, rule, hook, packet));
  if (answer.kind === 'undecided') return false;
  if ((answer.kind === 'partly-shadowed') !== isPartly) fail(toys, `${ruleText(rule)}: ${answer.kind}, yet ${isPartly ? 'some of its packets are taken' : 'none is taken, or all are'}`);
  if (answer.kind !== 'partly-shadowed') return true;
  for (const one of answer.by) {
    const taker = byRule.get(one.rule);
    if (taker === undefined || !taken.some(({ hook, packet }) => ways({ toys }, hook, packet).some(way => way.matched.includes(taker)))) fail(toys, `${ruleText(rule)}: ${one.chain} ${String(one.position)} takes nothing of it`);
  }
  const [gone, left] = [toPacket(answer.taken), toPacket(answer.left)];
  if (!hooks.some(hook => meets(rule, gone) && arrivals(toys, new Set(), hook, gone).has(rule) && isTakenBefore(toys, rule, hook, gone))) fail(toys, `${ruleText(rule)}: ${JSON.stringify(answer.taken)} is not taken`);
  if (!hooks.some(hook => ways({ toys }, hook, left).some(way => way.matched.includes(rule)))) fail(toys, `${ruleText(rule)}: ${JSON.stringify(answer.left)} is not left`);
  return true;
}

/** The hooks from which jumps lead to a chain. */
function hooksTo(toys: ToyRuleset, chain: string): readonly ('INPUT' | 'OUTPUT')[] {
  const callers = toys.rules.filter(rule => rule.target === `-j ${chain}` || rule.target === `-g ${chain}`).map(rule => rule.chain);
  return hooks.filter(hook => hook === chain || callers.some(caller => hooksTo(toys, caller).includes(hook)));
}

/** By the same enumeration: which earlier rules of the chain with another verdict overlap with a rule, and how. */
function overlapping(toys: ToyRuleset, rule: ToyRule, rich: boolean): Readonly<Record<'correlated' | 'generalization', readonly ToyRule[]>> {
  const out = { correlated: [] as ToyRule[], generalization: [] as ToyRule[] };
  const isEnd = ({ target, limit }: ToyRule): boolean => /^-j (?:ACCEPT|DROP|REJECT)/u.test(target) && !limit;
  if (!isEnd(rule)) return out;
  const packets = hooksTo(toys, rule.chain).flatMap(hook => packetsOf(toys, hook, rich));
  const own = toys.rules.filter(one => one.chain === rule.chain);
  for (const other of own.slice(0, own.indexOf(rule))) {
    if (!isEnd(other) || other.target === rule.target) continue;
    const [both, only, others] = [packets.some(one => meets(rule, one) && meets(other, one)), packets.some(one => meets(rule, one) && !meets(other, one)), packets.some(one => !meets(rule, one) && meets(other, one))];
    if (both && only) out[others ? 'correlated' : 'generalization'].push(other);
  }
  return out;
}

function checkOverlap(toys: ToyRuleset, rule: ToyRule, kind: 'correlated' | 'generalization', answer: Overlap, expected: readonly ToyRule[], byRule: ReadonlyMap<Rule, ToyRule>): void {
  const told = answer.kind === kind ? answer.with.map(one => byRule.get(one.rule)) : [];
  if (answer.kind === 'undecided' || told.length !== expected.length || expected.some((one, i) => told[i] !== one)) fail(toys, `${ruleText(rule)}: ${kind} ${answer.kind}, yet expected ${expected.map(ruleText).join('; ')}`);
  if (answer.kind !== kind) return;
  const packet = toPacket(answer.witness);
  const [first] = expected;
  if (first === undefined || !meets(rule, packet) || !meets(first, packet)) fail(toys, `${ruleText(rule)}: not both ask for ${JSON.stringify(answer.witness)}`);
}

for (const [name, rich, size] of [['plain', false, 4], ['rich', true, 3]] as const) {
  test(`partlyShadowed, correlated and generalization agree with trying every packet: ${name} rule sets`, t => {
    let [open, all] = [0, 0];
    fc.assert(fc.property(toyRulesets(size, rich), toys => {
      const { space, table, at } = loaded(toys);
      const byRule = new Map<Rule, ToyRule>(toys.rules.map(rule => [at(rule).rule, rule]));
      for (const rule of toys.rules) {
        all++;
        if (!checkPartly(toys, rule, partlyShadowed(space, table, at(rule)), byRule, rich)) open++;
        const expected = overlapping(toys, rule, rich);
        checkOverlap(toys, rule, 'correlated', correlated(space, table, at(rule)), expected.correlated, byRule);
        checkOverlap(toys, rule, 'generalization', generalization(space, table, at(rule)), expected.generalization, byRule);
      }
      checkRelations(toys, rich);
    }), { numRuns: Math.ceil(runs / (rich ? 8 : 4)), includeErrorInReport: true });
    // A packet that is led to a rule by two ways, and taken on one of them, may be left open; so may what a goto leads to a rule.
    t.true(open * 10 <= all, `${String(open)} of ${String(all)} were left open`);
  });
}

/** The table at once tells of live rules what is told of each. */
function checkRelations(toys: ToyRuleset, rich: boolean): void {
  const { space, table, at } = loaded(toys);
  const live = oracleReach(toys, rich);
  const told = new Map<Rule, Set<string>>();
  for (const relation of relations(space, table)) told.set(relation.rule.rule, (told.get(relation.rule.rule) ?? new Set()).add(relation.kind));
  for (const rule of toys.rules) {
    const kinds = told.get(at(rule).rule) ?? new Set();
    if (!live.has(rule) && kinds.size > 0) fail(toys, `${ruleText(rule)}: no packet matches it`);
    if (!live.has(rule)) continue;
    const expected = overlapping(toys, rule, rich);
    for (const kind of ['correlated', 'generalization'] as const) if (kinds.has(kind) !== expected[kind].some(other => live.has(other))) fail(toys, `${ruleText(rule)}: relations says ${[...kinds].join(', ')}`);
    const partly = partlyShadowed(space, table, at(rule)).kind;
    if (partly !== 'undecided' && kinds.has('partly-shadowed') !== (partly === 'partly-shadowed')) fail(toys, `${ruleText(rule)}: relations says ${[...kinds].join(', ')}, partlyShadowed ${partly}`);
  }
}
