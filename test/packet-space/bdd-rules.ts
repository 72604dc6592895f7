/** Rules read anew, in the plainest way: from the words of `-A` lines to sets of packets. Only for what the drawers of rule sets write. */
import { everything, type Node } from './bdd.js';
import { addressValue, states, type BitField, type PacketSets } from './bdd-packets.js';

export type Target =
  | { readonly kind: 'end'; readonly fate: string }
  | { readonly kind: 'return' }
  | { readonly kind: 'call'; readonly chain: string; readonly isGoto: boolean }
  | { readonly kind: 'goes-on'; readonly isNoticed: boolean };

export interface ReadRule {
  readonly chain: string;
  /** From 1. */
  readonly position: number;
  readonly text: string;
  readonly match: Node;
  readonly target: Target;
}

export interface ReadChain {
  readonly name: string;
  /** Of a built-in chain. */
  readonly policy: string | undefined;
  readonly rules: ReadRule[];
}

export type ReadChains = ReadonlyMap<string, ReadChain>;

const protocols: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, 'ipv6-icmp': 58, gre: 47, esp: 50, sctp: 132 };
const flagBits: Readonly<Record<string, number>> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ALL: 63, NONE: 0 };
const icmpEcho = { ipv4: 8, ipv6: 128 } as const;

function flagsOf(word: string): bigint {
  return BigInt(word.split(',').reduce((sum, name) => sum | (flagBits[name] ?? 0), 0));
}

function ports(sets: PacketSets, field: BitField, list: string): Node {
  return sets.any(list.split(',').map(word => {
    const [low = '', high = low] = word.split(':');
    return sets.range(field, BigInt(low === '' ? 0 : low), BigInt(high === '' ? 65_535 : high));
  }));
}

function address(sets: PacketSets, field: 'src' | 'dst', word: string): Node {
  const width = BigInt(sets.width(field));
  const [base = '', length = String(width)] = word.split('/');
  const full = (1n << width) - 1n;
  const mask = /[.:]/u.test(length) ? addressValue(length, sets.family) : full ^ ((1n << (width - BigInt(length))) - 1n);
  return sets.masked(field, addressValue(base, sets.family) & mask, mask);
}

function addressRange(sets: PacketSets, field: 'src' | 'dst', word: string): Node {
  const [low = '', high = low] = word.split('-');
  return sets.range(field, addressValue(low, sets.family), addressValue(high, sets.family));
}

function name(sets: PacketSets, field: 'in' | 'out', word: string): Node {
  const matching = sets.interfaces.filter(one => word.endsWith('+') ? one.startsWith(word.slice(0, -1)) : one === word);
  return sets.any(matching.map(one => sets.is(field, sets.interfaces.indexOf(one))));
}

function icmp(sets: PacketSets, word: string): Node {
  const [type = '', code] = (word === 'echo-request' ? String(icmpEcho[sets.family]) : word).split('/');
  return code === undefined ? sets.is('icmpType', Number(type)) : sets.bdd.and(sets.is('icmpType', Number(type)), sets.is('icmpCode', Number(code)));
}

function mark(sets: PacketSets, word: string): Node {
  const [value = '', mask = '0xffffffff'] = word.split('/');
  return sets.masked('mark', BigInt(value), BigInt(mask));
}

