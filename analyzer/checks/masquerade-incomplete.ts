import type { RuleAt } from '../packet-space/answers.js';
import { firstPacket, nextPacket, question, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { isPrivate, privateRanges } from '../packet/address-blocks.js';
import { all, any, ctstates, is, mentions, not, type Constraint, type Range } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { isUnresolved, type Rule, type Table } from '../model/ruleset.js';
import { printAddressMask } from '../values/address-mask.js';
import type { InterfaceName } from '../values/interface-name.js';
import type { Family } from '../values/value.js';
import { stepOf } from '../witness/step.js';
import { accepterOf, acceptsAll } from './shared/accepting.js';
import { areCovered, rangesOf, without } from './shared/asked.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { askedOnTheWay, liveTranslations, wayOutOf, wholeRule, type Asking } from './shared/nat-rules.js';
import { isOpen } from './shared/openness.js';
import { defaultDevices, namedInterfaces, shownOutside, virtualInterface } from './shared/outside.js';
import { firstTo } from './shared/strangers.js';

const limits = { packets: 1000, work: 100_000 };
const budget = (): SolveBudget => solveBudget(limits.packets, limits.work);
/** Networks that are asked about at each way out. */
const networkLimit = 20;

const by = (field: 'in' | 'out', { name, prefix }: InterfaceName): Constraint => ({ kind: 'interface', field, name, prefix });
const nameOf = ({ name, prefix }: InterfaceName): string => `${name}${prefix ? '+' : ''}`;

/** What people ask of the internet first: a page, a page over QUIC, whether it is there. */
const everyday = (family: Family): readonly { readonly word: string; readonly packets: Constraint }[] => [
  { word: 'TCP', packets: firstTo('tcp', [443]) }, { word: 'UDP', packets: firstTo('udp', [443]) },
  { word: 'ping', packets: all([is('protocol', protocolNumber[family === 'ipv4' ? 'icmp' : 'icmpv6']), is('icmpType', family === 'ipv4' ? 8 : 128), is('icmpCode', 0)]) },
];

const page = firstTo('tcp', [443]);

/** A way out to the internet: the translations there that are for whatever one asks for, and the sources that they name; undefined: all, and none where they only except some. */
interface Way {
  readonly name: InterfaceName;
  readonly askings: readonly [Asking, ...Asking[]];
  readonly sources: readonly (readonly Range[] | undefined)[];
}

/** It is for whatever goes out: to any address outside, by any port. */
function isGeneral(cx: CheckContext, { asks, translation: { hooks, at } }: Asking): boolean {
  const { destination } = wholeRule(cx, at, 'POSTROUTING');
  const isOutward = destination === undefined || (destination.negated && !isUnresolved(destination.value) && isPrivate(destination.value.address));
  return hooks.includes('POSTROUTING') && isOutward && !mentions(asks, ['dport', 'sport', 'mark', 'connmark']);
}

function waysOut(cx: CheckContext): readonly Way[] {
  const ways = new Map<string, { readonly name: InterfaceName; readonly askings: [Asking, ...Asking[]] }>();
  for (const { translation } of liveTranslations(cx, 'source')) {
    const name = wayOutOf(cx, translation.at);
    const asking = { translation, asks: askedOnTheWay(cx, translation.at, 'POSTROUTING') };
    if (name === undefined || !isGeneral(cx, asking)) continue;
    const way = ways.get(nameOf(name));
    if (way === undefined) ways.set(nameOf(name), { name, askings: [asking] });
    else way.askings.push(asking);
  }
  return [...ways.values()].map(way => ({ ...way, sources: way.askings.map(({ asks }) => rangesOf(asks, 'src') ?? (mentions(asks, ['src']) ? [] : undefined)) }));
}

/** Lines to the internet, by their name. */
const uplink = /^(?:wan|isp|inet|internet|uplink)/u;

/** Lines that are dialled: where one leads to the internet, so does another by which people inside are let out to it. */
const dialled = /^ppp\d+$/u;

/** By the interface by which people come to them, the servers inside that rules publish. */
function serversInside(cx: CheckContext): readonly { readonly from: string; readonly to: string }[] {
  return [...liveTranslations(cx, 'destination')].flatMap(({ translation: { at, address, ports } }) => {
    const { inInterface: way, destination } = wholeRule(cx, at, 'PREROUTING');
    const isPublic = typeof address !== 'string' && address.every(({ low }) => isPrivate(low)) && (destination === undefined || isUnresolved(destination.value) || !isPrivate(destination.value.address));
    return isPublic && way?.negated === false ? [{ from: nameOf(way.value), to: [address, ports].map(printRanges).join(' ') }] : [];
  });
}

/** Interfaces by which people come to a server inside as they come to it by a line to the internet: both rules send them to the same address and port. */
function publishing(cx: CheckContext, lines: readonly (InterfaceName | undefined)[]): ReadonlySet<string> {
  const servers = serversInside(cx);
  const published = new Set(servers.flatMap(({ from: name, to }) => lines.some(line => line !== undefined && nameOf(line) === name) ? [to] : []));
  return new Set(servers.flatMap(({ from: name, to }) => published.has(to) ? [name] : []));
}

const printRanges = (ranges: readonly Range[] | undefined): string => (ranges ?? []).map(({ low, high }) => `${String(low)}-${String(high)}`).join();

/** Whether rules let out by a line, and let nobody in by it that likes: else it may be somebody's tunnel to this host, or people of a network inside. */
function isLetOut(cx: CheckContext, line: string): boolean {
  const filter = cx.ruleset.tables.get('filter');
  if (filter === undefined) return false;
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const accepting = (side: 'inInterface' | 'outInterface'): readonly RuleAt[] => cx.rules(filter).filter(({ rule }) => acceptsAll(filter, rule) && rule[side]?.negated === false && rule[side].value.name === line);
  return accepting('outInterface').length > 0 && !accepting('inInterface').some(({ rule }) => without(constraints.of(rule), ['in', 'out', 'src', 'dst']).every(isOpen));
}

/** Lines to the internet at which nothing is translated, though it is at others: as the host says, or their names do, or servers that are published there. */
function forgottenLines(cx: CheckContext): readonly InterfaceName[] {
  const named = [...liveTranslations(cx, 'source')].flatMap(({ translation: { hooks, at } }) => hooks.includes('POSTROUTING') ? [wayOutOf(cx, at)] : []);
  const isNamed = ({ name }: InterfaceName): boolean => named.some(out => out === undefined || (out.prefix ? name.startsWith(out.name) : name === out.name));
  const routed = cx.host === undefined ? [] : defaultDevices(cx.host);
  const isDialled = named.some(out => out?.prefix === false && dialled.test(out.name));
  const published = routed.length > 0 ? new Set<string>() : publishing(cx, named);
  const called = routed.length > 0 ? [] : namedInterfaces(cx.ruleset).filter(({ name, prefix }) => !prefix && (uplink.test(name) || (((isDialled && dialled.test(name)) || published.has(name)) && isLetOut(cx, name))));
  return [...routed.map(name => ({ name, prefix: false })), ...called].filter(one => !isNamed(one));
}

/** Whether a rule translates at a line what goes to some places elsewhere, or in some other way whatever leaves there: whoever wrote it knows of the others. */
function isForSome(cx: CheckContext, line: InterfaceName): boolean {
  return [...liveTranslations(cx, 'source')].some(({ translation: { at, hooks } }) => {
    const out = wayOutOf(cx, at);
    if (!hooks.includes('POSTROUTING') || at.rule.outInterface?.negated === true || (out !== undefined && nameOf(out) !== nameOf(line))) return false;
    return out === undefined || rangesOf(askedOnTheWay(cx, at, 'POSTROUTING'), 'dst')?.some(({ low }) => !isPrivate(low)) === true;
  });
}

/** Where no rule translates what people send to the internet, those who are let out by a line there: by one at which servers inside are published, or, of a private network, by one of that name. */
function* withoutAny(cx: CheckContext, nat: Table): Generator<Report, void> {
  const published = new Set(serversInside(cx).map(({ from: name }) => name));
  for (const name of namedInterfaces(cx.ruleset)) {
    const isCalled = uplink.test(name.name) || dialled.test(name.name);
    if (name.prefix || !(isCalled || published.has(name.name)) || !isLetOut(cx, name.name) || isForSome(cx, name)) continue;
    const pipeline = cx.pipeline();
    const found = pipeline === undefined ? undefined : leaving(cx, pipeline, all([unspokenBy(cx, nat, name), from(privateRanges[cx.ruleset.family]), page]));
    if (pipeline === undefined || found === undefined || isPolicy(found.by) || !(published.has(name.name) || networkOf(found.by.rule) !== undefined)) continue;
    yield { at: found.by, ...leftAsItIs(cx, pipeline, name, [], `this rule lets people out by ${nameOf(name)}, where no rule of nat translates what they send:`, `translate it: -t nat -A POSTROUTING -o ${nameOf(name)} -j MASQUERADE`, found) };
  }
}

/** What no rule of nat says anything about on its way out, as far as each says it by itself. */
function unspokenOf(cx: CheckContext, nat: Table): Constraint {
  const hooks = hooksOf(nat);
  return not(any(cx.rules(nat).filter(({ chain, rule: { target } }) => target.kind !== 'none' && target.kind !== 'chain' && hooks.get(chain)?.includes('POSTROUTING') === true).map(at => askedOnTheWay(cx, at, 'POSTROUTING'))));
}

interface Leaving {
  readonly found: Sighting;
  readonly packets: Constraint;
  readonly by: Parameters<typeof deciderBecause>[1];
}

/** A first packet of people inside that leaves by the way out as it is. */
function leaving(cx: CheckContext, pipeline: Pipeline, packets: Constraint): Leaving | undefined {
  const answer = question(pipeline, 'through', packets, 'accept', budget(), true);
  if (answer.kind === 'undecided') cx.undecided();
  if (answer.kind !== 'yes' || !answer.certain || answer.by === undefined) return undefined;
  const { sample, trip } = firstPacket(pipeline, answer.found, packets);
  return nextPacket(pipeline, trip, sample, {})?.src === sample.src ? { found: answer.found, packets, by: answer.by } : undefined;
}

/** By its text, a private network that a rule says its packets come from. */
function networkOf({ source }: Rule): string | undefined {
  return source === undefined || source.negated || isUnresolved(source.value) || !isPrivate(source.value.address) ? undefined : printAddressMask(source.value);
}

/** Rules of FORWARD that let somebody out by name whom no translation at the way out names. */
function* othersLetOut(cx: CheckContext, filter: Table, { name, sources }: Way): Generator<{ readonly network: string; readonly src: readonly Range[]; readonly at: RuleAt }, void> {
  if (sources.includes(undefined)) return;
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const hooks = hooksOf(filter);
  for (const at of cx.rules(filter)) {
    const { outInterface: out } = at.rule;
    const network = networkOf(at.rule);
    const src = network === undefined ? undefined : rangesOf(constraints.of(at.rule), 'src');
    const leads = out === undefined || (!out.negated && nameOf(out.value) === nameOf(name));
    if (network === undefined || src === undefined || !leads || !acceptsAll(filter, at.rule) || hooks.get(at.chain)?.includes('FORWARD') !== true || areCovered(src, sources)) continue;
    yield { network, src, at };
  }
}

function report(cx: CheckContext, pipeline: Pipeline, { name, askings: [{ translation: { at } }] }: Way, what: string, help: string, found: Leaving): Report {
  const because = [deciderBecause(cx.ruleset, found.by, 'lets it out')];
  return { at, because, ...leftAsItIs(cx, pipeline, name, [referenceOf(at)], `${what} by ${nameOf(name)} as well, where no rule of nat translates that:`, help, found) };
}

/** `misses`: rules that are not asked about it. */
function leftAsItIs(cx: CheckContext, pipeline: Pipeline, name: InterfaceName, misses: readonly string[], what: string, help: string, { found, packets }: Leaving): Pick<Report, 'certainty' | 'message' | 'witness' | 'shows' | 'help'> {
  const { sample } = firstPacket(pipeline, found, packets);
  const { src = '', dst = '', in: device = 'eth1', out = nameOf(name) } = sample;
  return {
    certainty: cx.host !== undefined && defaultDevices(cx.host).includes(out) ? 'certain' : 'possible',
    message: `${what} it leaves with private addresses (${src}), and no answer comes back`,
    witness: [{ ...stepOf(sample, device), sentOn: { address: dst, device: out } }], shows: [{ fate: 'passes', misses, leavesFrom: src }],
    help,
  };
}

const from = (ranges: readonly Range[]): Constraint => ({ kind: 'within', field: 'src', ranges });

/** First packets to the internet by an interface, of which no rule of nat says anything. */
function unspokenBy(cx: CheckContext, nat: Table, name: InterfaceName): Constraint {
  return all([unspokenOf(cx, nat), is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0), shownOutside(cx.ruleset.family), by('out', name), not(by('in', name)), not(virtualInterface('in'))]);
}

