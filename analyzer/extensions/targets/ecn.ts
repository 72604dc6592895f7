import type { Packet } from '../../packet/packet.js';
import { rewriteTos } from '../../packet/rewrite.js';
import type { Rewriting } from '../../packet/rewriting.js';
import { Verdict, type Action } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { defineTarget, option, type OrderedOption } from '../define.js';
import { fieldImage } from '../field-image.js';
import { adjustTcpChecksum } from '../tcp-options.js';

interface Ecn {
  readonly ece: number | undefined;
  readonly cwr: number | undefined;
  readonly ect: number | undefined;
}

/** `--ecn-tcp-remove` clears both TCP bits and forgets an `--ecn-ip-ect` before it. */
function resultOf(ordered: readonly OrderedOption[]): Ecn {
  let ecn: Ecn = { ece: undefined, cwr: undefined, ect: undefined };
  for (const { key, value } of ordered) {
    if (key === 'remove') ecn = { ece: 0, cwr: 0, ect: undefined };
    else if (typeof value === 'number') ecn = { ...ecn, [key]: value };
  }
  return ecn;
}

/** A bit of the byte of TCP flags as it should be; undefined: as it is. */
function withBit(flags: number, bit: number, value: number | undefined): number {
  return value === undefined ? flags : value === 1 ? flags | bit : flags & ~bit;
}

/** False where there is no whole TCP header. A later fragment is not told from a header. @see set_ect_tcp() */
function changeTcp(packet: Packet, { ece, cwr }: Ecn): boolean {
  if (packet.transportLength < 20) return false;
  const at = packet.transport + 12;
  const before = packet.u16(at);
  packet.bytes[at + 1] = withBit(withBit(before & 0xff, 0x40, ece), 0x80, cwr);
  adjustTcpChecksum(packet, before, packet.u16(at));
  return true;
}

/** @see ecn_tg() in net/ipv4/netfilter/ipt_ECN.c */
function apply(ecn: Ecn): Action {
  const isTcp = ecn.ece !== undefined || ecn.cwr !== undefined;
  return ({ packet }) => {
    if (ecn.ect !== undefined) rewriteTos(packet, (packet.tos & 0xfc) | ecn.ect);
    return isTcp && packet.protocol === 6 && !changeTcp(packet, ecn) ? Verdict.Drop : Verdict.Continue;
  };
}

/** ECE and CWR are no part of the field `tcpFlags`: a match can ask for six flags, and for these two by atoms of its own. */
function rewrites({ ect }: Ecn): readonly Rewriting[] {
  return fieldImage('ecn', 2, before => ect ?? before);
}

/** @see ecn_tg_check() in net/ipv4/netfilter/ipt_ECN.c: what touches TCP bits needs -p tcp. */
export const ecnTarget = defineTarget('ECN', () => ({
  doc: 'Sets or clears the bits of explicit congestion notification.',
  usesOrder: true,
  families: ['ipv4'],
  effect: 'continue',
  changes: ['ecn', 'tcp'],
  tables: ['mangle'],
  options: {
    remove: option({ names: ['--ecn-tcp-remove'], doc: 'clear ECE and CWR in the TCP header', value: flag, excludes: ['cwr', 'ece'] }),
    ece: option({ names: ['--ecn-tcp-ece'], doc: 'the ECE bit of the TCP header', value: integer(0, 1), excludes: ['remove'] }),
    cwr: option({ names: ['--ecn-tcp-cwr'], doc: 'the CWR bit of the TCP header', value: integer(0, 1), excludes: ['remove'] }),
    ect: option({ names: ['--ecn-ip-ect'], doc: 'the ECT codepoint of the IP header', value: integer(0, 3) }),
  },
  check: ({ remove, ece, cwr, ect }, { protocol }) => {
    const isTcp = remove !== undefined || ece !== undefined || cwr !== undefined;
    if (!isTcp && ect === undefined) return 'one of its options must be given';
    return isTcp && (protocol?.number !== 6 || protocol.negated) ? 'to change bits of the TCP header, the rule needs -p tcp' : undefined;
  },
  save: (_, { ordered }) => {
    const { ece, cwr, ect } = resultOf(ordered);
    if (ece === 0 && cwr === 0 && ect === undefined) return '--ecn-tcp-remove';
    const word = (name: string, value: number | undefined): string[] => value === undefined ? [] : [`${name} ${String(value)}`];
    return [...word('--ecn-tcp-ece', ece), ...word('--ecn-tcp-cwr', cwr), ...word('--ecn-ip-ect', ect)].join(' ');
  },
  rewrites: (_, { ordered }) => rewrites(resultOf(ordered)),
  apply: (_, { ordered }) => apply(resultOf(ordered)),
  examples: [
    ['-p tcp -j ECN --ecn-tcp-remove', '=', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-p tcp -j ECN --ecn-tcp-cwr 0 --ecn-tcp-ece 0', '-p tcp -j ECN --ecn-tcp-remove', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 2', '-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 0 --ecn-ip-ect 2', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-p tcp -j ECN --ecn-ip-ect 2 --ecn-tcp-remove', '-p tcp -j ECN --ecn-tcp-remove', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j ECN --ecn-ip-ect 0x3', '-j ECN --ecn-ip-ect 3', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j ECN --ecn-tcp-remove', undefined, { table: 'mangle', chain: 'POSTROUTING' }],
  ],
}));
