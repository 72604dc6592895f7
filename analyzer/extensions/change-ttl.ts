/** What TTL and HL do: the same target under two names, for the two families. */
import { rewriteTtl } from '../packet/rewrite.js';
import { Verdict, type Action } from '../packet/traversal.js';
import type { Given } from './define.js';

interface TtlChange {
  readonly set?: Given<number>;
  readonly inc?: Given<number>;
  readonly dec?: Given<number>;
}

/** Stays within 0 to 255; nothing is dropped here. @see ttl_tg() and hl_tg6() in net/netfilter/xt_HL.c */
export function changeTtl({ set, inc, dec }: TtlChange): Action {
  const step = (inc?.value ?? 0) - (dec?.value ?? 0);
  return ({ packet }) => {
    rewriteTtl(packet, set === undefined ? Math.max(0, Math.min(255, packet.ttl + step)) : set.value);
    return Verdict.Continue;
  };
}
