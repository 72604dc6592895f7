/** Packets that go from one host to another, over a network: what is for a group, for all or for lo itself says nothing of these. */
import { isOpaque, type Ruleset } from '../../model/ruleset.js';
import { all, any, atom, is, not, within, type Constraint } from '../../packet/constraint.js';
import type { Family } from '../../values/value.js';
import { notLoopback } from './replies.js';

/** Addresses of single hosts, other than those of a link only. */
export function unicast(field: 'src' | 'dst', family: Family): Constraint {
  const from = (a: number, b = 0): number => (a * 256 + b) * 65_536;
  return family === 'ipv4' ? any([within(field, from(128), from(169, 254) - 1), within(field, from(169, 255), from(224) - 1), within(field, from(1), from(127) - 1)])
    : any([within(field, 0x2000n << 112n, (0x4000n << 112n) - 1n), within(field, 0xfcn << 120n, (0xfen << 120n) - 1n)]);
}

const addressed: Readonly<Record<Family, Constraint>> = { ipv4: addressedIn('ipv4'), ipv6: addressedIn('ipv6') };

function addressedIn(family: Family): Constraint {
  return all([notLoopback, unicast('src', family), unicast('dst', family)]);
}

/** What all of these packets have in common. */
export function betweenHosts(family: Family): Constraint {
  return addressed[family];
}

/** The matches that tell by other words than addresses for whom a packet is: by its frame, or by what routes say. */
const words = ['pkttype', 'addrtype'] as const;

const known = new WeakMap<Ruleset, ReadonlySet<string>>();

function wordsOf(ruleset: Ruleset): ReadonlySet<string> {
  let used = known.get(ruleset);
  if (used === undefined) known.set(ruleset, used = new Set(words.filter(word => hasMatch(ruleset, word))));
  return used;
}

function hasMatch({ tables }: Ruleset, name: string): boolean {
  for (const { chains } of tables.values()) for (const { rules } of chains.values()) {
    if (rules.some(({ matches }) => matches.some(use => !isOpaque(use) && use.definition.name === name))) return true;
  }
  return false;
}

const limits = ['', ' in', ' out'] as const;

/** For one host, and from another, as far as rules say so in such words; of packets that this host sends, or of others. */
export function fromOneToOne(ruleset: Ruleset, isSent: boolean): Constraint {
  const used = wordsOf(ruleset);
  // What goes to an address of the host itself goes by lo; nobody else comes with one.
  const types = [isSent ? 'dst LOCAL' : 'src LOCAL', 'src BROADCAST', 'dst BROADCAST'];
  return all([
    ...used.has('pkttype') ? [is('pkttype', 0)] : [],
    ...used.has('addrtype') ? types.flatMap(type => limits.map(limit => not(atom(`addrtype ${type}${limit}`)))) : [],
  ]);
}
