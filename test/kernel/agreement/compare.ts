/** Where the engine's answer and the kernel's differ. */
import { isDeepStrictEqual } from 'node:util';
import { isSameDecider } from '../../../kernel/same-decider.js';
import { isSameTable } from '../compare.js';
import type { GeneratedAnswer, ScenarioAnswer, ScenarioPacket, StepAnswer } from '../../../analyzer/netfilter/scenario.js';

export interface Difference {
  /** From 0. */
  readonly step: number;
  readonly field: string;
  readonly kernel: unknown;
  readonly engine: unknown;
}

/** The kernel tells no reason for drops outside the rules that it can't name. */
function sameDecider(kernel: string | null, engine: string | null): boolean {
  // x_tables does not say that a match, or the translation behind a rule, dropped the packet: what matched last is taken for it.
  if (engine === 'kernel: hotdrop' || engine === 'kernel: nat') return kernel !== null;
  // A guess, where no reason was told.
  if (kernel === 'kernel: held fragment') return engine?.startsWith('kernel: ') === true;
  // Nor does it say what became of a packet behind a translation.
  if (kernel?.startsWith('nat:') === true && engine?.startsWith('kernel: ') === true) return true;
  return isSameDecider(kernel, engine);
}

/** nf_tables does not say whether it was REJECT, which may send nothing, or a match before it that dropped the packet. */
function sameVerdict(kernel: StepAnswer, engine: StepAnswer): boolean {
  return kernel.verdict === engine.verdict || (kernel.verdict === 'reject (nothing sent)' && engine.verdict === 'drop' && kernel.by === engine.by);
}

function withoutChecksum({ badcsum: _, ...packet }: ScenarioPacket): ScenarioPacket {
  return packet;
}

/**
 * The host numbers its own packets, and labels their flows, from a secret; what a label changes is told as bytes. A packet of the
 * host's own is quoted before its checksum is filled in.
 */
function withoutIds(generated: readonly GeneratedAnswer[]): readonly unknown[] {
  const unnumbered = ({ ip_id: _, rest_hex: __, ...packet }: ScenarioPacket): ScenarioPacket => packet.quote === undefined ? packet : { ...packet, quote: withoutChecksum(packet.quote) };
  return generated.map(({ packet, out, ...rest }) => ({ ...rest, packet: unnumbered(packet), out: out.map(unnumbered) }));
}

function sameGenerated(kernel: readonly GeneratedAnswer[], engine: readonly GeneratedAnswer[]): boolean {
  return isDeepStrictEqual(withoutIds(kernel), withoutIds(engine));
}

/** The status is that of the last look that the trace had: before filter, that may have been a while ago. */
function sameCt({ ct: kernel, path }: StepAnswer, { ct: engine }: StepAnswer): boolean {
  if (path.some(step => step.startsWith('filter:'))) return isDeepStrictEqual(kernel, engine);
  return kernel?.state === engine?.state && kernel?.dir === engine?.dir;
}

function differences(step: number, kernel: StepAnswer, engine: StepAnswer): readonly Difference[] {
  const same: Readonly<Record<string, boolean>> = {
    path: isDeepStrictEqual(kernel.path, engine.path),
    verdict: sameVerdict(kernel, engine),
    by: sameDecider(kernel.by, engine.by),
    out: isDeepStrictEqual(kernel.out, engine.out),
    ct: sameCt(kernel, engine),
    conntrack: isSameTable(kernel.conntrack, engine.conntrack),
    generated: sameGenerated(kernel.generated, engine.generated),
  };
  return Object.keys(same).filter(field => same[field] === false)
    .map(field => ({ step, field, kernel: kernel[field as keyof StepAnswer], engine: engine[field as keyof StepAnswer] }));
}

/** Step by step and field by field; nothing where they agree. What hung on chance or on the unknown is not compared, nor anything behind it. */
export function compareAnswers(kernel: ScenarioAnswer, engine: ScenarioAnswer): readonly Difference[] {
  const found: Difference[] = [];
  for (const [index, step] of engine.steps.entries()) {
    const real = kernel.steps[index];
    if (step.chance !== undefined || step.unknown !== undefined || real === undefined) break;
    found.push(...differences(index, real, step));
    if (found.length > 0) break;
  }
  return found;
}
