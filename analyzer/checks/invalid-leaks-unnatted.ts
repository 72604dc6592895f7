import type { Because } from '../finding.js';
import { onward, firstPacket } from '../packet-space/pipeline/index.js';
import { privateRanges, publicRanges } from '../packet/address-blocks.js';
import { all, always, ctstates, is, masked, mentions, not, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { parseAddress } from '../values/address.js';
import { Problem, type Family } from '../values/value.js';
import { stepOf } from '../witness/step.js';
import { deciderBecause, isPolicy, placeOf } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { letThrough } from './shared/let-through.js';
import { liveTranslations, type Asking } from './shared/nat-rules.js';
import { fromOutside, isNamed, shownOutside, virtualInterface } from './shared/outside.js';
import { ownerOf } from './shared/owners.js';
import { isUnsaid } from './shared/parts.js';

/** So many translations are asked about. */
const questionLimit = 16;
/** So many rules that let them out are named. */
const namedLimit = 4;

/** Addresses that nobody outside can answer to. */
function fromPrivate(family: Family): Constraint {
  return { kind: 'within', field: 'src', ranges: privateRanges[family] };
}

/** The internet: as a person would show it (RFC 5737, RFC 3849), and all of it. */
function outsides(family: Family): readonly Constraint[] {
  return [shownOutside(family), { kind: 'within', field: 'dst', ranges: publicRanges[family] }];
}

/**
 * Where what leaks is seen: behind the interfaces that lead there, else behind any that no container or virtual machine has. And whence it comes: what
 * those send is looked at where nobody else does.
 */
function waysOut(cx: CheckContext): readonly Constraint[] {
  const ways = [fromOutside(cx, 'out'), not(virtualInterface('out'))].flatMap(way => outsides(cx.ruleset.family).map(one => all([one, way])));
  return [not(virtualInterface('in')), always].flatMap(whence => ways.map(way => all([way, whence])));
}

/** The end of a connection that is no longer known: a lone RST is INVALID. @see tcp_new() in net/netfilter/nf_conntrack_proto_tcp.c */
const lateReset = all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 4, 63), is('fragment', 0), is('ctstate', ctstates.INVALID)]);
const opening = all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('fragment', 0)]);

/** What the translation is for, as packets come from inside, whatever their state. */
function meant({ asks, translation: { at: { rule: { outInterface: out } } } }: Asking, family: Family): Constraint {
  const parts = (asks.kind === 'all' ? asks.of : [asks]).filter(one => !mentions(one, ['ctstate', 'tcpFlags']));
  // Where it names the way out, they come another way; `! -o docker0` names whence.
  const same: Constraint[] = out === undefined ? [] : [{ kind: 'interface', field: 'in', ...out.value }];
  return all([...parts, ...same.map(one => out?.negated === true ? one : not(one)), fromPrivate(family), is('mark', 0)]);
}

/** It is for what this host sends itself: nothing that passes through has such a source (`ip_route_input_slow`: martian). */
function isForOwn(asks: Constraint): boolean {
  return asks.kind === 'all' ? asks.of.some(isForOwn) : asks.kind === 'atom' && asks.name.startsWith('addrtype src LOCAL');
}

interface Leak {
  /** Who lets them out, and the program that made that rule. */
  readonly by: Because;
  readonly owner: string | undefined;
  readonly out: string | undefined;
  readonly report: Omit<Report, 'help'>;
}

