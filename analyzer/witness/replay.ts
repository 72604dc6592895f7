/**
 * The engine's word on a witness: its packets travel through the rules, on the least host on which they are possible, and
 * what becomes of them is compared with what the witness shows. Nothing that the engine has not confirmed is printed.
 */
import type { WitnessHost, WitnessStep } from '../finding.js';
import type { Ruleset } from '../model/ruleset.js';
import type { Family } from '../values/value.js';
import { createHost, type DetailedStep, type Host, type HostSetup, type TraceOptions } from '../netfilter/engine.js';
import { ScenarioError } from '../netfilter/scenario/scenario-error.js';
import { runs } from '../netfilter/scenario/ways.js';
import { compareSteps } from './compare-steps.js';
import type { Comparison } from './compare.js';
import { describeHost, isForwarded, join, planHost, setupOf, shared, type HostPlan, type SharedPlan } from './host-plan.js';
import type { Proposal, ProposedStep } from './proposal.js';
import { answeredStep, replyTo } from './reply.js';
import { errorAbout, toldStep } from './quote.js';
import { softRule } from './soft-rules.js';
import { completed, sized } from './step.js';

export type Replay =
  /** `host` is there where the one that `trace` assumes would not do. */
  | { readonly kind: 'agrees'; readonly steps: readonly WitnessStep[]; readonly host: WitnessHost | undefined }
  /** `refutes`: what the finding says does not hold; else only the rule that decides is another. */
  | { readonly kind: 'disagrees'; readonly why: string; readonly refutes: boolean }
  | { readonly kind: 'unplayable'; readonly why: string };

/** So far apart do witnesses play on one host that no flow and no limit of one is left for the next (TCP's five days are the longest). */
const oblivion = 10 * 86_400;

/** Ways that are tried where something cannot be known. */
const mostWays = 16;

/** A proposal whose packets and host are known. */
export interface Play {
  readonly proposal: Proposal;
  readonly plan: HostPlan;
}

/** Plays that share a host: to make one costs more than to play. */
interface Group {
  readonly plan: SharedPlan;
  readonly plays: { readonly index: number; readonly play: Play }[];
}

/** The proposal with its packets complete, and the host for them; or why there is none. */
export function prepare(proposal: Proposal, family: Family): Play | string {
  const { shows } = proposal;
  const steps = completed(proposal.steps, family).flatMap((step, index) => sized(step, family, isForwarded(step, shows[index])) ?? []);
  if (steps.length < proposal.steps.length) return 'no packet of its protocol is so short, or it is not known how long its header is';
  const plan = planHost(steps, shows, family);
  return typeof plan === 'string' ? plan : { proposal: { ...proposal, steps }, plan };
}

/** More of them on one host, and its addresses are too many to look through for each packet. */
const mostPlays = 256;

function addTo(groups: Group[], index: number, play: Play): void {
  const fitting = groups.find(({ plan, plays }) => plays.length < mostPlays && join(plan, play.plan));
  if (fitting === undefined) groups.push({ plan: shared(play.plan), plays: [{ index, play }] });
  else fitting.plays.push({ index, play });
}

/** Sets of which it is known what is in them are there, beside those that the packets need. */
function withSets(setup: HostSetup, { sets }: Ruleset): HostSetup {
  return sets === undefined ? setup : { ...setup, ipsets: `${sets.saved}\n${setup.ipsets ?? ''}` };
}

/** Whether a packet is to be in a set of which something else is known. */
function isAtOdds({ ipsets }: HostPlan, { sets }: Ruleset): boolean {
  return sets !== undefined && ipsets.split('\n').some(line => sets.names.has(line.split(' ')[1] ?? ''));
}

/** Plays every proposal, and answers in their order. Never throws for what a packet or a host cannot be. */
export function replayAll(ruleset: Ruleset, proposals: readonly Proposal[]): readonly Replay[] {
  const answers: Replay[] = [];
  const groups: Group[] = [];
  for (const [index, proposal] of proposals.entries()) {
    const play = prepare(proposal, ruleset.family);
    if (typeof play === 'string') answers[index] = { kind: 'unplayable', why: play };
    else if (isAtOdds(play.plan, ruleset)) answers[index] = { kind: 'unplayable', why: 'it needs in a set what is not known to be there' };
    else addTo(groups, index, play);
  }
  for (const { plan, plays } of groups) {
    const host = createHost(ruleset, withSets(setupOf(plan), ruleset));
    for (const [turn, { index, play }] of plays.entries()) {
      if (turn > 0) host.advance(oblivion);
      answers[index] = orUnplayable(() => judge(ruleset, play, host));
    }
  }
  return answers;
}

