/** What TTL and HL do: the same target under two names, for the two families. */
import { rewriteTtl } from '../packet/rewrite.js';
import type { Rewriting } from '../packet/rewriting.js';
import { Verdict, type Action } from '../packet/traversal.js';
import type { Given } from './define.js';
import { fieldImage } from './field-image.js';

interface TtlChange {
  readonly set?: Given<number>;
  readonly inc?: Given<number>;
  readonly dec?: Given<number>;
}

/** Stays within 0 to 255; nothing is dropped here. @see ttl_tg() and hl_tg6() in net/netfilter/xt_HL.c */
function changed({ set, inc, dec }: TtlChange): (ttl: number) => number {
  if (set !== undefined) return () => set.value;
  const step = (inc?.value ?? 0) - (dec?.value ?? 0);
  return ttl => Math.max(0, Math.min(255, ttl + step));
}

/** What the target does to a packet, its checksum included. */
export function changeTtl(change: TtlChange): Action {
  const after = changed(change);
  return ({ packet }) => {
    rewriteTtl(packet, after(packet.ttl));
    return Verdict.Continue;
  };
}

/** The same as data. */
export function ttlRewrites(change: TtlChange): readonly Rewriting[] {
  return fieldImage('ttl', 8, changed(change));
}
