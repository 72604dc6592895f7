import type { Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { redundant } from '../packet-space/index.js';
import { takenInstead } from '../witness/taken-instead.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isForIpsec, mayBeLate, meantToPrecede } from './shared/late-exemptions.js';
import { isOwnDoing, ownerOf } from './shared/owners.js';
import { rewrittenRules } from './shared/rewritten.js';
import { isMasqueradeBehindSnat } from './snat-before-masquerade.js';
import { takenByTranslation, type Taken } from './shared/taken-by-translation.js';
import { isFinal, targetText } from './shared/targets.js';
import { destinationText } from './shared/nat-words.js';

/** Who made a rule that takes what another is for, where nobody would look there for it. */
function madeBy({ ruleset }: CheckContext, taker: RuleAt, at: RuleAt): string {
  const owner = ownerOf(ruleset, taker);
  return owner === undefined || owner === ownerOf(ruleset, at) ? '' : ` (made by ${owner})`;
}

function takenReport(cx: CheckContext, { at, by }: Taken): Report {
  const { ruleset } = cx;
  const takers = by.filter(one => isFinal(one.rule));
  const [first] = takers;
  const isSame = takers.every(one => targetText(ruleset, one) === targetText(ruleset, at));
  const names = takers.slice(0, 3).map(one => `${referenceOf(one)}${madeBy(cx, one, at)}`).join(', ');
  return {
    at,
    severity: isSame ? 'warning' : 'error',
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    message: `no connection is left for this rule: a connection is translated once at each hook, and ${names}${takers.length > 3 ? ' …' : ''} ${takers.length === 1 ? 'has' : 'have'} taken all that it is for`,
    because: by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `${isFinal(one.rule) ? 'translates' : 'leads away'} connections that this rule is for: ${targetText(ruleset, one)}` })),
    illustrate: () => {
      const nat = ruleset.tables.get('nat');
      return nat === undefined ? undefined : takenInstead(cx.space(), nat, at, by);
    },
    help: isSame || first === undefined ? 'delete the rule; what it asks for is done before it' : `move it before ${referenceOf(first)}, or delete the one that is not meant`,
  };
}

/** Whether all that an exemption is for may pass by other interfaces than those that the rules before it name. */
function mayPassElsewhere(at: RuleAt, takers: readonly RuleAt[]): boolean {
  return takers.every(({ rule }) => (['inInterface', 'outInterface'] as const).some(one => rule[one] !== undefined && at.rule[one] === undefined));
}

/** Exemptions behind rules that translate what they are for, while there is nothing left behind them: whatever packet they meet would not be translated anyway. */
function* lateExemptions(cx: CheckContext, nat: Table): Generator<Report, void> {
  for (const at of cx.rules(nat)) {
    const takers = mayBeLate(cx, at) && redundant(cx.space(), nat, at).kind === 'redundant' ? meantToPrecede(cx, nat, at) : [];
    const [first] = takers;
    if (first === undefined) continue;
    const isOfIpsec = isForIpsec(cx, at);
    const isPossible = !isOfIpsec && mayPassElsewhere(at, takers);
    yield {
      at, severity: 'warning', ...isPossible ? { certainty: 'possible' } : {},
      ...isOwnDoing(cx.ruleset, at, takers) ? { mutedIn: 'generated' as const } : {},
      message: `this exemption stands too late: ${takers.slice(0, 3).map(referenceOf).join(', ')} ${takers.length === 1 ? 'has' : 'have'} translated connections that it is for${isOfIpsec ? ', so that IPsec sees them with another source' : isPossible ? ' (unless all of those pass by other interfaces)' : ''}, and nothing behind it translates any`,
      because: takers.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `translates connections that this rule is for: ${targetText(cx.ruleset, one)}` })),
      help: `move it before ${referenceOf(first)}`,
    };
  }
}

export const natShadowed = defineCheck({
  name: 'nat-shadowed',
  kind: 'nat',
  severity: 'error',
  summary: 'A rule of nat never applies: others have translated all its connections before',
  why: `Only the first packet of a connection is asked of table nat, and the first rule that translates it decides for all that follow. A
second DNAT for the same port, a general rule before a special one, or a rule behind those of Docker, is never asked. So is a
rule of POSTROUTING that names an address which a DNAT rule has rewritten in PREROUTING. A rule that exempts what IPsec is to take (\`-m policy --dir out --pol ipsec -j ACCEPT\`) is told also
where some packets come to it, if others of its packets were translated before and nothing is left that it keeps from being so: the policy is looked up again by the new source, which is mostly
not one of those for whom the tunnel is. So is one that names addresses among those that rules before it translate; where these name an interface and it does not, that is possible only.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -j DNAT --to-destination 10.0.0.5
-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j DNAT --to-destination 10.0.0.25
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth0 -p tcp -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j DNAT --to-destination 10.0.0.25
-A PREROUTING -i eth0 -p tcp -j DNAT --to-destination 10.0.0.5
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth0 -p tcp -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.0.5
-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j DNAT --to-destination 10.0.0.25
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth0 -p tcp -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  * run(cx) {
    for (const taken of takenByTranslation(cx)) if (!isMasqueradeBehindSnat(cx, taken)) yield takenReport(cx, taken);
    const nat = cx.ruleset.tables.get('nat');
    if (nat !== undefined) yield* lateExemptions(cx, nat);
    for (const { at, by } of nat === undefined ? [] : rewrittenRules(cx, nat).values()) {
      const [first] = by;
      yield {
        at,
        message: `no connection comes to this rule: it asks for what ${by.map(one => referenceOf(one.at)).slice(0, 3).join(', ')} ${by.length === 1 ? 'has' : 'have'} rewritten by then`,
        because: by.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `connections that this rule is for go to ${destinationText(one)}` })),
        help: first === undefined ? 'delete the rule' : `ask for the destination as it is by then: ${destinationText(first)}`,
      };
    }
  },
});
