import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import type { Reach, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith } from '../packet-space/index.js';
import { firstPacket, question, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { translatedByRules } from '../packet-space/translations-in.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { publicRanges } from '../packet/address-blocks.js';
import { all, always, any, ctstates, is, mentions, not, type Constraint, type Range } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { InterfaceName } from '../values/interface-name.js';
import { stepOf } from '../witness/step.js';
import { meet, rangesOf, without } from './shared/asked.js';
import { isRemark } from './shared/catch-all.js';
import { hasConjunct } from './shared/conjuncts.js';
import { deciderBecause } from './shared/deciders.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { askedOnTheWay, comesElsewhere, liveTranslations, wayOutOf, wholeRule, type Asking } from './shared/nat-rules.js';
import { isInnerName, shownOutside, virtualInterface } from './shared/outside.js';
import { notLoopback } from './shared/replies.js';
import { ownerOf } from './shared/owners.js';
import { forwardingSwitch, isSwitchedOff } from './shared/routers.js';
import { firstTo } from './shared/strangers.js';
import { effectOf } from './shared/targets.js';
import { fromBehind, networkOf, ofNetwork, translatedNetworks } from './shared/translated-networks.js';

const budget = (): SolveBudget => solveBudget(1000, 100_000);
const isNew = all([is('ctstate', ctstates.NEW), is('fragment', 0)]);
const carried = any([is('protocol', protocolNumber.tcp), is('protocol', protocolNumber.udp)]);

/** Whether a rule is for whoever leaves by an interface, where others are for networks: what this host sends has its address there already, unless it leads into a tunnel. */
function isForWhoeverLeaves(ruleset: Ruleset, { source, destination, outInterface: out, matches }: Rule): boolean {
  return source === undefined && destination === undefined && out?.negated === false && !isInnerName(out.value.name) && matches.every(isRemark) && translatedNetworks(ruleset).length > 0;
}

/** Whether a rule of FORWARD lets something pass, and no packet comes to it, because others take them and not to let them pass as well: that is what is wrong, and is told. */
function isMeantToForward(cx: CheckContext): boolean {
  const filter = cx.ruleset.tables.get('filter');
  if (filter === undefined) return true;
  const [hooks, reached] = [hooksOf(filter), cx.reach(filter)];
  return cx.rules(filter).some(({ chain, rule }) => hooks.get(chain)?.includes('FORWARD') === true && effectOf(rule) === 'accept' && isLost(reached.get(rule)));
}

function isLost(reach: Reach | undefined): boolean {
  return reach?.kind === 'shadowed' && !reach.by.every(one => effectOf(one.rule) === 'accept');
}

/** Whether FORWARD lets none of them out, as far as connections are translated by rules of the file only: what firewalld lets pass as translated is nobody then. */
function isStuckInFilter(cx: CheckContext, packets: Constraint): boolean {
  const filter = cx.ruleset.tables.get('filter');
  return filter !== undefined && ask(cx.space(), filter, 'FORWARD', all([packets, translatedByRules(cx.ruleset, filter.name)]), ['accept', 'queue', 'unknown']).kind === 'no';
}

/** Whether a rule is for what this host sends: lo carries nothing else, and nothing else has an owner. */
function isForOwn(cx: CheckContext, nat: Table, at: RuleAt, asks: Constraint): boolean {
  return hasConjunct(asks, one => one.kind === 'atom' && one.name.startsWith('owner ')) || reachWith(cx.space(), nat, at, notLoopback).kind !== 'live';
}

const to = (ranges: readonly Range[]): Constraint => ({ kind: 'within', field: 'dst', ranges });

/** What rules of nat say of whom they are for, as destinations: neighbours of these people. */
function neighbours(ruleset: Ruleset): readonly Constraint[] {
  const constraints = constraintsOf(ruleset, 'nat');
  return [...ruleset.tables.get('nat')?.chains.values() ?? []].flatMap(({ rules }) => rules.flatMap(rule => networkOf(rule) === undefined ? [] : rangesOf(constraints.of(rule), 'src') ?? [])).map(range => to([range]));
}

/** Not of other networks: behind an interface of theirs there is nobody else, and where a rule is for whoever leaves, they have rules of their own. */
function noneOfOthers(own: readonly Range[] | undefined, ruleset: Ruleset): readonly Constraint[] {
  const others = translatedNetworks(ruleset).filter(({ people }) => own === undefined || !meet(own, people));
  return others.flatMap(one => [...fromBehind(one), ...own === undefined ? [ofNetwork(one)] : []]).map(not);
}

/** What gets them out: it leaves where the rule translates, or goes to the internet by another interface. What goes to another network inside, or comes by the way out where they are not, does not. */
function outward(cx: CheckContext, asking: Asking, out: InterfaceName | undefined): Constraint {
  const own = rangesOf(asking.asks, 'src');
  const elsewhere = own === undefined ? always : not(to(own));
  if (out === undefined) return all([elsewhere, not(any(neighbours(cx.ruleset)))]);
  const way = (field: 'in' | 'out'): Constraint => ({ kind: 'interface', field, ...out });
  const abroad = all([to(publicRanges[cx.ruleset.family]), not(virtualInterface('out')), ...comesElsewhere(cx, asking, out) ? [not(way('in'))] : []]);
  return all([elsewhere, any([way('out'), abroad])]);
}

function lookAt(cx: CheckContext, pipeline: Pipeline, asking: Asking, network: string | undefined): Report | undefined {
  const { asks, translation: { at } } = asking;
  const { family } = cx.ruleset;
  const people = all([...without(asks, ['out', 'ctstate']), isNew, notLoopback, ...noneOfOthers(rangesOf(asks, 'src'), cx.ruleset)]);
  const out = wayOutOf(cx, at);
  const leaving = all([people, carried, outward(cx, asking, out)]);
  if (!isStuckInFilter(cx, leaving)) {
    const passes = question(pipeline, 'through', leaving, 'accept', budget(), true);
    if (passes.kind === 'undecided') cx.undecided();
    if (passes.kind !== 'no') return undefined;
  }
  const packets = all([people, shownOutside(family), firstTo('tcp', [443]), is('mark', 0), is('connmark', 0), not(virtualInterface('in')), ...out === undefined ? [] : [not({ kind: 'interface', field: 'in', ...out }), { kind: 'interface', field: 'out', ...out } as const]]);
  const lost = question(pipeline, 'through', packets, 'drop', budget(), true);
  if (lost.kind !== 'yes' || lost.by?.table !== 'filter') return undefined;
  const { sample } = firstPacket(pipeline, lost.found, packets);
  const way = out === undefined ? '' : ` -o ${out.name}${out.prefix ? '+' : ''}`;
  return {
    at, certainty: 'possible',
    message: network === undefined
      ? `this rule translates what leaves by${way.slice(3)}, and FORWARD lets nobody out but those whom other rules translate`
      : `this rule translates what people of ${network} send, and FORWARD lets none of them out, neither by TCP nor by UDP`,
    because: [deciderBecause(cx.ruleset, lost.by, 'drops what they send')],
    witness: [{ ...stepOf(sample, sample.in ?? 'eth1'), sentOn: { address: sample.dst ?? '', device: sample.out ?? out?.name ?? 'eth0' } }], shows: [{ at: 'filter:FORWARD', fate: 'lost' }],
    help: `if they are to get out, let them: -A FORWARD ${network === undefined ? '-i INSIDE' : `-s ${network}`}${way} -j ACCEPT, and their answers: -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; else delete the rule`,
  };
}

/** No rule helps: the kernel forwards nothing. What programs translate is for them to switch on. */
function ofSwitch(cx: CheckContext, at: RuleAt, network: string | undefined): Report | undefined {
  if (network === undefined || ownerOf(cx.ruleset, at) !== undefined) return undefined;
  const name = forwardingSwitch[cx.ruleset.family];
  return {
    at,
    message: `this rule translates what people of ${network} send, and this host forwards nothing: ${name} is 0`,
    help: `if they are to get out: sysctl -w ${name}=1, and the same in /etc/sysctl.d; else delete the rule`,
  };
}

const tables = (forward: string): string => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -p udp -m udp --dport 51820 -j ACCEPT
${forward}COMMIT
`;

const letOut = `-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
`;

export const masqueradeNotForwarded = defineCheck({
  name: 'masquerade-not-forwarded',
  kind: 'nat',
  severity: 'warning',
  summary: 'A network is translated on its way to the internet, and FORWARD lets none of it out',
  why: `A rule for MASQUERADE or SNAT lets nothing pass: it says only how packets leave that table filter has let through. Who sets up a tunnel or a network behind a firewall that drops what is
forwarded (\`-P FORWARD DROP\`, as ufw and docker have it) needs both: the tunnel comes up, and whoever is behind it gets nowhere. It is reported where a rule translates a private network
(\`-s\`) on its way to anywhere, and FORWARD lets none of its TCP and UDP pass, neither by the rule's interface nor to the internet by another; what gets to other networks inside is not out, nor does any of it come by an interface
behind which nat has another network (\`-s 172.17.0.0/16 ! -o docker0\`). So is it where a rule translates whoever leaves by an interface, and FORWARD lets nobody out but networks for which other rules are. It is possible, for the rule may be left over from a network that is no more. Where FORWARD lets these
people out by another interface, \`masquerade-wrong-interface\` says so. Where a host file says that the host forwards nothing (net.ipv4.ip_forward is 0), that is told in its place, and is certain.`,
  bad: tables(''),
  good: tables(`${letOut}-A FORWARD -i wg0 -o eth0 -j ACCEPT\n`),
  nearMiss: tables(`${letOut}-A FORWARD -s 10.8.0.0/24 -p tcp -m tcp --dport 443 -j ACCEPT\n`),
  asks: ({ ruleset, ruleset: { family } }) => [isNew, to(publicRanges[family]), ...neighbours(ruleset), ...noneOfOthers(undefined, ruleset), carried, notLoopback, shownOutside(family), firstTo('tcp', [443]), virtualInterface('in'), virtualInterface('out')],
  * run(cx) {
    const nat = cx.ruleset.tables.get('nat');
    if (nat === undefined || isMeantToForward(cx)) return;
    const isOff = isSwitchedOff(cx);
    const told = new Set<string>();
    for (const { translation } of liveTranslations(cx, 'source')) {
      const whole = translation.hooks.includes('POSTROUTING') ? wholeRule(cx, translation.at, 'POSTROUTING') : undefined;
      const network = whole === undefined ? undefined : networkOf(whole);
      const key = network ?? (whole !== undefined && isForWhoeverLeaves(cx.ruleset, whole) ? '' : undefined);
      const asks = key === undefined || told.has(key) ? undefined : askedOnTheWay(cx, translation.at, 'POSTROUTING');
      if (key === undefined || asks === undefined || mentions(asks, ['mark', 'connmark', 'dport', 'sport']) || isForOwn(cx, nat, translation.at, asks)) continue;
      const pipeline = isOff ? undefined : cx.pipeline();
      const found = isOff ? ofSwitch(cx, translation.at, network) : pipeline === undefined ? undefined : lookAt(cx, pipeline, { translation, asks }, network);
      if (found !== undefined) {
        told.add(key);
        yield found;
      }
    }
  },
});