/** What leaves by one way out untranslated: by a protocol that the translations forget, or of a network. */
function* atWay(cx: CheckContext, pipeline: Pipeline, filter: Table, way: Way, common: Constraint): Generator<Report, void> {
  const { family } = cx.ruleset;
  for (const { asks, translation: { at: { rule } } } of way.askings) {
    if (rangesOf(asks, 'protocol') === undefined) continue;
    for (const { word, packets } of everyday(family)) {
      const found = leaving(cx, pipeline, all([common, from(privateRanges[family]), from(rangesOf(asks, 'src') ?? privateRanges[family]), packets]));
      if (found === undefined) continue;
      yield report(cx, pipeline, way, `FORWARD lets ${word}${networkOf(rule) === undefined ? '' : ` of ${networkOf(rule) ?? ''}`} out`, 'translate all protocols: no -p in the rule', found);
      return;
    }
  }
  let left = networkLimit;
  for (const { network, src, at } of othersLetOut(cx, filter, way)) {
    if (left-- <= 0) {
      cx.undecided();
      return;
    }
    const found = leaving(cx, pipeline, all([common, from(src), page]));
    if (found === undefined || isPolicy(found.by) || found.by.rule !== accepterOf(filter, at.rule)) continue;
    yield report(cx, pipeline, way, `FORWARD lets what comes from ${network} out`, `translate it, too: -t nat -A POSTROUTING -s ${network} -o ${nameOf(way.name)} -j MASQUERADE`, found);
    return;
  }
}

