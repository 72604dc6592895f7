import { atom } from '../../packet/constraint.js';
import { integer } from '../../values/number.js';
import { text } from '../../values/text.js';
import { defineMatch, option } from '../define.js';

const syn = 2;

/** @see nf_osf_match() in net/netfilter/nfnetlink_osf.c. The genre is saved without quotes, even where it needs them. */
export const osf = defineMatch('osf', () => ({
  doc: 'Matches the first packet of a TCP connection by the operating system that it looks like.',
  families: ['ipv4'],
  protocols: ['tcp'],
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  options: {
    genre: option({
      names: ['--genre'], doc: 'name of the operating system, as Linux or Windows', negatable: true, required: true,
      value: text({ max: 31, name: 'genre', bare: true, cut: true }),
      save: ({ negated, value }) => `${negated ? '! ' : ''}--genre ${value}`,
    }),
    ttl: option({ names: ['--ttl'], doc: 'how the TTL is compared: 0 exactly, 1 less than the fingerprint, 2 not at all', value: integer(0, 2) }),
    log: option({ names: ['--log'], doc: 'what is logged: 0 everything, 1 the first, 2 all that are known', value: integer(0, 2) }),
  },
  means: ({ genre, ttl, log }) => atom(`osf ${genre?.negated === true ? '! ' : ''}${genre?.value ?? ''} ${String(ttl?.value)} ${String(log?.value)}`),
  // Only a SYN is looked at.
  matches: ({ genre }) => t => {
    if (t.packet.transportLength < 20 || (t.packet.tcpFlags & syn) === 0) return false;
    return t.unknown(`whether the sender looks like ${genre?.value ?? ''}: fingerprints are loaded with nfnl_osf(8)`);
  },
  examples: [
    ['-p tcp -m osf --genre Linux --ttl 0 --log 0', '='],
    ['-p tcp -m osf --log 0x1 ! --genre Windows', '-p tcp -m osf ! --genre Windows --log 1'],
    ['-p tcp -m osf --genre Linux --ttl 3', undefined],
    ['-m osf --genre Linux', undefined],
    ['-p tcp -m osf --genre Linux', undefined, { chain: 'OUTPUT' }],
  ],
}));