function orUnplayable(answer: () => Replay): Replay {
  try {
    return answer();
  } catch (error) {
    if (error instanceof ScenarioError) return { kind: 'unplayable', why: error.message };
    throw error;
  }
}

function judge(ruleset: Ruleset, play: Play, host: Host): Replay {
  const traveled = travel(host, play);
  const seen = compareAll(play, traveled);
  if (seen.kind === 'agrees') return confirmed(play, traveled);
  if (seen.kind === 'elsewhere') return { kind: 'unplayable', why: seen.why };
  const soft = softRule(ruleset, seen.asked);
  if (soft === undefined) return judgeAlone(ruleset, play);
  const inSomeWay = play.proposal.certainty === 'possible' ? someWay(ruleset, play) : undefined;
  return inSomeWay === undefined ? { kind: 'unplayable', why: `${seen.why}, which may hang on ${soft}` } : confirmed(play, inSomeWay);
}

/** Before it is called a mistake of ours: on a host that no other witness has touched. */
function judgeAlone(ruleset: Ruleset, play: Play): Replay {
  const traveled = travelAlone(ruleset, play, {});
  const alone = compareAll(play, traveled);
  switch (alone.kind) {
    case 'agrees': return confirmed(play, traveled);
    case 'elsewhere': return { kind: 'unplayable', why: alone.why };
    case 'disagrees': return { kind: 'disagrees', why: alone.why, refutes: alone.refutes };
  }
}

/** What is unknown may match or not: a way on which all is as shown. */
function someWay(ruleset: Ruleset, play: Play): Traveled | undefined {
  let count = 0;
  for (const { answer: { traveled } } of runs(decisions => {
    const traveled = travelAlone(ruleset, play, { decisions });
    return { steps: traveled.answers, traveled };
  })) {
    if (compareAll(play, traveled).kind === 'agrees') return traveled;
    if (++count === mostWays) return undefined;
  }
  return undefined;
}

function confirmed({ plan }: Play, { steps }: Traveled): Replay {
  return { kind: 'agrees', steps: steps.map(toldStep), host: plan.isPlain ? undefined : describeHost(plan) };
}

/** Steps as they were sent, and what became of them. */
export interface Traveled {
  readonly steps: readonly ProposedStep[];
  readonly answers: readonly DetailedStep[];
  /** What they reply to, by number; undefined: nothing. */
  readonly repliesTo: readonly (number | undefined)[];
}

/** Lets the packets of a proposal travel; those that reply are addressed to what the other side saw. */
export function travel(host: Host, { proposal }: Play): Traveled {
  const steps: ProposedStep[] = [];
  const answers: DetailedStep[] = [];
  const repliesTo = proposal.steps.map((step, index) => answeredStep(step, proposal.steps.slice(0, index)));
  for (const [index, step] of proposal.steps.entries()) {
    const sent = step.about === undefined ? replyTo(step, answers[repliesTo[index] ?? -1]) : errorAbout(step, answers[step.about]);
    steps.push(sent);
    answers.push(host.sendInDetail({ in: sent.in, packet: packetOf(toldStep(sent).packet) }, false));
  }
  return { steps, answers, repliesTo };
}

function travelAlone(ruleset: Ruleset, play: Play, options: TraceOptions): Traveled {
  return travel(createHost(ruleset, withSets(setupOf(play.plan), ruleset), options), play);
}

/** A witness's packets are those of scenarios; only the type is wider. */
function packetOf({ proto = 'tcp', ...rest }: WitnessStep['packet']): { readonly proto: string | number } {
  return { proto: typeof proto === 'number' ? proto : typeof proto === 'string' ? proto : 'tcp', ...rest };
}

function compareAll({ proposal: { shows } }: Play, { steps, answers, repliesTo }: Traveled): Comparison {
  return compareSteps(steps, shows, answers, repliesTo);
}
