/** A packet in one line, as a person would say it. */
import type { WitnessHost, WitnessStep } from '../analyzer/finding.js';

/** Said in words of their own; all other fields follow as `name value`. */
const ordinary = new Set(['proto', 'src', 'dst', 'sport', 'dport']);

function endpoint(address: string | number | boolean | undefined, port: string | number | boolean | undefined): string {
  const host = String(address ?? '*');
  if (port === undefined) return host;
  return host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

function field([name, value]: readonly [string, string | number | boolean]): string {
  return typeof value === 'boolean' ? (value ? name : `no ${name}`) : `${name} ${String(value)}`;
}

/** `tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0 flags S` */
export function describeStep(step: WitnessStep): string {
  const { proto, src, dst, sport, dport } = step.packet;
  const rest = Object.entries(step.packet).filter(([name]) => !ordinary.has(name)).map(field);
  const origin = step.in === 'local' ? 'from this host' : `in ${step.in}`;
  return [`${String(proto ?? 'ip')} ${endpoint(src, sport)} > ${endpoint(dst, dport)}`, origin, ...rest].join(' ');
}

/** What the host of a witness must be: `eth0 with 192.0.2.1/32; eth1; route default dev eth0`. Of flows only the number is told. */
export function describeHost({ interfaces = [], routes = [], ipsets = '', conntrack = '' }: WitnessHost): string {
  const linesOf = (text: string): number => text.split('\n').filter(line => line !== '').length;
  return [
    ...interfaces.map(({ name, addresses }) => addresses.length === 0 ? name : `${name} with ${addresses.join(', ')}`),
    ...routes.map(route => `route ${route}`),
    ...ipsets === '' ? [] : [`sets: ${ipsets.trim().split('\n').join('; ')}`],
    ...conntrack === '' ? [] : [`flows known before: ${String(linesOf(conntrack))}`],
  ].join('; ');
}
