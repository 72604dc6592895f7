import { isUnresolved, type Rule, type Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, type Constraint } from '../packet/constraint.js';
import { printAddressMask } from '../values/address-mask.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { meet } from './shared/asked.js';
import { conjuncts, constraintKey } from './shared/conjuncts.js';
import { isOwnDoing } from './shared/owners.js';
import { effectOf, isFinal, targetText } from './shared/targets.js';

type Excepted = Extract<Constraint, { readonly kind: 'within' | 'interface' }>;

/** A rule for all but some: `! -s 203.0.113.5`. */
interface Excepting {
  readonly at: RuleAt;
  readonly excepted: Excepted;
  /** What else it asks. */
  readonly rest: readonly Constraint[];
  readonly keys: ReadonlySet<string>;
}

function exceptingOf(cx: CheckContext, at: RuleAt): Excepting | undefined {
  if (!isFinal(at.rule) && effectOf(at.rule) !== 'return') return undefined;
  const parts = conjuncts(constraintsOf(cx.ruleset, at.table).of(at.rule));
  const [one, ...others] = parts.filter(part => part.kind === 'not');
  if (one?.kind !== 'not' || others.length > 0 || (one.of.kind !== 'within' && (one.of.kind !== 'interface' || one.of.prefix))) return undefined;
  const rest = parts.filter(part => part !== one);
  return { at, excepted: one.of, rest, keys: new Set(rest.map(constraintKey)) };
}

function areApart(a: Excepted, b: Excepted): boolean {
  if (a.field !== b.field) return false;
  if (a.kind === 'interface') return b.kind === 'interface' && a.name !== b.name;
  return b.kind === 'within' && !meet(a.ranges, b.ranges);
}

/** So many rules of a kind in a chain are compared with each other. */
const keptLimit = 100;

/** Whether the first takes, and to the same end, all that the other excepts, and some of that gets so far. */
function takesExcepted(cx: CheckContext, table: Table, first: Excepting, other: Excepting): boolean {
  return areApart(first.excepted, other.excepted)
    && first.rest.every(part => part.kind !== 'unknown' && other.keys.has(constraintKey(part)))
    && reachWith(cx.space(), table, first.at, all([...other.rest, other.excepted])).kind === 'live';
}

/** What it excepts, as one writes it; empty where that is neither an address, an interface nor a port. */
function wordsOf({ source, destination }: Rule, excepted: Excepted): string {
  if (excepted.kind === 'interface') return ` (! ${excepted.field === 'in' ? '-i' : '-o'} ${excepted.name})`;
  const { field, ranges } = excepted;
  if (field === 'sport' || field === 'dport') return ` (! --${field} ${ranges.map(({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`).join(',')})`;
  const given = field === 'src' ? source : field === 'dst' ? destination : undefined;
  return given === undefined || isUnresolved(given.value) ? '' : ` (! ${field === 'src' ? '-s' : '-d'} ${printAddressMask(given.value)})`;
}

function report(cx: CheckContext, first: Excepting, { at, excepted }: Excepting): Report {
  const { ruleset } = cx;
  return {
    at,
    because: [{ rule: referenceOf(first.at), line: first.at.rule.line, message: `takes what the other excepts, and excepts something else${wordsOf(first.at.rule, first.excepted)}` }],
    ...isOwnDoing(ruleset, at, [first.at]) ? { mutedIn: 'generated' as const } : {},
    message: `what this rule excepts${wordsOf(at.rule, excepted)} is not excepted: rule ${String(first.at.position)} takes it before, to the same end (${targetText(ruleset, at)}), and what that excepts this one takes`,
    help: `two rules for all but one each are for all: except both at once${excepted.kind === 'within' && (excepted.field === 'sport' || excepted.field === 'dport') ? ` (-m multiport ! --${excepted.field}s)` : ' (-m set ! --match-set), or let each pass before in a rule of its own'}`,
  };
}

export const exceptionInVain = defineCheck({
  name: 'exception-in-vain',
  kind: 'reachability',
  severity: 'error',
  summary: 'Two rules take all but one each, so that between them they take everything',
  why: `\`! -s\` means everybody else. Who is to let in two, and writes a rule that drops all but the first and one that drops all but the second, has dropped everybody: the first rule takes the
second address, and the second rule the first. So it is with ports, interfaces and destinations, and with whatever the rules do. It is reported where two rules of a chain do the same and ask for the same, but for what each
excepts, and some of what the later one excepts comes to the earlier one: who is let in before gets in.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT ! -s 203.0.113.5/32 -p tcp -m tcp --dport 8443 -j DROP
-A INPUT ! -s 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j DROP
-A INPUT -p tcp -m tcp --dport 8440:8449 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -s 203.0.113.5/32 -p tcp -m tcp --dport 8443 -j ACCEPT
-A INPUT -s 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 8443 -j DROP
-A INPUT -p tcp -m tcp --dport 8440:8449 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT ! -s 203.0.113.0/24 -p tcp -m tcp --dport 8443 -j DROP
-A INPUT ! -s 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j DROP
-A INPUT -p tcp -m tcp --dport 8440:8449 -j ACCEPT
COMMIT
`,
  * run(cx) {
    for (const table of cx.ruleset.tables.values()) {
      const known = new Map<string, Excepting[]>();
      for (const at of cx.rules(table)) {
        const one = exceptingOf(cx, at);
        if (one === undefined) continue;
        const key = `${at.chain} ${one.excepted.field} ${targetText(cx.ruleset, at)}`;
        const earlier = known.get(key) ?? [];
        if (earlier.length < keptLimit) known.set(key, [...earlier, one]);
        const first = cx.reach(table).get(at.rule)?.kind === 'live' ? earlier.find(other => takesExcepted(cx, table, other, one)) : undefined;
        if (first !== undefined) yield report(cx, first, one);
      }
    }
  },
});
