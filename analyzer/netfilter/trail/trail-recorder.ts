/** Listens to packets on their way, and keeps what people want to read. */
import { printBody } from '../../model/print.js';
import type { Packet } from '../../packet/packet.js';
import { Verdict, type HookName, type World } from '../../packet/traversal.js';
import { printAddress } from '../../values/address.js';
import { referenceOf, type CompiledChain, type CompiledRule } from '../tables/compiled-rule.js';
import { stateName, type Witness } from '../journey.js';
import { nearMisses, PassedRules } from './near-misses.js';
import type { TrailEntry } from './trail.js';

const verdictNames: Readonly<Record<Verdict, string>> = {
  [Verdict.Continue]: 'continue', [Verdict.Accept]: 'ACCEPT', [Verdict.Drop]: 'DROP', [Verdict.Return]: 'RETURN', [Verdict.Queue]: 'QUEUE', [Verdict.Stolen]: 'STOLEN',
};

const withPorts = new Set([6, 17, 33, 132, 136]);

function end(packet: Packet, address: number | bigint, port: number): string {
  const text = printAddress(address);
  if (!withPorts.has(packet.protocol) || packet.fragmentOffset > 0) return text;
  return `${packet.family === 'ipv6' ? `[${text}]` : text}:${String(port)}`;
}

/** What rules may rewrite, in words. */
function looks(packet: Packet): Readonly<Record<string, string>> {
  return {
    source: end(packet, packet.src, packet.sport), destination: end(packet, packet.dst, packet.dport),
    mark: `0x${packet.mark.toString(16)}`, [packet.family === 'ipv4' ? 'TTL' : 'hop limit']: String(packet.ttl), TOS: `0x${packet.tos.toString(16)}`,
    priority: `0x${packet.priority.toString(16)}`, length: String(packet.bytes.length),
  };
}

/** Where a packet goes, in the hooks in which that is known: `eth0 → eth1`. */
function wayOf(hook: string, packet: Packet): { readonly way?: string } {
  if (hook === 'PREROUTING' || hook === 'INPUT') return {};
  return { way: hook === 'FORWARD' ? `${packet.in} → ${packet.out}` : `→ ${packet.out}` };
}

export class TrailRecorder implements Witness {
  readonly entries: TrailEntry[] = [];
  readonly #world: World;
  readonly #seen = new WeakMap<Packet, Readonly<Record<string, string>>>();
  /** Where the targets stand that are acting now: a packet that one of them sends meets others. */
  readonly #acting: number[] = [];
  /** Why the rule that is met next could be met or not. */
  #unknown: string | undefined;
  /** The base chain in which the packet is, and what it passed by there; those that packets of the host's own pass are not noted. */
  #at: { readonly packet: Packet; readonly table: string; readonly hook: HookName; readonly passed: PassedRules } | undefined;
  #generated = 0;
  readonly #wantsMisses: boolean;

  /** `wantsMisses`: of a packet that is dropped, look for the rules that nearly let it pass, which takes longer than its whole way. */
  constructor(world: World, wantsMisses = true) {
    this.#world = world;
    this.#wantsMisses = wantsMisses;
  }

  /** Tells what has been rewritten since the packet was looked at last. */
  look(packet: Packet, isBetween = false): void {
    const now = looks(packet);
    const before = this.#seen.get(packet) ?? now;
    this.#seen.set(packet, now);
    for (const [name, value] of Object.entries(now)) {
      if (before[name] !== value) this.entries.push({ kind: 'rewrite', what: `${name} ${before[name] ?? ''} → ${value}`, ...isBetween ? { isBetween } : {} });
    }
  }

  stage(table: string, hook: HookName, packet: Packet): void {
    this.look(packet, true);
    this.entries.push({ kind: 'stage', table, hook, state: packet.ctstate < 0 ? null : stateName(packet.ctstate), ...wayOf(hook, packet) });
    if (this.#generated === 0 && this.#wantsMisses) this.#at = { packet, table, hook, passed: new PassedRules() };
  }

  #dropped(): void {
    if (this.#at === undefined || this.#generated > 0) return;
    for (const miss of nearMisses(this.#at.passed.rules(), { ...this.#at, world: this.#world })) this.entries.push({ kind: 'missed', ...miss });
  }

  acts(): void { this.#acting.push(this.entries.length); }

  matched(compiled: CompiledRule, verdict: Verdict | 'jump' | 'goto', packet: Packet): void {
    const { rule, chain, position, to } = compiled;
    const unknown = this.#unknown;
    this.#unknown = undefined;
    // For a reader the rule comes before what its target does.
    const at = compiled.action === undefined ? this.entries.length : this.#acting.pop() ?? this.entries.length;
    this.entries.splice(at, 0, {
      kind: 'rule', ref: referenceOf(compiled), table: chain.table, chain: chain.chain.name, position, line: rule.line,
      text: printBody(rule, { family: this.#world.family, backend: this.#world.backend, table: chain.table }).trimStart(),
      verdict: typeof verdict === 'number' ? verdictNames[verdict] : `${verdict} ${to?.chain.name ?? ''}`,
      ...unknown === undefined ? {} : { unknown },
    });
    this.look(packet);
    if (packet !== this.#at?.packet) return;
    this.#at.passed.matched(compiled, verdict);
    if (verdict === Verdict.Drop) this.#dropped();
  }

  policy(chain: CompiledChain): void {
    this.entries.push({ kind: 'policy', table: chain.table, chain: chain.chain.name, policy: chain.chain.policy ?? 'ACCEPT' });
    if (this.#generated === 0) this.#at?.passed.ended(chain);
    if (chain.chain.policy === 'DROP') this.#dropped();
  }

  entered(chain: CompiledChain, goto: boolean): void { this.entries.push({ kind: 'enter', chain: chain.chain.name, goto }); }

  left(chain: CompiledChain): void {
    this.entries.push({ kind: 'leave', chain: chain.chain.name });
    if (this.#generated === 0) this.#at?.passed.ended(chain);
  }

  event(text: string): void { this.entries.push({ kind: 'event', text }); }

  generated(text: string, packet: Packet): void {
    this.entries.push({ kind: 'generated', text });
    this.#generated++;
    this.look(packet);
  }

  generatedEnded(packet: Packet): void {
    this.look(packet);
    this.entries.push({ kind: 'generated-end' });
    this.#generated--;
  }

  unknown(rule: CompiledRule, why: string, assumed: boolean): void {
    if (assumed) this.#unknown = why;
    else this.event(`${referenceOf(rule)} may match or not: ${why}; taken not to match`);
  }
}
