import type { Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { takenInstead } from '../witness/taken-instead.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { duplicatesIn } from './duplicate-rule.js';
import { withoutLines } from './shared/edits.js';
import { takesMartiansOnly } from './shared/martians.js';
import { callThatTakes, decideAlike, isDoneByPrograms, isForNonsense, isLastReturn, isLastWord, isNobodysToMend, listOf, refuseAlike, takersBecause } from './shared/shadows.js';
import { areTranslating } from './shared/taken-by-translation.js';
import { targetText } from './shared/targets.js';
import { othersTold, theSame } from './shared/the-same.js';

/** Rules whose packets others take. Of those for flags that only INVALID packets have, all that the same rules take and that would do the same. */
interface Shadowed {
  readonly at: RuleAt;
  readonly by: readonly RuleAt[];
  readonly isNonsense: boolean;
  readonly others: RuleAt[];
}

function report(cx: CheckContext, table: Table, { at, by, isNonsense, others: alike }: Shadowed): Report {
  const { ruleset } = cx;
  const others = by.filter(one => !takesMartiansOnly(cx, table, at, one));
  const them = alike.length === 0 ? 'it' : 'them';
  const isSame = decideAlike(cx, table, at, others.length === 0 ? by : others);
  return {
    at, because: [...takersBecause(ruleset, by), ...theSame(alike.slice(0, othersTold))], alike: alike.length + 1,
    // A program that shadows its own rules takes care of itself; where somebody else does, that is worth knowing if packets fare otherwise for it.
    ...isNobodysToMend(cx, table, at, by) ? { mutedIn: 'generated' as const } : {},
    severity: isLastReturn(table, at) || (isSame && (isNonsense || isDoneByPrograms(cx, at, by))) ? 'info' : isSame || refuseAlike(at, by) || isLastWord(cx, at, by) ? 'warning' : 'error',
    message: `no packet can match this rule${alike.length === 0 ? '' : ` (nor ${String(alike.length)} more for such flags)`}: ${isNonsense ? 'TCP packets with such flags are INVALID, and ' : ''}${listOf(by, at)} ${by.length === 1 ? 'takes' : 'take'} all of them first${isSame || at.rule.target.kind === 'none' ? '' : `, so its ${targetText(ruleset, at)} never happens`}`,
    help: isSame ? `delete the rule${alike.length === 0 ? '; what it asks for' : 's; what they ask for'} is done before ${them}` : `move ${them} before ${listOf(by.slice(0, 1), at)}, or delete ${them}`,
    ...fixWith(`delete the rule${alike.length === 0 ? '' : 's'}`, 'safe', withoutLines(ruleset, [at, ...alike].map(({ rule }) => rule))),
  };
}

export const shadowedRule = defineCheck({
  name: 'shadowed-rule',
  kind: 'reachability',
  severity: 'error',
  claimsDead: true,
  summary: 'No packet can match the rule, because earlier rules take them all',
  why: `Rules are tried in order, and the first that decides ends the matter. A rule whose every packet is taken by
rules before it, by one of them or by several together, never does what it says. It is an error where the
earlier rules decide otherwise (an address that looks blocked is let in), a warning where they decide the same, or drop
what it would reject, or where the rule would refuse, to be safe, what is left when some of its packets have been refused and others let in by rules that ask for what it asks and more (loopback addresses from another interface than lo, which the kernel drops itself, do not count), and an info where it is a RETURN at the end of its chain, which does what the end does, or where programs that come and go do for now what it says.
TCP flags that make no sense, none or SYN and FIN, are of no connection and begin none: connection tracking calls such packets INVALID, so that behind a rule that drops those none for such
flags matches any more. Where it would drop them too that is an info, and such rules are told of together.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j REJECT
COMMIT
`,
  * run(cx) {
    const { ruleset, reach, space } = cx;
    for (const table of ruleset.tables.values()) {
      const reached = reach(table);
      for (const chain of table.chains.values()) {
        const nonsense = new Map<string, Shadowed>();
        // A duplicate is reported as such; they are looked for only where some rule is shadowed.
        for (const [index, rule] of chain.rules.entries()) {
          const answer = reached.get(rule);
          if (answer?.kind !== 'shadowed' || duplicatesIn(ruleset, table, chain).has(rule)) continue;
          const at = { table: table.name, chain: chain.name, position: index + 1, rule };
          // What stands behind such a call is reported once, at the call.
          if (callThatTakes(at, answer.by) !== undefined) continue;
          // nat-shadowed tells of these.
          if (areTranslating(at, answer.by)) continue;
          const { by } = answer;
          const shadowed = { at, by, isNonsense: isForNonsense(cx, at, by), others: [] };
          if (!shadowed.isNonsense) {
            yield { ...report(cx, table, shadowed), illustrate: () => takenInstead(space(), table, at, by) };
            continue;
          }
          const key = [targetText(ruleset, at), ...by.map(referenceOf)].join();
          const first = nonsense.get(key);
          if (first === undefined) nonsense.set(key, shadowed);
          else first.others.push(at);
        }
        for (const one of nonsense.values()) yield { ...report(cx, table, one), illustrate: () => takenInstead(space(), table, one.at, one.by) };
      }
    }
  },
});
