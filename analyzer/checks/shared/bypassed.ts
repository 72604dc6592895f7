/** Rules of INPUT about a port that is forwarded: its packets go through FORWARD, and what INPUT says of them does not happen. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Table } from '../../model/ruleset.js';
import type { PacketSample, RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith } from '../../packet-space/index.js';
import { firstPacket, isCertain, isCertainlySentOn, onward, type Pipeline, type Sighting } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, not, type Constraint, type Range } from '../../packet/constraint.js';
import { parseAddress } from '../../values/address.js';
import { Problem } from '../../values/value.js';
import { acceptsAll } from './accepting.js';
import { meet, rangesOf } from './asked.js';
import type { CheckContext } from '../define-check.js';
import { liveTranslations, pathsBehind, unmarked, waysTo, type Asking } from './nat-rules.js';
import { effectOf } from './targets.js';
import type { Translation } from './translations.js';

/** A rule of INPUT, and the translation that takes its packets elsewhere. */
export interface Bypassed {
  readonly at: RuleAt;
  readonly by: Translation;
  /** The destination ports that it is about. */
  readonly ports: readonly Range[];
  /** A first packet that the translation sends through, and that INPUT would drop. */
  readonly passes: Sighting;
  /** The translation is about one address of several, maybe, and the rule about all of them. */
  readonly isOneAddress: boolean;
}

/** What one question may cost, and how many are asked. */
const budget = { packets: 1000, work: 100_000 };
const questionLimit = 200;
/** A rule about more ports than these is not about a service. */
const portLimit = 256;

const known = new WeakMap<CheckContext, ReadonlyMap<Rule, Bypassed>>();

/** By rule; of the translations that take its packets, the first. */
export function bypassedRules(cx: CheckContext): ReadonlyMap<Rule, Bypassed> {
  let found = known.get(cx);
  if (found === undefined) {
    const filter = cx.ruleset.tables.get('filter');
    known.set(cx, found = new Map(filter === undefined ? [] : findBypassed(cx, filter)));
  }
  return found;
}

function* findBypassed(cx: CheckContext, filter: Table): Generator<[Rule, Bypassed], void> {
  const published = [...liveTranslations(cx, 'destination')].filter(({ translation }) => translation.address !== 'same' && pathsBehind(cx, translation).includes('through')).flatMap(one => namingPorts(cx, one));
  if (published.length === 0) return;
  let left = questionLimit;
  for (const told of portRules(cx, filter)) for (const one of published) {
    if (!meet(told.ports, rangesOf(one.asks, 'dport')) || !meet(rangesOf(told.asks, 'protocol'), rangesOf(one.asks, 'protocol')) || !meet(rangesOf(told.asks, 'dst'), rangesOf(one.asks, 'dst'))) continue;
    if (left-- <= 0) {
      cx.undecided();
      return;
    }
    const pipeline = cx.pipeline();
    const found = pipeline === undefined ? undefined : bypassedBy(cx, pipeline, filter, told, one);
    if (found === undefined) continue;
    yield [told.at.rule, found];
    break;
  }
}

/** Where the rule itself names no port, those that lead to it may, as kube-proxy's do: on each of their ways, if that is not for one address only. */
function namingPorts(cx: CheckContext, { translation, asks }: Asking): readonly Asking[] {
  if (rangesOf(asks, 'dport') !== undefined) return [{ translation, asks }];
  const constraints = constraintsOf(cx.ruleset, 'nat');
  return waysTo(cx, translation.at, 'PREROUTING').flatMap(way => {
    const asked = all([asks, ...way.map(({ rule }) => constraints.of(rule))]);
    return rangesOf(asked, 'dport') === undefined || rangesOf(asked, 'dst') !== undefined ? [] : [{ translation, asks: asked }];
  });
}

/** A rule that says something about ports: that they are closed, or open to some only. */
interface PortRule {
  readonly at: RuleAt;
  readonly asks: Constraint;
  readonly ports: readonly Range[];
  readonly opens: boolean;
}

