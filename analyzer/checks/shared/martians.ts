/** Loopback addresses at other interfaces than lo: the kernel drops such packets behind PREROUTING, unless `route_localnet` is set. */
import type { Rule } from '../../model/ruleset.js';
import type { CheckContext } from '../define-check.js';

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
export function letsLoopbackIn({ host, ruleset: { family } }: CheckContext, rule: Rule): boolean | undefined {
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
