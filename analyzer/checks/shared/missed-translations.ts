/** Rules that name the address or port by which clients ask for a service, and stand where nat has rewritten it: they do not meet its connections, though maybe others. */
import type { Hook } from '../../extensions/define.js';
import { isUnresolved, type Rule, type Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { isCertain, onward, type Onward, type Pipeline } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, not, type Constraint, type Range } from '../../packet/constraint.js';
import { isPrivate } from '../../packet/address-blocks.js';
import { areCovered, meet, rangesOf, united, without } from './asked.js';
import { conjuncts } from './conjuncts.js';
import type { CheckContext } from '../define-check.js';
import { liveTranslations, pathsBehind, type Asking } from './nat-rules.js';
import { fromOutside, isNamed, virtualInterface } from './outside.js';
import { effectOf } from './targets.js';

/** Such a rule, and a translation whose connections fare otherwise than the rule says. */
export interface Missed {
  readonly at: RuleAt;
  /** What the rule asks. */
  readonly asks: Constraint;
  readonly asking: Asking;
  /** Which of the first packets that are as the rule says when they come, and that the translation takes; the interface by which they come, where it is one. */
  readonly packets: Constraint;
  readonly device: string | undefined;
  /** What becomes of them. */
  readonly answer: Extract<Onward, { kind: 'passes' | 'lost' }>;
}

/** What one question may cost, and how many are asked. */
const budget = { packets: 1000, work: 100_000 };
const questionLimit = 200;
/** Pairs of a rule and a translation that are looked at. */
const pairLimit = 1_000_000;
/** A rule about more ports than these is not about a service. */
const portLimit = 256;

const pathOf: Partial<Record<Hook, 'in' | 'through'>> = { INPUT: 'in', FORWARD: 'through' };
const hookOf = { in: 'INPUT', through: 'FORWARD' } as const;

/** A rule that says what is to become of a service, and where it does. */
interface Saying {
  readonly at: RuleAt;
  readonly asks: Constraint;
  readonly path: 'in' | 'through';
  readonly accepts: boolean;
}

/** Whether a range of ports is a service's, or there is none. */
function isService(ports: readonly Range[] | undefined): boolean {
  return ports === undefined || ports.reduce((sum, { low, high }) => sum + Number(high) - Number(low) + 1, 0) <= portLimit;
}

/** It is about what people inside do, or about one way out, whoever is there; or it is for the rest that goes to an address. */
function isOther({ source, destination, outInterface }: Rule, dport: readonly Range[] | undefined): boolean {
  return (outInterface !== undefined && destination === undefined) || (source === undefined && dport === undefined) || (source !== undefined && !source.negated && !isUnresolved(source.value) && isPrivate(source.value.address));
}

function* sayings(cx: CheckContext, filter: Table): Generator<Saying, void> {
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const hooks = hooksOf(filter);
  for (const at of cx.rules(filter)) {
    const effect = effectOf(at.rule);
    const own = hooks.get(at.chain) ?? [];
    const path = own.length === 1 ? pathOf[own[0] ?? 'OUTPUT'] : undefined;
    if (path === undefined || (effect !== 'accept' && effect !== 'drop' && effect !== 'reject')) continue;
    const asks = constraints.of(at.rule);
    const [dst, dport] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport')];
    if ((dst === undefined && dport === undefined) || !isService(dport) || isOther(at.rule, dport)) continue;
    yield { at, asks, path, accepts: effect === 'accept' };
  }
}

/** Whether a rule meets none of what comes of a translation: another address, or another port. */
function isMissed(asks: Constraint, { translation: { address, ports } }: Asking): boolean {
  const [dst, dport] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport')];
  return (dport !== undefined && ports !== undefined && !meet(dport, ports)) || (dst !== undefined && typeof address !== 'string' && !meet(dst, address));
}

/** Whether a rule asks for what a translation takes: for the address that its rule names, or the port and no other address than the one that it leads to. */
function isAskedFor(asks: Constraint, { asks: before, translation: { address } }: Asking): boolean {
  const [dst, dport, asked, dialled] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport'), rangesOf(before, 'dst'), rangesOf(before, 'dport')];
  if (!meet(rangesOf(asks, 'protocol'), rangesOf(before, 'protocol')) || !meet(dport, dialled)) return false;
  const isOuter = dst !== undefined && asked !== undefined && areCovered(dst, [asked]);
  const isInner = dst === undefined || (typeof address !== 'string' && areCovered(address, [dst]));
  return isOuter || (isInner && dport !== undefined && dialled !== undefined && isService(dialled));
}

