import { is, masked, unknown, within } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { portRange } from '../../values/port.js';
import { synOnly, tcpFlags } from '../../values/tcp-flags.js';
import { defineMatch, option } from '../define.js';
import { savePorts } from '../save-ports.js';

/** @see tcp_mt() in net/netfilter/xt_tcpudp.c. Later fragments carry no ports and never match. */
export const tcp = defineMatch({
  name: 'tcp',
  doc: 'Matches TCP packets by port, flags or a TCP option.',
  protocols: ['tcp'],
  requires: is('fragment', 0),
  options: {
    sport: option({
      names: ['--sport', '--source-port'], doc: 'source port or range', value: portRange('tcp'), negatable: true,
      save: savePorts('--sport'), means: ({ low, high }) => within('sport', low, high),
    }),
    dport: option({
      names: ['--dport', '--destination-port'], doc: 'destination port or range', value: portRange('tcp'), negatable: true,
      save: savePorts('--dport'), means: ({ low, high }) => within('dport', low, high),
    }),
    option: option({
      names: ['--tcp-option'], doc: 'a TCP option that is present', value: integer(1, 255), negatable: true,
      means: kind => unknown(`whether a packet has TCP option ${String(kind)}`),
    }),
    flags: option({
      names: ['--tcp-flags'], doc: 'flags to look at, and those of them that must be set', value: tcpFlags, negatable: true, excludes: ['syn'],
      save: ({ negated, value }) => value.mask === 0 && !negated ? '' : `${negated ? '! ' : ''}--tcp-flags ${tcpFlags.print(value, { family: 'ipv4', protocol: undefined, backend: 'nft' })}`,
      means: ({ mask, comp }) => masked('tcpFlags', comp, mask),
    }),
    syn: option({
      names: ['--syn'], doc: 'SYN set; RST, ACK and FIN not: the first packet of a connection', value: flag, negatable: true, excludes: ['flags'],
      save: ({ negated }) => `${negated ? '! ' : ''}--tcp-flags FIN,SYN,RST,ACK SYN`,
      means: () => masked('tcpFlags', synOnly.comp, synOnly.mask),
    }),
  },
  examples: [
    ['-p tcp -m tcp --sport 1024:', '-p tcp -m tcp --sport 1024:65535'],
    ['-p tcp -m tcp ! --dport 80', '='],
    ['-p tcp --syn', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN'],
    ['-p tcp --dport 4:3', undefined],
    ['-m tcp --dport 80', undefined],
  ],
});
