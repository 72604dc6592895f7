/** Whether a text may be written in place of another: no packet is to fare differently, and nothing else may be noticed of the change. */
import { isUndeclared, mayBeEntered } from '../checks/shared/parts.js';
import type { Loaded } from '../model/load.js';
import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import type { Reach, RuleAt } from '../packet-space/answers.js';
import { packetSpace, reach, redundant, type PacketSpace } from '../packet-space/index.js';
import { difference } from '../packet-space/pipeline/index.js';
import type { SolveBudget } from '../packet-space/pipeline/solve.js';
import { changesOf, type TableChanges } from './changes.js';
import { alone, noticing } from './observed.js';
import { isNoticed, isPure, onlyDecides } from './purity.js';

/** `why`: in words that go on from "not made: ". */
export type Proof = { readonly kind: 'proven' } | { readonly kind: 'refuted' | 'undecided'; readonly why: string };

export interface ProofOptions {
  /** Rules may be written in other words only; none may go, come or move. */
  readonly onlyWords: boolean;
  readonly budget: SolveBudget;
}

const proven: Proof = { kind: 'proven' };
const refuted = (why: string): Proof => ({ kind: 'refuted', why });
const tooLong: Proof = { kind: 'undecided', why: 'the proof that no packet fares differently takes too long' };

/** In a table with more rules that notice packets it is not asked of each what it notices. */
const mostNoticing = 40;

/** Errors by kind: a fix may not add one. */
function errorsOf({ diagnostics, omitted }: Loaded): ReadonlyMap<string, number> {
  const counts = new Map<string, number>([['', omitted]]);
  for (const { check, severity } of diagnostics) if (severity === 'error') counts.set(check, (counts.get(check) ?? 0) + 1);
  return counts;
}

/** Whether a text has errors that another has not. */
export function hasNewErrors(before: Loaded, after: Loaded): boolean {
  const known = errorsOf(before);
  return [...errorsOf(after)].some(([check, count]) => count > (known.get(check) ?? 0));
}

const spaces = new WeakMap<Ruleset, PacketSpace>();
const reached = new WeakMap<Table, ReadonlyMap<Rule, Reach>>();

function spaceOf(ruleset: Ruleset): PacketSpace {
  let space = spaces.get(ruleset);
  if (space === undefined) spaces.set(ruleset, space = packetSpace(ruleset));
  return space;
}

function reachOf(ruleset: Ruleset, table: Table, rule: Rule): Reach | undefined {
  let answers = reached.get(table);
  if (answers === undefined) reached.set(table, answers = reach(spaceOf(ruleset), table));
  return answers.get(rule);
}

/**
 * No packet matches the rule, and to ask it is noticed by nobody. If all rules that are taken away are such, every packet
 * meets the others as before: on its old way it matched none of those that go. So any number of them may go together.
 */
function isDead(ruleset: Ruleset, table: Table, { rule }: RuleAt): boolean {
  const answer = reachOf(ruleset, table, rule);
  if (answer === undefined || answer.kind === 'live' || answer.kind === 'undecided') return false;
  return (answer.kind === 'unreachable-chain' && answer.by.length === 0) || isPure(ruleset, table, rule);
}

/**
 * One rule goes, and nothing else changes: `redundant` answers that, and counts for a fate what targets do on the way. It says nothing
 * of rules that only count, and of what matches remember.
 */
function isRedundant(ruleset: Ruleset, { before, gone: [first, ...others], come, kept }: TableChanges): boolean {
  if (first === undefined || others.length > 0 || come.length > 0 || !onlyDecides(ruleset, before, first.rule)) return false;
  if (!kept.every(([{ rule }]) => rule.target.kind !== 'none' && isPure(ruleset, before, rule))) return false;
  return redundant(spaceOf(ruleset), before, first).kind === 'redundant';
}

/** The pipeline's search says that two rule sets do the same; undefined where they do not, or it cannot say. */
function isEquivalent(a: Ruleset, b: Ruleset, budget: SolveBudget): Proof {
  const answer = difference(a, b, { budget, limit: 1 });
  if (answer?.kind === 'equivalent') return proven;
  return answer?.kind === 'different' ? refuted('some packets would fare differently') : tooLong;
}

