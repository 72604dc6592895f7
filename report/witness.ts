/** A packet in one line, as a person would say it. */
import type { WitnessHost, WitnessStep } from '../analyzer/finding.js';

/** Said in words of their own; all other fields follow as `name value`. */
const ordinary = new Set(['proto', 'src', 'dst', 'sport', 'dport']);

type Word = WitnessStep['packet'][string];

function endpoint(address: Word | undefined, port: Word | undefined): string {
  const host = word(address ?? '*');
  if (port === undefined) return host;
  return host.includes(':') ? `[${host}]:${word(port)}` : `${host}:${word(port)}`;
}

function word(value: Word): string {
  return typeof value === 'object' ? `(${packetText(value)})` : String(value);
}

function field([name, value]: readonly [string, Word]): string {
  return typeof value === 'boolean' ? (value ? name : `no ${name}`) : `${name} ${word(value)}`;
}

function ends({ proto, src, dst, sport, dport }: WitnessStep['packet']): string {
  return `${word(proto ?? 'ip')} ${endpoint(src, sport)} > ${endpoint(dst, dport)}`;
}

function fieldsOf(packet: WitnessStep['packet']): readonly string[] {
  return Object.entries(packet).filter(([name]) => !ordinary.has(name)).map(field);
}

/** `tcp 192.0.2.1:443 > 198.51.100.7:40000 flags SA` */
function packetText(packet: WitnessStep['packet']): string {
  return [ends(packet), ...fieldsOf(packet)].join(' ');
}

/** `tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0 flags S`; of an ICMP error, `quote (tcp …)` is what it is about. */
export function describeStep(step: WitnessStep): string {
  return [ends(step.packet), step.in === 'local' ? 'from this host' : `in ${step.in}`, ...fieldsOf(step.packet)].join(' ');
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
