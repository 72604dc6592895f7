import type { PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith, redundant } from '../packet-space/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, always, ctstates, is, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { isUnresolved, type Rule, type Table } from '../model/ruleset.js';
import { publicRanges } from '../packet/address-blocks.js';
import type { InterfaceName } from '../values/interface-name.js';
import { fullMask, printAddress, type Address } from '../values/address.js';
import { stepOf } from '../witness/step.js';
import { without } from './shared/asked.js';
import { conjuncts } from './shared/conjuncts.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { ledTo } from './shared/hooks-into.js';
import { areOwn } from './shared/host-networks.js';
import { byUnnamed, fromOutside, isVirtualName, knownOutside, namesOutside } from './shared/outside.js';
import { openLists, type OpenList } from './shared/kept-lists.js';
import { isForAll, isForAnyAddress, isForOthers, isForProtocol, isLocal, isOpen, isUnlisted, mayBeFromAnybody, mayBeOpen } from './shared/openness.js';
import { ownerOf } from './shared/owners.js';
import { effectOf } from './shared/targets.js';
import { filterChain, unspoken } from './shared/unspoken.js';

type OpenReport = Report & Required<Pick<Report, 'at'>>;

/** A rule, and a packet that it accepts. */
interface Accepting {
  readonly at: RuleAt;
  readonly witness: PacketSample;
}

/** The rule that accepts some packets for certain, of senders who are on no list that it has. */
function acceptedBy(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', packets: Constraint | undefined): Accepting | undefined {
  if (packets === undefined) return undefined;
  let answer = ask(cx.space(), table, hook, packets, ['accept']);
  if (answer.kind === 'yes' && !answer.certain && !isPolicy(answer.by)) {
    const unlisted = conjuncts(constraintsOf(cx.ruleset, table.name).of(answer.by.rule)).filter(isUnlisted);
    if (unlisted.length > 0) answer = ask(cx.space(), table, hook, all([packets, ...unlisted]), ['accept']);
  }
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'yes' && answer.certain && !isPolicy(answer.by) ? { at: answer.by, witness: answer.witness } : undefined;
}

