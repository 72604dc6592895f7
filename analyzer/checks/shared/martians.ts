/** Addresses with which no packet gets past routing: of groups as sources, and loopback ones at other interfaces than lo, unless `route_localnet` is set. */
import type { Rule, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, type Range } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { rangesOf } from './asked.js';
import { isLoopback } from './host-networks.js';

/** All of it is of groups (224.0.0.0/4, ff00::/8), or of all hosts of a link (255.255.255.255). */
export function isGroup({ low, high }: Range): boolean {
  return typeof low === 'number' ? (low >= 0xe000_0000 && Number(high) <= 0xefff_ffff) || low === 0xffff_ffff : low >= 0xffn << 120n;
}

/** All of it is the address that nobody has: 0.0.0.0, `::`. @see ipv4_is_zeronet() in include/linux/in.h */
export function isNobody({ low, high }: Range): boolean {
  return (low === 0 && high === 0) || (low === 0n && high === 0n);
}

/** Whether a rule is asked of packets that come by such an interface; one without `-i` is asked of all. */
function isAskedOf({ inInterface }: Rule, device: string): boolean {
  if (inInterface === undefined) return true;
  const { value: { name, prefix }, negated } = inInterface;
  return (prefix ? device.startsWith(name) : device === name) !== negated;
}

/**
 * Whether the kernel lets in packets that have a loopback address and come by an interface of the rule, other than lo; undefined where nobody says.
 * IPv6 has no such switch. @see ip_route_input_slow() in net/ipv4/route.c, ip6_rcv_core() in net/ipv6/ip6_input.c
 */
export function letsLoopbackIn({ host, ruleset: { family } }: Pick<CheckContext, 'host' | 'ruleset'>, rule: Rule): boolean | undefined {
  if (family === 'ipv6') return false;
  const switches = Object.entries(host?.sysctls ?? {}).flatMap(([name, value]) => {
    const device = /^net[./]ipv4[./]conf[./](.+)[./]route_localnet$/u.exec(name)?.[1];
    return device === undefined ? [] : [{ device, isOn: value !== 0 }];
  });
  if (switches.some(({ device, isOn }) => isOn && device !== 'lo' && device !== 'default' && (device === 'all' || isAskedOf(rule, device)))) return true;
  return switches.some(({ device }) => device === 'all') ? false : undefined;
}

/** Whether a rule is asked of no packet that comes by lo. */
export function isNotOfLo(rule: Rule): boolean {
  return !isAskedOf(rule, 'lo');
}

/** Whether what a rule takes of another's packets has a loopback address and comes by another interface than lo: unless somebody says otherwise, there is none. */
export function takesMartiansOnly(cx: Pick<CheckContext, 'host' | 'ruleset'>, table: Table, at: RuleAt, by: RuleAt): boolean {
  const hooks = hooksOf(table).get(at.chain) ?? [];
  if (!hooks.every(hook => hook === 'INPUT' || hook === 'FORWARD') || !isNotOfLo(by.rule) || letsLoopbackIn(cx, by.rule) === true) return false;
  const constraints = constraintsOf(cx.ruleset, table.name);
  const taken = all([constraints.of(at.rule), constraints.of(by.rule)]);
  return (['src', 'dst'] as const).some(field => rangesOf(taken, field)?.every(isLoopback) === true);
}
