import { onward, type Onward, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, type Constraint } from '../packet/constraint.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import type { Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { printAddress } from '../values/address.js';
import { protocolWord } from '../values/protocol.js';
import { areCovered, meet, rangesOf, without } from './shared/asked.js';
import { bypassedRules } from './shared/bypassed.js';
import { pathsBehind } from './shared/nat-rules.js';
import { destinationText, optionsBehind } from './shared/nat-words.js';
import { missedTranslations, type Missed } from './shared/missed-translations.js';
import { isForPeople } from './shared/owners.js';
import { rewrittenRules, type Rewritten } from './shared/rewritten.js';
import { effectOf, targetText } from './shared/targets.js';
import { translatedStep } from './shared/translated-step.js';
import { translationOf, type Translation } from './shared/translations.js';

/** What one question may cost. */
const budget = { packets: 1000, work: 100_000 };

/** What becomes of the packets that the rule asks for as they come, once they are translated. */
interface Behind {
  readonly translation: Translation;
  readonly answer: Extract<Onward, { kind: 'passes' | 'lost' }>;
}

function behind(cx: CheckContext, pipeline: Pipeline, { by, asks }: Rewritten): Behind | undefined {
  for (const translation of by) for (const path of pathsBehind(cx, translation)) {
    const answer = onward(pipeline, translation.at.rule, { path, packets: asks, budget: solveBudget(budget.packets, budget.work) });
    if (answer.kind === 'passes' || answer.kind === 'lost') return { translation, answer };
  }
  return undefined;
}

/** A rule of the chain that does the same, and asks for what packets have by then. */
function rightRule(cx: CheckContext, table: Table, { at }: Rewritten, { address, ports }: Translation): RuleAt | undefined {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const [effect, own] = [effectOf(at.rule), constraints.of(at.rule)];
  return cx.rules(table).find(one => {
    if (one.chain !== at.chain || one.rule === at.rule || effect === undefined || effectOf(one.rule) !== effect) return false;
    const asks = constraints.of(one.rule);
    const [dst, dport] = [rangesOf(asks, 'dst'), rangesOf(asks, 'dport')];
    const isAsked = typeof address === 'string' || (dst !== undefined && areCovered(address, [dst]));
    return isAsked && (ports === undefined || (dport !== undefined && areCovered(ports, [dport]))) && meet(rangesOf(asks, 'protocol'), rangesOf(own, 'protocol'));
  });
}

/** How a rule of filter asks for packets that a translation has taken: for all that it asked for before, other than the address. `before`: what the translation asks. */
function optionsFor({ at, asks }: Pick<Rewritten, 'at' | 'asks'>, translation: Translation, before: Constraint): string {
  const { rule } = translation.at;
  const { source = rule.source, inInterface = rule.inInterface } = at.rule;
  const kept = without(asks, ['dst']);
  return optionsBehind(all([before, ...kept]), { ...translation, at: { ...translation.at, rule: { ...rule, source, inInterface } } });
}

/** What to write: nothing where it stands there already. */
function helpOf(cx: CheckContext, table: Table, rewritten: Rewritten, first: Translation, asks: Constraint): string {
  const right = rightRule(cx, table, rewritten, first);
  return right === undefined ? `ask for the address and port that packets have by then: ${optionsFor(rewritten, first, asks)} ${targetText(cx.ruleset, rewritten.at)}`
    : `delete it, if ${referenceOf(right)} is for the same: that one asks for the address and port that packets have by then`;
}

/** It decides otherwise than what becomes of the packets. */
function isContradicted(effect: string | undefined, found: Behind | undefined): boolean {
  if (found === undefined) return false;
  return effect === 'accept' ? found.answer.kind === 'lost' : (effect === 'drop' || effect === 'reject') && found.answer.kind === 'passes';
}

function report(cx: CheckContext, table: Table, pipeline: Pipeline, rewritten: Rewritten, asksOf: (translation: Translation) => Constraint): Report {
  const { at, asks } = rewritten;
  const asked = rangesOf(asks, 'dst');
  const by = rewritten.by.map(one => translationOf(asked, one));
  const found = behind(cx, pipeline, { ...rewritten, by });
  const first = found?.translation ?? by[0];
  const sighting = found === undefined ? undefined : found.answer.kind === 'passes' ? found.answer.found : found.answer.dies;
  const isLost = found?.answer.kind === 'lost';
  const becomes = first === undefined ? '' : destinationText(first);
  return {
    at,
    severity: isContradicted(effectOf(at.rule), found) ? 'error' : 'warning',
    message: `no connection begins by this rule: it asks for what ${by.map(one => referenceOf(one.at)).slice(0, 3).join(', ')}${by.length > 3 ? ' …' : ''} ${by.length === 1 ? 'has' : 'have'} rewritten by then, to ${becomes}`,
    because: by.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `packets that this rule is for go to ${destinationText(one)}` })),
    ...first === undefined || sighting === undefined ? {} : { witness: [translatedStep(pipeline, sighting, first, isLost)], shows: [{ fate: isLost ? 'lost' : 'passes', matches: [referenceOf(first.at)], misses: [referenceOf(at)] }] },
    help: first === undefined ? '' : helpOf(cx, table, rewritten, first, asksOf(first)),
  };
}

