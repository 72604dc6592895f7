/** Rules of FORWARD that close a port which a program, as docker, has opened before them: whoever wrote them thinks it closed. */
import { isUnresolved, type Rule, type Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith, redundant } from '../../packet-space/index.js';
import { onward, type Sighting } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, type Constraint } from '../../packet/constraint.js';
import { meet, rangesOf } from './asked.js';
import type { CheckContext } from '../define-check.js';
import { liveTranslations, pathsBehind, type Asking } from './nat-rules.js';
import { isOwnDoing, ownerOf } from './owners.js';
import { fromAnybody, strangers } from './strangers.js';
import { effectOf, refuses } from './targets.js';
import type { Translation } from './translations.js';

/** A rule that drops what is for a published port, the rule that lets strangers' connections there in before, and the translation that sends them. */
export interface LateClosing {
  readonly at: RuleAt;
  readonly by: RuleAt;
  readonly translation: Translation;
  readonly passes: Sighting;
}

/** What one question may cost, and how many are asked. */
const budget = { packets: 1000, work: 100_000 };
const questionLimit = 200;

const known = new WeakMap<CheckContext, ReadonlyMap<Rule, LateClosing>>();

/** By rule; of what is published, the first. */
export function lateClosings(cx: CheckContext): ReadonlyMap<Rule, LateClosing> {
  let found = known.get(cx);
  if (found === undefined) {
    const filter = cx.ruleset.tables.get('filter');
    known.set(cx, found = new Map(filter === undefined ? [] : findLate(cx, filter)));
  }
  return found;
}

function* findLate(cx: CheckContext, filter: Table): Generator<[Rule, LateClosing], void> {
  const published = [...liveTranslations(cx, 'destination')].filter(({ translation }) => typeof translation.address !== 'string' && pathsBehind(cx, translation).includes('through') && ownerOf(cx.ruleset, translation.at) !== undefined);
  if (published.length === 0) return;
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const hooks = hooksOf(filter);
  let left = questionLimit;
  for (const at of cx.rules(filter)) {
    if (!refuses(at.rule) || !(hooks.get(at.chain) ?? []).every(hook => hook === 'FORWARD') || cx.reach(filter).get(at.rule)?.kind !== 'live') continue;
    const asks = constraints.of(at.rule);
    for (const one of rangesOf(asks, 'dport') === undefined ? [] : published) {
      const behind = sentTo(one);
      if (!(['protocol', 'dst', 'dport'] as const).every(field => meet(rangesOf(asks, field), rangesOf(behind, field)))) continue;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      const found = openedBefore(cx, filter, at, one, all([asks, behind, fromAnybody(cx), is('ctstate', ctstates.NEW)]));
      if (found === undefined) continue;
      yield [at.rule, found];
      break;
    }
  }
}

/** What a packet is behind a translation. */
function sentTo({ translation: { address, ports }, asks }: Asking): Constraint {
  const within = (field: 'protocol' | 'dst' | 'dport', ranges = rangesOf(asks, field)): Constraint[] => ranges === undefined ? [] : [{ kind: 'within', field, ranges }];
  return all([...within('protocol'), ...typeof address === 'string' ? [] : within('dst', address), ...within('dport', ports)]);
}

function openedBefore(cx: CheckContext, filter: Table, at: RuleAt, { translation }: Asking, packets: Constraint): LateClosing | undefined {
  const { ruleset } = cx;
  const answer = ask(cx.space(), filter, 'FORWARD', packets, ['accept']);
  if (answer.kind !== 'yes' || !answer.certain || !('rule' in answer.by)) return undefined;
  const { by, witness: { out } } = answer;
  // Who writes both an exception and the rule means both.
  if (!isOwnDoing(ruleset, by, []) || ownerOf(ruleset, by) !== ownerOf(ruleset, translation.at) || !isAboutIt(cx, filter, at)) return undefined;
  const there = all([packets, ...out === undefined ? [] : [{ kind: 'interface', field: 'out', name: out, prefix: false } as const]]);
  const reached = reachWith(cx.space(), filter, at, there, 'FORWARD').kind;
  const pipeline = reached === 'live' || reached === 'undecided' ? undefined : cx.pipeline();
  if (pipeline === undefined) return undefined;
  const through = onward(pipeline, translation.at.rule, { path: 'through', packets: strangers(cx), budget: solveBudget(budget.packets, budget.work) });
  return through.kind === 'passes' ? { at, by, translation, passes: through.found } : undefined;
}

/** It says where it is about, or stops nothing else, or there is nobody else for whom the host passes anything on: else it may be for what others send through. */
function isAboutIt(cx: CheckContext, filter: Table, at: RuleAt): boolean {
  const { inInterface, outInterface, destination } = at.rule;
  return [inInterface, outInterface, destination].some(one => one?.negated === false) || redundant(cx.space(), filter, at).kind === 'redundant' || !isForOthers(cx, filter);
}

/** Whether people have the host translate for others, or write more into FORWARD than what is not to pass. */
function isForOthers(cx: CheckContext, filter: Table): boolean {
  const nat = cx.ruleset.tables.get('nat');
  const isOurs = (at: RuleAt): boolean => ownerOf(cx.ruleset, at) === undefined;
  return cx.rules(filter).some(at => at.chain === 'FORWARD' && isOurs(at) && !refuses(at.rule)) || (nat !== undefined && cx.rules(nat).some(at => effectOf(at.rule) === 'nat' && isOurs(at) && !isToItself(at.rule)));
}

/** What docker translates of a container that comes to itself by a port that it publishes: no interface is named. */
function isToItself({ source, destination }: Rule): boolean {
  if (source === undefined || destination === undefined || isUnresolved(source.value) || isUnresolved(destination.value)) return false;
  return source.value.address === destination.value.address && source.value.mask === destination.value.mask;
}