/**
 * One table, asked by itself, as no other stops anything: it decides the same about every packet, and writes the same into it. What follows
 * from that holds of the whole way. Then rule by rule for those that are noticed: the same packets come to it.
 */
function isTableEquivalent(a: Ruleset, b: Ruleset, changes: TableChanges, budget: SolveBudget): Proof {
  const { before, after, gone, come, kept } = changes;
  const doing = [...gone.filter(at => !isDead(a, before, at)), ...come.filter(at => !isDead(b, after, at))];
  if (!doing.every(at => onlyDecides(a, before, at.rule))) return refuted('it is about a rule that does more than decide');
  const noticed = kept.filter(([{ rule }]) => isNoticed(a, before, rule));
  if (noticed.length > mostNoticing) return { kind: 'undecided', why: `the table has ${String(noticed.length)} rules that log, mark, count or remember, and it is not proved that they see the same packets` };
  const fates = isEquivalent(alone(a, before), alone(b, after), budget);
  if (fates.kind !== 'proven') return fates;
  for (const [own, other] of noticed) {
    const same = isEquivalent(noticing(a, own.rule), noticing(b, other.rule), budget);
    if (same.kind !== 'proven') return same.kind === 'refuted' ? refuted(`other packets would come to rule ${own.chain}:${String(own.position)}, which is noticed`) : same;
  }
  return proven;
}

function proveRulesets(a: Ruleset, b: Ruleset, { onlyWords, budget }: ProofOptions): Proof {
  const changes = changesOf(a, b);
  if (changes === undefined) return refuted('it changes tables or policies');
  if (changes.length === 0) return proven;
  if (onlyWords) return refuted('only words of rules may be changed here');
  for (const { before, gone, come } of changes) {
    const entered = [...gone, ...come].find(({ chain }) => mayBeEntered(a, before, chain));
    if (entered !== undefined) return refuted(`what leads packets to chain ${entered.chain} is not in the file`);
  }
  if (changes.every(({ before, gone, come }) => come.length === 0 && gone.every(at => isDead(a, before, at)))) return proven;
  const [only, ...others] = changes;
  if (only !== undefined && others.length === 0 && isRedundant(a, only)) return proven;
  for (const one of changes) {
    const proof = isTableEquivalent(a, b, one, budget);
    if (proof.kind !== 'proven') return proof;
  }
  return proven;
}

/** The policies that chains of table filter may have which the file does not declare: `iptables-legacy-restore` leaves those that it finds. */
function policiesOf({ tables }: Ruleset): readonly ('ACCEPT' | 'DROP')[] {
  return [...tables.get('filter')?.chains.values() ?? []].some(chain => isUndeclared(chain) && chain.rules.length > 0) ? ['ACCEPT', 'DROP'] : ['ACCEPT'];
}

function withPolicy(ruleset: Ruleset, policy: 'ACCEPT' | 'DROP'): Ruleset {
  const filter = ruleset.tables.get('filter');
  if (policy === 'ACCEPT' || filter === undefined) return ruleset;
  const chains = new Map([...filter.chains].map(([name, chain]) => [name, isUndeclared(chain) ? { ...chain, policy } : chain]));
  return { ...ruleset, tables: new Map([...ruleset.tables, ['filter', { ...filter, chains }]]) };
}

/**
 * Proves that a file may be replaced by another: it loads without new errors, and for each family every packet fares as before, and comes as
 * before to each rule that logs, marks, counts or remembers. Never throws; what is too much for the budget is `undecided`.
 */
export function prove(before: Loaded, after: Loaded, options: ProofOptions): Proof {
  if (hasNewErrors(before, after)) return refuted('the file would not load any more');
  if (before.rulesets.length !== after.rulesets.length) return refuted('nothing would be left of a family');
  for (const [index, ruleset] of before.rulesets.entries()) {
    const other = after.rulesets[index];
    if (other?.family !== ruleset.family) return refuted('nothing would be left of a family');
    for (const policy of policiesOf(ruleset)) {
      const proof = proveRulesets(withPolicy(ruleset, policy), withPolicy(other, policy), options);
      if (proof.kind === 'refuted' && policy === 'DROP') return refuted(`${proof.why} if the policy is DROP, and the file declares none`);
      if (proof.kind !== 'proven') return proof;
    }
  }
  return proven;
}
