import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { isPrivate } from '../packet/address-blocks.js';
import { asksTheUnknown, not, type Constraint } from '../packet/constraint.js';
import { takenInstead } from '../witness/taken-instead.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { rangesOf } from './shared/asked.js';
import { isOwnDoing, ownerOf } from './shared/owners.js';
import { takenByTranslation, type Taken } from './shared/taken-by-translation.js';
import { isFinal, targetText } from './shared/targets.js';
import { translationsOf, type Translation } from './shared/translations.js';

/** The rule takes the address of the interface, and those that take its connections before have one of their own. */
export function isMasqueradeBehindSnat({ ruleset }: CheckContext, { at, by }: Taken): boolean {
  const kindOf = (one: RuleAt): Translation | undefined => translationsOf(ruleset).find(({ at: { rule } }) => rule === one.rule);
  const own = kindOf(at);
  return own?.side === 'source' && own.address === 'own' && by.filter(one => isFinal(one.rule)).every(one => typeof kindOf(one)?.address === 'object');
}

function neverReport(cx: CheckContext, { at, by }: Taken): Report {
  const { ruleset } = cx;
  const takers = by.filter(one => isFinal(one.rule));
  return {
    at,
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    message: `nothing is masqueraded here: ${takers.map(referenceOf).slice(0, 3).join(', ')} ${takers.length === 1 ? 'has' : 'have'} given all these connections a fixed address before`,
    because: by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `${isFinal(one.rule) ? 'takes' : 'leads away'} them: ${targetText(ruleset, one)}` })),
    illustrate: () => {
      const nat = ruleset.tables.get('nat');
      return nat === undefined ? undefined : takenInstead(cx.space(), nat, at, by);
    },
    help: 'keep SNAT where the address of the interface never changes, MASQUERADE where it does, and delete the other',
  };
}

/** Pairs that are looked at. */
const pairLimit = 200;

/** It is for a server inside, as people of its own network need it: the interface to the internet is another. */
function isForInside(asks: Constraint): boolean {
  return rangesOf(asks, 'dst')?.every(({ low, high }) => isPrivate(low) && isPrivate(high)) === true;
}

/** Each takes connections that the other does not, and for those that both ask for the earlier decides. */
function* crossing(cx: CheckContext): Generator<Report, void> {
  const nat = cx.ruleset.tables.get('nat');
  const sources = translationsOf(cx.ruleset).filter(one => one.side === 'source' && one.hooks.includes('POSTROUTING') && ownerOf(cx.ruleset, one.at) === undefined);
  if (nat === undefined) return;
  const constraints = constraintsOf(cx.ruleset, nat.name);
  let left = pairLimit;
  for (const later of sources) {
    // What is masqueraded for one destination is an exception of its own.
    if (later.address !== 'own' || later.at.rule.destination !== undefined || cx.reach(nat).get(later.at.rule)?.kind !== 'live') continue;
    const asks = constraints.of(later.at.rule);
    if (asksTheUnknown(asks)) continue;
    const isCrossed = ({ at }: Translation): boolean => !isForInside(constraints.of(at.rule)) && !asksTheUnknown(constraints.of(at.rule)) && reachWith(cx.space(), nat, at, asks, 'POSTROUTING').kind === 'live' && reachWith(cx.space(), nat, at, not(asks), 'POSTROUTING').kind === 'live';
    const earlier = sources.find(one => typeof one.address === 'object' && one.at.chain === later.at.chain && one.at.position < later.at.position && left-- > 0 && isCrossed(one));
    if (earlier === undefined) continue;
    yield {
      at: later.at, severity: 'info',
      message: `${referenceOf(earlier.at)} gives some of these connections a fixed address before they are masqueraded, and others that this rule does not mean`,
      because: [{ rule: referenceOf(earlier.at), line: earlier.at.rule.line, message: `takes those that both ask for: ${targetText(cx.ruleset, earlier.at)}` }],
      help: 'say in both rules which interface they are for (-o), so that each connection is meant by one of them',
    };
  }
}

export const snatBeforeMasquerade = defineCheck({
  name: 'snat-before-masquerade',
  kind: 'nat',
  severity: 'warning',
  summary: 'SNAT and MASQUERADE are for the same connections: only the first ever applies',
  why: `SNAT gives connections an address that is written down, MASQUERADE the one that the interface has when they begin. Where both are
meant for the same connections the first decides, and one of them is left over: mostly a MASQUERADE from before the address was
fixed, or an SNAT to an address that the line no longer has, which MASQUERADE would have repaired. A special SNAT before a
general MASQUERADE is the usual exception, and nothing is said of it; where each also takes what the other does not, that is told.`,
  bad: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.9
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j SNAT --to-source 203.0.113.9
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.0.0.25/32 -o eth0 -j SNAT --to-source 203.0.113.25
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  * run(cx) {
    for (const taken of takenByTranslation(cx)) if (isMasqueradeBehindSnat(cx, taken)) yield neverReport(cx, taken);
    yield* crossing(cx);
  },
});
