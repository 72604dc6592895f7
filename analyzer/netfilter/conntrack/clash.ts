/** Two connections that claim the same tuple. */
import type { Connection } from '../../packet/connection.js';
import { isSameTuple } from './tuples.js';

/** They are one flow, from the same side or from both. @see nf_ct_can_merge() in net/netfilter/nf_conntrack_core.c */
export function isSameFlow(a: Connection, b: Connection): boolean {
  const same = isSameTuple(a.original, b.original) && isSameTuple(a.reply, b.reply) && a.zones[0] === b.zones[0] && a.zones[1] === b.zones[1];
  return same || (isSameTuple(a.original, b.reply) && isSameTuple(a.reply, b.original) && a.zones[0] === b.zones[1] && a.zones[1] === b.zones[0]);
}
