/** Rules that let strangers through to a server with a private address, to which nothing translates them: nobody on the internet can say that address. */
import type { Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { isPrivate, publicRanges } from '../../packet/address-blocks.js';
import { all, asksFor, ctstates, is, mentions, not, type Constraint, type Range } from '../../packet/constraint.js';
import { isAmong, rangesOf, united } from './asked.js';
import type { CheckContext } from '../define-check.js';
import { askedOnTheWay, liveTranslations, wayOutOf, type Asking } from './nat-rules.js';
import { isInnerName } from './outside.js';
import { isOwnDoing } from './owners.js';
import { effectOf } from './targets.js';
import { translationsOf } from './translations.js';

/** A rule that lets in nobody, and a translation of what comes by the same interface that leads elsewhere. */
export interface Unaddressed {
  readonly at: RuleAt;
  readonly device: string;
  readonly other: Asking;
}

/** The only interface at which nat translates what leaves, where nobody said that it is trusted, nor its name that it is a tunnel. */
function wayIn(cx: CheckContext): { readonly constraint: Constraint; readonly name: string } | undefined {
  const waysOut = new Set([...liveTranslations(cx, 'source')].flatMap(({ translation: { at, hooks } }) => hooks.includes('POSTROUTING') ? wayOutOf(cx, at)?.name ?? [] : []));
  const [name, ...others] = waysOut;
  if (name === undefined || others.length > 0 || isInnerName(name) || cx.settings.trustedInterfaces.includes(name)) return undefined;
  return { constraint: { kind: 'interface', field: 'in', name, prefix: false }, name };
}

/** A private network is behind the interface, or a tunnel comes by it: then people there can say such an address. */
function hasPrivateBehind(cx: CheckContext, device: string): boolean {
  for (const table of cx.ruleset.tables.values()) {
    const constraints = constraintsOf(cx.ruleset, table.name);
    for (const { rule } of cx.rules(table)) {
      const asked = constraints.of(rule);
      if (asksFor(asked, one => one.kind === 'atom' && one.name.startsWith('policy'))) return true;
      const isFrom = rule.inInterface?.negated === false && rule.inInterface.value.name === device;
      const isTo = rule.outInterface?.negated === false && rule.outInterface.value.name === device;
      const places = [...isFrom ? rangesOf(asked, 'src') ?? [] : [], ...isTo ? rangesOf(asked, 'dst') ?? [] : []];
      if (effectOf(rule) !== 'drop' && effectOf(rule) !== 'reject' && places.some(({ low }) => isPrivate(low))) return true;
    }
  }
  return false;
}

/** Whether what leaves by the interface gets an address of the internet, as far as rules say: then the private addresses behind the host are nobody's business there. */
function isTranslatedAt(cx: CheckContext, device: string): boolean {
  const there = [...liveTranslations(cx, 'source')].filter(({ translation: { at, hooks } }) => hooks.includes('POSTROUTING') && wayOutOf(cx, at)?.name === device);
  return there.length > 0 && there.every(({ translation: { address } }) => typeof address === 'string' || address.every(({ low }) => !isPrivate(low)));
}

/**
 * Rules of FORWARD for people outside, by name of a private address and a port, where others are translated and these are not; all for the same interface. None
 * where they are about more servers than nat leads to: then such addresses are known out there.
 */
export function unaddressed(cx: CheckContext, filter: Table): readonly Unaddressed[] {
  const way = wayIn(cx);
  const nat = cx.ruleset.tables.get('nat');
  if (way === undefined || nat === undefined) return [];
  const live = new Set([...liveTranslations(cx, 'destination')].map(({ translation }) => translation.at.rule));
  const published = [...liveTranslations(cx, 'destination')].find(({ translation: { at, hooks, address } }) => hooks.includes('PREROUTING') && typeof address !== 'string' && rangesOf(askedOnTheWay(cx, at, 'PREROUTING'), 'dport') !== undefined && isBy(cx, nat, at, way.constraint));
  if (published === undefined || !isTranslatedAt(cx, way.name) || hasPrivateBehind(cx, way.name)) return [];
  const people: Constraint = { kind: 'within', field: 'src', ranges: publicRanges[cx.ruleset.family] };
  // Of those that are dead other checks speak.
  const mayLead = translationsOf(cx.ruleset).filter(({ side, at }) => side === 'destination' && (!live.has(at.rule) || isBy(cx, nat, at, way.constraint)));
  const ledTo = united(mayLead.map(({ address }) => typeof address !== 'string' ? address : address === 'same' ? undefined : []));
  const found: Unaddressed[] = [];
  const [led, others] = [new Set<Range['low'] | undefined>(), new Set<Range['low'] | undefined>()];
  for (const at of serversIn(cx, filter)) {
    const dst = rangesOf(constraintsOf(cx.ruleset, filter.name).of(at.rule), 'dst') ?? [];
    if (isAmong(dst, ledTo)) {
      led.add(dst[0]?.low);
      continue;
    }
    const reached = (packets: Constraint): string => reachWith(cx.space(), filter, at, all([packets, is('ctstate', ctstates.NEW)]), 'FORWARD').kind;
    if (reached(all([way.constraint, people])) !== 'live' || ['live', 'undecided'].includes(reached(not(way.constraint)))) continue;
    others.add(dst[0]?.low);
    found.push({ at, device: way.name, other: published });
  }
  return others.size > Math.max(1, led.size) ? [] : found;
}

/** Whether packets that come by an interface may come to a rule of nat. */
function isBy(cx: CheckContext, nat: Table, at: RuleAt, way: Constraint): boolean {
  const { kind } = reachWith(cx.space(), nat, at, way, 'PREROUTING');
  return kind === 'live' || kind === 'undecided';
}

/** Rules of people's that accept what is for a port of one private address, from anybody. */
function* serversIn(cx: CheckContext, filter: Table): Generator<RuleAt, void> {
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const hooks = hooksOf(filter);
  for (const at of cx.rules(filter)) {
    if (effectOf(at.rule) !== 'accept' || isOwnDoing(cx.ruleset, at, []) || !(hooks.get(at.chain) ?? []).every(hook => hook === 'FORWARD')) continue;
    const asked = constraints.of(at.rule);
    const dst = rangesOf(asked, 'dst');
    if (dst?.every(({ low, high }) => low === high && isPrivate(low)) !== true || rangesOf(asked, 'dport') === undefined) continue;
    if (!mentions(asked, ['src', 'mark', 'connmark', 'sport'])) yield at;
  }
}
