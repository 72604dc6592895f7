/** Rules that let conversations begin of which some get no answer: who is not answered, and who drops it. */
import { all, any, within, type Constraint } from '../../packet/constraint.js';
import { isPrivate } from '../../packet/address-blocks.js';
import { isUnresolved, type Rule } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { RuleConstraints } from '../../packet-space/rule-constraint.js';
import { lostReplies, lostWith, whereLost, type ConversationQuestion, type LostPackets, type LostPlaces, type LostReply, type Path, type Pipeline } from '../../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../../packet-space/pipeline/solve.js';
import type { Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';
import { isPolicy } from './deciders.js';
import { everydayClient, notLoopback, type Exchange } from './replies.js';
import { isAside, isForOthers, type Doubt } from './unanswered.js';

/** Replies that one rule or policy drops. */
export interface SomeReplies extends LostReply {
  readonly doubt: Doubt;
  /** People whom the rule lets in get no answer, and nothing says that this is meant. */
  readonly isEveryday: boolean;
  /** Those of which the same is to be said. */
  readonly packets: () => LostPackets;
}

/** As many rules that drop replies are told of one rule. */
const killerLimit = 3;
/** In more places than this, and each rule is asked about by itself. */
const placeLimit = 128;
/** What all questions may cost. */
const wholeBudget = { packets: 20_000, work: 300_000 };

/** Addresses of single hosts, other than those of a link only. */
function unicast(field: 'src' | 'dst', family: Family): Constraint {
  const from = (a: number, b = 0): number => (a * 256 + b) * 65_536;
  return family === 'ipv4' ? any([within(field, from(128), from(169, 254) - 1), within(field, from(169, 255), from(224) - 1), within(field, from(1), from(127) - 1)])
    : any([within(field, 0x2000n << 112n, (0x4000n << 112n) - 1n), within(field, 0xfcn << 120n, (0xfen << 120n) - 1n)]);
}

/** What all of these packets have in common: they go from one host to another, over a network. */
export function betweenHosts(family: Family): Constraint {
  return all([notLoopback, unicast('src', family), unicast('dst', family)]);
}

const questions = new WeakMap<Exchange, Map<string, ConversationQuestion>>();

/** One question is asked about many rules. */
function questionOf({ ruleset: { family } }: CheckContext, path: Path, exchange: Exchange, everyday: boolean): ConversationQuestion {
  let known = questions.get(exchange);
  if (known === undefined) questions.set(exchange, known = new Map<string, ConversationQuestion>());
  const key = `${path} ${String(everyday)}`;
  let question = known.get(key);
  if (question === undefined) known.set(key, question = { path, packets: all([exchange.first, betweenHosts(family), ...everyday ? [everydayClient.first] : []]), answers: exchange.reply });
  return question;
}

/** Replies that are lost, of the first kind of exchange of which some are; those to everyday clients if there are any. */
export function someReplies(cx: CheckContext, pipeline: Pipeline, { table, rule }: RuleAt, doubts: readonly Doubt[]): readonly SomeReplies[] {
  const asks = new RuleConstraints(cx.ruleset, table).of(rule);
  for (const doubt of doubts) {
    const found = repliesOf(cx, pipeline, { rule, asks }, doubt);
    if (found.length > 0) return isForOthers(pipeline, rule, doubt) || isAside(pipeline, rule, doubt) ? [] : found;
  }
  return [];
}

interface Asker {
  readonly rule: Rule;
  readonly asks: Constraint;
}

function repliesOf(cx: CheckContext, pipeline: Pipeline, { rule, asks }: Asker, doubt: Doubt): readonly SomeReplies[] {
  const { path, exchange } = doubt;
  const places = placesOf(cx, pipeline, questionOf(cx, path, exchange, false));
  if (places?.length === 0) return [];
  for (const everyday of exchange.isPing ? [false] : [true, false]) {
    const question = questionOf(cx, path, exchange, everyday);
    const { left } = askedOf(pipeline);
    if (left.work <= 0 || left.packets <= 0) continue;
    const found: SomeReplies[] = [];
    const search = lostReplies(pipeline, rule, question, { limit: killerLimit, budget: left, places });
    let next = search.next();
    for (; next.done !== true; next = search.next()) {
      const lost = next.value;
      const who = whoIs(question, lost);
      if (who !== 'unknown') found.push({ ...lost, doubt, isEveryday: everyday && who === 'everyday' && !isMeant(lost), packets: () => lostWith(pipeline, question, lost, { packets: exchange.first, asks }) });
    }
    if (next.value === 'undecided') cx.undecided();
    if (found.length > 0) return found;
  }
  return [];
}

interface Asked {
  /** What all questions about rules may cost together. */
  readonly left: SolveBudget;
  readonly places: Map<ConversationQuestion, LostPlaces | undefined>;
}

const known = new WeakMap<Pipeline, Asked>();

function askedOf(pipeline: Pipeline): Asked {
  let asked = known.get(pipeline);
  if (asked === undefined) known.set(pipeline, asked = { left: solveBudget(wholeBudget.packets, wholeBudget.work), places: new Map() });
  return asked;
}

/** Where replies are lost, by whatever rule their conversations began: elsewhere no rule need be asked about. Undefined: anywhere. Where that is too much to ask, nowhere. */
function placesOf(cx: CheckContext, pipeline: Pipeline, question: ConversationQuestion): LostPlaces | undefined {
  const { places } = askedOf(pipeline);
  if (!places.has(question)) {
    const found = whereLost(pipeline, question, { limit: placeLimit, budget: solveBudget(wholeBudget.packets, wholeBudget.work) });
    if (found === 'undecided') cx.undecided();
    places.set(question, found === 'many' ? undefined : found === 'undecided' ? [] : found);
  }
  return places.get(question);
}

/**
 * Who is there to be asked, and where, is for routing to say, and not for these rules (they keep liars out by it). `unknown`: whoever asks somebody else
 * gets an answer; `somebody`: he would by another interface.
 */
function whoIs({ path }: ConversationQuestion, { isLostFor }: LostReply): 'everyday' | 'somebody' | 'unknown' {
  if (path === 'out') return isLostFor(['sport', 'dport']) ? 'everyday' : 'unknown';
  if (!isLostFor(['src', 'sport', 'dport', 'in'])) return 'unknown';
  return isLostFor(['src', 'sport', 'dport']) ? 'everyday' : 'somebody';
}

/** Whoever names private networks in a rule that drops replies means to keep them away. */
function isMeant({ by }: LostReply): boolean {
  const to = isPolicy(by) ? undefined : by.rule.destination;
  return to !== undefined && !to.negated && !isUnresolved(to.value) && isPrivate(to.value.address);
}
