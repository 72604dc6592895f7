import { addressWords } from '../../packet/address-words.js';
import { Verdict } from '../../packet/traversal.js';
import { prefixMask } from '../../values/address.js';
import { hmarkTuple, type HmarkField } from '../../values/hmark-tuple.js';
import { integer } from '../../values/number.js';
import { lengthOfPrefix } from '../../values/prefix-length.js';
import type { Family } from '../../values/value.js';
import { defineTarget, option, type OrderedOption } from '../define.js';
import { markOfFlow, type FlowHash } from '../flow-hash.js';

const port = integer(0, 0xffff);
const word = integer(0, 0xffff_ffff);

/** What a field of --hmark-tuple stands for: an option, with all bits set. */
const optionOf: Readonly<Record<HmarkField, string>> = { ct: 'ct', src: 'src', dst: 'dst', sport: 'sportMask', dport: 'dportMask', spi: 'spiMask', proto: 'protoMask' };

function allBits(key: string, family: Family): number {
  if (key === 'src' || key === 'dst') return family === 'ipv4' ? 32 : 128;
  return key === 'spiMask' ? 0xffff_ffff : 0xffff;
}

interface Settings {
  readonly values: ReadonlyMap<string, number>;
  /** An option that comes behind a tuple that has set it already. */
  readonly again: string | undefined;
}

/** The options in their order: a tuple overwrites what stands before it. */
function settings(ordered: readonly OrderedOption[], family: Family): Settings {
  const values = new Map<string, number>();
  let again: string | undefined;
  for (const { key, value } of ordered) {
    if (value instanceof Set) {
      for (const [field, set] of Object.entries(optionOf)) if (value.has(field)) values.set(set, allBits(set, family));
    } else if (typeof value === 'number') {
      if (values.has(key)) again ??= key;
      values.set(key, value);
    }
  }
  return { values, again };
}

function problem({ values, again }: Settings): string | undefined {
  const has = (...keys: readonly string[]): boolean => keys.some(key => values.has(key));
  if (again !== undefined) return 'a field of --hmark-tuple cannot get a mask of its own behind it';
  if (has('spiMask') && has('sportMask', 'dportMask')) return 'SPI and ports cannot both be used, since they are at the same place in the packet';
  if (has('spi') && has('sport', 'dport')) return '--hmark-spi cannot be used together with --hmark-sport or --hmark-dport';
  const hashed = ['ct', 'src', 'dst', 'spiMask', 'sportMask', 'dportMask', 'protoMask', 'sport', 'dport', 'spi'];
  return has(...hashed) ? undefined : 'nothing to hash: --hmark-tuple must be given';
}

/** How each is saved, in this order: its name, and how many hexadecimal digits (0: decimal). */
const saved: readonly (readonly [key: string, name: string, digits: number])[] = [
  ['src', 'src-prefix', 0], ['dst', 'dst-prefix', 0], ['sportMask', 'sport-mask', 4], ['dportMask', 'dport-mask', 4], ['spiMask', 'spi-mask', 8],
  ['sport', 'sport', 4], ['dport', 'dport', 4], ['spi', 'spi', 8], ['protoMask', 'proto-mask', 2], ['rnd', 'rnd', 8], ['mod', 'mod', 0], ['offset', 'offset', 0],
];

function save({ values }: Settings): string {
  const words = saved.flatMap(([key, name, digits]) => {
    const value = values.get(key);
    if (value === undefined) return [];
    return [`--hmark-${name} ${digits === 0 ? String(value) : `0x${value.toString(16).padStart(digits, '0')}`}`];
  });
  return [...words, ...values.has('ct') ? ['--hmark-tuple ct'] : []].join(' ');
}

/** The mask of a prefix length in words of 32 bits; what is not named is not hashed. */
function maskWords(length: number, family: Family): readonly number[] {
  const mask = prefixMask(length, family);
  return typeof mask === 'number' ? [mask] : addressWords(mask);
}

