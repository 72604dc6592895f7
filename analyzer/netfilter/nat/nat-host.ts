/** What NAT needs of the host around it. */
import type { Connection, Tuple } from '../../packet/connection.js';
import type { HookName } from '../../packet/traversal.js';

/** Where NAT is done. */
export type NatHook = Exclude<HookName, 'FORWARD'>;

/** What of a packet is rewritten (enum nf_nat_manip_type). */
export type NatSide = 'source' | 'destination';

/** The part of connection tracking that NAT asks. */
export interface NatConntrack {
  /** The live, confirmed connection one of whose tuples this is. */
  findConnection(tuple: Tuple, zone: number): Connection | undefined;
  /** nf_conntrack_tuple_taken(): does another connection use this tuple, in the zone of `ignored`? */
  isTaken(tuple: Tuple, ignored: Connection): boolean;
  /** nf_conntrack_alter_reply(): of a connection that is not confirmed yet. */
  alterReply(connection: Connection, reply: Tuple): void;
  /** nf_ct_kill(). */
  remove(connection: Connection): void;
}

export interface NatHost {
  readonly conntrack: NatConntrack;
  /** 0 ≤ x < 1 of the seeded generator; `why` is told to people. */
  random(why: string): number;
}
