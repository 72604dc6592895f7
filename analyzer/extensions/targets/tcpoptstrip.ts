import { tcpOptionList } from '../../values/tcp-option-list.js';
import { defineTarget, option } from '../define.js';

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
  examples: [
    ['-p tcp -j TCPOPTSTRIP --strip-options 2,5,255', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options sack,0xff,mss', '-p tcp -j TCPOPTSTRIP --strip-options 2,5,255', { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options mss,2', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options 1', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-p tcp -j TCPOPTSTRIP --strip-options MSS', undefined, { table: 'mangle', chain: 'INPUT' }],
  ],
}));