/** `port 8080`, `192.0.2.1 port 443`: what the rule and the translation both ask for, and how the first is to ask for it. */
function askedText(asks: Constraint, before: Constraint): { readonly text: string; readonly options: string } {
  const [first] = rangesOf(all([asks, before]), 'dport') ?? [];
  const [outer] = rangesOf(before, 'dst') ?? [];
  const dst = outer === undefined || rangesOf(asks, 'dst') === undefined || outer.low !== outer.high ? undefined : printAddress(outer.low);
  const [protocol] = rangesOf(asks, 'protocol') ?? [];
  const port = first === undefined ? undefined : `${String(first.low)}${first.low === first.high ? '' : `:${String(first.high)}`}`;
  const text = [...dst === undefined ? [] : [dst], ...port === undefined ? [] : [`port ${port}`]].join(' ');
  const options = [
    ...protocol?.low === protocol?.high && protocol !== undefined ? [`-p ${protocolWord(Number(protocol.low))}`] : [], '-m conntrack',
    ...dst === undefined ? [] : [`--ctorigdst ${dst}`], ...port === undefined ? [] : [`--ctorigdstport ${port}`], '--ctdir ORIGINAL',
  ].join(' ');
  return { text: text === '' ? 'the service' : text, options };
}

/** A rule that other packets may come by: nobody knows whether it was meant for these. */
function reportMissed(pipeline: Pipeline, { at, asks, asking: { translation: whole, asks: before }, packets, device, answer }: Missed): Report {
  const translation = translationOf(rangesOf(asks, 'dst'), whole);
  const isLost = answer.kind === 'lost';
  const { text, options } = askedText(asks, before);
  const isAboutOutside = at.rule.inInterface !== undefined || rangesOf(asks, 'dst') !== undefined || isForPeople(at.chain);
  return {
    at,
    severity: isAboutOutside ? 'warning' : 'info',
    certainty: 'possible',
    message: `this rule does not match connections to ${text}${isLost && device !== undefined ? ` that come in by ${device}` : ''}, which ${isLost ? 'are dropped' : 'pass'}: ${referenceOf(translation.at)} has sent them to ${destinationText(translation)} by then`,
    because: [{ rule: referenceOf(translation.at), line: translation.at.rule.line, message: 'rewrites what this rule asks for' }],
    witness: [translatedStep(pipeline, isLost ? answer.dies : answer.found, translation, isLost, packets)],
    shows: [{ fate: isLost ? 'lost' : 'passes', matches: [referenceOf(translation.at)], misses: [referenceOf(at)] }],
    help: `ask for what the client asked for: ${options}; or for what packets have by then: ${optionsFor({ at, asks }, translation, before)}`,
  };
}

export const filterMatchesPreNat = defineCheck({
  name: 'filter-matches-pre-nat',
  kind: 'nat',
  severity: 'error',
  summary: 'A filter rule asks for the address or port that nat has rewritten before',
  why: `Table nat rewrites the destination in PREROUTING (and in OUTPUT), before table filter sees the packet. A filter rule that
names the public address, or the port as the client dialled it, then meets no connection: FORWARD must name the
server's own address and port, INPUT the port that REDIRECT sends to; \`-m conntrack --ctorigdstport\` still knows the
port that was dialled, in chain DOCKER-USER as well. Packets that nat does not look at, such as INVALID
ones, may still match. It is an error where what the rule says does not happen, a warning where it happens all the same. Where other
connections may come by the rule, only those that it does not meet fare otherwise than it says: then it is possible that it was meant for them.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.9/32 -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT
-A FORWARD -d 203.0.113.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT
COMMIT
`,
  * run(cx) {
    const { ruleset } = cx;
    const [filter, nat] = [ruleset.tables.get('filter'), ruleset.tables.get('nat')];
    const missed = filter === undefined || nat === undefined ? [] : [...missedTranslations(cx, filter)];
    const pipeline = nat === undefined || filter === undefined || (rewrittenRules(cx, filter).size === 0 && missed.length === 0) ? undefined : cx.pipeline();
    if (filter === undefined || pipeline === undefined) return;
    const constraints = constraintsOf(ruleset, 'nat');
    for (const [rule, rewritten] of rewrittenRules(cx, filter)) {
      if (!bypassedRules(cx).has(rule)) yield report(cx, filter, pipeline, rewritten, ({ at }) => constraints.of(at.rule));
    }
    for (const one of missed) {
      const { rule } = one.at;
      if (!rewrittenRules(cx, filter).has(rule) && !bypassedRules(cx).has(rule)) yield reportMissed(pipeline, one);
    }
  },
});
