import type { PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith, redundant } from '../packet-space/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, ctstates, is, mentions, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { isUnresolved, type Rule, type Table } from '../model/ruleset.js';
import { publicRanges } from '../packet/address-blocks.js';
import { fullMask, printAddress, type Address } from '../values/address.js';
import { stepOf } from '../witness/step.js';
import { without } from './shared/asked.js';
import { conjuncts } from './shared/conjuncts.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { areOwn } from './shared/host-networks.js';
import { byUnnamed, fromOutside, knownOutside, namesOutside } from './shared/outside.js';
import { openLists, type OpenList } from './shared/kept-lists.js';
import { ownerOf } from './shared/owners.js';
import { effectOf } from './shared/targets.js';
import { filterChain, unspoken } from './shared/unspoken.js';

/** Whether all packets meet it that begin a connection; undefined where it asks for more than the state. */
function isForNew(constraint: Constraint): boolean | undefined {
  switch (constraint.kind) {
    case 'always': return true;
    case 'within': return constraint.field === 'ctstate' ? constraint.ranges.some(({ low, high }) => low <= ctstates.NEW && ctstates.NEW <= high) : undefined;
    case 'not': {
      const inner = isForNew(constraint.of);
      return inner === undefined ? undefined : !inner;
    }
    case 'all': return constraint.of.every(one => isForNew(one) === true) ? true : undefined;
    case 'any': return constraint.of.some(one => isForNew(one) === true) ? true : undefined;
    default: return undefined;
  }
}

/** Whether it asks for nothing. */
function isForAll(constraint: Constraint): boolean {
  return constraint.kind === 'always' || (constraint.kind === 'all' && constraint.of.every(isForAll));
}

function isOpen(constraint: Constraint): boolean {
  return isForNew(constraint) === true;
}

/** They name no address. */
function mayBeFromAnybody({ source, destination, fragment, target }: Rule): boolean {
  return target.kind === 'extension' && [source, destination, fragment].every(one => one === undefined);
}

/** Rules that might be meant: they name no interface either. */
function mayBeOpen(rule: Rule): boolean {
  return rule.inInterface === undefined && rule.outInterface === undefined && mayBeFromAnybody(rule);
}

/** Whether all packets of a protocol meet it that begin a connection: of ports it asks for any, or for a client's own. */
function isForProtocol(constraint: Constraint, protocol: number): boolean {
  return conjuncts(constraint).every(one => {
    if (mentions(one, ['protocol'])) return one.kind === 'within' && one.ranges.some(({ low, high }) => low === protocol && high === protocol);
    if (mentions(one, ['dport', 'sport'])) return one.kind === 'within' && one.ranges.some(({ low, high }) => Number(low) <= (one.field === 'dport' ? 1 : 32_768) && Number(high) === 65_535);
    return mentions(one, ['tcpFlags', 'fragment']) || isOpen(one);
  });
}

/** A rule, and a packet that it accepts. */
interface Accepting {
  readonly at: RuleAt;
  readonly witness: PacketSample;
}

