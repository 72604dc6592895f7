/** Rules for packets that nobody sends, or that the kernel takes from nobody: iptables loads them without a word. */
import type { Table } from '../../model/ruleset.js';
import { all, any, is, masked, not, within, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { forbiddenIn } from '../../values/interface-name.js';
import { protocolWord } from '../../values/protocol.js';
import type { CheckContext, Report } from '../define-check.js';
import { rangesOf } from './asked.js';
import { hasConjunct } from './conjuncts.js';
import { isDeadWith } from './dead-with.js';
import { foreignType } from './foreign-icmp.js';
import { isLoopback } from './host-networks.js';
import { isGroup, isNobody, isNotOfLo, letsLoopbackIn } from './martians.js';
import { statesOf } from './replies.js';
import { effectOf } from './targets.js';
import { translationsOf } from './translations.js';

const ACK = 16;

/** ICMP of the other family than that of the rules: nobody sends it (RFC 4443: that of IPv6 is a protocol of its own, 58). */
const foreign = {
  ipv4: { number: protocolNumber.icmpv6, why: 'ipv6-icmp is ICMP for IPv6, and IPv4 has its own', write: '-p icmp' },
  ipv6: { number: protocolNumber.icmp, why: 'icmp is ICMP for IPv4, and IPv6 has its own', write: '-p ipv6-icmp' },
} as const;

function foreignReport({ ruleset: { family } }: CheckContext, at: RuleAt): Report | undefined {
  const { number, why, write } = foreign[family];
  const { protocol } = at.rule;
  if (protocol?.value !== number || protocol.negated) return undefined;
  return {
    at, mutedIn: 'generated', severity: 'warning', message: `next to no packet can match this rule: ${why}`,
    help: `write ${write} in place of -p ${protocolWord(number)}`,
  };
}

/** A type of ICMP by the number that it has in the other family: in this one it is not assigned. */
function foreignTypeReport({ ruleset }: CheckContext, { name: table }: Table, at: RuleAt): Report | undefined {
  const { family } = ruleset;
  const foreign = foreignType(family, constraintsOf(ruleset, table).of(at.rule));
  if (foreign === undefined) return undefined;
  const { type, name, number } = foreign;
  const [own, other, option] = family === 'ipv4' ? ['ICMP for IPv4', 'ICMPv6', '--icmp-type'] : ['ICMPv6', 'ICMP for IPv4', '--icmpv6-type'];
  return {
    at, mutedIn: 'generated', severity: 'warning', message: `next to no packet can match this rule: ${own} has no type ${String(type)}, which is the number of ${name} in ${other}`,
    help: `write ${option} ${String(number)}, or delete it`,
  };
}

/** A name that no interface can have. */
export function nameReport(at: RuleAt): Report | undefined {
  const { rule } = at;
  for (const [option, one] of [['-i', rule.inInterface], ['-o', rule.outInterface]] as const) {
    const name = one?.negated === false ? one.value.name : '';
    const letter = forbiddenIn(name);
    if (letter === undefined) continue;
    const device = name.split(':')[0] ?? '';
    return {
      at, message: `no packet can match this rule: no interface is called ${name}, for the kernel takes no \`${letter}\` in such a name`,
      help: letter === ':' && device !== '' ? `write ${option} ${device}: ${name} is a label of one of its addresses, which a rule names by ${option === '-i' ? '-d' : '-s'}` : `write the name that \`ip link\` shows behind ${option}`,
    };
  }
  return undefined;
}

/** A star in a name: the kernel takes it for a letter, and nobody calls an interface so. */
function starReport(at: RuleAt): Report | undefined {
  const { rule } = at;
  for (const [option, one] of [['-i', rule.inInterface], ['-o', rule.outInterface]] as const) {
    if (one?.negated !== false || !one.value.name.includes('*')) continue;
    const { name, prefix } = one.value;
    return {
      at, mutedIn: 'generated', severity: 'warning', message: `next to no packet can match this rule: \`*\` is a letter like others in the name of an interface, and nobody calls one ${name}${prefix ? '…' : ''}`,
      help: `write ${option} ${name.slice(0, name.indexOf('*'))}+: a + at the end stands for the rest of the name`,
    };
  }
  return undefined;
}

/** What this host sends itself is judged by nat where it leaves; where it comes in by lo its connection is known already. @see nf_nat_inet_fn() in net/netfilter/nf_nat_core.c */
function ownReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const { rule } = at;
  if (table.name !== 'nat' || hooksOf(table).get(at.chain)?.every(hook => hook === 'PREROUTING') !== true) return undefined;
  const isByLo = rule.inInterface?.negated === false && !rule.inInterface.value.prefix && rule.inInterface.value.name === 'lo';
  const isToLoopback = rangesOf(constraintsOf(cx.ruleset, table.name).of(rule), 'dst')?.every(isLoopback) === true;
  const isOn = isByLo ? false : letsLoopbackIn(cx, rule);
  if (!(isByLo || isToLoopback) || isOn === true) return undefined;
  return {
    at, mutedIn: 'generated', severity: 'warning', certainty: isOn === false ? 'certain' : 'possible',
    message: isByLo ? 'no packet can match this rule: what comes in by lo was sent by this host, and nat asked OUTPUT about it then'
      : `no packet comes to this rule that can match it: what goes to a loopback address was sent by this host, and nat asked OUTPUT about it then${isOn === false ? '' : '; from elsewhere the kernel takes none, unless route_localnet is set'}`,
    help: effectOf(rule) === 'nat' ? `write it for what this host sends: -A OUTPUT${isByLo ? ' -o lo in place of -A PREROUTING -i lo' : ' in place of -A PREROUTING'}` : 'delete it',
  };
}

