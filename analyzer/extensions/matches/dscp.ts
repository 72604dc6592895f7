import { is } from '../../packet/constraint.js';
import { dscpClass, printDscp } from '../../values/dscp-class.js';
import { integer } from '../../values/number.js';
import { defineMatch, option, type Given } from '../define.js';

const save = ({ negated, value }: Given<number>): string => `${negated ? '! ' : ''}--dscp ${printDscp(value)}`;

/** @see dscp_mt() in net/netfilter/xt_dscp.c */
export const dscp = defineMatch('dscp', () => ({
  doc: 'Matches packets by their differentiated services code point.',
  options: {
    dscp: option({ names: ['--dscp'], doc: 'code point', value: integer(0, 63), negatable: true, excludes: ['class'], save, means: value => is('dscp', value) }),
    class: option({ names: ['--dscp-class'], doc: 'code point of a class', value: dscpClass, negatable: true, excludes: ['dscp'], save, means: value => is('dscp', value) }),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --dscp and --dscp-class must be given' : undefined,
  examples: [
    ['-m dscp --dscp 0x08', '='],
    ['-m dscp ! --dscp-class ef', '-m dscp ! --dscp 0x2e'],
    ['-m dscp --dscp 010', '-m dscp --dscp 0x08'],
    ['-m dscp --dscp 64', undefined],
    ['-m dscp --dscp-class AF1', undefined],
    ['-m dscp --dscp 1 --dscp-class BE', undefined],
  ],
}));
