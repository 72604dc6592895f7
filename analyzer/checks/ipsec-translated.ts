import type { Rule, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { reachThrough } from '../packet-space/pipeline/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, asksFor, asksTheUnknown, ctstates, is, mentions, type Ask, type Constraint } from '../packet/constraint.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { acceptsAll, acceptsForOthers } from './shared/accepting.js';
import { rangesOf } from './shared/asked.js';
import { conjuncts } from './shared/conjuncts.js';
import { withFirst } from './shared/edits.js';
import { isForIpsec, isOutToIpsec } from './shared/late-exemptions.js';
import { askedOnTheWay, liveTranslations } from './shared/nat-rules.js';
import { targetText } from './shared/targets.js';
import type { Translation } from './shared/translations.js';

/** Questions that one rule set is worth. */
const questionLimit = 50;
const exemption = '-m policy --dir out --pol ipsec -j ACCEPT';

function asksForPolicy(one: Ask): boolean {
  return one.kind === 'atom' && one.name.startsWith('policy');
}

/** What a tunnel between two networks carries, and the rule that lets it out. */
interface Tunnel {
  readonly at: RuleAt;
  readonly packets: Constraint;
}

/** By the rules of FORWARD that let new connections out to IPsec, from one network to another. Those for any sender are there for answers as well as not. */
function tunnelsOf(cx: CheckContext): readonly Tunnel[] {
  const filter = cx.ruleset.tables.get('filter');
  if (filter === undefined || !cx.rules(filter).some(at => isForIpsec(cx, at))) return [];
  const [hooks, reached] = [hooksOf(filter), cx.reach(filter)];
  return cx.rules(filter).flatMap((at): Tunnel[] => {
    if (!acceptsAll(filter, at.rule) || acceptsForOthers(filter, at) || reached.get(at.rule)?.kind !== 'live' || hooks.get(at.chain)?.includes('FORWARD') !== true) return [];
    const asks = askedOnTheWay(cx, at, 'FORWARD');
    if (!isOutToIpsec(asks) || rangesOf(asks, 'src') === undefined || rangesOf(asks, 'dst') === undefined) return [];
    return [{ at, packets: all([...conjuncts(asks).filter(one => !asksTheUnknown(one)), is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0)]) }];
  });
}

/** Whether table nat may know of IPsec, by a rule of its own, which is another check's where it stands too late, or by a mark. */
function isThoughtOf({ ruleset }: CheckContext): boolean {
  return [...ruleset.tables.values()].some(({ name, chains }) => {
    const constraints = constraintsOf(ruleset, name);
    return [...chains.values()].some(({ rules }) => rules.some(rule => (name === 'nat' || (name === 'mangle' && mayMark(rule))) && asksFor(constraints.of(rule), asksForPolicy)));
  });
}

function mayMark({ target }: Rule): boolean {
  if (target.kind !== 'extension') return target.kind === 'opaque' || target.kind === 'chain';
  return target.use.definition.changes?.some(what => what === 'mark' || what === 'connmark') === true;
}

function report({ ruleset }: CheckContext, nat: Table, { at }: Translation, tunnel: RuleAt): Report {
  const chain = nat.chains.get('POSTROUTING');
  return {
    at, certainty: 'possible',
    message: `${targetText(ruleset, at)} takes what ${referenceOf(tunnel)} lets out to IPsec, and then it has another source: no policy is for that, and it leaves as it is, without IPsec`,
    because: [{ rule: referenceOf(tunnel), line: tunnel.rule.line, message: 'lets connections out that IPsec is to take' }],
    help: `leave out what IPsec takes, before all that translates: -t nat -I POSTROUTING ${exemption}`,
    ...chain === undefined ? {} : fixWith('leave out what IPsec takes', 'unsafe', withFirst(ruleset, nat, chain, [exemption])),
  };
}

const tables = (nat: string): string => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${nat}COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p udp -m multiport --dports 500,4500 -j ACCEPT
-A INPUT -p esp -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 10.1.0.0/24 -d 10.2.0.0/24 -o eth0 -m policy --dir out --pol ipsec --reqid 1 --proto esp -j ACCEPT
-A FORWARD -s 10.2.0.0/24 -d 10.1.0.0/24 -i eth0 -m policy --dir in --pol ipsec --reqid 1 --proto esp -j ACCEPT
-A FORWARD -s 10.1.0.0/24 -i eth1 -o eth0 -j ACCEPT
COMMIT
`;

export const ipsecTranslated = defineCheck({
  name: 'ipsec-translated',
  kind: 'nat',
  severity: 'warning',
  summary: 'What IPsec is to take is translated first, and leaves without IPsec',
  why: `IPsec looks at addresses: its policies say which network's packets to which other are to be encrypted. Where a rule for MASQUERADE or SNAT translates their source, the kernel asks the policies
again, of the translated packet, and none is for that: it goes to the internet in the clear, to a private address, and the tunnel seems dead from this side. So what IPsec is to take must be left out,
before all rules that translate. It is reported where FORWARD lets connections out to IPsec (\`-m policy --dir out --pol ipsec\`) from one network to another, a rule of nat translates them, and no rule of nat says anything of
IPsec. It is possible, for a policy may be meant for the translated address. Exemptions that stand too late are told by \`nat-shadowed\`.`,
  bad: tables('-A POSTROUTING -s 10.1.0.0/24 -o eth0 -j MASQUERADE\n'),
  good: tables('-A POSTROUTING -m policy --dir out --pol ipsec -j ACCEPT\n-A POSTROUTING -s 10.1.0.0/24 -o eth0 -j MASQUERADE\n'),
  nearMiss: tables('-A POSTROUTING -s 10.1.0.0/24 -d 10.2.0.0/24 -o eth0 -j ACCEPT\n-A POSTROUTING -s 10.1.0.0/24 -o eth0 -j MASQUERADE\n'),
  asks: () => [all([is('ctstate', ctstates.NEW), is('fragment', 0)])],
  * run(cx) {
    const nat = cx.ruleset.tables.get('nat');
    if (nat === undefined || isThoughtOf(cx)) return;
    const tunnels = tunnelsOf(cx);
    let left = questionLimit;
    if (tunnels.length > 0) for (const { translation, asks } of liveTranslations(cx, 'source')) {
      if (!translation.hooks.includes('POSTROUTING') || mentions(asks, ['mark', 'connmark'])) continue;
      const taken = tunnels.find(({ packets }) => {
        const pipeline = cx.pipeline();
        if (pipeline === undefined || left-- <= 0) return false;
        const answer = reachThrough(pipeline, translation.at.rule, { packets, path: 'through', first: true, budget: solveBudget(1000, 100_000) });
        if (answer.kind === 'undecided') cx.undecided();
        return answer.kind === 'live';
      });
      if (taken !== undefined) yield report(cx, nat, translation, taken.at);
    }
  },
});