/** A text to be found in TCP, where only packets come that begin connections: what is said follows in others. */
function textReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const asks = constraintsOf(cx.ruleset, table.name).of(at.rule);
  const isOfTcp = rangesOf(asks, 'protocol')?.every(({ low, high }) => low === protocolNumber.tcp && high === protocolNumber.tcp) === true;
  if (!isOfTcp || !hasConjunct(asks, one => one.kind === 'atom' && one.name.startsWith('string '))) return undefined;
  if (table.name !== 'nat' && !isDeadWith(cx, table, at, all([masked('tcpFlags', ACK, ACK), ...table.name === 'raw' ? [] : [statesOf(cx.ruleset).reply]]))) return undefined;
  return {
    at, mutedIn: 'generated', severity: 'warning',
    message: `next to no packet can match this rule: only packets that begin connections ${table.name === 'nat' ? 'come to nat' : 'come to it'}, and TCP says nothing in these`,
    help: `look into what follows, too: ${table.name === 'nat' ? 'in table filter, ' : ''}in front of the rule that lets ESTABLISHED packets pass, and without NEW or --syn`,
  };
}

/** It accepts what comes in, or is to be forwarded. */
function letsIn(table: Table, { rule, chain }: RuleAt): boolean {
  const hooks = hooksOf(table).get(chain) ?? [];
  return table.name === 'filter' && effectOf(rule) === 'accept' && hooks.length > 0 && hooks.every(hook => hook === 'INPUT' || hook === 'FORWARD');
}

/** The address by which all of a network are addressed at once (RFC 919). */
const everybody = 0xffff_ffff;

/** A rule that lets in what a group sends: nobody sends as one. @see ip_mc_validate_source() and __mkroute_input() in net/ipv4/route.c, ip6_rcv_core() in net/ipv6/ip6_input.c */
function groupReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  if (!letsIn(table, at)) return undefined;
  const sources = rangesOf(constraintsOf(cx.ruleset, table.name).of(at.rule), 'src');
  if (sources === undefined || sources.length === 0 || !sources.every(isGroup)) return undefined;
  const whose = sources.every(({ low }) => low === everybody) ? 'everybody on a network' : 'a group';
  return {
    at, mutedIn: 'generated', severity: 'warning',
    message: `no packet comes to this rule that can match it: nobody sends from the address of ${whose}, and the kernel drops such packets before INPUT and FORWARD`,
    help: 'that is a destination: write -d, or delete it',
  };
}

