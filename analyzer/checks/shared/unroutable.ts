/** Translations to addresses of which the kernel passes nothing on: nobody's, those of groups, and those of all hosts of a network. */
import { isPrivate } from '../../packet/address-blocks.js';
import type { Range } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext, Report } from '../define-check.js';
import { rangesOf } from './asked.js';
import { networksOf } from './host-networks.js';
import { isGroup, isNobody } from './martians.js';
import { liveTranslations, type Asking } from './nat-rules.js';

/** A translation of what comes from elsewhere, and what the kernel does with such packets. */
export interface Unroutable extends Pick<Report, 'severity' | 'certainty'> {
  readonly asking: Asking;
  readonly fate: string;
  readonly help: string;
}

const maybe = { severity: 'info', certainty: 'possible' } as const;

function isOnly({ asks }: Asking, protocol: number): boolean {
  return rangesOf(asks, 'protocol')?.every(({ low, high }) => low === protocol && high === protocol) === true;
}

/** The last address of a network of the host's; where none is known, one of UDP that looks like it. Undefined where it is none. */
function toAllHosts({ host, ruleset: { family } }: CheckContext, asking: Asking, { low }: Range): Pick<Unroutable, 'severity' | 'certainty'> | undefined {
  if (typeof low !== 'number' || Object.entries(host?.sysctls ?? {}).some(([name, value]) => /[./]bc_forwarding$/u.test(name) && value !== 0)) return undefined;
  const networks = networksOf(host, family).map(({ network }) => network).filter(one => Number(one.high) - Number(one.low) > 1);
  if (networks.some(({ high }) => high === low)) return { severity: 'warning' };
  return networks.length === 0 && low % 256 === 255 && isPrivate(low) && isOnly(asking, protocolNumber.udp) ? maybe : undefined;
}

/** @see ip_route_input_rcu() and ip_route_input_slow() in net/ipv4/route.c */
function fateOf(cx: CheckContext, asking: Asking): Omit<Unroutable, 'asking'> | undefined {
  const { address } = asking.translation;
  const [only, ...others] = typeof address === 'string' ? [] : address;
  if (only === undefined || others.length > 0) return undefined;
  const allHosts = { fate: 'the kernel takes them for this host, and passes none on', help: 'write the address of one host; to wake one (Wake-on-LAN), give its address a fixed neighbour entry (ip neigh add … lladdr ff:ff:ff:ff:ff:ff nud permanent) and translate to that' };
  if (isNobody(only)) return { fate: 'the kernel drops what is for that address', help: 'write the address of the server, or -j REDIRECT where it is this host', severity: 'error' };
  if (only.low === 0xffff_ffff) return { ...allHosts, severity: 'warning' };
  if (isGroup(only)) {
    const help = 'write the address of a host; what is for a group needs multicast routing (smcroute, pimd), and no translation';
    return isOnly(asking, protocolNumber.tcp) ? { fate: 'TCP has no groups, and the kernel drops them', help, severity: 'error' } : { fate: 'the kernel drops what is for a group, unless multicast routing or a program of this host waits for it', help, ...maybe, severity: 'warning' };
  }
  const broadcast = only.low === only.high ? toAllHosts(cx, asking, only) : undefined;
  return broadcast === undefined ? undefined : { ...allHosts, fate: `${broadcast.certainty === 'possible' ? 'where that means all hosts of a network, ' : ''}${allHosts.fate}, unless bc_forwarding is set`, ...broadcast };
}

/** All of them, in the order in which they stand. */
export function* unroutable(cx: CheckContext): Generator<Unroutable, void> {
  for (const asking of liveTranslations(cx, 'destination')) {
    const found = asking.translation.hooks.includes('PREROUTING') ? fateOf(cx, asking) : undefined;
    if (found !== undefined) yield { ...found, asking };
  }
}
