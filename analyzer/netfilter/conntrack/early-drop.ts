/** Who must go when the table is full. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { ConntrackHost } from './tracker.js';
import type { TupleTable } from './tuple-table.js';

/** How many buckets are searched for a victim. @see NF_CT_EVICTION_RANGE in net/netfilter/nf_conntrack_core.c */
const evictionRange = 8;
/** The chance of a victim below which none is looked for. */
const negligible = 0.01;

/**
 * Connections that are not assured, to make room for a new one; none where all are to stay. The kernel searches a few buckets only,
 * from one that a secret picks: in a large table it nearly always finds some, in a small one it hardly ever does.
 * @see early_drop() in net/netfilter/nf_conntrack_core.c
 */
export function earlyDropVictims(host: ConntrackHost, table: TupleTable): readonly Connection[] {
  const { count, bucketCount } = table;
  if ((2 * count * evictionRange) / bucketCount < negligible) return [];
  const first = Math.floor(host.random('which connections the full conntrack table gives up') * bucketCount);
  for (let bucket = first; bucket < first + evictionRange; bucket++) {
    const victims = table.inBucket(bucket).filter(connection => (connection.status & ctstatus.ASSURED) === 0);
    if (victims.length > 0) return victims;
  }
  return [];
}
