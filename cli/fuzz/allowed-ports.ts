import type { PortRange } from '../../analyzer/fuzz/property.js';
import { Trouble } from '../trouble.js';

const largest = 65_535;

function portsOf(word: string): PortRange {
  const { proto, low = '', high = low } = /^(?:(?<proto>tcp|udp|sctp|dccp|udplite)\/)?(?<low>\d{1,5})(?:[:-](?<high>\d{1,5}))?$/u.exec(word)?.groups ?? {};
  const [from, to] = [Number(low), Number(high)];
  if (low === '' || from > to || to > largest) throw new Trouble(`--allow-ports: \`${word}\` is no port; write a list such as 22,443,udp/53,8000:8080`);
  return { ...proto === undefined ? {} : { proto }, low: from, high: to };
}

/** `22,443,udp/53,8000:8080`; '' is no port at all. */
export function allowedPorts(list: string): readonly PortRange[] {
  return list.split(',').map(word => word.trim()).filter(word => word !== '').map(portsOf);
}
