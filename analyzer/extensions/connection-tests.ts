/** What rules ask of a packet's connection. */
import { ctstates } from '../packet/constraint.js';
import { ctstatus, type Connection } from '../packet/connection.js';
import type { Packet } from '../packet/packet.js';
import type { Predicate, Traversal } from '../packet/traversal.js';

/** A packet without a connection, as one that is INVALID or UNTRACKED, does not match. */
export function ofConnection(test: (connection: Connection, t: Traversal) => boolean): Predicate {
  return t => {
    const { connection } = t.packet;
    return connection !== undefined && test(connection, t);
  };
}

const translated = { SNAT: 1 << 5, DNAT: 1 << 6 } as const;
export type StateWord = keyof typeof ctstates | keyof typeof translated;

function bitOf(word: StateWord): number {
  return word === 'SNAT' || word === 'DNAT' ? translated[word] : 1 << ctstates[word];
}

function statesOf({ stateSeen, connection }: Packet): number {
  const state = 1 << stateSeen;
  if (connection === undefined) return state;
  const { status } = connection;
  return state | ((status & ctstatus.SRC_NAT) === 0 ? 0 : translated.SNAT) | ((status & ctstatus.DST_NAT) === 0 ? 0 : translated.DNAT);
}

/** The packet is in one of the states, or its connection is translated in one of these ways. @see conntrack_mt() in net/netfilter/xt_conntrack.c */
export function isInState(words: readonly StateWord[]): Predicate {
  const wanted = words.reduce((bits, word) => bits | bitOf(word), 0);
  return ({ packet }) => (statesOf(packet) & wanted) !== 0;
}

/** Whole seconds until the connection is forgotten; 0 before it is confirmed, when nothing counts down yet. @see nf_ct_expires() */
export function secondsLeft(connection: Connection, now: number): number {
  return connection.has(ctstatus.CONFIRMED) ? Math.max(0, Math.floor(connection.expires - now)) : 0;
}
