import { any, atom, is, within } from '../../packet/constraint.js';
import { dccpTypeNumbers, dccpTypes } from '../../values/dccp-types.js';
import { lookedUpPortRange } from '../../values/looked-up-port.js';
import { integer } from '../../values/number.js';
import { defineMatch, option } from '../define.js';

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
  examples: [
    ['-p dccp -m dccp ! --dccp-types RESET --dccp-option 5', '='],
    ['-p dccp --dccp-types ack,REQUEST,invalid', '-p dccp -m dccp --dccp-types REQUEST,ACK,INVALID'],
    ['-p dccp ! --sport : --dport 10:5', '-p dccp -m dccp ! --sport 0:65535 --dport 10:5'],
    ['-p dccp --dccp-types FOO', undefined],
    ['-p dccp --dccp-option 0', undefined],
  ],
}));