const tables = (masquerade: string, forward: string): string => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING ${masquerade} -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
${forward}
COMMIT
`;

const twoNetworks = '-A FORWARD -s 192.168.1.0/24 -i eth1 -o ppp0 -j ACCEPT\n-A FORWARD -s 192.168.2.0/24 -i eth2 -o ppp0 -j ACCEPT';

export const masqueradeIncomplete = defineCheck({
  name: 'masquerade-incomplete',
  kind: 'nat',
  severity: 'warning',
  summary: 'Sources are translated for some whom FORWARD lets out, and others leave with private addresses',
  why: `What is let out to the internet by table filter must be translated by table nat: the two are written apart, and a network or a protocol is easily added to the one and
forgotten in the other. Its packets leave with private addresses, and no answer comes back. It is reported where a rule for MASQUERADE or SNAT names an interface as the way out, a rule of FORWARD
names another private network (\`-s\`) and lets it out there, to anywhere, and no rule of nat says anything of it; where the rule of nat is for one protocol, and others are let out; and where people are let
out by a second line to the internet, as the host's routes (\`--host\`) or its name say (\`wan1\`, \`isp-b\`, \`ppp1\` beside \`ppp0\`), or by which the same server is published as by the first. Where nobody is translated at all, it is reported at the rule that lets people with private addresses out by a line by which nat publishes a server inside, or, where
it names their network, by one whose name says that it leads to the internet (\`ppp0\`, \`wan\`). Whether the
interface leads to the internet is known where the host's routes are (\`--host\`): else it is possible, for a provider or another router may translate them.`,
  bad: tables('-s 192.168.1.0/24 -o ppp0', twoNetworks),
  good: tables('-s 192.168.0.0/16 -o ppp0', twoNetworks),
  nearMiss: tables('-s 192.168.1.0/24 -o ppp0', '-A FORWARD -s 192.168.1.0/24 -i eth1 -o ppp0 -j ACCEPT\n-A FORWARD -s 192.168.2.0/24 -d 10.20.0.0/16 -i eth2 -o ppp0 -j ACCEPT'),
  asks: ({ ruleset: { family } }) => [from(privateRanges[family]), shownOutside(family), ...everyday(family).map(({ packets }) => packets), virtualInterface('in')],
  * run(cx) {
    const [nat, filter] = [cx.ruleset.tables.get('nat'), cx.ruleset.tables.get('filter')];
    if (nat === undefined || filter === undefined) return;
    const ways = waysOut(cx);
    const [first] = ways;
    if (first === undefined) yield* withoutAny(cx, nat);
    const pipeline = first === undefined ? undefined : cx.pipeline();
    if (first === undefined || pipeline === undefined) return;
    for (const way of ways) yield* atWay(cx, pipeline, filter, way, unspokenBy(cx, nat, way.name));
    const { family } = cx.ruleset;
    for (const name of forgottenLines(cx)) {
      const found = leaving(cx, pipeline, all([unspokenBy(cx, nat, name), from(privateRanges[family]), from(first.sources[0] ?? privateRanges[family]), not(by('in', first.name)), page]));
      if (found !== undefined) yield report(cx, pipeline, { ...first, name }, 'FORWARD lets people out', `translate there, too: -t nat -A POSTROUTING -o ${nameOf(name)} -j MASQUERADE`, found);
    }
  },
});
