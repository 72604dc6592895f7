/** The words of `create NAME TYPE …`. */
import { parseAddress, type Address } from '../../values/address.js';
import { parseInteger } from '../../values/number.js';
import { Problem, refuse } from '../../values/value.js';
import { parseRange } from './element-words.js';
import { addressBits, type SetHeader } from './set-header.js';
import { setType, type SetType } from './set-type.js';

type Draft = { -readonly [K in keyof SetHeader]: SetHeader[K] };
type Reader = (word: string, draft: Draft) => Problem | undefined;

const maxName = 31;
/** Addresses or ports of a bitmap. */
const maxBitmap = 65_536;

/** A number option; `set` puts it where it belongs. */
function number(low: number, high: number, set: (draft: Draft, value: number) => void): Reader {
  return (word, draft) => {
    const value = parseInteger(word, low, high);
    if (value === undefined) return refuse(`\`${word}\` is not a number of ${String(low)} to ${String(high)}`);
    set(draft, value);
    return undefined;
  };
}

const all = 0xffff_ffff;

const readers: Readonly<Record<string, Reader>> = {
  family: (word, draft) => {
    const family = { inet: 'ipv4', ipv4: 'ipv4', '-4': 'ipv4', inet6: 'ipv6', ipv6: 'ipv6', '-6': 'ipv6' }[word];
    if (family === undefined) return refuse(`\`${word}\` is neither inet nor inet6`);
    draft.family = family === 'ipv6' ? 'ipv6' : 'ipv4';
    return undefined;
  },
  hashsize: number(1, all, (draft, value) => { draft.hashsize = hashSize(value); }),
  maxelem: number(0, all, (draft, value) => { draft.maxelem = value; }),
  bucketsize: number(0, 255, (draft, value) => { draft.bucketsize = Math.max(2, Math.min(12, value + value % 2)); }),
  initval: (word, draft) => {
    draft.initval = word;
    return parseInteger(word, 0, all) === undefined ? refuse(`\`${word}\` is not a number of 32 bits`) : undefined;
  },
  netmask: (word, draft) => {
    const length = parseInteger(word, 1, addressBits(draft));
    if (length === undefined) return refuse(`\`${word}\` is not a prefix length of 1 to ${String(addressBits(draft))}`);
    draft.netmask = length === addressBits(draft) ? undefined : length;
    return undefined;
  },
  bitmask: (word, draft) => {
    const mask: Address | Problem = parseAddress(word, draft.family ?? 'ipv4');
    if (mask instanceof Problem) return mask;
    draft.bitmask = mask;
    return Number(mask) === 0 ? refuse('the bitmask cannot be zero') : undefined;
  },
  markmask: number(1, all, (draft, value) => { draft.markmask = value; }),
  range: (word, draft) => {
    const range = parseRange(word, draft);
    if (range instanceof Problem) return range;
    draft.range = range;
    return undefined;
  },
  size: number(0, all, (draft, value) => { draft.size = Math.max(4, value); }),
  timeout: number(0, 2_147_483, (draft, value) => { draft.timeout = value; }),
};

const flags: readonly string[] = ['counters', 'comment', 'skbinfo', 'forceadd'];

/** A power of two, at least 64. */
function hashSize(asked: number): number {
  let size = 64;
  while (size < asked) size *= 2;
  return size;
}

function emptyHeader(name: string, type: SetType): Draft {
  return {
    name, type, family: type.families[0], range: [0, 0], netmask: undefined, bitmask: undefined, markmask: all, hashsize: 1024, maxelem: 65_536, size: 8,
    timeout: undefined, counters: false, comment: false, skbinfo: false, forceadd: false, bucketsize: 12, initval: undefined,
  };
}

/** The family is read first: masks hang on it. */
function familyFirst(words: readonly string[]): readonly string[] {
  const at = words.indexOf('family');
  return at === -1 ? words : [...words.slice(at, at + 2), ...words.slice(0, at), ...words.slice(at + 2)];
}

function readOptions(words: readonly string[], draft: Draft): Problem | undefined {
  const { name, options } = draft.type;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (flags.includes(word) && (word !== 'forceadd' || options.includes(word))) {
      Object.assign(draft, { [word]: true });
      continue;
    }
    const read = word === 'timeout' || options.includes(word) ? readers[word] : undefined;
    const value = words[++at];
    if (read === undefined) return refuse(`\`${word}\` is no option of ${name}`);
    const problem = value === undefined ? refuse(`${word} needs a value`) : read(value, draft);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkTogether({ type, range: [first, last], netmask, bitmask }: SetHeader, words: readonly string[]): Problem | undefined {
  if (netmask !== undefined && bitmask !== undefined) return refuse('netmask and bitmask cannot both be given');
  if (type.storage !== 'bitmap') return undefined;
  if (!words.includes('range')) return refuse(`${type.name} needs a range`);
  const hosts = 2 ** (32 - (netmask ?? 32));
  return (last - first + 1) / hosts > maxBitmap ? refuse(`the range has more than ${String(maxBitmap)} elements`) : undefined;
}

export function readCreate(name: string, typeName: string, words: readonly string[]): SetHeader | Problem {
  if (Buffer.byteLength(name) > maxName) return refuse(`the set name \`${name}\` is longer than ${String(maxName)} bytes`);
  const type = setType(typeName);
  if (type === undefined) return refuse(`\`${typeName}\` is no type of set`);
  const draft = emptyHeader(name, type);
  return readOptions(familyFirst(words), draft) ?? checkTogether(draft, words) ?? draft;
}
