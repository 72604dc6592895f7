import { atom, is, within } from '../../packet/constraint.js';
import { portRange } from '../../values/port.js';
import { sctpChunks } from '../../values/sctp-chunks.js';
import { defineMatch, option } from '../define.js';

/** @see sctp_mt() in net/netfilter/xt_sctp.c. Later fragments never match. */
export const sctp = defineMatch('sctp', () => ({
  doc: 'Matches SCTP packets by port or by the chunks they carry.',
  protocols: ['sctp'],
  requires: is('fragment', 0),
  options: {
    sport: option({
      names: ['--sport', '--source-port'], doc: 'source port or range', value: portRange('sctp'), negatable: true,
      means: ({ low, high }) => within('sport', low, high),
    }),
    dport: option({
      names: ['--dport', '--destination-port'], doc: 'destination port or range', value: portRange('sctp'), negatable: true,
      means: ({ low, high }) => within('dport', low, high),
    }),
    chunks: option({
      names: ['--chunk-types'], doc: 'all, any or only of the chunk types, with flags set (upper case) or not set (lower case)', value: sctpChunks, negatable: true,
      means: (chunks, cx) => atom(`sctp chunks ${sctpChunks.print(chunks, cx)}`),
    }),
  },
  examples: [
    ['-p sctp -m sctp --dport 5060', '='],
    ['-p sctp ! --sport :', '-p sctp -m sctp ! --sport 0:65535'],
    ['-p sctp --chunk-types ANY init,DATA:eB', '-p sctp -m sctp --chunk-types any DATA:Be,INIT'],
    ['-p sctp --chunk-types only all', '-p sctp -m sctp --chunk-types only ALL'],
    ['-p sctp --chunk-types any INIT:T', undefined],
    ['-p sctp --chunk-types none DATA', undefined],
  ],
}));
