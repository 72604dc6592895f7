/** The elements that an `add` or `del` means, and their extensions. */
import type { SkbInfo } from '../ip-sets.js';
import { parseInteger } from '../../values/number.js';
import { Problem, refuse } from '../../values/value.js';
import { noExtensions, noMac, type Element, type Extensions, type PartValue } from './element.js';
import { expiry } from './element-set.js';
import { parsePart, type PartWord } from './element-words.js';
import type { SetHeader } from './set-header.js';

/** A line that stands for more is refused: the kernel would take it, and run for long. */
const maxElements = 2 ** 20;
const maxTimeout = 2_147_483;

function countOf(word: PartWord): number {
  return word.kind === 'range' ? word.count : word.kind === 'nets' ? word.nets.length : 1;
}

/** The words between the commas; the MAC address of bitmap:ip,mac may be missing. */
function partWords(text: string, header: SetHeader): readonly PartWord[] | Problem {
  const { name, parts } = header.type;
  const words = text.split(',');
  const least = name === 'bitmap:ip,mac' ? 1 : parts.length;
  if (words.length < least || words.length > parts.length || words.includes('')) return refuse(`\`${text}\` is not an element of ${name}`);
  const parsed: PartWord[] = [];
  for (const [index, word] of words.entries()) {
    const part = parsePart(parts[index] ?? 'ip', word, header);
    if (part instanceof Problem) return part;
    parsed.push(part);
  }
  if (words.length < parts.length) parsed.push({ kind: 'range', first: noMac, count: 1 });
  return parsed.reduce((product, word) => product * countOf(word), 1) > maxElements ? refuse(`\`${text}\` stands for too many elements`) : parsed;
}

interface Choice {
  readonly values: readonly PartValue[];
  readonly lengths: readonly number[];
}

function* choices(words: readonly PartWord[]): Generator<Choice, void, undefined> {
  const [word, ...rest] = words;
  if (word === undefined) {
    yield { values: [], lengths: [] };
    return;
  }
  for (const tail of choices(rest)) {
    if (word.kind === 'interface') yield { values: [word.name, ...tail.values], lengths: tail.lengths };
    else if (word.kind === 'nets') for (const { address, length } of word.nets) yield { values: [address, ...tail.values], lengths: [length, ...tail.lengths] };
    else for (let at = 0; at < word.count; at++) yield { values: [at === 0 ? word.first : Number(word.first) + at, ...tail.values], lengths: tail.lengths };
  }
}

export interface ElementOptions {
  readonly extensions: Extensions;
  readonly wildcard: boolean;
  /** Of a member of a list: next to which other one it goes. */
  readonly place?: { readonly where: 'before' | 'after'; readonly neighbour: string };
}

/** All that `text` means, one after the other. */
export function readElements(text: string, header: SetHeader, { extensions, wildcard }: ElementOptions): Iterable<Element> | Problem {
  const words = partWords(text, header);
  if (words instanceof Problem) return words;
  const physdev = words.some(word => word.kind === 'interface' && word.physdev);
  return Array.from(choices(words), ({ values, lengths }) => ({ values: [...values], lengths, physdev, wildcard, extensions: { ...extensions } }));
}

type Reader = (word: string, header: SetHeader) => Problem | Partial<Draft>;

interface Draft {
  timeout: number;
  packets: bigint;
  bytes: bigint;
  comment: string;
  mark: NonNullable<SkbInfo['mark']>;
  priority: number;
  queue: number;
  before: string;
  after: string;
}

function counter(key: 'packets' | 'bytes'): Reader {
  return (word, { counters }) => {
    if (!counters) return refuse(`${key} cannot be given: the set was created without counters`);
    return /^\d+$/u.test(word) && BigInt(word) < 1n << 64n ? { [key]: BigInt(word) } : refuse(`\`${word}\` is not a number of ${key}`);
  };
}

function skb(read: (word: string) => Partial<Draft> | undefined, syntax: string): Reader {
  return (word, { skbinfo }) => skbinfo ? read(word) ?? refuse(`\`${word}\` is not ${syntax}`) : refuse('skbmark, skbprio and skbqueue cannot be given: the set was created without skbinfo');
}

function readMark(word: string): Partial<Draft> | undefined {
  const [, value, mask = '0xffffffff'] = /^(0x[0-9a-f]{1,8})(?:\/(0x[0-9a-f]{1,8}))?$/iu.exec(word) ?? [];
  return value === undefined ? undefined : { mark: { value: Number(value), mask: Number(mask) } };
}

function readPriority(word: string): Partial<Draft> | undefined {
  const [, major, minor] = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/iu.exec(word) ?? [];
  return major === undefined || minor === undefined ? undefined : { priority: ((parseInt(major, 16) << 16) | parseInt(minor, 16)) >>> 0 };
}

function place(key: 'before' | 'after'): Reader {
  return (word, { type }) => type.storage === 'list' ? { [key]: word } : refuse(`${key} is for list:set only`);
}

const readers: Readonly<Record<string, Reader>> = {
  timeout: (word, header) => {
    const timeout = parseInteger(word, 0, maxTimeout);
    if (timeout === undefined) return refuse(`\`${word}\` is not a timeout of 0 to ${String(maxTimeout)} seconds`);
    return header.timeout === undefined ? refuse('timeout cannot be given: the set was created without timeouts') : { timeout };
  },
  packets: counter('packets'),
  bytes: counter('bytes'),
  comment: (word, { comment }) => comment ? { comment: word } : refuse('a comment cannot be given: the set was created without comments'),
  skbmark: skb(readMark, 'a mark, as 0x1 or 0x1/0xff'),
  skbprio: skb(readPriority, 'a traffic class, as 1:10'),
  skbqueue: skb(word => {
    const queue = parseInteger(word, 0, 0xffff);
    return queue === undefined ? undefined : { queue };
  }, 'a queue of 0 to 65535'),
  before: place('before'),
  after: place('after'),
};

/** The words behind the element. `now` is the host's clock. */
export function readElementOptions(words: readonly string[], header: SetHeader, now: number): ElementOptions | Problem {
  const draft: Partial<Draft> = {};
  let nomatch = false;
  let wildcard = false;
  for (let at = 0; at < words.length; at++) {
    const name = words[at] ?? '';
    if (name === 'nomatch' && header.type.nets.length > 0) nomatch = true;
    else if (name === 'wildcard' && header.type.name === 'hash:net,iface') wildcard = true;
    else {
      const value = words[++at];
      const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (read === undefined) return refuse(`\`${name}\` is no option of an element of ${header.type.name}`);
      const found = value === undefined ? refuse(`${name} needs a value`) : read(value, header);
      if (found instanceof Problem) return found;
      Object.assign(draft, found);
    }
  }
  return optionsOf(draft, header, nomatch, wildcard, now);
}

function optionsOf({ timeout, packets = 0n, bytes = 0n, comment, mark, priority, queue, before, after }: Partial<Draft>, header: SetHeader, nomatch: boolean, wildcard: boolean, now: number): ElementOptions {
  const info = mark === undefined && priority === undefined && queue === undefined ? undefined
    : { ...mark === undefined ? {} : { mark }, ...priority === undefined ? {} : { priority }, ...queue === undefined ? {} : { queue } };
  const neighbour = before ?? after;
  const extensions = { ...noExtensions, nomatch, packets, bytes, comment, info, expires: expiry(header, timeout, now), pendingTimeout: timeout ?? header.timeout };
  return { extensions, wildcard, ...neighbour === undefined ? {} : { place: { where: before === undefined ? 'after' : 'before', neighbour } } };
}
