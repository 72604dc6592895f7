import type { Packet } from '../../packet/packet.js';
import { Verdict } from '../../packet/traversal.js';
import { tcpOptionList } from '../../values/tcp-option-list.js';
import { defineTarget, option } from '../define.js';
import { adjustTcpChecksum, optionLength, tcpHeaderLength } from '../tcp-options.js';

const noOperation = 1;

/** The checksum follows byte by byte: the high one of a word stands at an even place. */
function overwrite(packet: Packet, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    const shift = (at - packet.transport) % 2 === 0 ? 8 : 0;
    adjustTcpChecksum(packet, packet.u8(at) << shift, noOperation << shift);
    packet.bytes[at] = noOperation;
  }
}

/** False where the packet is to be dropped. @see tcpoptstrip_mangle_packet() */
function strip(packet: Packet, stripped: ReadonlySet<number>): boolean {
  if (packet.fragmentOffset > 0) return true;
  const headerLength = tcpHeaderLength(packet);
  if (headerLength === undefined) return false;
  const end = packet.transport + headerLength;
  for (let at = packet.transport + 20; at < end - 1;) {
    const length = optionLength(packet, at);
    if (at + length > end) break;
    if (stripped.has(packet.u8(at))) overwrite(packet, at, at + length);
    at += length;
  }
  return true;
}

/** @see tcpoptstrip_tg4() in net/netfilter/xt_TCPOPTSTRIP.c; with no option given it does nothing. */
export const tcpoptstrip = defineTarget('TCPOPTSTRIP', () => ({
  doc: 'Overwrites TCP options with no-operations.',
  effect: 'continue',
  changes: ['tcp'],
  tables: ['mangle'],
  protocols: ['tcp'],
  options: {
    options: option({ names: ['--strip-options'], doc: 'the options', value: tcpOptionList }),
  },
  // Options are no field, and the header stays as long as it was.
  rewrites: () => [],
  apply: ({ options }) => {
    const stripped = new Set(options?.value);
    return ({ packet }) => strip(packet, stripped) ? Verdict.Continue : Verdict.Drop;
  },
  examples: [
    ['-p tcp -j TCPOPTSTRIP --strip-options 2,5,255', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options sack,0xff,mss', '-p tcp -j TCPOPTSTRIP --strip-options 2,5,255', { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options mss,2', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options 1', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options MSS', undefined, { table: 'mangle', chain: 'INPUT' }],
  ],
}));
