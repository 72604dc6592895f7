/** Whether a host passes packets on for others. */
import { ownerOf } from './owners.js';
import type { CheckContext } from '../define-check.js';
import { effectOf } from './targets.js';

/** What its owner sets so that it passes packets on. */
export const forwardingSwitch = { ipv4: 'net.ipv4.ip_forward', ipv6: 'net.ipv6.conf.all.forwarding' } as const;

const switches = { ipv4: ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding'], ipv6: ['net.ipv6.conf.all.forwarding'] };

/** Whether the host is known to pass nothing on for others. */
export function isSwitchedOff({ ruleset, host }: Pick<CheckContext, 'ruleset' | 'host'>): boolean {
  return switches[ruleset.family].some(name => host?.sysctls?.[name] === 0);
}

/** Whether the host is known to pass packets on, for whomever. */
export function isSwitchedOn({ ruleset, host }: Pick<CheckContext, 'ruleset' | 'host'>): boolean {
  return switches[ruleset.family].some(name => host?.sysctls?.[name] === 1);
}

/**
 * Whether its owner has it route: he has not switched that off, and rules of his own stand in FORWARD or translate what passes. What programs made
 * for containers and virtual machines is theirs.
 */
export function isRouter(cx: Pick<CheckContext, 'ruleset' | 'host' | 'rules'>): boolean {
  const { ruleset } = cx;
  if (isSwitchedOff(cx)) return false;
  const [nat, filter] = [ruleset.tables.get('nat'), ruleset.tables.get('filter')];
  for (const at of nat === undefined ? [] : cx.rules(nat)) if (at.chain !== 'OUTPUT' && effectOf(at.rule) === 'nat' && ownerOf(ruleset, at) === undefined) return true;
  return filter?.chains.get('FORWARD')?.rules.some((rule, i) => ownerOf(ruleset, { table: 'filter', chain: 'FORWARD', position: i + 1, rule }) === undefined) === true;
}
