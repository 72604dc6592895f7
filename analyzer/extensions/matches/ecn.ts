import { atom, is } from '../../packet/constraint.js';
import { allOf } from '../../packet/predicates.js';
import { headerOffset } from '../../packet/transport-header.js';
import type { Predicate } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { asks } from '../asks.js';
import { defineMatch, option } from '../define.js';

/** It does not ask whether the packet is a later fragment, and lets a header that is cut short go by. */
const hasTcpHeader: Predicate = ({ packet }) => packet.bytes.length - headerOffset(packet) >= 20;

function isSet(flag: number): Predicate {
  return ({ packet }) => (packet.u8(headerOffset(packet) + 13) & flag) !== 0;
}

/** @see ecn_mt_check4() in net/netfilter/xt_ecn.c: bits of the TCP header may be asked for behind `-p tcp` only. */
export const ecn = defineMatch('ecn', () => ({
  doc: 'Matches the explicit congestion notification bits of the IP or TCP header.',
  options: {
    ece: option({ names: ['--ecn-tcp-ece'], doc: 'the ECE bit of the TCP header is set', value: flag, negatable: true, means: () => atom('ecn tcp-ece') }),
    cwr: option({ names: ['--ecn-tcp-cwr'], doc: 'the CWR bit of the TCP header is set', value: flag, negatable: true, means: () => atom('ecn tcp-cwr') }),
    ect: option({ names: ['--ecn-ip-ect'], doc: 'the two bits of the IP header', value: integer(0, 3), negatable: true, means: bits => is('ecn', bits) }),
  },
  check: ({ ece, cwr, ect }, cx) => {
    if (ece === undefined && cwr === undefined) return ect === undefined ? 'one of --ecn-tcp-ece, --ecn-tcp-cwr and --ecn-ip-ect must be given' : undefined;
    const isTcp = cx.protocol?.number === 6 && !cx.protocol.negated;
    return isTcp ? undefined : `--ecn-tcp-${ece === undefined ? 'cwr' : 'ece'} needs -p tcp`;
  },
  matches: ({ ece, cwr, ect }) => {
    const ip = asks(ect, bits => t => (t.packet.tos & 3) === bits);
    return ece === undefined && cwr === undefined ? ip : allOf([ip, hasTcpHeader, asks(ece, () => isSet(0x40)), asks(cwr, () => isSet(0x80))]);
  },
  arbitrary: (fc, cx) => {
    const bang = fc.constantFrom<readonly string[]>([], ['!']);
    const flags = cx.protocol?.number === 6 && !cx.protocol.negated ? ['--ecn-tcp-ece', '--ecn-tcp-cwr', '--ecn-ip-ect'] : ['--ecn-ip-ect'];
    return fc.shuffledSubarray(flags, { minLength: 1 }).chain(names => fc.tuple(...names.map(name =>
      fc.tuple(bang, name === '--ecn-ip-ect' ? integer(0, 3).arbitrary(fc, cx) : fc.constant<readonly string[]>([])).map(([not, value]) => [...not, name, ...value])))).map(parts => parts.flat());
  },
  examples: [
    ['-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr --ecn-ip-ect 2', '='],
    ['-p tcp -m ecn --ecn-ip-ect 0x1 --ecn-tcp-cwr', '-p tcp -m ecn --ecn-tcp-cwr --ecn-ip-ect 1'],
    ['-m ecn --ecn-ip-ect 4', undefined],
    ['-m ecn --ecn-tcp-cwr', undefined],
    ['-m ecn', undefined],
  ],
}));