/** What an option with its value says. What lies in the transport header is not there in a later fragment, and then nothing is true of it. */
const options: Readonly<Record<string, { readonly needsHeader?: true; readonly words?: 2; readonly read: (sets: PacketSets, value: string, second: string) => Node }>> = {
  '-s': { read: (sets, value) => address(sets, 'src', value) }, '-d': { read: (sets, value) => address(sets, 'dst', value) },
  '-i': { read: (sets, value) => name(sets, 'in', value) }, '-o': { read: (sets, value) => name(sets, 'out', value) },
  '-p': { read: (sets, value) => sets.is('protocol', protocols[value] ?? Number(value)) },
  '--sport': { needsHeader: true, read: (sets, value) => ports(sets, 'sport', value) }, '--sports': { needsHeader: true, read: (sets, value) => ports(sets, 'sport', value) },
  '--dport': { needsHeader: true, read: (sets, value) => ports(sets, 'dport', value) }, '--dports': { needsHeader: true, read: (sets, value) => ports(sets, 'dport', value) },
  '--ports': { needsHeader: true, read: (sets, value) => sets.bdd.or(ports(sets, 'sport', value), ports(sets, 'dport', value)) },
  '--tcp-flags': { needsHeader: true, words: 2, read: (sets, mask, value) => sets.masked('tcpFlags', flagsOf(value), flagsOf(mask)) },
  '--icmp-type': { needsHeader: true, read: icmp }, '--icmpv6-type': { needsHeader: true, read: icmp },
  '--src-range': { read: (sets, value) => addressRange(sets, 'src', value) }, '--dst-range': { read: (sets, value) => addressRange(sets, 'dst', value) },
  '--ctstate': { read: (sets, value) => sets.any(value.split(',').map(one => sets.is('ctstate', states.indexOf(one as 'NEW')))) },
  '--state': { read: (sets, value) => sets.any(value.split(',').map(one => sets.is('ctstate', states.indexOf(one as 'NEW')))) },
  '--mark': { read: mark }, '--comment': { read: () => everything },
};

function targetOf(words: readonly string[], family: PacketSets['family'], chains: ReadonlySet<string>): Target {
  const at = words.findIndex(word => word === '-j' || word === '-g');
  const [kind, target = '', ...rest] = at < 0 ? [] : words.slice(at);
  if (chains.has(target)) return { kind: 'call', chain: target, isGoto: kind === '-g' };
  if (target === '' || target === 'LOG') return { kind: 'goes-on', isNoticed: target === 'LOG' };
  if (target === 'RETURN') return { kind: 'return' };
  if (target === 'REJECT' && rest.length === 0) return { kind: 'end', fate: `REJECT --reject-with ${family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'}` };
  if (target !== 'ACCEPT' && target !== 'DROP' && target !== 'REJECT') throw new Error(`target ${target}`);
  return { kind: 'end', fate: [target, ...rest].join(' ') };
}

/** Words of a rule before its target. @throws where a word is not known */
function matchOf(sets: PacketSets, words: readonly string[]): Node {
  const parts: Node[] = [];
  for (let at = 0; at < words.length;) {
    const isNegated = words[at] === '!';
    if (isNegated) at++;
    const word = words[at] ?? '';
    if (word === '-m') {
      at += 2;
      continue;
    }
    const option = options[word];
    if (option === undefined) throw new Error(`option ${word}`);
    const said = option.read(sets, words[at + 1] ?? '', words[at + 2] ?? '');
    parts.push(isNegated ? sets.bdd.not(said) : said);
    if (option.needsHeader === true) parts.push(sets.is('fragment', 0));
    at += 1 + (option.words ?? 1);
  }
  return sets.all(parts);
}

function wordsOf(line: string): readonly string[] {
  return line.match(/(?:[^\s"]|"[^"]*")+/gu) ?? [];
}

/** Reads one table of the text. @throws where it says what this reading does not know */
export function readRules(sets: PacketSets, text: string): ReadChains {
  const lines = text.split('\n');
  const chains = new Map<string, ReadChain>();
  for (const line of lines.filter(one => one.startsWith(':'))) {
    const [chain = '', policy] = line.slice(1).split(' ');
    chains.set(chain, { name: chain, policy: policy === '-' ? undefined : policy, rules: [] });
  }
  const users = new Set([...chains.values()].filter(one => one.policy === undefined).map(one => one.name));
  for (const line of lines.filter(one => one.startsWith('-A '))) {
    const words = wordsOf(line).slice(1);
    const [chain = ''] = words;
    const end = words.findIndex(word => word === '-j' || word === '-g');
    const rules = chains.get(chain)?.rules;
    if (rules === undefined) throw new Error(`no chain ${chain}`);
    rules.push({ chain, position: rules.length + 1, text: line, match: matchOf(sets, words.slice(1, end < 0 ? undefined : end)), target: targetOf(words, sets.family, users) });
  }
  return chains;
}
