import { isTableName, type Ruleset } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { redundant } from '../packet-space/index.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { lateBlocks, type LateBan, type LateBlock } from './shared/late-blocks.js';
import { isOwnDoing } from './shared/owners.js';
import { targetText } from './shared/targets.js';

/** Whether nothing comes to a rule that would not be turned away without it: what it is for gets in before, or not at all. */
function isIdle(cx: CheckContext, at: RuleAt): boolean {
  const table = isTableName(at.table) ? cx.ruleset.tables.get(at.table) : undefined;
  const answer = table === undefined ? undefined : redundant(cx.space(), table, at);
  if (answer?.kind === 'undecided') cx.undecided();
  return answer?.kind === 'redundant';
}

function ofBlock(cx: CheckContext, { at, by, side, others }: LateBlock): Report {
  const { ruleset } = cx;
  const isAllIdle = [at, ...others].every(one => isIdle(cx, one));
  const [first] = by;
  const names = by.length === 1 ? `rule ${String(first?.position ?? 0)} lets` : `rules ${by.slice(0, 3).map(one => String(one.position)).join(', ')}${by.length > 3 ? ' and more' : ''} let`;
  const isOne = others.length === 0 && at.rule[side] !== undefined;
  const who = `the ${side} address${isOne ? '' : 'es'} of this rule${others.length === 0 ? '' : ` and of ${String(others.length)} like it`}`;
  return {
    at,
    ...isAllIdle ? { severity: 'warning' as const } : {},
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    alike: others.length + 1,
    message: `${who} ${isOne ? 'is' : 'are'} ${isAllIdle ? 'kept out of nothing by it' : 'kept out of what is left only'}: ${names} ${side === 'source' ? 'packets from there in' : 'packets there pass'} before${isAllIdle ? ', and all others are turned away without it as well' : ''}`,
    because: [
      ...by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `accepts packets of ${isOne ? 'that address' : 'such addresses'} before: ${targetText(ruleset, one)}` })),
      ...others.slice(0, 16).map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'comes too late as well' })),
    ],
    help: `if ${isOne ? 'the address is' : 'they are'} to be kept out of all, move the rule before rule ${String(first?.position ?? 1)}`,
  };
}

function ofBan(ruleset: Ruleset, { at, by, bans: [ban] }: LateBan): Report {
  const [first] = by;
  const position = String(first?.position ?? 1);
  return {
    at, severity: 'warning',
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    message: `those whom chain \`${ban.chain}\` keeps out get in all the same: ${by.length === 1 ? `rule ${position} lets` : `rules ${by.slice(0, 3).map(one => String(one.position)).join(', ')}${by.length > 3 ? ' and more' : ''} let`} everybody in before`,
    because: [...by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `accepts packets of such addresses before: ${targetText(ruleset, one)}` })), { rule: referenceOf(ban), line: ban.rule.line, message: 'keeps out too late' }],
    help: `move the rule before rule ${position}`,
  };
}

export const correlatedRules = defineCheck({
  name: 'correlated-rules',
  kind: 'reachability',
  severity: 'info',
  summary: 'An address is blocked behind rules that let it in',
  why: `Two rules that decide otherwise, and that ask for some of the same packets, each for others as well: which one comes
first decides about what they share. Mostly that is as it should be: exceptions first, then the rule. It is a surprise
where a rule keeps an address out, and a rule for a port stands before it: the address still comes in by that port.
Where all that is left would be turned away without the rule as well, by the policy or a later rule, it keeps nobody out of anything: a warning. The same holds of a machine that is asked for by its MAC address.
So it is where the list of the banned that fail2ban, sshguard or CrowdSec keeps is a chain of its own, and is called behind the rule for the port: a warning, for then nobody is banned there.`,
  bad: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -s 203.0.113.7/32 -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
  good: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.7/32 -j DROP
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
  nearMiss: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/28 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -j DROP
COMMIT
`,
  * run(cx) {
    const { blocks, bans } = lateBlocks(cx);
    for (const one of blocks) yield ofBlock(cx, one);
    for (const one of bans) yield ofBan(cx.ruleset, one);
  },
});
