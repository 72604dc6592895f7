import { all, atom, not } from '../../packet/constraint.js';
import { ipv6Header, ipv6HeaderLength } from '../../packet/ipv6-headers.js';
import type { Packet } from '../../packet/packet.js';
import { flag } from '../../values/flag.js';
import { ipv6Headers } from '../../values/ipv6-headers.js';
import { defineMatch, option } from '../define.js';

const ipv6 = { family: 'ipv6' } as const;

const { hopByHop, routing, fragment, esp, authentication, none, destination } = ipv6Header;
const transport = 1;
const bits: ReadonlyMap<number, number> = new Map([[hopByHop, 128], [destination, 64], [routing, 32], [fragment, 16], [authentication, 8], [esp, 4], [none, 2]]);
const bitsOf: ReadonlyMap<string, number> = new Map([
  ['hop-by-hop', 128], ['ipv6-opts', 64], ['ipv6-route', 32], ['ipv6-frag', 16], ['ah', 8], ['esp', 4], ['ipv6-nonxt', 2], ['protocol', transport],
]);

/** The headers of a packet, as bits; undefined where it ends before they do. A fragment is read on as if it were whole. */
function headersOf(packet: Packet): number | undefined {
  const end = packet.bytes.length;
  let found = 0;
  let kind = packet.u8(6);
  let at = 40;
  while (at <= end) {
    const bit = bits.get(kind);
    if (bit === undefined) break;
    if (kind !== none && end - at < 2) return undefined;
    found |= bit;
    if (kind === none || kind === esp) return found;
    const next = packet.u8(at);
    at += ipv6HeaderLength(packet, kind, at);
    kind = next;
  }
  return kind === none || kind === esp ? found : found | transport;
}

/**
 * With --soft and `!` none of the headers may be there, which is not the opposite of all of them being there.
 * @see ipv6header_mt6() in net/ipv6/netfilter/ip6t_ipv6header.c
 */
export const ipv6header = defineMatch('ipv6header', () => ({
  doc: 'Matches packets by the extension headers they have.',
  families: ['ipv6'],
  options: {
    header: option({ names: ['--header'], doc: 'the headers', value: ipv6Headers, negatable: true, required: true }),
    soft: option({ names: ['--soft'], doc: 'other headers may be there as well', value: flag }),
  },
  means: ({ header, soft }, cx) => {
    const list = header?.value ?? [];
    if (soft === undefined) {
      const exactly = atom(`ipv6header exactly ${ipv6Headers.print(list, cx)}`);
      return header?.negated === true ? not(exactly) : exactly;
    }
    return all(list.map(name => atom(`ipv6header ${name}`)).map(one => header?.negated === true ? not(one) : one));
  },
  matches: ({ header, soft }) => {
    const negated = header?.negated === true;
    const wanted = (header?.value ?? []).reduce((bits, name) => bits | (bitsOf.get(name) ?? 0), 0);
    return t => {
      const found = headersOf(t.packet);
      if (found === undefined) return false;
      if (soft === undefined) return (found === wanted) !== negated;
      return (found & wanted) === (negated ? 0 : wanted);
    };
  },
  examples: [
    ['-m ipv6header --header hop-by-hop,ipv6-frag --soft', '=', ipv6],
    ['-m ipv6header ! --header 60,IPSEC-AH,hop', '-m ipv6header ! --header hop-by-hop,ipv6-opts,ah', ipv6],
    ['-m ipv6header --header prot,prot', '-m ipv6header --header protocol', ipv6],
    ['-m ipv6header --header HOP', undefined, ipv6],
    ['-m ipv6header --header ,', undefined, ipv6],
    ['-m ipv6header --soft', undefined, ipv6],
  ],
}));
