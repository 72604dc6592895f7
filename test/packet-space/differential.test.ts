import test from 'ava';
import * as fc from 'fast-check';
import type { Rule } from '../../analyzer/model/ruleset.js';
import type { Fate, Reach } from '../../analyzer/packet-space/answers.js';
import { ask, reach, redundant } from '../../analyzer/packet-space/index.js';
import { all, is, not, within, type Constraint } from '../../analyzer/packet/constraint.js';
import { arrivals, meets, packetsOf, ruleText, toyRulesets, ways, type Packet, type ToyRule, type ToyRuleset } from './oracle.js';
import { fail, hooks, loaded, oracleReach, runs, toPacket } from './toy-case.js';

function checkLive(toys: ToyRuleset, rule: ToyRule, answer: Extract<Reach, { kind: 'live' }>, live: Map<ToyRule, Set<string>>): void {
  if (live.get(rule)?.has(answer.hook) !== true) fail(toys, `${ruleText(rule)} is not live in ${answer.hook}`);
  const packet = toPacket(answer.witness);
  if (!ways({ toys }, answer.hook, packet).some(way => way.matched.includes(rule))) fail(toys, `${ruleText(rule)}: its witness ${JSON.stringify(answer.witness)} does not match it`);
}

/** No packet reaches the rule if only `by` are certain to be there. */
function holdsFor(toys: ToyRuleset, rule: ToyRule, by: ReadonlySet<ToyRule>, packets: (hook: string) => readonly Packet[]): boolean {
  return hooks.every(hook => packets(hook).every(packet => !meets(rule, packet) || !arrivals(toys, by, hook, packet).has(rule)));
}

function checkReach(toys: ToyRuleset, rich: boolean): void {
  const { space, table, at } = loaded(toys);
  const answers = reach(space, table);
  const live = oracleReach(toys, rich);
  const kinds = { INPUT: packetsOf(toys, 'INPUT', rich), OUTPUT: packetsOf(toys, 'OUTPUT', rich) };
  const byRule = new Map<Rule, ToyRule>(toys.rules.map(rule => [at(rule).rule, rule]));
  for (const rule of toys.rules) {
    const answer = answers.get(at(rule).rule);
    if (answer === undefined || answer.kind === 'undecided') fail(toys, `${ruleText(rule)}: no answer`);
    if ((answer.kind === 'live') !== live.has(rule)) fail(toys, `${ruleText(rule)}: ${answer.kind}, yet ${live.has(rule) ? 'some packet matches it' : 'no packet matches it'}`);
    if (answer.kind === 'live') checkLive(toys, rule, answer, live);
    if (answer.kind !== 'shadowed') continue;
    const by = answer.by.flatMap(one => byRule.get(one.rule) ?? []);
    const packets = (hook: string): readonly Packet[] => kinds[hook === 'INPUT' ? 'INPUT' : 'OUTPUT'];
    if (!holdsFor(toys, rule, new Set(by), packets)) fail(toys, `${ruleText(rule)} is not shadowed by ${by.map(ruleText).join('; ')} alone`);
    const spare = by.find(one => holdsFor(toys, rule, new Set(by.filter(other => other !== one)), packets));
    if (spare !== undefined) fail(toys, `${ruleText(rule)}: ${ruleText(spare)} could be missing from ${by.map(ruleText).join('; ')}`);
  }
}

for (const [name, rich, size] of [['plain', false, 4], ['rich', true, 3], ['long', false, 7]] as const) {
  test(`reach agrees with trying every packet: ${name} rule sets`, t => {
    fc.assert(fc.property(toyRulesets(size, rich), toys => { checkReach(toys, rich); }), { numRuns: rich ? Math.ceil(runs / 4) : runs, includeErrorInReport: true });
    t.pass();
  });
}

const fates: readonly (readonly [Fate, (fate: string) => boolean])[] = [
  ['accept', fate => fate === '-j ACCEPT'], ['drop', fate => fate === '-j DROP'], ['reject', fate => fate.startsWith('-j REJECT')], ['unknown', fate => fate === 'unknown'],
];

const questions: readonly (readonly [Constraint, (packet: Packet) => boolean])[] = [
  [{ kind: 'always' }, () => true],
  [all([is('protocol', 6), is('dport', 22)]), packet => packet.protocol === 6 && packet.dport === 22],
  [all([not(is('protocol', 6)), is('ctstate', 1)]), packet => packet.protocol !== 6 && packet.state === 'NEW'],
  [within('src', 0x0a010000, 0x0a01ffff), packet => packet.src.startsWith('10.1.')],
  [{ kind: 'interface', field: 'in', name: 'eth', prefix: true }, packet => packet.in.startsWith('eth')],
  [not({ kind: 'interface', field: 'in', name: 'eth9', prefix: false }), packet => packet.in !== 'eth9'],
];