/** Packets that the translation does not see, and who lets them out; undefined where all are kept in. */
function leak(cx: CheckContext, asking: Asking, outside: Constraint): Leak | undefined {
  const { ruleset: { family } } = cx;
  const packets = all([meant(asking, family), lateReset, outside]);
  const passing = letThrough(cx, packets);
  if (passing === undefined) return undefined;
  const { pipeline, found, by, certainty } = passing;
  const { sample } = firstPacket(pipeline, found, packets);
  const { src = '', dst, in: from = 'eth1', out = 'eth0' } = sample;
  const address = parseAddress(src, family);
  if (address instanceof Problem) return undefined;
  // Connections of the same client, on the same way, are translated by this rule.
  const same = all([is('src', address), opening, { kind: 'interface', field: 'in', name: from, prefix: false }, { kind: 'interface', field: 'out', name: out, prefix: false }, is('mark', 0)]);
  if (onward(pipeline, asking.translation.at.rule, { path: 'through', packets: same }).kind !== 'passes') return undefined;
  const { at } = asking.translation;
  const step = stepOf(sample, from);
  const owner = ownerOf(passing.ruleset, isPolicy(by) ? at : by);
  const isOutNamed = isNamed(cx.ruleset, out);
  const report: Leak['report'] = {
    ...placeOf(passing.ruleset, by), certainty: isUnsaid(cx, by) ? 'possible' : certainty,
    message: `packets of no known connection leave by ${isOutNamed ? out : 'interfaces that no rule names'} with a private address, ${src}: nat translates connections only, and ${isPolicy(by) ? `the policy of ${by.chain}` : 'this rule'} lets packets of state INVALID pass${owner === undefined ? '' : ` (${owner} makes no rule against it)`}`,
    because: [deciderBecause(cx.ruleset, at, 'translates connections, and not these packets')],
    witness: [{ ...step, sentOn: { address: dst ?? (family === 'ipv4' ? '192.0.2.1' : '2001:db8::1'), device: out } }], shows: [{ fate: 'passes', misses: [referenceOf(at)], leavesFrom: src }],
  };
  return { by: deciderBecause(passing.ruleset, by, 'lets such packets out as well'), owner, out: isOutNamed ? out : undefined, report };
}

/** One finding for the rules of somebody's that let them out: one rule ends it. */
function together([first, ...others]: readonly [Leak, ...Leak[]]): Report {
  const out = others.every(one => one.out === first.out) ? first.out : undefined;
  return {
    ...first.report, alike: others.length + 1, because: [...first.report.because ?? [], ...others.map(({ by }) => by)],
    help: `drop them first: -I FORWARD${out === undefined ? '' : ` -o ${out}`} -m conntrack --ctstate INVALID -j DROP`,
  };
}

export const invalidLeaksUnnatted = defineCheck({
  name: 'invalid-leaks-unnatted',
  kind: 'nat',
  severity: 'info',
  auditor: 'warning',
  summary: 'Packets that nat does not see leave the network with their private addresses',
  why: `Table nat is asked about the first packet of a connection, and what follows is translated as that one was. A packet that
connection tracking cannot place (state INVALID: a late RST or FIN, one out of the window) is never translated. Where FORWARD accepts
by interface or by policy (which is where it is reported), it leaves with its private source: it tells the outside of the inside's addresses, and since nobody
can answer to it, connections hang until they time out. One rule that drops INVALID packets before others accept them ends it.`,
  bad: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -j ACCEPT
COMMIT
`,
  good: `*nat
:POSTROUTING ACCEPT [0:0]
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
COMMIT
`,
  nearMiss: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [lateReset, opening, fromPrivate(ruleset.family), ...outsides(ruleset.family), virtualInterface('in'), virtualInterface('out'), is('mark', 0)],
  * run(cx) {
    let [left, named] = [questionLimit, 0];
    const found = new Map<string | undefined, [Leak, ...Leak[]]>();
    for (const asking of liveTranslations(cx, 'source')) {
      if (!asking.translation.hooks.includes('POSTROUTING') || isForOwn(asking.asks) || left-- <= 0) continue;
      if (named === namedLimit) break;
      for (const outside of waysOut(cx)) {
        const one = leak(cx, asking, outside);
        if (one === undefined) continue;
        const others = found.get(one.owner);
        if (others === undefined) found.set(one.owner, [one]);
        else if (!others.some(({ by }) => by.rule === one.by.rule)) others.push(one);
        named++;
        break;
      }
    }
    for (const some of found.values()) yield together(some);
  },
});
