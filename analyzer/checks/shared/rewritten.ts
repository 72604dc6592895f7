/** Rules that ask for the address or port that packets had before nat rewrote it: no connection begins by them. */
import type { Rule, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { keptAway, type Pipeline } from '../../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { ctstates, is, type Constraint } from '../../packet/constraint.js';
import { areCovered, meet, rangesOf, united } from './asked.js';
import type { CheckContext } from '../define-check.js';
import { effectOf } from './targets.js';
import { translationsOf, type Translation } from './translations.js';

/** A rule, and what rewrites all that it is for. */
export interface Rewritten {
  readonly at: RuleAt;
  /** What the rule asks of a packet, for itself. */
  readonly asks: Constraint;
  /** The translations, in the order of the file. */
  readonly by: readonly Translation[];
}

/** What one rule may cost, and all of them: the rest is undecided. */
const ruleBudget = { packets: 2000, work: 200_000 };
const totalWork = 1_000_000;
/** Pairs of a rule and a translation that are looked at. */
const pairLimit = 300_000;
/** Rules about which it is asked. */
const questionLimit = 100;

const known = new WeakMap<CheckContext, Map<Table, ReadonlyMap<Rule, Rewritten>>>();

/**
 * Rules of a table that some first packet of a connection could match, were it not that rules of table nat at an earlier hook rewrite
 * the destination or the port that they ask for.
 */
export function rewrittenRules(cx: CheckContext, table: Table): ReadonlyMap<Rule, Rewritten> {
  let mine = known.get(cx);
  if (mine === undefined) known.set(cx, mine = new Map<Table, ReadonlyMap<Rule, Rewritten>>());
  let found = mine.get(table);
  if (found === undefined) mine.set(table, found = findRewritten(cx, table));
  return found;
}

/** The translations behind which a rule of the table that lets packets on, or leads them on, asks for what they were before: that is why they are lost. */
export function misnamed(cx: CheckContext, table: Table): ReadonlySet<Rule> {
  const letting = [...rewrittenRules(cx, table).values()].filter(({ at }) => !['drop', 'reject'].includes(effectOf(at.rule) ?? ''));
  return new Set(letting.flatMap(({ by }) => by.map(({ at }) => at.rule)));
}

/** A translation of destinations, and what its rule asks of them as they come. */
interface Before {
  readonly translation: Translation;
  readonly asks: Constraint;
}

function findRewritten(cx: CheckContext, table: Table): ReadonlyMap<Rule, Rewritten> {
  const found = new Map<Rule, Rewritten>();
  const befores = destinationsOf(cx);
  if (befores.length === 0) return found;
  const constraints = constraintsOf(cx.ruleset, table.name);
  const rewriters = rewritersOf(cx, table, befores);
  const [taken, takenPorts] = [united(befores.map(one => rangesOf(one.asks, 'dst'))), united(befores.map(one => rangesOf(one.asks, 'dport')))];
  let [pairs, questions] = [pairLimit, questionLimit];
  for (const at of rulesBehind(cx, table)) {
    const asks = constraints.of(at.rule);
    const [dst, dport] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport')];
    if ((dst === undefined && dport === undefined) || !meet(dst, taken) || !meet(dport, takenPorts)) continue;
    if ((pairs -= befores.length) < 0) {
      cx.undecided();
      break;
    }
    const named = befores.filter(one => names(asks, one) && one.translation.at.rule !== at.rule);
    const by = named.map(one => one.translation);
    if (by.length === 0 || befores.some(one => isNamedBehind(asks, one)) || !mayTakeAll(at, asks, named) || reachWith(cx.space(), table, at, is('ctstate', ctstates.NEW)).kind !== 'live') continue;
    const pipeline = questions-- > 0 ? cx.pipeline() : undefined;
    if (questions === -1) cx.undecided();
    if (pipeline === undefined) break;
    const used = rewriting(cx, pipeline, at, rewriters);
    const guilty = by.filter(one => used?.has(one.at.rule));
    if (guilty.length > 0) found.set(at.rule, { at, asks, by: guilty });
  }
  return withoutCalled(cx, table, found);
}

function destinationsOf(cx: CheckContext): readonly Before[] {
  const nat = cx.ruleset.tables.get('nat');
  const translations = translationsOf(cx.ruleset).filter(one => one.side === 'destination');
  if (nat === undefined || translations.length === 0) return [];
  const constraints = constraintsOf(cx.ruleset, nat.name);
  return translations.map(translation => ({ translation, asks: constraints.of(translation.at.rule) }));
}

/** Whether a rule asks for what comes of a translation, by its address: so it should be, and if nothing comes, that is another's fault. */
function isNamedBehind(asks: Constraint, { translation: { address, ports }, asks: before }: Before): boolean {
  const dst = rangesOf(asks, 'dst');
  return typeof address !== 'string' && dst !== undefined && areCovered(dst, [address]) && meet(rangesOf(asks, 'dport'), ports ?? rangesOf(before, 'dport'));
}

/** Whether a rule asks for what the translation takes, and does so by a field that it writes. */
function names(asks: Constraint, { translation, asks: before }: Before): boolean {
  const [dst, dport] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport')];
  const isNamed = (translation.address !== 'same' && dst !== undefined) || (translation.ports !== undefined && dport !== undefined);
  return isNamed && meet(dst, rangesOf(before, 'dst')) && meet(dport, rangesOf(before, 'dport')) && meet(rangesOf(asks, 'protocol'), rangesOf(before, 'protocol'));
}

/** The rules behind which no destination is translated any more: all of table filter; of nat, what stands behind the routing. */
function* rulesBehind(cx: CheckContext, table: Table): Generator<RuleAt, void> {
  const hooks = hooksOf(table);
  for (const at of cx.rules(table)) {
    if (table.name !== 'nat' || (hooks.get(at.chain) ?? []).every(hook => hook === 'POSTROUTING' || hook === 'INPUT')) yield at;
  }
}

/** Whether the translations, as far as each says it in few words, leave nothing of what a rule asks for. */
function mayTakeAll({ rule }: RuleAt, asks: Constraint, befores: readonly Before[]): boolean {
  if (rule.inInterface === undefined && rule.outInterface?.value.name !== 'lo' && befores.every(({ translation: { at } }) => at.rule.inInterface !== undefined && !at.rule.inInterface.negated)) return false;
  return (['protocol', 'dst', 'dport', 'src'] as const).every(field => areCovered(rangesOf(asks, field), befores.map(one => rangesOf(one.asks, field))));
}

/**
 * The rules of nat because of which no first packet comes to a rule of a table; undefined where one may, or where it would not come even without them.
 * `own`: the rules of the table that are no translations of destinations.
 */
function rewriting(cx: CheckContext, pipeline: Pipeline, at: RuleAt, { own, nat, total }: Rewriters): ReadonlySet<Rule> | undefined {
  const prove = (by: readonly Rule[]): ReturnType<typeof keptAway> => {
    const budget = solveBudget(ruleBudget.packets, Math.min(ruleBudget.work, total.work));
    const before = budget.work;
    const used = keptAway(pipeline, at.rule, by, { budget });
    total.work -= before - budget.work;
    if (used === undefined && (budget.packets <= 0 || budget.work <= 0)) cx.undecided();
    return used;
  };
  const used = prove([...own, ...nat].filter(rule => rule !== at.rule));
  return used === undefined || prove(own.filter(rule => rule !== at.rule)) !== undefined ? undefined : new Set(used.map(one => one.rule));
}

/** What proofs are made of, and what they may cost. */
interface Rewriters {
  readonly own: readonly Rule[];
  readonly nat: readonly Rule[];
  readonly total: SolveBudget;
}

function rewritersOf({ ruleset }: CheckContext, table: Table, befores: readonly Before[]): Rewriters {
  const rulesIn = (one: Table | undefined): readonly Rule[] => [...one?.chains.values() ?? []].flatMap(chain => chain.rules);
  const translating = new Set(befores.map(one => one.translation.at.rule));
  return { own: rulesIn(table).filter(rule => !translating.has(rule)), nat: rulesIn(ruleset.tables.get('nat')), total: solveBudget(Infinity, totalWork) };
}

/** Without those in chains that only such rules call: the jumps say it all. */
function withoutCalled(cx: CheckContext, table: Table, found: ReadonlyMap<Rule, Rewritten>): ReadonlyMap<Rule, Rewritten> {
  if (found.size === 0) return found;
  const called = new Set<string>();
  for (const { rule } of cx.rules(table)) if (rule.target.kind === 'chain' && !found.has(rule)) called.add(rule.target.name);
  return new Map([...found].filter(([, { at }]) => table.chains.get(at.chain)?.hook !== undefined || called.has(at.chain)));
}