function checkAsk(toys: ToyRuleset, rich: boolean): void {
  const { space, table } = loaded(toys);
  const hasUnknown = toys.rules.some(rule => rule.limit || rule.target.includes('NFQUEUE'));
  for (const hook of hooks) for (const [constraint, isMeant] of questions) {
    const all = packetsOf(toys, hook, rich, [isMeant]).filter(isMeant).map(packet => new Set(ways({ toys }, hook, packet).map(way => way.fate)));
    for (const [fate, isIt] of fates) {
      const answer = ask(space, table, hook, constraint, [fate]);
      const expected = all.some(set => [...set].some(isIt));
      if (answer.kind !== (expected ? 'yes' : 'no')) fail(toys, `${hook} ${JSON.stringify(constraint)} ${fate}: ${answer.kind}`);
      if (answer.kind !== 'yes') continue;
      const packet = toPacket(answer.witness);
      const own = ways({ toys }, hook, packet).map(way => way.fate);
      if (!isMeant(packet) || !own.some(isIt)) fail(toys, `${hook} ${JSON.stringify(constraint)} ${fate}: the witness ${JSON.stringify(answer.witness)} is wrong`);
      if (answer.certain && !own.every(isIt)) fail(toys, `${hook} ${JSON.stringify(constraint)} ${fate}: ${JSON.stringify(answer.witness)} is not certain`);
      if (!hasUnknown && !answer.certain) fail(toys, `${hook} ${JSON.stringify(constraint)} ${fate}: nothing is unknown`);
    }
  }
}

for (const [name, rich, size] of [['plain', false, 4], ['rich', true, 3]] as const) {
  test(`ask agrees with trying every packet: ${name} rule sets`, t => {
    fc.assert(fc.property(toyRulesets(size, rich), toys => { checkAsk(toys, rich); }), { numRuns: Math.ceil(runs / (rich ? 8 : 4)), includeErrorInReport: true });
    t.pass();
  });
}

/** What a packet can meet once it has passed the rule: how it ends, and whether it is logged on the way. */
function afterwards(toys: ToyRuleset, rule: ToyRule, hook: string, packet: Packet, without: boolean): Set<string> {
  const out = new Set<string>();
  for (const { matched, fate } of ways({ toys, without: without ? rule : undefined }, hook, packet)) {
    const at = matched.indexOf(rule);
    if (at === -1) continue;
    out.add(fate);
    if (matched.slice(at).some(one => one.target === '-j LOG')) out.add('logged');
  }
  return out;
}

function checkRedundant(toys: ToyRuleset, rich: boolean): void {
  const { space, table, at } = loaded(toys);
  const answers = reach(space, table);
  const kinds = { INPUT: packetsOf(toys, 'INPUT', rich), OUTPUT: packetsOf(toys, 'OUTPUT', rich) };
  for (const rule of toys.rules) {
    if (answers.get(at(rule).rule)?.kind !== 'live') continue;
    const answer = redundant(space, table, at(rule));
    const isEnd = /^-j (?:ACCEPT|DROP|REJECT)/u.test(rule.target);
    if (rule.limit || (!isEnd && rule.target !== '-j RETURN')) {
      if (answer.kind !== 'needed') fail(toys, `${ruleText(rule)}: ${answer.kind}`);
      continue;
    }
    const pairs = hooks.flatMap(hook => kinds[hook].filter(packet => meets(rule, packet)).map(packet => [afterwards(toys, rule, hook, packet, false), afterwards(toys, rule, hook, packet, true)] as const));
    const isNeeded = isEnd ? pairs.some(([, after]) => [...after].some(fate => fate !== rule.target)) : pairs.some(([before, after]) => [...before].some(fate => !after.has(fate)) || [...after].some(fate => !before.has(fate)));
    // Of a RETURN the answer may be cautious where something is unknown or logged.
    const isExact = isEnd || !toys.rules.some(one => one.limit || one.target === '-j LOG' || one.target.includes('NFQUEUE'));
    if (answer.kind === 'redundant' ? isNeeded : answer.kind === 'needed' ? !isNeeded && isExact : true) fail(toys, `${ruleText(rule)}: ${answer.kind}, yet ${isNeeded ? 'needed' : 'redundant'}`);
  }
}

for (const [name, rich, size] of [['plain', false, 4], ['rich', true, 3]] as const) {
  test(`redundant agrees with leaving each rule out: ${name} rule sets`, t => {
    fc.assert(fc.property(toyRulesets(size, rich), toys => { checkRedundant(toys, rich); }), { numRuns: Math.ceil(runs / (rich ? 8 : 2)), includeErrorInReport: true });
    t.pass();
  });
}
