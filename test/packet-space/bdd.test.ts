/** Exact reasoning beside binary decision diagrams: the same answer for every rule of sets of hundreds of rules. */
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import type { Rule, Table } from '../../analyzer/model/ruleset.js';
import type { Reach, RuleAt } from '../../analyzer/packet-space/answers.js';
import { packetSpace, partlyShadowed, reach, redundant, type PacketSpace } from '../../analyzer/packet-space/index.js';
import { TooLarge } from './bdd.js';
import { Judge, type Judged } from './bdd-judge.js';
import { PacketSets, sampleValues } from './bdd-packets.js';
import { readRules, type ReadRule } from './bdd-rules.js';
import { drawRuleset, kinds, type Wanted } from './bdd-rulesets.js';

/** Sets of each kind; more by hand: `SPACE_JUDGED=200`. */
const runs = Number(process.env['SPACE_JUDGED'] ?? 12);
/** A diagram with more nodes than this is given up, and one of half the rules drawn instead. */
const nodeLimit = 1_500_000;

interface Court {
  readonly wanted: Wanted;
  readonly text: string;
  readonly judge: Judge;
  readonly judged: Judged;
  readonly space: PacketSpace;
  readonly table: Table;
  readonly answers: ReadonlyMap<Rule, Reach>;
}

function court(wanted: Wanted): Court {
  const { family } = wanted;
  const text = drawRuleset(wanted);
  const sets = new PacketSets(family, nodeLimit);
  const judge = new Judge(sets, readRules(sets, text));
  const judged = judge.judge();
  const { rulesets: [ruleset], diagnostics } = load({ path: 'drawn', text }, { family, backend: 'legacy' });
  const error = diagnostics.find(one => one.severity === 'error');
  const table = ruleset?.tables.get('filter');
  if (error !== undefined || ruleset === undefined || table === undefined) throw new Error(error?.message ?? text);
  const space = packetSpace(ruleset);
  return { wanted, text, judge, judged, space, table, answers: reach(space, table) };
}

function placeOf({ table }: Court, { chain, position }: ReadRule): RuleAt {
  const rule = table.chains.get(chain)?.rules[position - 1];
  if (rule === undefined) throw new Error(`${chain} ${String(position)}`);
  return { table: table.name, chain, position, rule };
}

function readRule({ judge }: Court, { chain, position }: RuleAt): ReadRule {
  const rule = judge.chains.get(chain)?.rules[position - 1];
  if (rule === undefined) throw new Error(`${chain} ${String(position)}`);
  return rule;
}

function fail({ wanted }: Court, rule: ReadRule, message: string): never {
  throw new Error(`${rule.chain} ${String(rule.position)}, ${rule.text}: ${message}; in ${JSON.stringify(wanted)}`);
}

/** @returns whether any of the rules could be missing: where the budget ended, a few may be more than needed */
function checkCertificate(court: Court, rule: ReadRule, by: readonly RuleAt[]): boolean {
  const certain = by.map(one => readRule(court, one));
  if (court.judge.mayMatch(rule, new Set(certain))) fail(court, rule, `not taken by ${certain.map(one => one.text).join('; ')} alone`);
  return certain.some(one => !court.judge.mayMatch(rule, new Set(certain.filter(other => other !== one))));
}

/** @returns what the answer is, in words. */
function checkReach(court: Court, rule: ReadRule): string {
  const { judge, judged } = court;
  const answer = court.answers.get(placeOf(court, rule).rule);
  const matched = judged.matched.get(rule);
  const expected = matched === undefined ? judge.whyDead(rule, judged) : 'live';
  if (answer?.kind !== expected) fail(court, rule, `${answer?.kind ?? 'no answer'}, yet ${expected}`);
  if (answer.kind === 'shadowed') return checkCertificate(court, rule, answer.by) ? 'shadowed by more than needed' : answer.kind;
  if (answer.kind !== 'live') return answer.kind;
  const bits = judge.sets.bitsOf(sampleValues(answer.witness, answer.hook, judge.sets.family));
  if (!judge.sets.bdd.has(matched?.get(answer.hook) ?? 0, bits)) fail(court, rule, `its witness does not match it in ${answer.hook}: ${JSON.stringify(answer.witness)}`);
  return answer.kind;
}

function checkRedundant(court: Court, rule: ReadRule): boolean {
  const answer = redundant(court.space, court.table, placeOf(court, rule));
  const isJudgedSo = (rule.target.kind === 'end' || rule.target.kind === 'return') && court.judge.isRedundant(rule, court.judged);
  // Of a RETURN the answer may be cautious where something is logged.
  if (rule.target.kind === 'return' && court.text.includes('-j LOG') && answer.kind === 'needed') return false;
  if (answer.kind !== (isJudgedSo ? 'redundant' : 'needed')) fail(court, rule, `${answer.kind}, yet ${isJudgedSo ? 'redundant' : 'needed'}`);
  return isJudgedSo;
}

/** @returns what the answer is: where the budget ends, it may be open. */
function checkPartly(court: Court, rule: ReadRule): string {
  const { kind } = partlyShadowed(court.space, court.table, placeOf(court, rule));
  const expected = court.judge.isPartlyShadowed(rule, court.judged) ? 'partly-shadowed' : 'no';
  if (kind === expected || kind === 'undecided') return kind;
  // That a goto which leads some packets to the rule keeps others from coming to it later is not looked for.
  if (kind === 'no' && court.judge.isBehindGoto(rule.chain)) return 'missed behind a goto';
  return fail(court, rule, `${kind}, yet ${expected}`);
}

function checkSet(wanted: Wanted): Record<string, number> {
  const counts: Record<string, number> = {};
  const one = court(wanted);
  for (const rule of [...one.judge.chains.values()].flatMap(chain => chain.rules)) {
    const kind = checkReach(one, rule);
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (kind !== 'live') continue;
    for (const more of [checkRedundant(one, rule) ? 'redundant' : 'needed', `partly shadowed: ${checkPartly(one, rule)}`]) counts[more] = (counts[more] ?? 0) + 1;
  }
  return counts;
}

/** A set that the diagrams can hold: where they cannot, one of half the size. */
function checkSmaller(wanted: Wanted): Record<string, number> {
  try {
    return checkSet(wanted);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return { 'drawn smaller': 1, ...checkSmaller({ ...wanted, rules: wanted.rules >> 1 }) };
  }
}

const sizes = [100, 150, 250, 400, 600, 800, 1000];
/** Diagrams of more rules than this are mostly too large; IPv6 has four times the bits. */
const mostRules = { 'access list': { ipv4: 1000, ipv6: 600 }, blocklist: { ipv4: 1000, ipv6: 1000 }, nested: { ipv4: 800, ipv6: 250 } } as const;

for (const kind of kinds) for (const family of ['ipv4', 'ipv6'] as const) {
  test(`reach, redundant and partlyShadowed agree with decision diagrams about every rule: ${kind}, ${family}`, t => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= Math.ceil(runs / 2); seed++) {
      for (const [key, count] of Object.entries(checkSmaller({ kind, family, rules: Math.min(mostRules[kind][family], sizes[seed % sizes.length] ?? 100), seed }))) counts.set(key, (counts.get(key) ?? 0) + count);
    }
    t.log(Object.fromEntries(counts));
    t.true(['live', 'redundant', 'shadowed'].every(key => (counts.get(key) ?? 0) > 0));
    t.true((counts.get('shadowed by more than needed') ?? 0) < (counts.get('shadowed') ?? 0) / 50);
  });
}