/** The rule that lets in what no rule speaks of: TCP and UDP of strangers, and what is neither, from anywhere. */
function openRule(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Accepting | undefined {
  const probes = [unspoken(cx, table, hook, 'tcp'), unspoken(cx, table, hook, 'udp'), all([is('protocol', protocolNumber.gre), is('ctstate', ctstates.NEW), byUnnamed(cx.ruleset)])];
  let found: Accepting | undefined;
  for (const probe of probes) {
    const answer = probe === undefined ? undefined : ask(cx.space(), table, hook, probe, ['accept']);
    if (answer?.kind !== 'yes' || !answer.certain || isPolicy(answer.by) || (found !== undefined && answer.by.rule !== found.at.rule)) return undefined;
    found ??= { at: answer.by, witness: answer.witness };
  }
  return found;
}

/** The rule of the built-in chain that leads everything to the chain of the one that accepts. */
function leaderOf(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', accepting: RuleAt): RuleAt | undefined {
  const constraints = constraintsOf(cx.ruleset, table.name);
  for (const [index, rule] of filterChain(cx, hook)?.rules.entries() ?? []) {
    if (rule.target.kind === 'chain' && rule.target.name === accepting.chain && isOpen(constraints.of(rule))) return { table: table.name, chain: hook, position: index + 1, rule };
  }
  return undefined;
}

/** Whether it is a person's rule, without which what it accepts would be dropped. */
function opensWhatIsShut(cx: CheckContext, table: Table, at: RuleAt): boolean {
  const answer = ownerOf(cx.ruleset, at) === undefined ? redundant(cx.space(), table, at) : undefined;
  if (answer?.kind === 'undecided') cx.undecided();
  return answer?.kind === 'needed';
}

function* lookAt(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Generator<Report, void> {
  if (filterChain(cx, hook) === undefined) return;
  const found = openRule(cx, table, hook);
  if (found === undefined) yield* ofProtocols(cx, table, hook);
  else yield* ofAll(cx, table, hook, found);
}

/** Whether packets of a protocol come to a rule by some interfaces, for whatever is behind this host, and to other ports than the high ones. */
function isForAnybody(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', at: RuleAt, protocol: number, from: Constraint): boolean {
  const packets = all([is('protocol', protocol), is('ctstate', ctstates.NEW), within('dport', 1, 1023), from, ...hook === 'FORWARD' ? [byUnnamed(cx.ruleset, 'out')] : []]);
  return isForProtocol(constraintsOf(cx.ruleset, table.name).of(at.rule), protocol) && reachWith(cx.space(), table, at, packets, hook).kind === 'live';
}

/** So many rules are asked about that name the same interface, or an address. A list that is longer is left open. */
const asksOfOne = 16;

/** What no rule speaks of, as far as a rule is for it, and a packet of that which this rule alone accepts. */
function openedBy(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', at: RuleAt): PacketSample | undefined {
  const probe = unspoken(cx, table, hook);
  const answer = probe === undefined ? undefined : ask(cx.space(), table, hook, all([probe, constraintsOf(cx.ruleset, table.name).of(at.rule)]), ['accept']);
  if (answer?.kind === 'undecided') cx.undecided();
  return answer?.kind === 'yes' && answer.certain && !isPolicy(answer.by) && answer.by.rule === at.rule && opensWhatIsShut(cx, table, at) ? answer.witness : undefined;
}

/** Rules that accept whatever comes in by an interface, where the internet is said to be behind it; in FORWARD, whatever goes further inside. */
function* ofInterfaces(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Generator<Report, void> {
  const outside = knownOutside(cx);
  if (outside === undefined) return;
  const constraints = constraintsOf(cx.ruleset, table.name);
  const hooks = hooksOf(table);
  const asked = new Map<string, number>();
  for (const at of cx.rules(table)) {
    const { rule, rule: { inInterface } } = at;
    if (hooks.get(at.chain)?.includes(hook) !== true) continue;
    if (inInterface === undefined || inInterface.negated || rule.protocol !== undefined || effectOf(rule) !== 'accept' || !mayBeFromAnybody(rule) || !without(constraints.of(rule), ['in', 'out']).every(isOpen)) continue;
    const { name, prefix } = inInterface.value;
    const word = `${name}${prefix ? '+' : ''}`;
    const count = (asked.get(word) ?? 0) + 1;
    asked.set(word, count);
    if (count === asksOfOne + 1) cx.undecided();
    const witness = count > asksOfOne ? undefined : openedBy(cx, table, hook, at);
    if (witness !== undefined) yield {
      // Whoever lets everything in by an interface may trust who is there, though nat, or a route, leads out by it.
      at, ...outside.by === 'settings' ? {} : maybeMeant,
      message: `this rule ${does[hook]} everything that comes in by ${word}, where the internet is, ${saidBy[outside.by]}: what is to be dropped behind it never is`,
      witness: [stepOf(witness, witness.in ?? word)], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
      help: `${hook === 'FORWARD' ? 'if it is there for answers, say so (-m conntrack --ctstate RELATED,ESTABLISHED); else ' : ''}say what it is for (-s NETWORK, -p tcp --dport PORT), or that who is there is trusted (trustedInterfaces: [${word}])`,
    };
  }
}

const maybeMeant = { severity: 'info', certainty: 'possible' } as const;
const does = { INPUT: 'accepts', FORWARD: 'lets through' } as const;
const saidBy = { settings: 'for it is not trusted', routes: 'by the default route', nat: 'by what nat translates on its way out' } as const;

/** Rules that accept all of TCP, or of UDP, as they stand or because nothing else is led to them. */
function* ofProtocols(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD'): Generator<Report, void> {
  const found = new Map<Rule, Accepting & { readonly protocols: ('tcp' | 'udp')[] }>();
  const outside = knownOutside(cx);
  const unnamed = byUnnamed(cx.ruleset);
  for (const protocol of ['tcp', 'udp'] as const) {
    const probe = unspoken(cx, table, hook, protocol);
    const answer = probe === undefined ? undefined : ask(cx.space(), table, hook, probe, ['accept']);
    if (answer?.kind === 'undecided') cx.undecided();
    if (answer?.kind !== 'yes' || !answer.certain || isPolicy(answer.by)) continue;
    const { by: at, witness } = answer;
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
      message: `this rule accepts all of ${protocols.map(one => one.toUpperCase()).join(' and ')} that comes to it${where}: what is to be dropped behind it never is`,
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

/** An address of this host, in the words of routes. */
function isLocal(constraint: Constraint): boolean {
  return constraint.kind === 'atom' && constraint.name === 'addrtype dst LOCAL';
}

/** Rules that accept whatever is for an address of this host. */
function* ofAddresses(cx: CheckContext, table: Table): Generator<Report, void> {
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
      message: `this rule accepts everything that is for ${address === undefined ? 'this host' : printAddress(address)}${isOurs === true ? '' : ', where that is an address of this host'}: what is to be dropped behind it never is`,
      witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: 'filter:INPUT', fate: 'passes', matches: [referenceOf(at)] }],
      help: 'say what it is for (-i INTERFACE, -s NETWORK, -p tcp --dport PORT), or delete it',
    };
  }
}

function* ofAll(cx: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', found: Accepting): Generator<Report, void> {
  const { at: accepting, witness } = found;
  const asks = constraintsOf(cx.ruleset, table.name).of(accepting.rule);
  if (!isOpen(asks) || !opensWhatIsShut(cx, table, accepting)) return;
  const leader = leaderOf(cx, table, hook, accepting);
  const at = leader ?? accepting;
  const what = isForAll(asks) ? 'everything' : 'every new connection';
  yield {
    at, message: `${leader === undefined ? `this rule accepts ${what} that comes to it` : `this rule leads what comes to it to ${accepting.chain}, where ${referenceOf(accepting)} accepts ${what}`}: what is to be dropped behind it never is`,
    because: leader === undefined ? [] : [deciderBecause(cx.ruleset, accepting, `accepts ${what}`)],
    witness: [stepOf(witness, witness.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
    help: 'say what it is for (-i INTERFACE, -s NETWORK, -p tcp --dport PORT), or delete it',
  };
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
for TCP or UDP alone takes all of that. Where the policy is DROP, or rules that drop stand behind it, somebody meant the chain to be closed, and it is open: such a rule is often left from an hour of looking for a
mistake. It is reported in INPUT and FORWARD, also in chains that they lead to, where without it packets of strangers would be dropped. So is a rule of either for all who are on a list
(\`-m recent --rcheck\`), where who asks for a service that is open to everybody, or for anything, is put on that list; who must knock at a port of his own is not anybody.
A rule for all that comes in by the interface where the internet is, as \`trustedInterfaces\` says, is as open, be it for this host or for what is behind it; where only a default route or nat says so, it is a possible info. In INPUT a rule for all that goes to this host, \`--dst-type LOCAL\`, or to a public address of its own, is no less open; where nobody says whose the address is, it is a possible info.`,
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
    yield* ofInterfaces(cx, table, 'INPUT');
    yield* ofInterfaces(cx, table, 'FORWARD');
    yield* ofAddresses(cx, table);
    for (const open of openLists(cx, table, isOpen)) if (ownerOf(cx.ruleset, open.at) === undefined && mayBeOpen(open.at.rule)) yield listReport(open);
    const constraints = constraintsOf(cx.ruleset, table.name);
    const isCandidate = (rule: Rule): boolean => mayBeOpen(rule) && (rule.protocol === undefined || [protocolNumber.tcp, protocolNumber.udp].some(one => isForProtocol(constraints.of(rule), one)));
    if (![...table.chains.values()].some(({ rules }) => rules.some(isCandidate))) return;
    yield* lookAt(cx, table, 'INPUT');
    yield* lookAt(cx, table, 'FORWARD');
  },
});
