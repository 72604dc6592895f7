import { any, atom, is, within } from '../../packet/constraint.js';
import { findOption } from '../../packet/find-option.js';
import type { Packet } from '../../packet/packet.js';
import { allOf, everyPacket } from '../../packet/predicates.js';
import type { Predicate } from '../../packet/traversal.js';
import { dccpTypeNumbers, dccpTypes } from '../../values/dccp-types.js';
import { lookedUpPortRange } from '../../values/looked-up-port.js';
import { integer } from '../../values/number.js';
import type { Backend } from '../../values/value.js';
import { asks, hotdropped } from '../asks.js';
import { defineMatch, option, type Given } from '../define.js';

/** What follows the generic header, by packet type: REQUEST, RESPONSE, DATA, ACK, DATAACK, CLOSEREQ, CLOSE, RESET, SYNC, SYNCACK; of all others as of RESET. */
const lengthByType = [4, 12, 0, 8, 8, 8, 8, 12, 8, 8];

function typeOf(packet: Packet): number {
  return (packet.u8(packet.transport + 8) >> 1) & 15;
}

/** Bytes in front of the options. @see __dccp_hdr_len() in linux/dccp.h */
function fixedLength(packet: Packet): number {
  const isExtended = (packet.u8(packet.transport + 8) & 1) !== 0;
  return (isExtended ? 16 : 12) + (lengthByType[typeOf(packet)] ?? 12);
}

function hasOption(given: Given<number>, backend: Backend): Predicate {
  const { value: kind, negated: absent } = given;
  return t => {
    const { packet } = t;
    const { transport } = packet;
    const fixed = fixedLength(packet);
    const end = packet.u8(transport + 4) * 4;
    if (end < fixed || (end > fixed && packet.transportLength < end)) return hotdropped(t, given, backend);
    return (findOption(packet, transport + fixed, transport + end, kind) < 0) === absent;
  };
}

/** @see dccp_mt() in net/netfilter/xt_dccp.c. Later fragments never match. */
export const dccp = defineMatch('dccp', () => ({
  doc: 'Matches DCCP packets by port, packet type or a DCCP option.',
  protocols: ['dccp'],
  requires: is('fragment', 0),
  options: {
    sport: option({
      names: ['--sport', '--source-port'], doc: 'source port or range', value: lookedUpPortRange, negatable: true,
      means: ({ low, high }) => within('sport', low, high),
    }),
    dport: option({
      names: ['--dport', '--destination-port'], doc: 'destination port or range', value: lookedUpPortRange, negatable: true,
      means: ({ low, high }) => within('dport', low, high),
    }),
    types: option({
      names: ['--dccp-types'], doc: 'one of these packet types', value: dccpTypes, negatable: true,
      // With an empty list the blank behind the name stays.
      save: ({ negated, value }, cx) => `${negated ? '! ' : ''}--dccp-types ${dccpTypes.print(value, cx)}`,
      means: types => any(dccpTypeNumbers(types).map(type => atom(`dccp type ${String(type)}`))),
    }),
    option: option({
      names: ['--dccp-option'], doc: 'a DCCP option that is present', value: integer(1, 255), negatable: true,
      means: kind => atom(`dccp option ${String(kind)}`),
    }),
  },
  header: 12,
  matches: (given, { backend }) => allOf([
    asks(given.sport, ({ low, high }) => ({ packet }) => packet.sport >= low && packet.sport <= high),
    asks(given.dport, ({ low, high }) => ({ packet }) => packet.dport >= low && packet.dport <= high),
    asks(given.types, types => {
      const bits = dccpTypeNumbers(types).reduce((sum, type) => sum | 1 << type, 0);
      return ({ packet }) => (bits & 1 << typeOf(packet)) !== 0;
    }),
    given.option === undefined ? everyPacket : hasOption(given.option, backend),
  ]),
  examples: [
    ['-p dccp -m dccp ! --dccp-types RESET --dccp-option 5', '='],
    ['-p dccp --dccp-types ack,REQUEST,invalid', '-p dccp -m dccp --dccp-types REQUEST,ACK,INVALID'],
    ['-p dccp ! --sport : --dport 10:5', '-p dccp -m dccp ! --sport 0:65535 --dport 10:5'],
    ['-p dccp --dccp-types FOO', undefined],
    ['-p dccp --dccp-option 0', undefined],
  ],
}));
