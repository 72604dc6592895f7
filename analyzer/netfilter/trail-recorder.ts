/** Listens to packets on their way, and keeps what people want to read. */
import { printBody } from '../model/print.js';
import type { Packet } from '../packet/packet.js';
import { Verdict } from '../packet/traversal.js';
import { printAddress } from '../values/address.js';
import type { Backend, Family } from '../values/value.js';
import { referenceOf, type CompiledChain, type CompiledRule } from './compiled-rule.js';
import { stateName, type Witness } from './journey.js';
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

export class TrailRecorder implements Witness {
  readonly entries: TrailEntry[] = [];
  readonly #place: { readonly family: Family; readonly backend: Backend };
  readonly #seen = new WeakMap<Packet, Readonly<Record<string, string>>>();
  /** Why the rule that is met next could be met or not. */
  #unknown: string | undefined;

  constructor(place: { readonly family: Family; readonly backend: Backend }) {
    this.#place = place;
  }

  /** Tells what has been rewritten since the packet was looked at last. */
  look(packet: Packet): void {
    const now = looks(packet);
    const before = this.#seen.get(packet) ?? now;
    this.#seen.set(packet, now);
    for (const [name, value] of Object.entries(now)) {
      if (before[name] !== value) this.entries.push({ kind: 'rewrite', what: `${name} ${before[name] ?? ''} → ${value}` });
    }
  }

  stage(table: string, hook: string, packet: Packet): void {
    this.look(packet);
    this.entries.push({ kind: 'stage', table, hook, state: packet.ctstate < 0 ? null : stateName(packet.ctstate) });
  }

  matched(compiled: CompiledRule, verdict: Verdict | 'jump' | 'goto', packet: Packet): void {
    const { rule, chain, position, to } = compiled;
    const unknown = this.#unknown;
    this.#unknown = undefined;
    this.entries.push({
      kind: 'rule', ref: referenceOf(compiled), table: chain.table, chain: chain.chain.name, position, line: rule.line,
      text: printBody(rule, { ...this.#place, table: chain.table }).trimStart(),
      verdict: typeof verdict === 'number' ? verdictNames[verdict] : `${verdict} ${to?.chain.name ?? ''}`,
      ...unknown === undefined ? {} : { unknown },
    });
    this.look(packet);
  }

  policy(chain: CompiledChain): void {
    this.entries.push({ kind: 'policy', table: chain.table, chain: chain.chain.name, policy: chain.chain.policy ?? 'ACCEPT' });
  }

  entered(chain: CompiledChain, goto: boolean): void { this.entries.push({ kind: 'enter', chain: chain.chain.name, goto }); }
  left(chain: CompiledChain): void { this.entries.push({ kind: 'leave', chain: chain.chain.name }); }
  event(text: string): void { this.entries.push({ kind: 'event', text }); }

  generated(text: string, packet: Packet): void {
    this.entries.push({ kind: 'generated', text });
    this.look(packet);
  }

  generatedEnded(packet: Packet): void {
    this.look(packet);
    this.entries.push({ kind: 'generated-end' });
  }

  unknown(rule: CompiledRule, why: string, assumed: boolean): void {
    if (assumed) this.#unknown = why;
    else this.event(`${referenceOf(rule)} may match or not: ${why}; taken not to match`);
  }
}