/** The rule that lets in what no rule speaks of: TCP and UDP of strangers, and what is neither, from anywhere. */
function openRule(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Accepting | undefined {
  const probes = [unspoken(cx, table, hook, 'tcp'), unspoken(cx, table, hook, 'udp'), all([is('protocol', protocolNumber.gre), is('ctstate', ctstates.NEW), byUnnamed(cx.ruleset)])];
  let found: Accepting | undefined;
  for (const probe of probes) {
    const accepting = acceptedBy(cx, table, hook, probe);
    if (accepting === undefined || (found !== undefined && accepting.at.rule !== found.at.rule)) return undefined;
    found ??= accepting;
  }
  return found;
}

const probed = [protocolNumber.tcp, protocolNumber.udp, protocolNumber.gre];

/** The rule of the built-in chain that leads everything to the chain of the one that accepts, where no other leads everything there before, or all of a protocol. */
function leaderOf(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', accepting: RuleAt): RuleAt | undefined {
  const constraints = constraintsOf(cx.ruleset, table.name);
  for (const [index, rule] of filterChain(cx, hook)?.rules.entries() ?? []) {
    const asks = constraints.of(rule);
    if (rule.target.kind !== 'chain' || !probed.some(one => isForProtocol(asks, one))) continue;
    if (rule.target.name === accepting.chain && isOpen(asks)) return { table: table.name, chain: hook, position: index + 1, rule };
    if (rule.target.name === accepting.chain || ledTo(table, rule.target.name, accepting.chain, () => always) !== undefined) return undefined;
  }
  return undefined;
}

/** Whether it is a person's rule, without which what it accepts would be dropped. */
function opensWhatIsShut(cx: CheckContext, table: Table, at: RuleAt): boolean {
  const answer = ownerOf(cx.ruleset, at) === undefined ? redundant(cx.space(), table, at) : undefined;
  if (answer?.kind === 'undecided') cx.undecided();
  return answer?.kind === 'needed';
}

function* lookAt(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Generator<OpenReport, void> {
  if (filterChain(cx, hook) === undefined) return;
  const found = openRule(cx, table, hook);
  const constraints = constraintsOf(cx.ruleset, table.name);
  if (found === undefined || ledTo(table, hook, found.at.chain, rule => isOpen(constraints.of(rule)) ? always : undefined) === undefined) yield* ofProtocols(cx, table, hook);
  else yield* ofAll(cx, table, hook, found);
}

/** It leaves out others than a protocol: `! -p tcp` is for all of UDP. */
function isForOtherProtocols(constraint: Constraint, protocol: number): boolean {
  return constraint.kind === 'not' && constraint.of.kind === 'within' && constraint.of.field === 'protocol' && !constraint.of.ranges.some(({ low, high }) => low <= protocol && protocol <= high);
}

/** The interfaces by which all of a protocol is led to a chain: others may lead there what they name, and nothing else is open by that. */
function interfacesTo(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', chain: string, protocol: number): Constraint | undefined {
  const constraints = constraintsOf(cx.ruleset, table.name);
  return ledTo(table, hook, chain, rule => {
    const parts = conjuncts(constraints.of(rule));
    const others = without(constraints.of(rule), ['in', 'out']);
    const isForIt = isForProtocol(all(others.filter(one => !isForOtherProtocols(one, protocol))), protocol);
    return isForAnyAddress(rule) && isForIt ? all(parts.filter(one => !others.includes(one))) : undefined;
  });
}

/** Whether packets of a protocol come to a rule by some interfaces, for whatever is behind this host, and to other ports than the high ones. */
function isForAnybody(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', at: RuleAt, protocol: number, from: Constraint): boolean {
  const by = interfacesTo(cx, table, hook, at.chain, protocol);
  if (by === undefined) return false;
  const packets = all([is('protocol', protocol), is('ctstate', ctstates.NEW), within('dport', 1, 1023), from, by, ...hook === 'FORWARD' ? [byUnnamed(cx.ruleset, 'out')] : []]);
  return isForProtocol(constraintsOf(cx.ruleset, table.name).of(at.rule), protocol) && reachWith(cx.space(), table, at, packets, hook).kind === 'live';
}

/** So many rules are asked about that name the same interface, or an address. A list that is longer is left open. */
const asksOfOne = 16;

/** What no rule speaks of, as far as a rule is for it, and a packet of that which this rule alone accepts. */
function openedBy(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', at: RuleAt): PacketSample | undefined {
  const probe = unspoken(cx, table, hook);
  const accepting = probe === undefined ? undefined : acceptedBy(cx, table, hook, all([probe, constraintsOf(cx.ruleset, table.name).of(at.rule)]));
  return accepting?.at.rule === at.rule && opensWhatIsShut(cx, table, at) ? accepting.witness : undefined;
}

/** The one interface that a rule names: as the way in, or, where it asks for none, as the way further inside. */
function onlyInterface({ inInterface: from, outInterface: to }: Rule, hook: 'INPUT' | 'FORWARD'): InterfaceName | undefined {
  if (from !== undefined) return from.negated ? undefined : from.value;
  return hook === 'INPUT' || to === undefined || to.negated || isVirtualName(to.value.name) ? undefined : to.value;
}

/** Rules that accept whatever comes in by an interface, where the internet is said to be behind it; in FORWARD, whatever goes further inside, from anywhere or from there. */
function* ofInterfaces(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Generator<OpenReport, void> {
  const outside = knownOutside(cx);
  if (outside === undefined) return;
  const constraints = constraintsOf(cx.ruleset, table.name);
  const hooks = hooksOf(table);
  const asked = new Map<string, number>();
  for (const at of cx.rules(table)) {
    const { rule } = at;
    if (hooks.get(at.chain)?.includes(hook) !== true) continue;
    const given = onlyInterface(rule, hook);
    if (given === undefined || rule.protocol !== undefined || effectOf(rule) !== 'accept' || !mayBeFromAnybody(rule) || !without(constraints.of(rule), ['in', 'out']).every(isOpen)) continue;
    const word = `${given.name}${given.prefix ? '+' : ''}`;
    const isWayIn = rule.inInterface !== undefined;
    const count = (asked.get(word) ?? 0) + 1;
    asked.set(word, count);
    if (count === asksOfOne + 1) cx.undecided();
    const witness = count > asksOfOne ? undefined : openedBy(cx, table, hook, at);
    if (witness !== undefined) yield {
      // Whoever lets everything in by an interface may trust who is there, though nat, or a route, leads out by it.
      at, ...outside.by === 'settings' ? {} : maybeMeant,
      message: `this rule ${does[hook]} everything that ${isWayIn ? `comes in by ${word}, where` : `goes out by ${word}, also what comes from where`} the internet is, ${saidBy[outside.by]}`,
      witness: [stepOf(witness, witness.in ?? (isWayIn ? word : 'eth0'))], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
      help: `${hook === 'FORWARD' ? 'if it is there for answers, say so (-m conntrack --ctstate RELATED,ESTABLISHED); else ' : ''}say what it is for (-s NETWORK, -p tcp --dport PORT), ${isWayIn ? `or that who is there is trusted (trusted-interfaces: [${word}])` : 'or whence it may come (-i INTERFACE)'}`,
    };
  }
}

const maybeMeant = { severity: 'info', certainty: 'possible' } as const;
const does = { INPUT: 'accepts', FORWARD: 'lets through' } as const;
const saidBy = { settings: 'for it is not trusted', routes: 'by the default route', nat: 'by what nat translates on its way out', name: 'by its name' } as const;

/** Rules that accept all of TCP, or of UDP, as they stand or because nothing else is led to them. */
function* ofProtocols(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Generator<OpenReport, void> {
  const found = new Map<Rule, Accepting & { readonly protocols: ('tcp' | 'udp')[] }>();
  const outside = knownOutside(cx);
  const unnamed = byUnnamed(cx.ruleset);
  for (const protocol of ['tcp', 'udp'] as const) {
    const accepting = acceptedBy(cx, table, hook, unspoken(cx, table, hook, protocol));
    if (accepting === undefined) continue;
    const { at, witness } = accepting;
    const known = found.get(at.rule);
    if (!mayBeOpen(at.rule) || !isForAnybody(cx, table, hook, at, protocolNumber[protocol], namesOutside(cx) ? fromOutside(cx) : unnamed)) continue;
    if (known !== undefined) known.protocols.push(protocol);
    else if (opensWhatIsShut(cx, table, at)) found.set(at.rule, { at, witness, protocols: [protocol] });
  }
  for (const { at, witness, protocols } of found.values()) {
    const isSure = outside?.by === 'settings' || protocols.some(one => isForAnybody(cx, table, hook, at, protocolNumber[one], unnamed));
    const where = isSure ? '' : ` from where the internet ${outside === undefined ? 'seems to be' : `is, ${saidBy[outside.by]}`}`;
    yield {
      // Who leads nothing but what comes in by one interface to it may trust who is there.
      at, ...isSure ? {} : maybeMeant,
      message: `this rule accepts all of ${protocols.map(one => one.toUpperCase()).join(' and ')} that comes to it${where}`,
      witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
      help: 'say what it is for (-i INTERFACE, -s NETWORK, --dport PORT), or delete it',
    };
  }
}

/** One address of the internet. */
function publicAddress({ destination: given }: Rule): Address | undefined {
  if (given === undefined || given.negated || isUnresolved(given.value)) return undefined;
  const { address, mask } = given.value;
  const family = typeof address === 'number' ? 'ipv4' : 'ipv6';
  const isOne = mask === fullMask(family) && publicRanges[family].some(({ low, high }) => low <= address && address <= high);
  // What ends in 255 may be all hosts of a network.
  return isOne && (typeof address === 'bigint' || address % 256 !== 255) ? address : undefined;
}

/** Rules that accept whatever is for an address of this host. */
function* ofAddresses(cx: CheckContext, table: Table): Generator<OpenReport, void> {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const hooks = hooksOf(table);
  let asked = 0;
  for (const at of cx.rules(table)) {
    const { rule } = at;
    if (hooks.get(at.chain)?.includes('INPUT') !== true) continue;
    if (rule.source !== undefined || rule.inInterface !== undefined || rule.protocol !== undefined || rule.fragment !== undefined || effectOf(rule) !== 'accept') continue;
    const others = without(constraints.of(rule), ['dst']);
    const address = others.some(isLocal) ? undefined : publicAddress(rule);
    const isOurs = address === undefined ? rule.destination === undefined && others.some(isLocal) : areOwn([{ low: address, high: address }], cx.host, cx.ruleset.family);
    if (isOurs === false || !others.every(one => isLocal(one) || isOpen(one))) continue;
    if (++asked === asksOfOne + 1) cx.undecided();
    const witness = asked > asksOfOne ? undefined : openedBy(cx, table, 'INPUT', at);
    if (witness !== undefined) yield {
      // Whoever has copied it from FORWARD may mean another host, and then nothing comes here.
      at, ...isOurs === true ? {} : maybeMeant,
      message: `this rule accepts everything that is for ${address === undefined ? 'this host' : printAddress(address)}${isOurs === true ? '' : ', where that is an address of this host'}`,
      witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: 'filter:INPUT', fate: 'passes', matches: [referenceOf(at)] }],
      help: 'say what it is for (-i INTERFACE, -s NETWORK, -p tcp --dport PORT), or delete it',
    };
  }
}

function* ofAll(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', found: Accepting): Generator<OpenReport, void> {
  const { at: accepting, witness } = found;
  const asks = constraintsOf(cx.ruleset, table.name).of(accepting.rule);
  if (!isOpen(asks) || !opensWhatIsShut(cx, table, accepting)) return;
  const leader = leaderOf(cx, table, hook, accepting);
  const at = leader ?? accepting;
  const what = `${isForAll(asks) ? 'everything' : 'every new connection'}${conjuncts(asks).some(isForOthers) ? ' but what it leaves out' : ''}`;
  yield {
    at, message: leader === undefined ? `this rule accepts ${what} that comes to it` : `this rule leads what comes to it to ${accepting.chain}, where ${referenceOf(accepting)} accepts ${what}`,
    because: leader === undefined ? [] : [deciderBecause(cx.ruleset, accepting, `accepts ${what}`)],
    witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
    help: 'say what it is for (-i INTERFACE, -s NETWORK, -p tcp --dport PORT), or delete it',
  };
}

function isCandidate(cx: CheckContext, table: Table, rule: Rule): boolean {
  const asked = constraintsOf(cx.ruleset, table.name).of(rule);
  return mayBeOpen(rule) && (rule.protocol === undefined || [protocolNumber.tcp, protocolNumber.udp].some(one => isForProtocol(asked, one)));
}

/** Whether some rule that may be open has a limit. */
function mayOpenSlowly(table: Table, patient: CheckContext, limited: Table): boolean {
  if (limited === table) return false;
  return [...table.chains.values()].some(({ name, rules }) => rules.some((rule, i) => {
    const other = limited.chains.get(name)?.rules[i];
    return other !== undefined && other !== rule && effectOf(other) === 'accept' && isCandidate(patient, limited, other);
  }));
}

/** Rules that are open. The messages end where it is said what that means. */
function* lookInto(cx: CheckContext, table: Table): Generator<OpenReport, void> {
  yield* ofInterfaces(cx, table, 'INPUT');
  yield* ofInterfaces(cx, table, 'FORWARD');
  yield* ofAddresses(cx, table);
  if (![...table.chains.values()].some(({ rules }) => rules.some(rule => isCandidate(cx, table, rule)))) return;
  yield* lookAt(cx, table, 'INPUT');
  yield* lookAt(cx, table, 'FORWARD');
}

function listReport({ at, hook, list, putter, putAt, first, next }: OpenList): Report {
  const device = next.in ?? 'eth0';
  return {
    at, message: `this rule accepts everything from whoever is on list ${list}, and anybody gets there: ${referenceOf(putter)} puts on it whoever sends what it asks for`,
    because: [{ rule: referenceOf(putter), line: putter.rule.line, message: `puts strangers on list ${list}` }],
    witness: [stepOf(first, device), stepOf({ ...next, ...first.src === undefined ? {} : { src: first.src } }, device)],
    shows: [{ at: `filter:${putAt}`, matches: [referenceOf(putter)], isPremise: true }, { at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
    help: 'say what it is for (-p tcp --dport PORT), or put on the list only who has shown that he may be there',
  };
}

export const anyAnyAccept = defineCheck({
  name: 'any-any-accept',
  kind: 'exposure',
  severity: 'warning',
  auditor: 'error',
  summary: 'A rule accepts whatever comes to it, though the chain is to drop the rest',
  why: `A rule without any condition, or with none but that a connection is new, takes all that comes to it; one that asks
for TCP or UDP alone takes all of that, and a limit (\`-m limit\`) only makes it slower. Where the policy is DROP, or rules that drop stand behind it, somebody meant the chain to be closed, and it is open: such a rule is often left from an hour of looking for a
mistake. It is reported in INPUT and FORWARD, also in chains that they lead to, where without it packets of strangers would be dropped. So is a rule of either for all who are on a list
(\`-m recent --rcheck\`), where who asks for a service that is open to everybody, or for anything, is put on that list; who must knock at a port of his own is not anybody.
A rule for all that comes in by the interface where the internet is, as \`trusted-interfaces\` says, is as open, be it for this host or for what is behind it; so is one of FORWARD for all that goes out by an interface of the inside, wherever it comes from. Where only a default route, nat or a name such as wan0 says where the internet is, it is a possible info. In INPUT a rule for all that goes to this host, \`--dst-type LOCAL\`, or to a public address of its own, is no less open; where nobody says whose the address is, it is a possible info.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -s 203.0.113.0/24 -j DROP
-A INPUT -m conntrack --ctstate NEW,RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -s 203.0.113.0/24 -j DROP
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p icmp -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:trusted - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -i eth1 -j trusted
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A trusted -s 192.168.5.66/32 -j DROP
-A trusted -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    for (const open of openLists(cx, table, isOpen)) if (ownerOf(cx.ruleset, open.at) === undefined && mayBeOpen(open.at.rule)) yield listReport(open);
    const told = new Set<string>();
    for (const one of lookInto(cx, table)) {
      told.add(referenceOf(one.at));
      yield { ...one, message: `${one.message}: what is to be dropped behind it never is` };
    }
    const patient = cx.at('patient');
    const limited = patient.ruleset.tables.get('filter');
    if (limited === undefined || !mayOpenSlowly(table, patient, limited)) return;
    for (const one of lookInto(patient, limited)) {
      const rule = table.chains.get(one.at.chain)?.rules[one.at.position - 1];
      if (rule !== undefined && !told.has(referenceOf(one.at))) yield { ...one, at: { ...one.at, rule }, message: `${one.message}, if not faster than a limit allows: what is to be dropped behind it is not`, help: 'a limit is no reason to let anybody in: drop what exceeds it, and say behind that what is let in (-p tcp --dport PORT)' };
    }
  },
});
