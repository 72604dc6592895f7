import { atom, is } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { defineMatch, option } from '../define.js';

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
