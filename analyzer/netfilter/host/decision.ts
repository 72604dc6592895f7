/** What routing decides. */
import type { Address } from '../../values/address.js';
import type { IcmpError } from './flow.js';

export type DropReason = 'martian' | 'rp_filter' | 'no route' | 'unreachable' | 'prohibit' | 'blackhole' | 'ip_forward'
  | 'link-layer broadcast' | 'ip options' | 'source route' | 'multicast' | 'scope' | 'invalid source';

/** The packet goes no further. */
export interface RoutingDrop {
  readonly kind: 'drop';
  /** In one or two words, as in `kernel: REASON`. */
  readonly reason: DropReason;
  /** More words for people. */
  readonly detail?: string;
  /** What the sender is told; absent: nothing. */
  readonly icmp?: IcmpError;
}

export interface Forward {
  readonly kind: 'forward';
  readonly out: string;
  /** Of the route, else of the interface. */
  readonly mtu: number;
  /** The gateway; absent: the destination is on the link. */
  readonly via?: Address;
  /** It leaves by the interface that it came in by, and its sender, on the same link, is told a better way. */
  readonly redirect?: true;
  /** What only chance decided. */
  readonly chance?: string;
}

export interface Deliver {
  readonly kind: 'local' | 'broadcast' | 'multicast';
}

export type InputRoute = Deliver | Forward | RoutingDrop;

/** What a local packet asks. */
export interface OutputRequest {
  /** Absent, or 0: still to be chosen. */
  readonly src?: Address;
  readonly dst: Address;
  readonly mark?: number;
  /** The socket is bound to it; '' as absent. */
  readonly out?: string;
  readonly uid?: number;
  readonly tos?: number;
  readonly protocol?: number;
  readonly sport?: number;
  readonly dport?: number;
  /** The source need not be one of ours (FLOWI_FLAG_ANYSRC). */
  readonly anySource?: boolean;
}

export interface Send {
  readonly kind: 'send';
  readonly out: string;
  readonly source: Address;
  /** The route names it (`src`). */
  readonly isPreferredSource?: boolean;
  readonly via?: Address;
  readonly mtu: number;
  readonly type: 'unicast' | 'local' | 'broadcast' | 'multicast';
  readonly chance?: string;
}

export type OutputRoute = Send | RoutingDrop;

export interface ReversePathOptions {
  readonly loose: boolean;
  readonly validMark: boolean;
  readonly acceptLocal: boolean;
}

const local: Deliver = { kind: 'local' }, broadcast: Deliver = { kind: 'broadcast' }, multicast: Deliver = { kind: 'multicast' };
export const deliver = { local, broadcast, multicast } as const;

export function drop(reason: DropReason, detail?: string, icmp?: IcmpError): RoutingDrop {
  return { kind: 'drop', reason, ...detail !== undefined && { detail }, ...icmp !== undefined && { icmp } };
}