/** An SPI is where the two ports are. */
function hashOf({ values }: Settings, family: Family): FlowHash {
  const value = (key: string): number => values.get(key) ?? 0;
  const both = (source: string, destination: string, spi: string): number => values.has(spi) ? value(spi) : ((value(source) << 16) | value(destination)) >>> 0;
  return {
    ct: values.has('ct'), srcMask: maskWords(value('src'), family), dstMask: maskWords(value('dst'), family),
    portMask: both('sportMask', 'dportMask', 'spiMask'), portSet: both('sport', 'dport', 'spi'), protocolMask: value('protoMask'),
    seed: value('rnd'), modulus: value('mod'), offset: value('offset'),
  };
}

/** @see hmark_tg_check() in net/netfilter/xt_HMARK.c and libxt_HMARK.c: a tuple is saved as masks. */
export const hmark = defineTarget('HMARK', () => ({
  doc: 'Sets the mark of the packet to a hash of its addresses and ports, to spread connections over several routes.',
  usesOrder: true,
  effect: 'continue',
  changes: ['mark'],
  options: {
    tuple: option({ names: ['--hmark-tuple'], doc: 'the fields that are hashed', value: hmarkTuple }),
    src: option({ names: ['--hmark-src-prefix'], doc: 'how much of the source address is hashed', value: lengthOfPrefix }),
    dst: option({ names: ['--hmark-dst-prefix'], doc: 'how much of the destination address is hashed', value: lengthOfPrefix }),
    sportMask: option({ names: ['--hmark-sport-mask'], doc: 'bits of the source port that are hashed', value: port, excludes: ['spiMask'] }),
    dportMask: option({ names: ['--hmark-dport-mask'], doc: 'bits of the destination port that are hashed', value: port, excludes: ['spiMask'] }),
    spiMask: option({ names: ['--hmark-spi-mask'], doc: 'bits of the SPI that are hashed', value: word, excludes: ['sportMask', 'dportMask'] }),
    sport: option({ names: ['--hmark-sport'], doc: 'bits that are set in the source port before', value: port, excludes: ['spi'] }),
    dport: option({ names: ['--hmark-dport'], doc: 'bits that are set in the destination port before', value: port, excludes: ['spi'] }),
    spi: option({ names: ['--hmark-spi'], doc: 'bits that are set in the SPI before', value: word, excludes: ['sport', 'dport'] }),
    protoMask: option({ names: ['--hmark-proto-mask'], doc: 'bits of the protocol that are hashed', value: port }),
    rnd: option({ names: ['--hmark-rnd'], doc: 'where the hash starts', value: word, required: true }),
    mod: option({ names: ['--hmark-mod'], doc: 'how many marks there are', value: integer(1, 0xffff_ffff), required: true }),
    offset: option({ names: ['--hmark-offset'], doc: 'the first mark', value: word }),
  },
  check: (_, { ordered, family }) => problem(settings(ordered, family)),
  save: (_, { ordered, family }) => save(settings(ordered, family)),
  rewrites: () => [{ kind: 'unknown', field: 'mark' }],
  apply: (_, { ordered, family }) => {
    const how = hashOf(settings(ordered, family), family);
    return ({ packet }) => {
      packet.mark = markOfFlow(packet, how) ?? packet.mark;
      return Verdict.Continue;
    };
  },
  examples: [
    ['-j HMARK --hmark-src-prefix 24 --hmark-sport-mask 0x00ff --hmark-rnd 0x00000001 --hmark-mod 10 --hmark-offset 100', '='],
    ['-j HMARK --hmark-tuple ct,d,p --hmark-mod 0xa --hmark-rnd 1', '-j HMARK --hmark-dst-prefix 32 --hmark-proto-mask 0xffff --hmark-rnd 0x00000001 --hmark-mod 10 --hmark-tuple ct'],
    ['-j HMARK --hmark-src-prefix 24 --hmark-tuple src --hmark-mod 1 --hmark-rnd 1', '-j HMARK --hmark-src-prefix 32 --hmark-rnd 0x00000001 --hmark-mod 1'],
    ['-j HMARK --hmark-tuple src --hmark-src-prefix 24 --hmark-mod 1 --hmark-rnd 1', undefined],
    ['-j HMARK --hmark-tuple spi,sport --hmark-mod 1 --hmark-rnd 1', undefined],
    ['-j HMARK --hmark-tuple src --hmark-mod 1', undefined],
  ],
}));
