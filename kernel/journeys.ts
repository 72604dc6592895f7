/** Events put together to the journeys of packets: that of the packet sent, and of those that the host made meanwhile. */
import type { CtSeen, Event, StageEvent } from './events.js';

const loopback = 1;
/** Next header, in IPv6. */
const fragmentHeader = 44;

export class Journey {
  /** As it set out. */
  readonly start: StageEvent;
  readonly path: string[] = [];
  /** What was met last: a rule, a policy or a stage. */
  last: Event;
  /** Of the first `filter` it came to, before that of what it met last; `undefined` inside: connection tracking did not say. */
  seen: { readonly ct: CtSeen | undefined; readonly isTracked: boolean; readonly isFilter: boolean };
  /** The last stage of INPUT or POSTROUTING. */
  end: StageEvent | undefined;

  constructor(start: StageEvent) {
    this.start = start;
    this.last = start;
    this.seen = { ct: start.ct, isTracked: false, isFilter: false };
  }

  get isDelivered(): boolean { return this.end?.hook === 'INPUT'; }
  get isSent(): boolean { return this.end?.hook === 'POSTROUTING'; }
  get isOnLoopback(): boolean { return this.isSent && this.end?.outIndex === loopback; }

  get isFragment(): boolean {
    const { bytes } = this.start;
    if (bytes.length < 20) return false;
    return (bytes.readUInt8() >> 4) === 4 ? (bytes.readUInt16BE(6) & 0x3fff) !== 0 : bytes.readUInt8(6) === fragmentHeader;
  }

  /** Of a packet that left twice: both times it met the same in POSTROUTING, and the trace is read as that of one. */
  copy(): Journey {
    const copy = new Journey(this.start);
    const left = this.path.findIndex(step => step.includes(':POSTROUTING:'));
    if (left >= 0) copy.path.push(...this.path.slice(left));
    return copy;
  }

  add(event: Event): void {
    this.last = event;
    if (event.kind === 'stage') this.#reach(event);
    else this.path.push(`${event.table}:${event.chain}:${event.kind === 'policy' ? 'policy' : String(event.position)}`);
  }

  #reach(event: StageEvent): void {
    const isFilter = event.stage === 'filter';
    if (!this.seen.isFilter && event.stage !== 'end' && event.stage !== 'start') this.seen = { ct: event.ct, isTracked: true, isFilter };
    this.end = event.stage === 'end' ? event : undefined;
  }
}

/** Hooks that a packet of the host itself passes before it is on lo. */
const outgoing = new Set(['OUTPUT', 'POSTROUTING']);

class Reader {
  readonly journeys: Journey[] = [];
  readonly #byId = new Map<number, Journey>();
  /** On their way through lo, the first to come in first. */
  readonly #looping: Journey[] = [];
  /** By an interface, not lo. */
  #lastSent: Journey | undefined;
  /** Under way, the newest last: a packet that a rule makes travels before the rule is done. */
  readonly #open: Journey[] = [];

  read(event: Event): void {
    const journey = this.#starts(event) ? this.#begin(event) : this.#continued(event);
    if (journey === undefined) return;
    journey.add(event);
    if (event.id !== undefined) this.#byId.set(event.id, journey);
    if (journey.end === undefined) return;
    this.#open.splice(this.#open.indexOf(journey), 1);
    if (journey.isOnLoopback) this.#looping.push(journey);
    else if (journey.isSent) this.#lastSent = journey;
  }

  #starts(event: Event): event is StageEvent {
    return event.kind === 'stage' && event.stage === 'start';
  }

  #begin(event: StageEvent): Journey {
    const looping = event.hook === 'PREROUTING' && event.inIndex === loopback ? this.#looping.shift() : undefined;
    const journey = looping ?? this.#loopedBack(event) ?? new Journey(event);
    if (looping === undefined) this.journeys.push(journey);
    this.#open.push(journey);
    return journey;
  }

  #continued(event: Event): Journey | undefined {
    const known = event.id === undefined ? undefined : this.#byId.get(event.id);
    if (known !== undefined && this.#open.includes(known)) return known;
    if (event.kind === 'stage') while (this.#open.length > 1 && !this.#canBe(event)) this.#open.pop();
    return this.#open.at(-1);
  }

  /** What goes to many, this host among them, comes in again by the interface by which it left. @see ip_mc_output() */
  #loopedBack({ hook, inIndex }: StageEvent): Journey | undefined {
    return hook === 'PREROUTING' && this.#lastSent?.end?.outIndex === inIndex ? this.#lastSent.copy() : undefined;
  }

  /** Whether the newest packet may be the one at this stage: not if it has not left the host's own hooks, and the stage is another. */
  #canBe({ hook }: StageEvent): boolean {
    const newest = this.#open.at(-1);
    const isOutgoing = newest?.start.hook === 'OUTPUT' && !(newest.last.kind === 'stage' && !outgoing.has(newest.last.hook));
    return !isOutgoing || outgoing.has(hook);
  }
}

/** The first is that of the packet that was sent; the others' packets were made because of it, in this order. */
export function journeysOf(events: readonly Event[]): readonly Journey[] {
  const reader = new Reader();
  for (const event of events) reader.read(event);
  return reader.journeys;
}