/** Whether a rule asks for what comes of a translation: then it is for that. */
function isForWhatComes(asks: Constraint, { asks: before, translation: { address, ports } }: Asking): boolean {
  return meet(rangesOf(asks, 'dport'), ports ?? rangesOf(before, 'dport')) && (typeof address === 'string' ? rangesOf(asks, 'dst') === undefined : meet(rangesOf(asks, 'dst'), address))
    && meet(rangesOf(asks, 'protocol'), rangesOf(before, 'protocol'));
}

/** As the packets come: what the rule asks of them that nat does not rewrite, and the port that they come with. */
function asTheyCome(asks: Constraint, isOuter: boolean): Constraint {
  return all(isOuter ? conjuncts(asks) : without(asks, ['dst']));
}

/** Some of the packets, and the interface by which they come. */
interface Way {
  readonly packets: Constraint;
  readonly device: string | undefined;
}

const unmarked = all([is('mark', 0), is('connmark', 0), is('fragment', 0)]);
const shown = { ipv4: is('dst', 0xc000_0201), ipv6: is('dst', (0x2001_0db8n << 96n) + 1n) } as const;

/** As people send them from outside, interface by interface; and any. */
function ways(cx: CheckContext, { rule }: RuleAt, before: Constraint): readonly Way[] {
  const everyday = all([unmarked, not(virtualInterface('in')), ...rangesOf(before, 'dst') === undefined ? [shown[cx.ruleset.family]] : []]);
  const outside = fromOutside(cx);
  const parts = rule.inInterface !== undefined ? [] : outside.kind === 'any' ? outside.of : [outside];
  return [
    ...parts.flatMap(one => one.kind === 'interface' && isNamed(cx.ruleset, one.name) ? [{ packets: all([one, everyday]), device: `${one.name}${one.prefix ? '+' : ''}` }] : []),
    { packets: everyday, device: undefined }, { packets: unmarked, device: undefined },
  ];
}

function missedBy(cx: CheckContext, pipeline: Pipeline, { at, asks, path, accepts }: Saying, asking: Asking): Missed | undefined {
  const { translation: { at: { rule } }, asks: before } = asking;
  const ask = (packets: Constraint): Onward => onward(pipeline, rule, { path, packets, budget: solveBudget(budget.packets, budget.work) });
  const own = asTheyCome(asks, meet(rangesOf(asks, 'dst'), rangesOf(before, 'dst')));
  // Where nobody gets through, that is told of the translation.
  if (accepts && ask(unmarked).kind !== 'passes') return undefined;
  for (const { packets, device } of ways(cx, at, before)) {
    const answer = ask(all([own, packets]));
    if (answer.kind !== (accepts ? 'lost' : 'passes')) continue;
    const found = answer.kind === 'passes' ? answer.found : answer.dies;
    // That an address is the host's own is what has it translated.
    if (isCertain(pipeline, found, property => property.startsWith('addrtype'))) return { at, asks, asking, packets: all([own, packets]), device, answer };
  }
  return undefined;
}

/** By rule; of the translations whose connections fare otherwise than it says, the first. */
export function* missedTranslations(cx: CheckContext, filter: Table): Generator<Missed, void> {
  const askings = [...liveTranslations(cx, 'destination')];
  if (askings.length === 0) return;
  const outer = united(askings.map(one => rangesOf(one.asks, 'dst')));
  const inner = united(askings.map(({ translation: { address } }) => typeof address === 'string' ? [] : address));
  const dialled = united(askings.map(one => rangesOf(one.asks, 'dport')));
  let [left, pairs] = [questionLimit, pairLimit];
  for (const saying of sayings(cx, filter)) {
    const { asks, path } = saying;
    const [dst, dport] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport')];
    if (!meet(dport, dialled) || !(meet(dst, outer) || meet(dst, inner))) continue;
    if ((pairs -= askings.length) < 0) {
      cx.undecided();
      return;
    }
    if (askings.some(one => !isMissed(asks, one) && isForWhatComes(asks, one))) continue;
    for (const asking of askings) {
      if (!isAskedFor(asks, asking) || !isMissed(asks, asking) || !pathsBehind(cx, asking.translation).includes(path)) continue;
      const pipeline = reachWith(cx.space(), filter, saying.at, is('ctstate', ctstates.NEW), hookOf[path]).kind === 'live' ? cx.pipeline() : undefined;
      if (pipeline === undefined) break;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      const missed = missedBy(cx, pipeline, saying, asking);
      if (missed === undefined) continue;
      yield missed;
      break;
    }
  }
}
