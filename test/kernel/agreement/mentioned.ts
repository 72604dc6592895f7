/** What the rules of a file speak of: the constants near which packets are worth sending. */
import { parseAddressMask, type AddressMask } from '../../../analyzer/values/address-mask.js';
import type { Family } from '../../../analyzer/values/value.js';

export interface Mentioned {
  /** In order, without lo; a `+` at the end is taken for a 0. */
  readonly interfaces: readonly string[];
  /** Addresses and networks, of criteria, matches and targets. */
  readonly networks: readonly AddressMask[];
  /** Networks that rules put behind an interface, and addresses that packets for the host itself have. */
  readonly behind: ReadonlyMap<string, readonly AddressMask[]>;
  readonly own: ReadonlyMap<string, readonly AddressMask[]>;
  readonly ports: readonly number[];
  readonly protocols: readonly string[];
  readonly icmpTypes: readonly number[];
  readonly uids: readonly number[];
  readonly marks: readonly number[];
  readonly macs: readonly string[];
}

function valueOf(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  return at < 0 || words[at - 1] === '!' ? undefined : words[at + 1];
}

function numbers(text: string, pattern: RegExp): readonly number[] {
  return [...new Set([...text.matchAll(pattern)].flatMap(([, list = '']) => list.split(/[,:-]/u)).filter(word => word !== '').map(Number))].filter(Number.isInteger);
}

/** Of an interface or a pattern; undefined where no such interface can be made. */
function deviceName(word: string | undefined): string | undefined {
  const name = word?.replace(/\+$/u, '0');
  return name === undefined || name === 'lo' || name === '0' || !/^[\w.-]{1,15}$/u.test(name) ? undefined : name;
}

function network(word: string | undefined, family: Family): AddressMask | undefined {
  const parsed = word === undefined ? undefined : parseAddressMask(word, family);
  return parsed === undefined || 'problem' in parsed || !('mask' in parsed) ? undefined : parsed;
}

const addressPattern = { ipv4: /(?<![\w.])\d+\.\d+\.\d+\.\d+(?:\/\d+(?:\.\d+\.\d+\.\d+)?)?/gu, ipv6: /(?<![\w:])[\da-f]*:[\da-f:]*:[\da-f:.]*(?:\/\d+)?/gu } as const;

function note<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** @param text as `iptables-save` prints it */
export function mentionedIn(text: string, family: Family): Mentioned {
  const interfaces = new Set<string>();
  const behind = new Map<string, AddressMask[]>();
  const own = new Map<string, AddressMask[]>();
  for (const words of text.split('\n').map(line => line.split(' '))) {
    const [input, output] = ['-i', '-o'].map(option => deviceName(valueOf(words, option)));
    const [source, destination] = ['-s', '-d'].map(option => network(valueOf(words, option), family));
    for (const name of [input, output]) if (name !== undefined) interfaces.add(name);
    if (input !== undefined && source !== undefined) note(behind, input, source);
    if (output !== undefined && destination !== undefined) note(behind, output, destination);
    if (words[1] === 'INPUT' && destination !== undefined) note(own, input ?? '', destination);
    if (words[1] === 'OUTPUT' && source !== undefined) note(own, output ?? '', source);
  }
  const found = [...new Set(text.match(addressPattern[family]) ?? [])].flatMap(word => network(word, family) ?? []);
  return {
    interfaces: [...interfaces], networks: found, behind, own,
    ports: numbers(text, /(?:port|ports|dpts?|spts?) (?:! )?([\d,:]+)/gu), icmpTypes: numbers(text, /--icmp(?:v6)?-type (\d+)/gu),
    protocols: [...new Set([...text.matchAll(/-p (\S+)/gu)].map(([, name = '']) => name))],
    uids: numbers(text, /--uid-owner (\d+)/gu), marks: [...new Set([...text.matchAll(/mark (0x[\da-f]+)/gu)].map(([, word]) => Number(word)))],
    macs: [...new Set([...text.matchAll(/--mac-source (\S+)/gu)].map(([, word = '']) => word.toLowerCase()))],
  };
}
