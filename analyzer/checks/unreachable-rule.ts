import type { Because } from '../finding.js';
import { isTableName, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { stepOf } from '../witness/step.js';
import { takenElsewhere } from '../witness/taken-elsewhere.js';
import { bypassedRules } from './shared/bypassed.js';
import { deadElsewhere, isByTranslation, isChanger } from './shared/dead-elsewhere.js';
import { isCopy } from './duplicate-rule.js';
import { waitingInVain } from './notrack-state-conflict.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { deciderBecause, deciderReference, placeOf } from './shared/deciders.js';
import { ownerOf, ownersOf } from './shared/owners.js';
import { rewrittenRules } from './shared/rewritten.js';
import { shutElsewhere, type ShutElsewhere } from './shared/shut-elsewhere.js';
import { effectOf, isFinal, targetText } from './shared/targets.js';

const losing = new Set(['drop', 'reject', 'queue']);

/** It loses packets, or ends their way through the table before they come to the rule. */
function isTaker({ tables }: Ruleset, at: RuleAt, one: RuleAt): boolean {
  if (losing.has(effectOf(one.rule) ?? '')) return true;
  const table = one.table === at.table && isTableName(at.table) && isFinal(one.rule) ? tables.get(at.table) : undefined;
  const [own, others] = table === undefined ? [] : [at, one].map(({ chain }) => hooksOf(table).get(chain) ?? []);
  return own?.some(hook => others?.includes(hook) === true) === true;
}

function doing(ruleset: Ruleset, at: RuleAt, one: RuleAt): string {
  if (isTaker(ruleset, at, one)) return 'takes packets that this rule is for';
  if (isChanger(one)) return 'changes packets that this rule is for';
  return isFinal(one.rule) ? 'decides about packets that this rule is for' : 'leads packets that this rule is for';
}

/** More rules than this are not all named in one sentence. */
const namedLimit = 3;

function listOf(rules: readonly RuleAt[]): string {
  const names = rules.length > namedLimit ? [...rules.slice(0, namedLimit - 1).map(referenceOf), `${String(rules.length - namedLimit + 1)} others`] : rules.map(referenceOf);
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last} together`;
}

/** Of other tables (of its own, where it is that alone), the rules that do something to packets, and not only lead to those that do. */
function actors(ruleset: Ruleset, at: RuleAt, by: readonly RuleAt[]): readonly RuleAt[] {
  const elsewhere = by.filter(one => one.table !== at.table);
  const others = elsewhere.length === 0 ? by : elsewhere;
  const acting = others.filter(one => isTaker(ruleset, at, one) || isChanger(one));
  return acting.length === 0 ? others : acting;
}

function verbOf(ruleset: Ruleset, at: RuleAt, acting: readonly RuleAt[]): string {
  const [takes, changes] = [acting.some(one => isTaker(ruleset, at, one)), acting.some(one => !isTaker(ruleset, at, one) && isChanger(one))];
  const [take, change] = acting.length === 1 ? ['takes', 'changes'] : ['take', 'change'];
  return takes && changes ? 'take or change' : changes ? change : take;
}

function advice(ruleset: Ruleset, at: RuleAt, by: readonly RuleAt[], first: readonly RuleAt[]): string {
  if (isByTranslation(at, by)) return `ask for the address and port that ${listOf(first)} gives to packets`;
  return first.every(one => isTaker(ruleset, at, one)) ? `let its packets pass ${listOf(first)}` : `ask for packets as they are behind ${listOf(first)}`;
}

/** Whether it writes marks. */
function isMarker({ target }: Rule): boolean {
  return target.kind === 'extension' && target.use.definition.changes?.includes('mark') === true;
}

/** Whether one program wipes off what another has marked for itself: each of them works alone, and both together do not. */
function undoesMarks(ruleset: Ruleset, at: RuleAt, acting: readonly RuleAt[]): boolean {
  const owner = ownerOf(ruleset, at);
  if (!acting.some(one => isMarker(one.rule) && ownerOf(ruleset, one) !== owner)) return false;
  const owners = ownersOf(ruleset);
  return [...ruleset.tables.values()].some(table => [...table.chains.values()].some(chain => chain.rules.some(rule => isMarker(rule) && owners.ofRule(table, chain, rule) === owner)));
}

function report(ruleset: Ruleset, at: RuleAt, by: readonly RuleAt[]): Report {
  const acting = actors(ruleset, at, by);
  const deciders = by.filter(one => isFinal(one.rule));
  const isSame = isFinal(at.rule) && deciders.length > 0 && deciders.every(one => effectOf(one.rule) === effectOf(at.rule));
  const because = by.map((one): Because => ({ rule: referenceOf(one), line: one.rule.line, message: `${doing(ruleset, at, one)}: ${targetText(ruleset, one)}` }));
  const first = acting.slice(0, 1);
  return {
    at, because,
    severity: isSame ? 'warning' : 'error',
    // Programs that do not know of each other, as kubernetes and flannel, leave each other such rules by design.
    ...[at, ...acting].every(one => ownerOf(ruleset, one) !== undefined) && !undoesMarks(ruleset, at, acting) ? { mutedIn: 'generated' as const } : {},
    message: `no packet comes to this rule: before ${acting.every(one => one.table === at.table) ? 'it' : `table ${at.table}`} sees them, ${listOf(acting)} ${verbOf(ruleset, at, acting)} all that it is for`,
    help: `${advice(ruleset, at, by, first)}, or delete it`,
  };
}

/** Whether the rule's chain is called only by rules that are reported themselves, or to which no packet comes in their own table. */
function isBelowDead(cx: CheckContext, table: Table, { chain }: RuleAt, dead: ReadonlyMap<Rule, unknown>): boolean {
  if (table.chains.get(chain)?.hook !== undefined) return false;
  const reached = cx.reach(table);
  for (const { rule } of cx.rules(table)) {
    if (rule.target.kind === 'chain' && rule.target.name === chain && !dead.has(rule) && reached.get(rule)?.kind === 'live') return false;
  }
  return true;
}

/** filter-matches-pre-nat, or another check of nat, says what its packets have become. */
function isToldOfNat(cx: CheckContext, table: Table, at: RuleAt, by: readonly RuleAt[]): boolean {
  return table.name === 'filter' && isByTranslation(at, by) && (rewrittenRules(cx, table).has(at.rule) || bypassedRules(cx).has(at.rule));
}

/** Policies alone keep everything away, from no rule in particular: that is told once. */
function reportShut({ ruleset }: CheckContext, { by, accepting, witness }: ShutElsewhere): Report {
  const [first] = by;
  return {
    ...placeOf(ruleset, first),
    message: `no connection gets through this host: ${first.chain} of table ${first.table} drops by its policy whatever comes there, and what table filter lets through ends there`,
    because: [...by.map(one => deciderBecause(ruleset, one, 'policy DROP, and no rule lets anything pass')), deciderBecause(ruleset, accepting, 'lets through what is dropped')],
    witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: `${first.table}:${first.chain}`, fate: 'lost', by: by.map(deciderReference) }],
    help: `${by.map(({ table, chain }) => `-t ${table} -P ${chain} ACCEPT`).join('; ')}: what is to pass is for table filter to say`,
  };
}

export const unreachableRule = defineCheck({
  name: 'unreachable-rule',
  kind: 'reachability',
  severity: 'error',
  claimsDead: true,
  summary: 'No packet comes to the rule, because other tables, or marks that its own sets, take or change them all',
  why: `A packet passes several tables, and what raw, mangle or nat do with it is done before filter sees it. A rule whose
every packet was dropped there, was given another address or mark, or was exempt from connection tracking and so is
neither NEW nor ESTABLISHED, never does what it says, though nothing in its own table stands in its way. So it is with a rule for a mark
that rules before it in the same table have always made another one.
It is an error where those rules decide otherwise, a warning where they decide the same. All ways through the host are
looked at, whatever its addresses and routes; where only policies or the kernel itself let no such packet come, nothing is said of single rules. Where the policies of
other tables (\`*mangle\`, \`:FORWARD DROP\`) let no connection through this host at all, and rules of filter mean to, that is told once.`,
  bad: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -s 192.168.0.0/16 -i eth0 -j DROP
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 198.51.100.0/24 -i eth0 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.168.77.0/24 -i eth0 -p tcp -m tcp --dport 3306 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -i eth0 -p udp -m udp --dport 53 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i eth0 -p udp -m udp --dport 53 -m conntrack --ctstate UNTRACKED -j ACCEPT
COMMIT
`,
  nearMiss: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -i eth0 -p udp -m udp --dport 53 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i eth0 -p udp -m udp --dport 53 -m conntrack --ctstate UNTRACKED -j ACCEPT
-A INPUT -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  * run(cx) {
    const shut = shutElsewhere(cx);
    if (shut !== undefined) yield reportShut(cx, shut);
    const dead = deadElsewhere(cx);
    if (dead.size === 0) return;
    for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
      const by = dead.get(at.rule);
      if (by === undefined || isBelowDead(cx, table, at, dead) || isToldOfNat(cx, table, at, by) || waitingInVain(cx).has(at.rule) || isCopy(cx, table, at)) continue;
      yield {
        ...report(cx.ruleset, at, by),
        illustrate: () => {
          const pipeline = cx.pipeline();
          return pipeline === undefined ? undefined : takenElsewhere(pipeline, at, by);
        },
      };
    }
  },
});
