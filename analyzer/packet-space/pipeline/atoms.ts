/** Properties that are not modelled further: when they may not be any more what they were. */
import type { AnyTarget } from '../../extensions/define.js';
import type { Ruleset } from '../../model/ruleset.js';
import { effectOf } from '../effect.js';

type Change = NonNullable<AnyTarget['changes']>[number];

const bytes: readonly Change[] = ['ttl', 'dscp', 'ecn', 'addresses', 'tcp'];
const way: readonly Change[] = ['mark', 'addresses', 'dscp', 'ecn'];
const all: readonly Change[] = ['mark', 'connmark', 'state', 'sets', ...bytes];

/** By the first word of their names: what a packet, or the world, must keep for the property to stay. Those that are not listed are not touched by any target. */
const hangsOn: Readonly<Record<string, readonly Change[]>> = {
  set: ['sets', 'addresses', 'mark'], addrtype: ['addresses'], rpfilter: way, realm: way, policy: way, socket: ['addresses', 'mark'],
  bpf: all, u32: bytes, string: bytes, tcp: ['tcp'], tcpmss: ['tcp'], osf: ['tcp', 'ttl'], ecn: ['tcp'], length: ['tcp'],
};

/** Whether a property may change where something of this is changed. */
export function agesWith(name: string, changes: ReadonlySet<Change>): boolean {
  const [word = ''] = name.split(' ', 1);
  return (hangsOn[word] ?? []).some(change => changes.has(change));
}

/** What targets change while the packet stays in the same hook; nat is left behind what it changes. */
export function changesIn({ tables }: Ruleset): ReadonlySet<Change> {
  const changes = new Set<Change>();
  for (const table of tables.values()) for (const chain of table.chains.values()) for (const { target } of chain.rules) {
    if (target.kind === 'opaque' || (target.kind === 'chain' && !table.chains.has(target.name))) return new Set(all);
    if (target.kind === 'extension' && effectOf(target.use) !== 'nat') for (const change of target.use.definition.changes ?? []) changes.add(change);
  }
  return changes;
}

const connections = new Set(['conntrack', 'helper', 'cluster']);

/** Whether it is a property of a connection, so that in raw it is another one. */
export function isAboutConnections(name: string): boolean {
  return connections.has(name.split(' ', 1)[0] ?? '');
}
