import { Problem, refuse, type Value } from './value.js';

/** Flags by name, in the order in which they are saved. Bits as in the header; ECE and CWR cannot be asked for. */
const flagBits = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;
const words: ReadonlyMap<string, number> = new Map<string, number>([...Object.entries(flagBits), ['ALL', 63], ['NONE', 0]]);

/** Which flags are looked at, and which of these must be set. Sets of bits of the TCP header. */
export interface TcpFlags {
  readonly mask: number;
  readonly comp: number;
}

function parseFlags(word: string): number | Problem {
  let bits = 0;
  for (const name of word.split(',')) {
    if (name === '') continue;
    const bit = words.get(name.toUpperCase());
    if (bit === undefined) return refuse(`\`${name}\` is not a TCP flag`, 'the flags are SYN ACK FIN RST URG PSH ALL NONE');
    bits |= bit;
  }
  return bits;
}

export function printFlags(bits: number): string {
  const set = Object.entries(flagBits).filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  return set.length === 0 ? 'NONE' : set.join(',');
}

/** `mask comp`, two comma-separated lists. */
export const tcpFlags: Value<TcpFlags> = {
  syntax: 'mask comp (as SYN,ACK SYN)',
  words: 2,
  parse: ([maskWord = '', compWord = '']) => {
    const mask = parseFlags(maskWord);
    if (mask instanceof Problem) return mask;
    const comp = parseFlags(compWord);
    return comp instanceof Problem ? comp : { mask, comp };
  },
  print: ({ mask, comp }) => `${printFlags(mask)} ${printFlags(comp)}`,
  arbitrary: fc => {
    const list = fc.oneof(
      fc.constantFrom('ALL', 'NONE', 'syn,ack', 'FIN,SYN,RST,ACK', 'SYN'),
      fc.subarray(Object.keys(flagBits), { minLength: 1 }).map(names => names.join(',')),
    );
    return fc.tuple(list, list);
  },
};

/** What `--syn` stands for. */
export const synOnly: TcpFlags = { mask: flagBits.SYN | flagBits.RST | flagBits.ACK | flagBits.FIN, comp: flagBits.SYN };
