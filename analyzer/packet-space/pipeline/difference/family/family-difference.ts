/** What the one family's rules let in from anywhere, and the other's do not. */
import type { Ruleset } from '../../../../model/ruleset.js';
import type { Decider, PacketSample } from '../../../answers.js';
import { referenceTo } from '../../deciders.js';
import { pipeline } from '../../ruleset-pipeline.js';
import { solveBudget, type SolveBudget } from '../../solve.js';
import { FamilySearch } from './family-search.js';
import { mentionsOf, type Mentions } from './mentions.js';
import { askedOf, type Service, type Side } from './side.js';
import { servicesOf } from './services.js';
import { strangers } from './strangers.js';

/** A service that the IPv6 rules let anybody begin a connection to, and the IPv4 rules do not. */
export interface FamilyGap {
  readonly path: 'in' | 'through';
  readonly service: Service;
  /** The interface by which it is so; absent: by every one. `*`: by those that no rule names. */
  readonly in?: string;
  readonly out?: string;
  /** Who may in IPv4: nobody, or some whom the rules name. */
  readonly ipv4: 'nobody' | 'some';
  /** It does not hang on anything unknown. */
  readonly certain: boolean;
  /** A packet that IPv6 lets through, and who does; the same in IPv4, and who drops it. */
  readonly passes: { readonly packet: PacketSample; readonly by: Decider | undefined };
  readonly lost: { readonly packet: PacketSample; readonly by: Decider | undefined };
}

/** What IPv6 lets strangers connect to, and IPv4 does not. */
export interface FamilyDifference {
  readonly gaps: readonly FamilyGap[];
  /** Nothing was left open. */
  readonly complete: boolean;
}

/**
 * The services (protocol, ports, interfaces) on this host, or behind it, that IPv6 lets strangers connect to, and IPv4 does not. A stranger is a
 * global address that no rule names. Undefined where no rule set can be loaded, or names all addresses there are.
 */
export function familyDifference(v4: Ruleset, v6: Ruleset, budget: SolveBudget = solveBudget(20_000, 10_000_000)): FamilyDifference | undefined {
  if (v4.family !== 'ipv4' || v6.family !== 'ipv6') throw new RangeError('one rule set of each family is compared');
  const mentions = [mentionsOf(v4), mentionsOf(v6)] as const;
  const [strict, open] = [sideOf(v4, mentions[0]), sideOf(v6, mentions[1])];
  if (strict === undefined || open === undefined) return undefined;
  const search = new FamilySearch(strict, open, mentions, budget);
  for (const path of ['in', 'through'] as const) for (const service of servicesOf(mentions)) search.look(path, service);
  return { gaps: joined(search.gaps), complete: search.complete };
}

const kinds: readonly Service['kind'][] = ['tcp', 'udp', 'ping', 'other'];

function inOrder(a: FamilyGap, b: FamilyGap): number {
  const [x, y] = [a.service, b.service];
  const number = (one: Service): number => 'low' in one ? one.low : 'protocol' in one ? one.protocol : 0;
  return (a.path === b.path ? 0 : a.path === 'in' ? -1 : 1) || kinds.indexOf(x.kind) - kinds.indexOf(y.kind) || number(x) - number(y);
}

/** Runs of ports that are neighbours, and differ alike. */
function joined(gaps: readonly FamilyGap[]): readonly FamilyGap[] {
  const out: FamilyGap[] = [];
  for (const gap of [...gaps].sort(inOrder)) {
    const at = out.findIndex(other => isBefore(other, gap));
    const before = out[at];
    if (before !== undefined && 'low' in before.service && 'low' in gap.service) out[at] = { ...before, service: { ...before.service, high: gap.service.high } };
    else out.push(gap);
  }
  return out;
}

function isBefore(one: FamilyGap, next: FamilyGap): boolean {
  const [a, b] = [one.service, next.service];
  return 'low' in a && 'low' in b && a.kind === b.kind && a.high + 1 === b.low && words(one) === words(next);
}

function words({ path, in: from, out, ipv4, certain, passes, lost }: FamilyGap): string {
  return [path, from, out, ipv4, certain, ...[passes.by, lost.by].map(by => by === undefined ? '' : referenceTo(by))].join(' ');
}

function sideOf(ruleset: Ruleset, mentions: Mentions): Side | undefined {
  const anybody = strangers(ruleset.family, mentions.sources);
  const made = anybody === undefined ? undefined : pipeline(ruleset, { asked: [...askedOf(ruleset.family), anybody] });
  return anybody === undefined || made === undefined ? undefined : { ruleset, pipeline: made, strangers: anybody };
}