function* portRules(cx: CheckContext, filter: Table): Generator<PortRule, void> {
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const hooks = hooksOf(filter);
  const isInput = (at: RuleAt): boolean => (hooks.get(at.chain) ?? []).every((hook: Hook) => hook === 'INPUT');
  for (const at of cx.rules(filter)) {
    const effect = acceptsAll(filter, at.rule) ? 'accept' : effectOf(at.rule);
    if ((effect !== 'accept' && effect !== 'drop' && effect !== 'reject') || !isInput(at)) continue;
    const asks = constraints.of(at.rule);
    const ports = rangesOf(asks, 'dport');
    const count = (ports ?? []).reduce((sum, { low, high }) => sum + Number(high) - Number(low) + 1, 0);
    if (ports === undefined || count > portLimit || (effect === 'accept' && at.rule.source === undefined && at.rule.inInterface === undefined)) continue;
    if (cx.reach(filter).get(at.rule)?.kind === 'live') yield { at, asks, ports, opens: effect === 'accept' };
  }
}

const isNew = is('ctstate', ctstates.NEW);

function bypassedBy(cx: CheckContext, pipeline: Pipeline, filter: Table, { at, asks, ports, opens }: PortRule, { translation, asks: taken }: Asking): Bypassed | undefined {
  if (opens && isForOthers(cx, at, translation)) return undefined;
  const published = rangesOf(taken, 'dport');
  const own = all([asks, isNew, ...published === undefined ? [] : [{ kind: 'within', field: 'dport', ranges: published } as const]]);
  const pass = (packets: Constraint): Sighting | undefined => {
    const answer = onward(pipeline, translation.at.rule, { path: 'through', packets: all([packets, unmarked]), budget: solveBudget(budget.packets, budget.work) });
    return answer.kind === 'passes' ? answer.found : undefined;
  };
  const about = pass(own);
  if (about === undefined) return undefined;
  const protocols = rangesOf(asks, 'protocol');
  const others = all([{ kind: 'within', field: 'dport', ranges: ports }, ...protocols === undefined ? [] : [{ kind: 'within', field: 'protocol', ranges: protocols } as const], not(asks)]);
  const passes = opens ? pass(others) : about;
  if (passes === undefined || !isDropped(cx, filter, firstPacket(pipeline, passes).sample, opens ? undefined : at)) return undefined;
  // That an address is the host's own is what brings the packet to INPUT, were it not translated; what else is unknown (the port that was dialled, a set) may be asked for to keep it out.
  // Which of several hosts gets it may be left to chance.
  const given = (property: string): boolean => property.startsWith('addrtype');
  if (!isCertain(pipeline, passes, given) && !isCertainlySentOn(pipeline, passes, given)) return undefined;
  const isOneAddress = rangesOf(taken, 'dst') !== undefined && rangesOf(asks, 'dst') === undefined;
  return { at, by: translation, ports, passes, isOneAddress };
}

/** The translation is for one interface, and what the rule opens is for everybody who comes otherwise. */
function isForOthers({ ruleset, space }: CheckContext, { rule }: RuleAt, { at }: Translation): boolean {
  const nat = ruleset.tables.get('nat');
  const elsewhere: Constraint = { kind: 'interface', field: 'in', name: ' elsewhere', prefix: false };
  return rule.inInterface === undefined && nat !== undefined && reachWith(space(), nat, at, elsewhere, 'PREROUTING').kind !== 'live';
}

/** Whether INPUT would drop a packet if it came there as it is: by the rule `by`, or by any. */
function isDropped(cx: CheckContext, filter: Table, sample: PacketSample, by: RuleAt | undefined): boolean {
  const answer = ask(cx.space(), filter, 'INPUT', exactly(cx, sample), ['drop', 'reject']);
  return answer.kind === 'yes' && answer.certain && (by === undefined || ('rule' in answer.by && answer.by.rule === by.rule));
}

/** A packet that is as a sample says, and opens a connection. */
function exactly({ ruleset }: CheckContext, sample: PacketSample): Constraint {
  const addresses = (['src', 'dst'] as const).flatMap(field => {
    const text = sample[field];
    const address = text === undefined ? undefined : parseAddress(text, ruleset.family);
    return address === undefined || address instanceof Problem ? [] : [is(field, address)];
  });
  const numbers = (['protocol', 'sport', 'dport'] as const).flatMap(field => sample[field] === undefined ? [] : [is(field, sample[field])]);
  return all([isNew, is('fragment', 0), ...addresses, ...numbers, ...sample.in === undefined ? [] : [{ kind: 'interface', field: 'in', name: sample.in, prefix: false } as const]]);
}
