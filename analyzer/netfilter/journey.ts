/** What became of one packet, and by which rules: kept while it travels, and told afterwards. */
import { ctstates } from '../packet/constraint.js';
import type { Packet } from '../packet/packet.js';
import { Verdict, type HookName } from '../packet/traversal.js';
import type { Backend } from '../values/value.js';
import { referenceOf, type CompiledChain, type CompiledRule } from './tables/compiled-rule.js';
import type { CtAnswer } from './scenario.js';
import { statusNames } from './conntrack/answers.js';
import type { Recorder } from './tables/traverse.js';

export type Decider = { readonly rule: CompiledRule } | { readonly policy: CompiledChain } | { readonly kernel: string };

export type Fate =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'forwarded' | 'sent'; readonly out: string }
  | { readonly kind: 'drop'; readonly by: Decider }
  /** `how`: `tcp-reset`, `icmp 3/3`, or `(nothing sent)`. */
  | { readonly kind: 'reject'; readonly how: string; readonly by: Decider };

/** What cannot be known offline, where a packet met it. */
export interface Unknown {
  readonly rule: string;
  readonly why: string;
  readonly assumed: 'match' | 'skip';
}

/** By which a packet leaves (`skb_dst()`). */
export interface Way {
  mtu: number;
  /** The gateway; undefined: the destination is on the link. */
  via: number | bigint | undefined;
}

/** Connection tracking's view of the packet in `filter`. */
export interface CtView {
  readonly ctstate: number;
  readonly direction: 0 | 1;
  readonly status: number;
}

/** Listens to everything that happens; `Trail` keeps it for people. */
export interface Witness {
  /** A target begins to act; `matched` follows when it is done. */
  acts(): void;
  stage(table: string, hook: HookName, packet: Packet): void;
  matched(rule: CompiledRule, verdict: Verdict | 'jump' | 'goto', packet: Packet): void;
  policy(chain: CompiledChain): void;
  entered(chain: CompiledChain, goto: boolean): void;
  left(chain: CompiledChain): void;
  event(text: string): void;
  unknown(rule: CompiledRule, why: string, assumed: boolean): void;
  /** What is told from here up to `generatedEnded` happens to a packet that the host made. */
  generated(text: string, packet: Packet): void;
  generatedEnded(packet: Packet): void;
}

const stateNames = Object.fromEntries(Object.entries(ctstates).map(([name, value]) => [value, name])) as Readonly<Record<number, CtAnswer['state']>>;

export function stateName(ctstate: number): CtAnswer['state'] {
  return stateNames[ctstate] ?? 'INVALID';
}

export class Journey implements Recorder {
  packet: Packet;
  /** Rules that matched, and built-in chains that ended in their policy. */
  readonly steps: (CompiledRule | CompiledChain)[] = [];
  /** Of a packet that the host made: as it was made. */
  origin: Packet | undefined;
  /** Undefined: it has not been routed yet, or is for the host. */
  way: Way | undefined;
  readonly sent: Packet[] = [];
  readonly generated: Journey[] = [];
  readonly unknowns: Unknown[] = [];
  fate: Fate | undefined;
  /** Undefined: no table was reached. */
  seen: CtView | undefined;
  /** What REJECT sent, where it was met. */
  rejected: string | undefined;
  readonly #assume: (why: string) => boolean;
  readonly #witness: Witness | undefined;
  #last: Decider = { kernel: '?' };
  #filterHasSeen = false;

  constructor(packet: Packet, assume: (why: string) => boolean, witness: Witness | undefined) {
    this.packet = packet;
    this.#assume = assume;
    this.#witness = witness;
  }

  matched(rule: CompiledRule, verdict: Verdict | 'jump' | 'goto'): void {
    this.steps.push(rule);
    this.#last = { rule };
    this.#witness?.matched(rule, verdict, this.packet);
  }

  policy(chain: CompiledChain): void {
    this.steps.push(chain);
    this.#last = { policy: chain };
    this.#witness?.policy(chain);
  }

  acts(): void { this.#witness?.acts(); }
  entered(chain: CompiledChain, goto: boolean): void { this.#witness?.entered(chain, goto); }
  left(chain: CompiledChain): void { this.#witness?.left(chain); }
  noted(text: string): void { this.#witness?.event(text); }

  /** nf_tables says that the rule matched and dropped; x_tables says nothing. */
  hotdropped(rule: CompiledRule, backend: Backend): void {
    this.#witness?.event(`${referenceOf(rule)} reads what the packet does not have: it is dropped on the spot`);
    if (backend === 'nft' && this.steps.at(-1) !== rule) this.matched(rule, Verdict.Drop);
    if (backend === 'legacy') this.#last = { kernel: 'hotdrop' };
  }

  unknown(rule: CompiledRule, why: string): boolean {
    const assumed = this.#assume(why);
    this.unknowns.push({ rule: referenceOf(rule), why, assumed: assumed ? 'match' : 'skip' });
    this.#witness?.unknown(rule, why, assumed);
    return assumed;
  }

  /** A table's built-in chain begins. */
  began(table: string, hook: HookName): void {
    if (table !== 'raw') this.look();
    this.#filterHasSeen ||= table === 'filter';
    this.#witness?.stage(table, hook, this.packet);
  }

  /** Connection tracking has looked at the packet. What filter saw of the connection is kept; before filter, what was seen last. */
  look(): void {
    if (this.#filterHasSeen) return;
    const { ctstate, direction, connection } = this.packet;
    this.seen = { ctstate, direction, status: connection?.status ?? 0 };
  }

  /** Fragments have become one packet, which travels on. */
  replace(whole: Packet): void {
    this.packet = whole;
    this.#witness?.event(`put together from fragments: ${String(whole.bytes.length)} bytes`);
  }

  /** The packet's end, by what was met last. */
  dropped(): void {
    this.fate = this.rejected === undefined ? { kind: 'drop', by: this.#last } : { kind: 'reject', how: this.rejected, by: this.#last };
  }

  droppedByKernel(reason: string): void {
    this.fate = { kind: 'drop', by: { kernel: reason } };
    this.#witness?.event(`the kernel drops it: ${reason}`);
  }
}

/** `filter:INPUT:3`, `filter:INPUT:policy` */
export function nameOf(step: CompiledRule | CompiledChain): string {
  return 'position' in step ? referenceOf(step) : `${step.table}:${step.chain.name}:policy`;
}

export function deciderName(by: Decider): string {
  if ('rule' in by) return referenceOf(by.rule);
  return 'policy' in by ? nameOf(by.policy) : `kernel: ${by.kernel}`;
}

export function ctAnswer({ ctstate, direction, status }: CtView): CtAnswer | null {
  if (ctstate < 0) return null;
  const isTracked = ctstate !== ctstates.INVALID && ctstate !== ctstates.UNTRACKED;
  return { state: stateName(ctstate), dir: isTracked ? (direction === 0 ? 'ORIGINAL' : 'REPLY') : null, status: isTracked ? statusNames(status) : [] };
}
