/** Source and destination: which of them a hook translates, and what of it a connection remembers. */
import { ctstatus, type Connection, type Direction } from '../../packet/connection.js';
import type { NatHook, NatSide } from './nat-host.js';

/** HOOK2MANIP(): destinations before the routing decision, sources behind it. */
export const sideOf: Readonly<Record<NatHook, NatSide>> = {
  PREROUTING: 'destination', OUTPUT: 'destination', INPUT: 'source', POSTROUTING: 'source',
};

export function otherSide(side: NatSide): NatSide {
  return side === 'source' ? 'destination' : 'source';
}

/** The status bit of a connection whose first packet is changed on this side. */
export const natBit: Readonly<Record<NatSide, number>> = { source: ctstatus.SRC_NAT, destination: ctstatus.DST_NAT };
/** The status bit that says that this side has been decided, changed or not. */
export const doneBit: Readonly<Record<NatSide, number>> = { source: ctstatus.SRC_NAT_DONE, destination: ctstatus.DST_NAT_DONE };

/** Is this side of packets in that direction changed? What was done to the source is undone to the destination of replies. */
export function translates(connection: Connection, side: NatSide, direction: Direction): boolean {
  return connection.has(natBit[direction === 0 ? side : otherSide(side)]);
}
