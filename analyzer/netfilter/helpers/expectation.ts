/** Connections that helpers foretell: `struct nf_conntrack_expect`, and the table of them. */
import { ctstatus, type Connection, type Direction, type Tuple } from '../../packet/connection.js';
import type { NatRange } from '../../packet/traversal.js';

/** How the expected connection follows the translation of its master; it skips the nat chains then. */
export interface ExpectedNat {
  /** Direction of the master in which the expected connection goes (`exp->dir`). */
  readonly direction: Direction;
  /** The port before translation (`exp->saved_proto`). */
  readonly savedPort: number;
}

export interface Expectation {
  readonly master: Connection;
  /** Index into the helper's classes. */
  readonly class: number;
  readonly tuple: Tuple;
  /** Bits of source address and source port that count; all of the destination always do. */
  readonly mask: { readonly src: number | bigint; readonly sport: number };
  /** It may be answered more than once. */
  readonly isPermanent: boolean;
  /** Not to be answered yet. */
  isInactive: boolean;
  /** On the host's clock, in seconds. */
  expires: number;
  /** Helper of the connection that answers; '' for none. */
  readonly helper: string;
  readonly nat: ExpectedNat | undefined;
}

/** What an expected connection is to be translated to, in this order. @see nf_nat_follow_master() in net/netfilter/nf_nat_core.c */
export function expectedNat({ master, nat }: Expectation): readonly NatRange[] {
  if (nat === undefined) return [];
  const { src, dst } = master.tuple(nat.direction === 0 ? 1 : 0);
  return [
    { side: 'source', minAddress: dst, maxAddress: dst },
    { side: 'destination', minAddress: src, maxAddress: src, minPort: nat.savedPort, maxPort: nat.savedPort },
  ];
}

/** `busy`: another expectation is in the way, and another port may be free; `already`: the same one is there for another purpose; `full`: no more are taken. */
export type AddOutcome = 'added' | 'busy' | 'already' | 'full';

export interface AddOptions {
  /** On the host's clock, in seconds. */
  readonly now: number;
  /** How many of this class the helper allows one connection. */
  readonly limit: number;
  /** How many the table holds. */
  readonly capacity: number;
  /** The same one of another connection counts as the same (NF_CT_EXP_F_SKIP_MASTER). */
  readonly anyMaster?: boolean | undefined;
}

/** @see net/netfilter/nf_conntrack_expect.c */
export class ExpectationTable {
  /** By destination, newest last. */
  readonly #byDestination = new Map<string, Expectation[]>();
  /** By master, newest last. */
  readonly #byMaster = new Map<Connection, Expectation[]>();
  #count = 0;

  get count(): number { return this.#count; }

  *[Symbol.iterator](): IterableIterator<Expectation> {
    for (const list of this.#byDestination.values()) yield* list;
  }

  of(master: Connection): readonly Expectation[] {
    return this.#byMaster.get(master) ?? [];
  }

  /**
   * The same expectation takes the place of the older; over the limit, the master's oldest has to go.
   * @see __nf_ct_expect_check()
   */
  add(expectation: Expectation, { now, limit, capacity, anyMaster = false }: AddOptions): AddOutcome {
    if (this.#count >= capacity) this.#sweep(now);
    for (const other of [...this.#at(expectation.tuple)].reverse()) {
      if (other.expires <= now) this.remove(other);
      else if ((anyMaster || other.master === expectation.master) && isSame(other, expectation)) {
        if (other.class !== expectation.class || other.master !== expectation.master) return 'already';
        this.remove(other);
        break;
      } else if (clash(other, expectation)) return 'busy';
    }
    const mine = this.of(expectation.master).filter(other => other.class === expectation.class);
    const [oldest] = mine;
    if (oldest !== undefined && mine.length >= limit) this.remove(oldest);
    if (this.#count >= capacity) return 'full';
    push(this.#byDestination, destinationKey(expectation.tuple), expectation);
    push(this.#byMaster, expectation.master, expectation);
    this.#count++;
    return 'added';
  }

  /** One that answers the tuple, alive and active or not. @see __nf_ct_expect_find() */
  find(tuple: Tuple, zone: number, now: number): Expectation | undefined {
    return this.#count === 0 ? undefined : this.#at(tuple).findLast(one => one.expires > now && isAnswer(one, tuple, zone));
  }

  /** The one that a new connection answers; it is gone then unless it is permanent. @see nf_ct_find_expectation() */
  take(tuple: Tuple, zone: number, now: number): Expectation | undefined {
    if (this.#count === 0) return undefined;
    const found = this.#at(tuple).findLast(one => !one.isInactive && one.expires > now && isAnswer(one, tuple, zone));
    // Nobody can know of it before the master has left the host.
    if (found === undefined || !found.master.has(ctstatus.CONFIRMED) || found.master.has(ctstatus.DYING)) return undefined;
    if (!found.isPermanent) this.remove(found);
    return found;
  }

  remove(expectation: Expectation): void {
    if (!pull(this.#byDestination, destinationKey(expectation.tuple), expectation)) return;
    pull(this.#byMaster, expectation.master, expectation);
    this.#count--;
  }

  /** @see nf_ct_remove_expectations() */
  forget(master: Connection): void {
    for (const one of [...this.of(master)]) this.remove(one);
  }

  #at(tuple: Tuple): readonly Expectation[] {
    return this.#byDestination.get(destinationKey(tuple)) ?? [];
  }

  #sweep(now: number): void {
    for (const one of [...this]) if (one.expires <= now) this.remove(one);
  }
}

function destinationKey({ dst, dport, protocol }: Tuple): string {
  return `${String(protocol)} ${String(dst)} ${String(dport)}`;
}

function push<K>(lists: Map<K, Expectation[]>, key: K, one: Expectation): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [one]);
  else list.push(one);
}

function pull<K>(lists: Map<K, Expectation[]>, key: K, one: Expectation): boolean {
  const list = lists.get(key);
  const at = list?.indexOf(one) ?? -1;
  if (list === undefined || at < 0) return false;
  list.splice(at, 1);
  if (list.length === 0) lists.delete(key);
  return true;
}

function both(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'number' && typeof b === 'number' ? (a & b) >>> 0 : BigInt(a) & BigInt(b);
}

function isAnswer({ tuple, mask, master }: Expectation, answer: Tuple, zone: number): boolean {
  return both(tuple.src, mask.src) === both(answer.src, mask.src)
    && (tuple.sport & mask.sport) === (answer.sport & mask.sport) && master.zones.includes(zone);
}

function isSame(a: Expectation, b: Expectation): boolean {
  return a.tuple.src === b.tuple.src && a.tuple.sport === b.tuple.sport && a.mask.src === b.mask.src && a.mask.sport === b.mask.sport;
}

/** Could one connection answer both? @see expect_clash() */
function clash(a: Expectation, b: Expectation): boolean {
  const mask = { src: both(a.mask.src, b.mask.src), sport: a.mask.sport & b.mask.sport };
  return b.master.zones.some(zone => isAnswer({ ...a, mask }, b.tuple, zone));
}
