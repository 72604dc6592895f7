import type { PortRange } from '../values/port.js';
import type { Given } from './define.js';

/** Saves a port range under `name`. All ports at once are not saved, not even negated (`tcp_save`, libxt_tcp.c). */
export function savePorts(name: string): (given: Given<PortRange>) => string {
  return ({ negated, value: { low, high } }) => {
    if (low === 0 && high === 65_535) return '';
    return `${negated ? '! ' : ''}${name} ${low === high ? String(low) : `${String(low)}:${String(high)}`}`;
  };
}
