/** What the kernel did with the packets of a witness, beside what the engine says of them and what the finding shows by them. */
import type { KernelWord } from '../analyzer/finding.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import { createHost, type DetailedAnswer, type DetailedStep, type HostSetup, type TraceOptions } from '../analyzer/netfilter/engine.js';
import type { ScenarioAnswer, ScenarioStep, StepAnswer } from '../analyzer/netfilter/scenario.js';
import { allWays, type Way } from '../analyzer/netfilter/scenario/ways.js';
import { compareSteps } from '../analyzer/witness/compare-steps.js';
import type { Proposal, ProposedStep } from '../analyzer/witness/proposal.js';
import { answeredStep } from '../analyzer/witness/reply.js';
import { isSameDecider } from './same-decider.js';

export interface Case {
  readonly ruleset: Ruleset;
  /** What the finding shows. Its packets are complete, and as many as the witness's. */
  readonly proposal: Proposal;
  readonly steps: readonly ScenarioStep[];
  readonly setup: HostSetup;
}

/** So many ways are tried where something cannot be known offline. */
const mostWays = 64;

/** What chance decides of a packet's way: which port a translation chose, and the number of a fragmented packet, are no matter. */
function chanceOf({ answer }: Way): string | undefined {
  return answer.steps.flatMap(step => step.chance ?? []).find(why => !/\b(?:ports?|number)\b/u.test(why));
}

function waysOf({ ruleset, setup, steps }: Case, options: TraceOptions): readonly Way[] {
  return allWays((decisions): DetailedAnswer => {
    const host = createHost(ruleset, setup, { ...options, decisions });
    return { steps: steps.map(step => host.sendInDetail(step, false)) };
  }, mostWays).ways;
}

function told({ verdict, by, path }: StepAnswer): string {
  return `${verdict}${by === null ? '' : ` by ${by}`}, on its way ${path.length === 0 ? 'no rule' : path.join(' ')}`;
}

/** The first step in which they part. */
function difference(engine: ScenarioAnswer, kernel: ScenarioAnswer): string | undefined {
  for (const [index, ours] of engine.steps.entries()) {
    const theirs = kernel.steps[index];
    if (theirs === undefined) return `packet ${String(index + 1)} was not sent`;
    const isSame = ours.verdict === theirs.verdict && isSameDecider(ours.by, theirs.by) && ours.path.join(' ') === theirs.path.join(' ');
    if (!isSame) return `packet ${String(index + 1)}: the kernel says ${told(theirs)}; expected was ${told(ours)}`;
  }
  return undefined;
}

/** Why the packets do not show what the finding says, when they fare so; undefined where they do. They need not be those that were meant, as long as they show it. */
function objection({ proposal, steps }: Case, answers: readonly DetailedStep[]): string | undefined {
  const sent = proposal.steps.map(({ packet, in: from }, index): ProposedStep => ({ packet, in: steps[index]?.in ?? from }));
  const repliesTo = proposal.steps.map((step, index) => answeredStep(step, proposal.steps.slice(0, index)));
  const compared = compareSteps(sent, proposal.shows, answers, repliesTo);
  return compared.kind === 'agrees' ? undefined : compared.why.replace(/^step /u, 'packet ');
}

function isShown(one: Case, { answer }: Way): boolean {
  return objection(one, answer.steps) === undefined;
}

/** The kernel does what the engine says, and yet not what is shown: what would it have to be like? */
function hindrance(one: Case, ways: readonly Way[]): string | undefined {
  const shown = ways.find(way => isShown(one, way));
  if (shown !== undefined) return `it hangs on what is not arranged: ${shown.assumptions.map(({ rule, why }) => `${rule}: ${why}`).join('; ')}`;
  return waysOf(one, {}).some(way => isShown(one, way)) ? 'it hangs on the time of the day' : undefined;
}

/** @param now when the packets were sent, in seconds since 1970 (UTC) */
export function judge(one: Case, kernel: ScenarioAnswer, now: number): KernelWord {
  const ways = waysOf(one, { start: now });
  const chance = ways.map(chanceOf).find(why => why !== undefined);
  if (chance !== undefined) return { kernel: 'not-replayed', reason: `only chance decides: ${chance}` };
  const alike = ways.filter(({ answer }) => difference(answer, kernel) === undefined);
  if (alike.some(way => isShown(one, way))) return { kernel: 'confirmed' };
  const [way] = alike;
  const [first = way] = ways;
  if (way === undefined) return { kernel: 'contradicted', reason: first === undefined ? 'the kernel does something else' : difference(first.answer, kernel) ?? '' };
  const why = hindrance(one, ways);
  return why === undefined ? { kernel: 'contradicted', reason: `the kernel agrees with trace, and not with the finding: ${objection(one, way.answer.steps) ?? ''}` } : { kernel: 'not-replayed', reason: why };
}
