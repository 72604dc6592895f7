/** What the linter says of a rule set for certain, in a form in which a conversation can show that it is wrong. */
import { freshHost } from '../generate/near/packets-near.js';
import type { Played } from '../generate/near/play.js';
import { ruleReference, type Ruleset } from '../model/ruleset.js';
import { createHost, type DetailedStep } from '../netfilter/engine.js';
import type { Proposal } from '../witness/proposal.js';
import { rehearse } from '../witness/rehearse.js';
import { isSure, isThrough } from './answers.js';
import { firstBlamed } from './flow-progress.js';
import type { Breach } from './property.js';

/** A finding about a rule (`filter:INPUT:3`) that holds of every conversation. */
export type Claim = { readonly check: string; readonly rule: string } & (
  /** No packet matches the rule. */
  | { readonly kind: 'never-matched' }
  /** Without the rule every packet fares the same. */
  | { readonly kind: 'needless' }
  /** Of what begins by the rule (`tcp`, `udp`, `icmp`, `icmpv6`) no answer gets back. */
  | { readonly kind: 'unanswered'; readonly protocol: string }
  /** Whoever waits long enough gets this packet through by the rule, whatever others did before. */
  | { readonly kind: 'open'; readonly proposal: Proposal }
);

/** Longer than any flow, limit or list remembers, in seconds. */
const oblivion = 10 * 86_400;

/** What of a conversation contradicts a claim. */
export function contradiction(claim: Claim, played: Played): Breach | undefined {
  switch (claim.kind) {
    case 'never-matched': return undefined;
    case 'needless': return faresOtherwise(claim.rule, played);
    case 'unanswered': return answered(claim, played);
    case 'open': return closed(claim, played);
  }
}

/** The same rules but for one. */
function withoutRule(ruleset: Ruleset, reference: string): Ruleset {
  const tables = [...ruleset.tables].map(([name, table]) => {
    const chains = [...table.chains].map(([key, chain]) => [key, { ...chain, rules: chain.rules.filter((_, index) => ruleReference(name, chain.name, index + 1) !== reference) }] as const);
    return [name, { ...table, chains: new Map(chains) }] as const;
  });
  return { ...ruleset, tables: new Map(tables) };
}

/** What became of a packet, whoever decided. */
function fateOf({ verdict, out }: DetailedStep): string {
  return JSON.stringify([verdict, out]);
}

/** The first packet that fares otherwise once the rule is gone. Only where the rule is matched can that be. */
function faresOtherwise(rule: string, { place, events }: Played): Breach | undefined {
  if (!events.some(({ answer }) => answer.path.includes(rule))) return undefined;
  const host = freshHost({ ...place, ruleset: withoutRule(place.ruleset, rule) });
  for (const [index, { step, answer }] of events.entries()) {
    const other = host.sendInDetail(step, false);
    // From here on nobody knows, or chance has a say.
    if (![answer, other].every(one => isSure(one) && one.chance === undefined)) return undefined;
    if (fateOf(answer) !== fateOf(other)) return { index, why: `without ${rule} this packet is not ${answer.verdict}, but ${other.verdict}` };
  }
  return undefined;
}

const beginning: ReadonlySet<string> = new Set(['NEW', 'UNTRACKED']);

/** The first answer that gets through to what began by the rule; what the host says to itself is not meant. */
function answered({ rule, protocol }: Extract<Claim, { kind: 'unanswered' }>, played: Played): Breach | undefined {
  return firstBlamed(played, ({ said: { line }, answer }, before) => {
    const [first] = before;
    if (line.from !== 'server' || first?.said.position !== 0 || !isThrough(first.answer) || !isThrough(answer)) return undefined;
    const isMeant = first.step.packet.proto === protocol && first.answer.path.includes(rule) && beginning.has(first.answer.ct?.state ?? 'UNTRACKED');
    const isToItself = first.step.in === 'local' && first.answer.verdict === 'delivered';
    return isMeant && !isToItself ? `the server's ${line.name} gets through, and its connection began by ${rule}` : undefined;
  });
}

/** Long after the conversation, on a host on which the packet can be sent: it is held to get through by the rule. */
function closed({ rule, proposal }: Extract<Claim, { kind: 'open' }>, { place, events }: Played): Breach | undefined {
  const rehearsal = rehearse(place.ruleset, proposal);
  const [step] = rehearsal?.proposal.steps ?? [];
  if (rehearsal === undefined || step === undefined || rehearsal.after([]) === undefined) return undefined;
  const { proto = 'tcp', ...packet } = step.packet;
  const host = createHost(place.ruleset, rehearsal.setup);
  const devices = new Set(['local', ...(rehearsal.setup.interfaces ?? []).map(({ name }) => name)]);
  // What was for this host is so there, too.
  const dst = (given: string): string => place.terrain.wayTo(given) === 'local' && typeof packet['dst'] === 'string' ? packet['dst'] : given;
  for (const { step: before } of events) if (devices.has(before.in)) host.sendInDetail({ ...before, packet: { ...before.packet, ...before.packet.dst === undefined ? {} : { dst: dst(before.packet.dst) } } }, false);
  host.advance(oblivion);
  const answer = host.sendInDetail({ in: step.in, packet: { proto: String(proto), ...packet } }, false);
  if (!isSure(answer) || (isThrough(answer) && answer.path.includes(rule))) return undefined;
  return { index: events.length - 1, why: `after this conversation no packet from ${String(packet['src'])} gets through by ${rule} any more` };
}
