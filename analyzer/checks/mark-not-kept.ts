import type { Ruleset, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { hooksOf, rewritingsOf } from '../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { ctstates, mentions } from '../packet/constraint.js';
import { rangesOf } from './shared/asked.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { effectOf } from './shared/targets.js';
import { theSame } from './shared/the-same.js';

/** Whether some rule asks for the marks of packets, copies them, or does nobody knows what: the mark may be for it, and it sees the first packet. */
function isReadByRules(ruleset: Ruleset): boolean {
  return [...ruleset.tables.values()].some(table => {
    const [constraints, hooks] = [constraintsOf(ruleset, table.name), hooksOf(table)];
    return [...table.chains.values()].some(({ name, rules }) => rules.some(rule => {
      const effect = effectOf(rule);
      return effect === 'unknown' || effect === 'queue' || mentions(constraints.of(rule), ['mark'])
        || rewritingsOf(ruleset, table, rule, hooks.get(name) ?? []).some(one => one.kind === 'copy' && (one.from === 'mark' || one.to === 'mark'));
    }));
  });
}

/** A rule that gives a mark to packets. */
interface Marking {
  readonly at: RuleAt;
  readonly value: number;
  readonly isForNew: boolean;
}

/** Those before routing. */
function markings(cx: CheckContext, table: Table): readonly Marking[] {
  const [constraints, hooks] = [constraintsOf(cx.ruleset, table.name), hooksOf(table)];
  return cx.rules(table).flatMap(at => {
    const own = hooks.get(at.chain) ?? [];
    const isBefore = own.some(hook => hook === 'PREROUTING' || hook === 'OUTPUT') && cx.reach(table).get(at.rule)?.kind === 'live';
    const isForNew = rangesOf(constraints.of(at.rule), 'ctstate')?.every(({ low, high }) => low === ctstates.NEW && high === ctstates.NEW) === true;
    return isBefore ? rewritingsOf(cx.ruleset, table, at.rule, own).flatMap(one => one.kind === 'bits' && one.field === 'mark' && one.value !== 0 ? { at, value: one.value, isForNew } : []) : [];
  });
}

/** Rules for NEW packets, whose mark no other rule gives. */
function marksOfFirst(cx: CheckContext, table: Table): readonly RuleAt[] {
  const all = markings(cx, table);
  return all.filter(one => one.isForNew && all.every(({ isForNew, value }) => isForNew || value !== one.value)).map(({ at }) => at);
}

function report([first, ...others]: readonly [RuleAt, ...RuleAt[]]): Report {
  return {
    at: first, certainty: 'possible', alike: others.length + 1,
    message: `only the first packet of each connection gets the mark of this rule${others.length === 0 ? '' : ` (and of ${String(others.length)} more)`}: the others are not NEW, and nothing keeps it for them, so that they are routed and queued without it`,
    because: theSame(others),
    help: 'leave NEW out; or keep the mark: -j CONNMARK --save-mark behind it, and -j CONNMARK --restore-mark first of all',
  };
}

const marking = (...rules: readonly string[]): string => `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${rules.map(rule => `-A PREROUTING ${rule}\n`).join('')}COMMIT
`;
const mail = '-i lan0 -p tcp -m tcp --dport 25 -m conntrack --ctstate NEW -j MARK --set-xmark 0x1/0xffffffff';

export const markNotKept = defineCheck({
  name: 'mark-not-kept',
  kind: 'reachability',
  severity: 'warning',
  mutedIn: 'generated',
  summary: 'The first packet of each connection is marked, and the others are not',
  why: `A mark belongs to one packet. A rule for NEW packets marks the first of each connection; the next one comes without, and routing (\`ip rule … fwmark\`) sends it another way, by an interface where nobody knows the connection.
Either all packets are marked, or the mark is kept with the connection: \`CONNMARK --save-mark\` puts it there, and \`CONNMARK --restore-mark\`, first of all, gives it to the packets that follow. It is reported where rules in PREROUTING or OUTPUT mark what is NEW, and no rule
looks at the mark of a packet or copies it: it can only be for routing, or for traffic control. It is possible, for that may be for first packets alone.`,
  bad: marking(mail),
  good: marking('-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff', mail, '-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff'),
  nearMiss: marking(mail.replace(' -m conntrack --ctstate NEW', '')),
  * run(cx) {
    const mangle = cx.ruleset.tables.get('mangle');
    const [first, ...others] = mangle === undefined ? [] : marksOfFirst(cx, mangle);
    if (first !== undefined && !isReadByRules(cx.ruleset)) yield report([first, ...others]);
  },
});
