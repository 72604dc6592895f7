/** How scenarios name protocols. */
import { protocolNumber } from '../../packet/protocols.js';
import { ScenarioError } from './scenario-error.js';

const numbers = new Map<string, number>(Object.entries(protocolNumber));
const names = new Map<number, string>([...numbers].map(([name, number]) => [number, name]));

/** The names that a scenario may use. */
export const protocolNames: readonly string[] = [...numbers.keys()];

/** 0 to 255, of a name or a number, which may be written as a text; undefined where it is neither. */
export function findProtocol(proto: string | number): number | undefined {
  const number = typeof proto === 'number' ? proto : numbers.get(proto.toLowerCase()) ?? (/^\d{1,3}$/u.test(proto) ? Number(proto) : -1);
  return Number.isInteger(number) && number >= 0 && number <= 255 ? number : undefined;
}

/** @throws {ScenarioError} where there is no such protocol */
export function protocolOf(proto: string | number): number {
  const number = findProtocol(proto);
  if (number === undefined) throw new ScenarioError(`\`${String(proto)}\` is not a protocol`);
  return number;
}

/** Its name where it has one. */
export function nameOfProtocol(number: number): string | number {
  return names.get(number) ?? number;
}

const withPorts = new Set<number>([protocolNumber.tcp, protocolNumber.udp, protocolNumber.udplite, protocolNumber.sctp, protocolNumber.dccp]);

/** Whether packets of the protocol have ports. */
export function hasPorts(proto: string | number): boolean {
  return withPorts.has(findProtocol(proto) ?? -1);
}

/** Whether it is ICMP, of either family. */
export function isPing(proto: string | number): boolean {
  return proto === 'icmp' || proto === 'icmpv6';
}
