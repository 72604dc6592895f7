import type { Hook } from '../extensions/define.js';
import type { Table } from '../model/ruleset.js';
import type { Decider } from '../packet-space/answers.js';
import { ask, redundant } from '../packet-space/index.js';
import { always } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { deciderBecause, isPolicy, deciderReference } from './shared/deciders.js';
import { defineCheck, type CheckContext, type Report, type RuleInChain } from './define-check.js';
import { isInnerName } from './shared/outside.js';
import { ownerOf } from './shared/owners.js';
import { isPart, saysNothingOf } from './shared/parts.js';
import { isRouter } from './shared/routers.js';
import { effectOf, mayDrop } from './shared/targets.js';
import { filterChain, letsInUnspoken } from './shared/unspoken.js';
import { isUnprotected } from './unprotected-family.js';

const goes = { INPUT: 'comes in', FORWARD: 'passes through' } as const;

/** A rule accepts, of this protocol or that, what the policy would let in behind it: so does ufw, to have it tracked. What programs pass on is for containers. */
function isAsPolicy({ ruleset, space }: CheckContext, table: Table, hook: Hook, by: Decider): boolean {
  if (isPolicy(by)) return true;
  const answer = hook !== 'INPUT' && ownerOf(ruleset, by) !== undefined ? undefined : redundant(space(), table, by);
  return answer?.kind === 'redundant' && answer.because.some(isPolicy);
}

/** Whether somebody opens to this host what is to be open, and nothing is shut: what programs open for their guests is no such rule. */
function restrictsNothing(cx: CheckContext, table: Table): boolean {
  const opens = (at: RuleInChain): boolean => {
    const { rule, rule: { source, protocol, inInterface } } = at;
    const isMeant = source !== undefined || (typeof protocol?.value === 'number' && protocol.value !== protocolNumber.icmp && protocol.value !== protocolNumber.icmpv6);
    return effectOf(rule) === 'accept' && isMeant && (inInterface === undefined || !isInnerName(inInterface.value.name)) && at.in.hook === 'INPUT' && ownerOf(cx.ruleset, at) === undefined;
  };
  return cx.rules(table).some(opens) && ![...cx.ruleset.tables.values()].some(other => other !== table && mayDrop(other))
    && ask(cx.space(), table, 'INPUT', always, ['drop', 'reject', 'queue', 'unknown']).kind === 'no';
}

function* lookAt(cx: CheckContext, hook: 'INPUT' | 'FORWARD'): Generator<Report, void> {
  const [table, chain] = [cx.ruleset.tables.get('filter'), filterChain(cx, hook)];
  if (table === undefined || chain?.policy !== 'ACCEPT' || saysNothingOf(cx, chain) || isPart(table)) return;
  const answer = letsInUnspoken(cx, hook);
  if (answer.kind === 'undecided') cx.undecided();
  if (answer.kind !== 'yes' || !isAsPolicy(cx, table, hook, answer.by)) return;
  const { witness, by, certain } = answer;
  const isVain = hook === 'INPUT' && restrictsNothing(cx, table);
  yield {
    chain, span: chain.line === 0 ? table.span : chain.span,
    ...isVain ? { severity: 'warning' as const } : {},
    certainty: certain ? 'certain' : 'possible',
    message: isVain ? 'everything comes in: INPUT accepts by default, and the rules that accept something shut nothing' : `whatever no rule speaks of ${goes[hook]}: ${hook} accepts by default`,
    because: [deciderBecause(cx.ruleset, by, 'lets in what comes to the end of the chain')],
    witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes', by: [deciderReference(by)] }],
    help: isPolicy(by) || ownerOf(cx.ruleset, by) !== 'ufw' ? `name what is wanted, and end the chain with -P ${hook} DROP` : `name what is wanted (ufw allow), and refuse the rest: ufw default deny ${hook === 'INPUT' ? 'incoming' : 'routed'}`,
  };
}

export const defaultAccept = defineCheck({
  name: 'default-accept',
  kind: 'exposure',
  severity: 'info',
  auditor: 'warning',
  summary: 'What no rule speaks of is let in',
  why: `A list of what is forbidden is never complete: a service that is installed tomorrow, or listens on another port than one thinks, is open at
once. A chain that ends in DROP, by its policy or by a last rule, opens only what somebody has named. It is reported where the packet of a
stranger to a port that no rule names is let in at the end of INPUT (a warning where rules open one thing or another, and nothing shuts the rest), or of FORWARD on a host that routes: not where FORWARD holds nothing but
what docker, libvirt and the like have put there.`,
  bad: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 3306 -j DROP
-A INPUT -p tcp -m tcp --dport 6379 -j DROP
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,80,443 -j ACCEPT
-A INPUT -p icmp -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:IN - [0:0]
-A INPUT -j IN
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A IN -i lo -j ACCEPT
-A IN -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A IN -p tcp -m multiport --dports 22,80,443 -j ACCEPT
-A IN -p icmp -j ACCEPT
-A IN -j REJECT --reject-with icmp-host-prohibited
COMMIT
`,
  * run(cx) {
    // That the other family is protected says more.
    if (!isUnprotected(cx)) yield* lookAt(cx, 'INPUT');
    if (isRouter(cx) && !isUnprotected(cx, 'FORWARD')) yield* lookAt(cx, 'FORWARD');
  },
});
