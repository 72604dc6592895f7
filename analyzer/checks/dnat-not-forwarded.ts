import type { Rule, Table } from '../model/ruleset.js';
import type { Decider } from '../packet-space/answers.js';
import { ask, reachWith } from '../packet-space/index.js';
import { onward, type Onward, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { isPrivate, publicRanges } from '../packet/address-blocks.js';
import { all, always, any, ctstates, is, not, type Constraint, type Range } from '../packet/constraint.js';
import { isSameInterface } from '../values/interface-name.js';
import { meet, rangesOf } from './shared/asked.js';
import { hasConjunct } from './shared/conjuncts.js';
import { deciderBecause, deciderReference, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { missedTranslations } from './shared/missed-translations.js';
import { askedOnTheWay, behind, isToSelf, liveTranslations, unmarked, type Asking } from './shared/nat-rules.js';
import { destinationText, optionsBehind } from './shared/nat-words.js';
import { fromOutside, isNamed } from './shared/outside.js';
import { misnamed } from './shared/rewritten.js';
import { isCatchAll } from './shared/catch-all.js';
import { effectOf, mayDrop } from './shared/targets.js';
import { unaddressed, type Unaddressed } from './shared/unaddressed.js';
import { unroutable, type Unroutable } from './shared/unroutable.js';
import { translatedStep } from './shared/translated-step.js';
import { fromBehind, ofNetwork, translatedNetworks } from './shared/translated-networks.js';
import { theSame } from './shared/the-same.js';

type Lost = Extract<Onward, { kind: 'lost' }>;

interface Stuck extends Asking {
  readonly lost: Lost;
  /** Nobody knows that it is another host that they are sent to, and this one would let them in. */
  readonly isPossible: boolean;
  /** Some people get there, and others are lost. */
  readonly others: Others | undefined;
}

interface Others {
  readonly packets: Constraint;
  /** They come from outside, where people inside get there; else from elsewhere, where the server's own neighbours do. */
  readonly areOutside: boolean;
}

const isNew = is('ctstate', ctstates.NEW);
const losing = ['drop', 'reject', 'queue', 'unknown'] as const;
/** What one rule may cost, and all of them. */
const ruleBudget = { packets: 500, work: 50_000 };
const totalBudget = { packets: 50_000, work: 2_000_000 };
/** So many are asked about in table filter alone. */
const filterLimit = 50_000;

/** Whether table filter, and nobody else, decides: then it need be asked alone first. */
function isFilterAlone({ ruleset }: CheckContext): boolean {
  return ![...ruleset.tables.values()].some(table => table.name !== 'filter' && mayDrop(table));
}

/** By what interfaces people outside come, as far as rules name them. */
function waysIn(cx: CheckContext): readonly Constraint[] {
  const outside = fromOutside(cx);
  return (outside.kind === 'any' ? outside.of : [outside]).filter(one => one.kind !== 'interface' || isNamed(cx.ruleset, one.name));
}

/** Packets of people outside, where it is known by what interface they come. */
function fromPeopleOutside(cx: CheckContext): Others | undefined {
  const ways = waysIn(cx);
  return ways.length === 0 ? undefined : { packets: all([any(ways), { kind: 'within', field: 'src', ranges: publicRanges[cx.ruleset.family] }, unmarked, is('fragment', 0)]), areOutside: true };
}

/** Whether a rule is for a public address, so that it is for people outside. */
function isForOutside(cx: CheckContext, { translation: { at } }: Asking): boolean {
  return rangesOf(askedOnTheWay(cx, at, 'PREROUTING'), 'dst')?.every(({ low }) => !isPrivate(low)) === true;
}

/** The addresses from which rules let something pass. */
function sendersOf(cx: CheckContext, filter: Table): readonly Range[] {
  const constraints = constraintsOf(cx.ruleset, filter.name);
  return cx.rules(filter).flatMap(({ rule }) => effectOf(rule) === 'accept' ? rangesOf(constraints.of(rule), 'src') ?? [] : []);
}

/** A rule for what the server itself sends lets no client of it through: then these are the packets of all others. */
function fromOthers({ translation: { address } }: Asking, senders: readonly Range[]): readonly Constraint[] {
  return typeof address === 'string' || !meet(address, senders.filter(({ low, high }) => low === high)) ? [] : [not({ kind: 'within', field: 'src', ranges: address })];
}

/** Whether a rule publishes something: it takes what comes by the way out, or what is for this host. Others lead people inside elsewhere than where they want to go. */
function publishes(cx: CheckContext, { translation: { at } }: Asking): boolean {
  const ways = waysIn(cx);
  return hasConjunct(askedOnTheWay(cx, at, 'PREROUTING'), one => (one.kind === 'interface' && ways.some(way => way.kind === 'interface' && isSameInterface(way, one))) || (one.kind === 'atom' && one.name === 'addrtype dst LOCAL'));
}

/** Where all of the server's network may begin connections, these are the packets of those who are elsewhere, and in no other network inside either. */
function fromElsewhere(cx: CheckContext, asking: Asking, senders: readonly Range[]): Others | undefined {
  const { address } = asking.translation;
  const near = typeof address === 'string' ? [] : senders.filter(range => range.low !== range.high && meet(address, [range]) && isPrivate(range.low) && isPrivate(range.high));
  if (near.length === 0 || !publishes(cx, asking)) return undefined;
  return { packets: all([{ kind: 'within', field: 'src', ranges: near } as const, ...translatedNetworks(cx.ruleset).flatMap(one => [ofNetwork(one), ...fromBehind(one)])].map(not)), areOutside: false };
}

/** Whether a rule lets some of the translated packets through by their very address, not that of all the network: then somebody thought of them, and of the way by which they come. */
function isLetThrough(cx: CheckContext, filter: Table, { translation }: Asking): boolean {
  const { address } = translation;
  if (typeof address === 'string') return false;
  const constraints = constraintsOf(cx.ruleset, filter.name);
  const names = (dst: ReturnType<typeof rangesOf>): boolean => dst !== undefined && meet(dst, address) && dst.every(({ low, high }) => low === high);
  return cx.rules(filter).some(at => effectOf(at.rule) === 'accept' && names(rangesOf(constraints.of(at.rule), 'dst')) && reachWith(cx.space(), filter, at, behind(cx, translation), 'FORWARD').kind === 'live');
}

/** Whether they end where all ends that no rule speaks of: nobody closed just this. */
function isForgotten({ by }: Lost): boolean {
  return by.every(one => isPolicy(one) || isCatchAll(one.rule));
}

/** `elsewhere`: of these it is told that the kernel loses what they translate. */
function* stuckTranslations(cx: CheckContext, filter: Table, elsewhere: ReadonlySet<Rule>): Generator<Stuck, void> {
  const isAlone = isFilterAlone(cx);
  const outside = not({ kind: 'interface', field: 'in', name: 'lo', prefix: false });
  if (isAlone && ask(cx.space(), filter, 'FORWARD', all([isNew, outside]), losing).kind === 'no') return;
  const left = solveBudget(totalBudget.packets, totalBudget.work);
  const whither = (pipeline: Pipeline, rule: Rule, path: Path, packets: Constraint): Onward => {
    const own = solveBudget(Math.min(ruleBudget.packets, left.packets), Math.min(ruleBudget.work, left.work));
    const before = { ...own };
    const answer = onward(pipeline, rule, { path, packets, budget: own });
    left.packets -= before.packets - own.packets;
    left.work -= before.work - own.work;
    return answer;
  };
  const [strangers, senders] = [fromPeopleOutside(cx), sendersOf(cx, filter)];
  let known: ReadonlySet<Rule> | undefined;
  const missed = (): ReadonlySet<Rule> => known ??= new Set([...missedTranslations(cx, filter)].map(({ asking: { translation } }) => translation.at.rule));
  let asked = filterLimit;
  for (const asking of liveTranslations(cx, 'destination')) {
    const { at, address, hooks } = asking.translation;
    if (typeof address === 'string' || !hooks.includes('PREROUTING')) continue;
    const isOwn = isToSelf(cx, asking.translation);
    if (asked-- <= 0) {
      cx.undecided();
      return;
    }
    if (isOwn === true || elsewhere.has(at.rule)) continue;
    for (const asked of [always, ...fromOthers(asking, senders), isForOutside(cx, asking) ? strangers : undefined, fromElsewhere(cx, asking, senders)]) {
      if (asked === undefined) continue;
      const [packets, others] = 'packets' in asked ? [asked.packets, asked] : [asked, undefined];
      if (isAlone && ask(cx.space(), filter, 'FORWARD', all([behind(cx, asking.translation), packets]), ['accept']).kind === 'yes') continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      const lost = whither(pipeline, at.rule, 'through', packets);
      if (lost.kind === 'undecided') {
        cx.undecided();
        if (left.packets <= 0 || left.work <= 0) return;
      }
      // Where nothing comes of it because of a name, filter-matches-pre-nat says so.
      if (lost.kind !== 'lost' || (others !== undefined && (!isForgotten(lost) || isLetThrough(cx, filter, asking) || missed().has(at.rule))) || misnamed(cx, filter).has(at.rule)) continue;
      const isPossible = isOwn === undefined && whither(pipeline, at.rule, 'in', packets).kind !== 'lost';
      yield { ...asking, lost, isPossible, others };
      break;
    }
  }
}

/** One finding for all that end at the same rules. */
function grouped(all: Iterable<Stuck>): readonly (readonly [Stuck, ...Stuck[]])[] {
  const groups = new Map<string, [Stuck, ...Stuck[]]>();
  for (const one of all) {
    const key = `${one.lost.by.map(deciderReference).join()} ${String(one.isPossible)} ${String(one.others?.areOutside)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/** So many of a group are named. */
const named = 5;

function report(cx: CheckContext, pipeline: Pipeline | undefined, [first, ...others]: readonly [Stuck, ...Stuck[]]): Report {
  const { translation, lost, isPossible, others: some } = first;
  const witness = pipeline === undefined ? undefined : translatedStep(pipeline, lost.dies, translation, true, some === undefined ? undefined : all([some.packets, { kind: 'within', field: 'src', ranges: publicRanges[cx.ruleset.family] }]));
  const outside = `from outside${witness === undefined ? '' : ` by ${witness.in}`}`;
  const whence = some === undefined ? '' : ` that come ${some.areOutside ? outside : 'from elsewhere than the network of the server'}`;
  const too = others.length === 0 ? '' : `, and so are those of ${String(others.length)} other ${others.length === 1 ? 'rule' : 'rules'}`;
  const lines = [first, ...others].slice(0, named).map(one => `-I FORWARD ${optionsBehind(one.asks, one.translation)} -m conntrack --ctstate NEW -j ACCEPT`);
  return {
    at: translation.at,
    ...isPossible ? { certainty: 'possible', severity: 'warning' } : some === undefined ? {} : { severity: 'warning' },
    alike: others.length + 1, message: `connections${whence} are sent on to ${destinationText(translation)}${isPossible ? ' (unless that is this host)' : ''}, and on their way there all are dropped${too}`,
    because: [
      ...lost.by.map((one: Decider) => deciderBecause(cx.ruleset, one, 'drops them')),
      ...others.slice(0, named - 1).map(one => ({ rule: referenceOf(one.translation.at), line: one.translation.at.rule.line, message: `sends others to ${destinationText(one.translation)}` })),
    ],
    ...witness === undefined ? {} : { witness: [witness], shows: [{ fate: 'lost', by: lost.by.map(deciderReference), matches: [referenceOf(translation.at)] }] },
    help: `let them pass, by the address and port that they have by then: ${lines.join('; ')}${others.length >= named ? ' …' : ''}`,
  };
}

function reportUnroutable({ asking: { translation }, fate, ...told }: Unroutable): Report {
  return { at: translation.at, ...told, message: `connections are sent on to ${destinationText(translation)}, and get to nobody there: ${fate}` };
}

function* reportUnaddressed([first, ...others]: readonly Unaddressed[]): Generator<Report, void> {
  if (first === undefined) return;
  const { at, device, other } = first;
  yield {
    at, severity: 'info', certainty: 'possible',
    alike: others.length + 1, message: `this rule ${others.length === 0 ? 'lets' : `and ${others.length === 1 ? 'another' : `${String(others.length)} others`} let`} in nobody from the internet: nobody there can say a private address, and no rule of nat sends what comes by ${device} there`,
    because: [
      { rule: referenceOf(other.translation.at), line: other.translation.at.rule.line, message: `sends others to ${destinationText(other.translation)}` },
      ...theSame(others.map(one => one.at)),
    ],
    help: `if it is to be reached from outside, translate: -t nat -A PREROUTING -i ${device} … -j DNAT --to-destination ADDRESS; else delete the rule`,
  };
}

export const dnatNotForwarded = defineCheck({
  name: 'dnat-not-forwarded',
  kind: 'nat',
  severity: 'error',
  summary: 'Connections are translated to another host, and dropped on their way there',
  why: `A DNAT rule only says where a connection is to go. Its packets then pass the FORWARD chain as any others do, with the
new address and port, and where no rule there accepts them, the port that looks forwarded is closed. It is
reported when not one first packet that the rule translates gets through, in all tables together, but for the server's own; as a warning also where the rule is for a public address, and
none gets through that comes from outside, by the interface at which nat translates what leaves, because no rule speaks of it, nor of that server's address for others; and where
it publishes something (it is for what comes by that interface, or for this host's own addresses), and none gets through but of the server's own network, all of which may begin connections. Where the new
address may be one of this host itself, and INPUT would let the packets in, it is a warning, and called possible; where a rule
of INPUT lets them in by that address, it is this host's, and nothing is said. Some addresses are nobody's behind any rule: 0.0.0.0, a group's, the last one of a network,
which means all of its hosts (Wake-on-LAN is tried so); the kernel drops such packets, or takes them for this host. The other half may be missing, too: a rule
of FORWARD lets people outside in to a private address, and nat, which translates others who come by that interface, sends nobody there. That is information.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i eth1 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -o eth0 -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i eth1 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i eth1 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
`,
  * run(cx) {
    const filter = cx.ruleset.tables.get('filter');
    const lost = [...unroutable(cx)];
    for (const one of lost) yield reportUnroutable(one);
    if (filter === undefined) return;
    const groups = grouped(stuckTranslations(cx, filter, new Set(lost.map(({ asking: { translation } }) => translation.at.rule))));
    for (const group of groups) yield report(cx, cx.pipeline(), group);
    yield* reportUnaddressed(unaddressed(cx, filter));
  },
});
