/** Rules that let conversations begin of which some get no answer: who is not answered, and who drops it. */
import { all, type Constraint, type Field } from '../../packet/constraint.js';
import { isPrivate } from '../../packet/address-blocks.js';
import type { Rule } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { areAllEveryday, comesByPlaces, lostReplies, lostWith, whereLost, type ConversationQuestion, type LostPackets, type LostPlaces, type LostReply, type Path, type Pipeline } from '../../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../../packet-space/pipeline/solve.js';
import type { Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';
import { rangesOf } from './asked.js';
import { betweenHosts } from './between-hosts.js';
import { everydayClient, hasNotrack, tcpClient, type Exchange } from './replies.js';
import { doubtsAbout, isAside, isForOthers, type Doubt } from './unanswered.js';

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
const wholeBudget = { packets: 20_000, work: 1_000_000 };

const questions = new WeakMap<Exchange, Map<string, ConversationQuestion>>();

type Who = 'everyday client' | 'client' | 'anybody';

function from(who: Who, { isTcp }: Exchange, family: Family): readonly Constraint[] {
  if (who === 'anybody') return [];
  return [betweenHosts(family), ...who === 'everyday client' ? [everydayClient.first] : isTcp ? [tcpClient] : []];
}

/** One question is asked about many rules. */
function questionOf({ ruleset: { family } }: CheckContext, path: Path, exchange: Exchange, who: Who): ConversationQuestion {
  let known = questions.get(exchange);
  if (known === undefined) questions.set(exchange, known = new Map<string, ConversationQuestion>());
  const key = `${path} ${who}`;
  let question = known.get(key);
  if (question === undefined) known.set(key, question = { path, packets: all([exchange.first, ...from(who, exchange, family)]), answers: exchange.reply });
  return question;
}

/** Replies that are lost, of the first kind of exchange of which some are; those to everyday clients if there are any. */
export function someReplies(cx: CheckContext, pipeline: Pipeline, at: RuleAt, doubts: readonly Doubt[]): readonly SomeReplies[] {
  const { table, rule } = at;
  for (const doubt of doubtsAbout(cx, at, doubts)) {
    const { path } = doubt;
    const { where } = placesOf(cx, pipeline, doubts.filter(one => one.path === path));
    const found = where === 'nowhere' || !isNear(pipeline, path, rule, where) ? [] : repliesOf(cx, pipeline, { table, rule, where }, doubt);
    if (found.length > 0) return isForOthers(pipeline, rule, doubt) || isAside(pipeline, rule, doubt) ? [] : found;
  }
  return [];
}

/** Whether what was asked about other rules says that every conversation is answered which this one lets begin. */
export function areAnsweredSurely(cx: CheckContext, pipeline: Pipeline, at: RuleAt, doubts: readonly Doubt[]): boolean {
  const { places } = askedOf(pipeline);
  return doubtsAbout(cx, at, doubts).every(({ path }) => {
    const found = places.get(path);
    return found?.areAll === true && !isNear(pipeline, path, at.rule, found.where);
  });
}

/** Whether a packet may come by the rule whose answer is lost. */
function isNear(pipeline: Pipeline, path: Path, rule: Rule, where: Where): boolean {
  if (typeof where === 'string') return where === 'anywhere';
  let known = nearTo.get(where);
  if (known === undefined) nearTo.set(where, known = new Map<Rule, boolean>());
  let near = known.get(rule);
  if (near === undefined) known.set(rule, near = comesByPlaces(pipeline, path, rule, where));
  return near;
}

const nearTo = new WeakMap<LostPlaces, Map<Rule, boolean>>();

interface Asker {
  readonly table: string;
  readonly rule: Rule;
  readonly where: LostPlaces | 'anywhere';
}

/** Of everyday clients there are none, where there are none of all. */
function repliesOf(cx: CheckContext, pipeline: Pipeline, asker: Asker, doubt: Doubt): readonly SomeReplies[] {
  const all = repliesTo(cx, pipeline, asker, doubt, 'client');
  if (doubt.exchange.isPing || (all.isAll && all.found.length === 0)) return all.found;
  const { found } = repliesTo(cx, pipeline, asker, doubt, 'everyday client');
  return found.length > 0 ? found : all.found;
}

function repliesTo(cx: CheckContext, pipeline: Pipeline, { table, rule, where }: Asker, doubt: Doubt, who: Who): { readonly found: readonly SomeReplies[]; readonly isAll: boolean } {
  const { path, exchange } = doubt;
  const question = questionOf(cx, path, exchange, who);
  const asked = askedOf(pipeline);
  const { left } = asked;
  const found: SomeReplies[] = [];
  if (left.work <= 0 || left.packets <= 0) {
    if (!asked.isSpent) cx.undecided();
    asked.isSpent = true;
    return { found, isAll: true };
  }
  const search = lostReplies(pipeline, rule, question, { limit: killerLimit, budget: left, places: where === 'anywhere' ? undefined : where, who: clientOf[path] });
  let next = search.next();
  for (; next.done !== true; next = search.next()) {
    const lost = next.value;
    found.push({ ...lost, doubt, isEveryday: who === 'everyday client' && isAnywhere(question, lost) && !isMeant(cx, lost), packets: () => lostWith(pipeline, question, lost, { packets: exchange.first, asks: constraintsOf(cx.ruleset, table).of(rule) }) });
  }
  if (next.value === 'undecided') {
    cx.undecided();
    asked.isSpent = true;
  }
  return { found, isAll: next.value === 'complete' };
}

type Where = LostPlaces | 'anywhere' | 'nowhere';

interface Lost {
  readonly where: Where;
  /** Elsewhere there is nothing whose answer is lost, be it as odd as it may. */
  readonly areAll: boolean;
}

interface Asked {
  /** What all questions about rules may cost together. */
  readonly left: SolveBudget;
  /** Nothing of it is left, and that was told. */
  isSpent: boolean;
  readonly places: Map<Path, Lost>;
}

const known = new WeakMap<Pipeline, Asked>();

function askedOf(pipeline: Pipeline): Asked {
  let asked = known.get(pipeline);
  if (asked === undefined) known.set(pipeline, asked = { left: solveBudget(wholeBudget.packets, wholeBudget.work), isSpent: false, places: new Map() });
  return asked;
}

/** Where replies are lost on a path, by whatever rule their conversations began: elsewhere no rule need be asked about. Where that is too much to ask, nowhere. */
function placesOf(cx: CheckContext, pipeline: Pipeline, doubts: readonly Doubt[]): Lost {
  const { places } = askedOf(pipeline);
  const path = doubts[0]?.path ?? 'in';
  let lost = places.get(path);
  if (lost === undefined) {
    const questions = doubts.map(({ exchange }) => questionOf(cx, path, exchange, 'anybody'));
    const found = whereLost(pipeline, questions, { limit: placeLimit, budget: solveBudget(wholeBudget.packets, wholeBudget.work) });
    if (found === 'undecided') cx.undecided();
    const where = found === 'many' ? 'anywhere' : found === 'undecided' || found.places.length === 0 ? 'nowhere' : found;
    places.set(path, lost = { where, areAll: found !== 'undecided' && areAllEveryday(pipeline) && !hasNotrack(cx.ruleset) });
  }
  return lost;
}

/**
 * Who is there to be asked, and where, is for routing to say, and not for these rules (they keep liars out by it). So those are looked for who get no answer from
 * anybody.
 */
const clientOf: Readonly<Record<Path, readonly Field[]>> = { in: ['src', 'sport', 'dport', 'in'], through: ['src', 'sport', 'dport', 'in'], out: ['sport', 'dport'], loop: ['sport', 'dport'] };

/** Whether it is the same for whoever comes by another interface. */
function isAnywhere({ path }: ConversationQuestion, { isLostFor }: LostReply): boolean {
  return !clientOf[path].includes('in') || isLostFor(clientOf[path].filter(field => field !== 'in'));
}

/** Whoever names private networks in a rule that drops replies, or in one that leads there, means to keep them away. */
function isMeant({ ruleset }: CheckContext, { rules }: LostReply): boolean {
  return rules.some(({ table, rule }) => rangesOf(constraintsOf(ruleset, table).of(rule), 'dst')?.every(({ low }) => isPrivate(low)) === true);
}