/** What a host sends that has no address yet, as its DHCP client: the kernel takes it in, and bridges pass it on. @see ip_route_input_slow() and ip_mc_validate_source() in net/ipv4/route.c */
const fromNewcomers: Constraint = all([
  is('src', 0), any([all([is('protocol', protocolNumber.igmp), within('dst', 0xe000_0000, 0xefff_ffff)]), all([not(is('protocol', protocolNumber.tcp)), any([is('dst', 0), is('dst', 0xffff_ffff), within('dst', 0xe000_0000, 0xe000_00ff)])])]),
]);

/** A rule that lets in what comes from 0.0.0.0, or goes there. Whoever drops such packets is right to, whatever the kernel does. */
function nobodyReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  if (cx.ruleset.family !== 'ipv4' || !letsIn(table, at)) return undefined;
  const asks = constraintsOf(cx.ruleset, table.name).of(at.rule);
  const [field] = (['src', 'dst'] as const).filter(one => rangesOf(asks, one)?.every(isNobody) === true);
  const isDead = field !== undefined && isDeadWith(cx, table, at, fromNewcomers);
  if (field === undefined || (field === 'src' && !isDead)) return undefined;
  const option = field === 'src' ? '-s' : '-d';
  return {
    at, mutedIn: 'generated', severity: 'warning',
    message: `${isDead ? '' : 'next to '}no packet comes to this rule that can match it: \`${option} 0.0.0.0\` is one address, ${field === 'src' ? 'that of hosts which have none yet' : 'which nobody has'}, and the kernel drops such packets before INPUT and FORWARD`,
    help: `to mean everybody leave ${option} out, or write ${option} 0.0.0.0/0`,
  };
}

/** Something that lets in, by other interfaces than lo, who has a loopback address. Whoever drops such packets is right to, whatever the kernel does. */
function martianReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const { rule } = at;
  if (table.name !== 'filter' || effectOf(rule) !== 'accept' || !isNotOfLo(rule) || hooksOf(table).get(at.chain)?.every(hook => hook === 'INPUT') !== true) return undefined;
  const asks = constraintsOf(cx.ruleset, table.name).of(rule);
  const isAsked = (field: 'src' | 'dst'): boolean => rangesOf(asks, field)?.every(isLoopback) === true;
  const isSentThere = translationsOf(cx.ruleset).some(({ address, hooks }) => typeof address !== 'string' && address.every(isLoopback) && hooks.includes('PREROUTING'));
  const isOn = letsLoopbackIn(cx, rule);
  // Whether what DNAT sends there arrives is said by dnat-to-loopback.
  if (isOn === true || !(isAsked('src') || (isAsked('dst') && !isSentThere))) return undefined;
  return {
    at, mutedIn: 'generated', severity: 'warning', certainty: isOn === false ? 'certain' : 'possible',
    message: `no packet comes to this rule that can match it: the kernel takes none with a loopback address by other interfaces than lo${isOn === false ? '' : ', unless route_localnet is set'}`,
    help: 'delete it, or write -i lo',
  };
}

/** What is to be said of a rule that packets could match, if somebody sent such; undefined where somebody may. */
export function unsentReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  return starReport(at) ?? ownReport(cx, table, at) ?? textReport(cx, table, at) ?? foreignReport(cx, at) ?? foreignTypeReport(cx, table, at) ?? martianReport(cx, table, at) ?? groupReport(cx, table, at) ?? nobodyReport(cx, table, at);
}
