/** What can be asked of trips. */
import { stops } from './classes.js';
import type { Chains } from './chains.js';
import type { Trip } from './passes.js';
import type { Goal, Reason } from './solve.js';
import type { Path } from './stages.js';
import type { Leads, Watch } from './watch.js';

/** The first stage from `from` and before `to` at which a trip was dropped, or -1. */
function dropIn({ run }: Trip, from: number, to: number): number {
  return run.drops.find(at => at >= from && at < to) ?? -1;
}

/** Whether the look-out saw its rule in stages from … to - 1, and none before dropped the packet. */
export function sawIn(trip: Trip, from: number, to: number): boolean {
  const drop = dropIn(trip, from, to);
  return trip.run.seen.some(at => at >= from && at < to && (drop < 0 || at <= drop));
}

/** Why a pass (stages from … to - 1) does not come by a rule. */
export function missesRule(trip: Trip, leads: Leads, chains: Chains, from: number, to: number): readonly Reason[] {
  const { run } = trip;
  const drop = dropIn(trip, from, to);
  const ways: number[] = [];
  for (let at = from; at < to; at++) {
    const { stage } = run.stages[at] ?? {};
    const base = stage === undefined ? undefined : chains.list[stage.chain];
    if (base !== undefined && leads(base).length > 0) ways.push(at);
  }
  const reasons: Reason[] = [];
  for (const one of run.drops) {
    // Behind the first drop nothing is seen; whoever drops there as well may be the simpler reason.
    if (one < from || one >= to || run.seen.some(at => at >= from && at <= one)) continue;
    const before = ways.filter(at => at <= one);
    if (ways.length > before.length) reasons.push(claim => {
      for (const at of before) claim.avoids(at, leads);
      claim.verdict(one);
    });
  }
  const seenBehind = run.seen.some(at => at >= from && at < to);
  if (!seenBehind) reasons.push(claim => { for (const at of ways) claim.avoids(at, leads); });
  else if (reasons.length === 0 && drop >= 0) reasons.push(claim => {
    for (const at of ways.filter(way => way <= drop)) claim.avoids(at, leads);
    claim.verdict(drop);
  });
  return reasons;
}

/** A packet that matches a rule. */
export function reachGoal(chains: Chains, path: Path, watch: Watch): Goal {
  const { leads } = watch;
  return {
    path, watch, back: undefined,
    miss: trip => sawIn(trip, 0, trip.backFrom) ? undefined : missesRule(trip, leads, chains, 0, trip.backFrom),
  };
}

/** A packet that matches a rule, and gets to the end of its path. */
export function passGoal(chains: Chains, path: Path, watch: Watch): Goal {
  const { leads } = watch;
  return {
    path, watch, back: undefined,
    miss: trip => {
      const isSeen = sawIn(trip, 0, trip.backFrom);
      if (isSeen && !trip.dropped) return undefined;
      return [...droppedBy(trip, 0, trip.backFrom), ...isSeen ? [] : missesRule(trip, leads, chains, 0, trip.backFrom)];
    },
  };
}

/** All stages let the packet pass. */
export function acceptsAll(trip: Trip, from: number, to: number): Reason {
  return claim => { for (let at = from; at < to; at++) if (((trip.run.stages[at]?.stage.does ?? 0) & stops) !== 0) claim.verdict(at); };
}

/** Any of the stages that dropped the packet. */
export function droppedBy(trip: Trip, from: number, to: number): readonly Reason[] {
  return trip.run.drops.filter(at => at >= from && at < to).map(at => claim => { claim.verdict(at); });
}

/** A packet that gets to the end of its path, or one that does not. */
export function fateGoal(path: Path, fate: 'accept' | 'drop'): Goal {
  return {
    path, watch: undefined, back: undefined,
    miss: trip => {
      // What routing sends another way is a packet of another path.
      if (trip.isElsewhere) return trip.run.drops.filter(at => trip.run.stages[at]?.stage.table === 'routing').map(at => claim => { claim.verdict(at); });
      if ((fate === 'drop') === trip.dropped) return undefined;
      return fate === 'drop' ? [acceptsAll(trip, 0, trip.backFrom)] : droppedBy(trip, 0, trip.backFrom);
    },
  };
}

/** A packet that gets to the end of the way through the host, where a rule has written it another destination: whichever rule that is. */
export function sentOnGoal({ dimensions }: Chains): Goal {
  const goal = fateGoal('through', 'accept');
  const [dst] = dimensions.fields.get('dst') ?? [];
  return { ...goal, miss: trip => goal.miss(trip) ?? (dst === undefined || trip.leaving.of(dst).input === dst ? [] : undefined) };
}
