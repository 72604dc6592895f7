import { atom, is, within } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { allOf, everyPacket } from '../../packet/predicates.js';
import { visitChunks } from '../../packet/sctp-chunks.js';
import { portRange } from '../../values/port.js';
import { sctpChunks, type SctpChunks } from '../../values/sctp-chunks.js';
import { asks, hotdropped } from '../asks.js';
import { defineMatch, option } from '../define.js';

/** Flags can be asked for of these chunk types; of newer ones they are not looked at. */
const lastWithFlags = 14;

function hasFlags({ flags }: SctpChunks, type: number, found: number): boolean {
  const wanted = type > lastWithFlags ? undefined : flags.get(type);
  return wanted === undefined || (found & wanted.mask) === wanted.set;
}

function hasChunks(packet: Packet, chunks: SctpChunks): boolean | 'broken' {
  const { how, types } = chunks;
  const isNamed = (type: number): boolean => types === 'every' || types.includes(type);
  const seen = new Set<number>();
  const answer = visitChunks(packet, (type, flags) => {
    const fits = isNamed(type) && hasFlags(chunks, type, flags);
    if (fits) seen.add(type);
    return how === 'any' && fits ? true : how === 'only' && !fits ? false : undefined;
  });
  if (answer !== undefined) return answer;
  // No packet has every chunk type that there could be.
  return how === 'only' || (how === 'all' && types !== 'every' && types.every(type => seen.has(type)));
}

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
  header: 12,
  matches: ({ sport, dport, chunks }, { backend }) => allOf([
    asks(sport, ({ low, high }) => ({ packet }) => packet.sport >= low && packet.sport <= high),
    asks(dport, ({ low, high }) => ({ packet }) => packet.dport >= low && packet.dport <= high),
    chunks === undefined ? everyPacket : t => {
      const found = hasChunks(t.packet, chunks.value);
      return found === 'broken' ? hotdropped(t, chunks, backend) : found !== chunks.negated;
    },
  ]),
  examples: [
    ['-p sctp -m sctp --dport 5060', '='],
    ['-p sctp ! --sport :', '-p sctp -m sctp ! --sport 0:65535'],
    ['-p sctp --chunk-types ANY init,DATA:eB', '-p sctp -m sctp --chunk-types any DATA:Be,INIT'],
    ['-p sctp --chunk-types only all', '-p sctp -m sctp --chunk-types only ALL'],
    ['-p sctp --chunk-types any INIT:T', undefined],
    ['-p sctp --chunk-types none DATA', undefined],
  ],
}));
