/** What the kernel does only where some rule makes it. */
import type { Use } from '../extensions/use.js';
import { isOpaque, type Rule, type Ruleset } from '../model/ruleset.js';

export interface Tracking {
  /** Connections are tracked; else every packet is INVALID, and nat is never asked. */
  readonly connections: boolean;
  /** Fragments are put together before any rule sees them. */
  readonly fragments: boolean;
}

function usesOf({ matches, target }: Rule): readonly (Use | undefined)[] {
  const known = matches.map(use => isOpaque(use) ? undefined : use as Use);
  return target.kind === 'extension' ? [...known, target.use] : target.kind === 'opaque' ? [...known, undefined] : known;
}

/** As the rules of a set say (nf_ct_netns_get(), nf_defrag_ipv4_enable() in the checkentry of matches and targets). What nobody knows may do either: it is taken to track. */
export function trackingOf({ tables }: Pick<Ruleset, 'tables'>): Tracking {
  let [connections, fragments] = [false, false];
  for (const table of tables.values()) for (const chain of table.chains.values()) for (const rule of chain.rules) {
    if (connections && fragments) return { connections, fragments };
    for (const use of usesOf(rule)) {
      const tracks = use === undefined ? true : typeof use.definition.tracks === 'function' ? use.definition.tracks(use.given) : use.definition.tracks;
      connections ||= tracks === true || tracks === 'accounting';
      // Of what nobody knows it is not said that it puts fragments together: they may come.
      fragments ||= use !== undefined && tracks !== undefined && tracks !== false;
    }
  }
  return { connections, fragments };
}

/**
 * Whether rules may keep packets from being tracked: those that exempt them, those that send a copy, which is exempted (nf_dup_ipv4()), and what nobody
 * knows. Without, of TCP, UDP and ICMP no packet is UNTRACKED.
 */
export function mayUntrack({ tables }: Pick<Ruleset, 'tables'>): boolean {
  for (const { chains } of tables.values()) for (const { rules } of chains.values()) for (const { target } of rules) {
    if (target.kind === 'opaque' || (target.kind === 'extension' && (target.use.definition.changes?.includes('state') === true || target.use.definition.name === 'TEE'))) return true;
  }
  return false;
}

/** Whether no rule in any table sees a part of a packet: IPv4 puts all of them together, or waits for the rest. IPv6 lets pass what it cannot put together. */
export function seesNoFragments(ruleset: Pick<Ruleset, 'tables' | 'family'>): boolean {
  return ruleset.family === 'ipv4' && trackingOf(ruleset).fragments;
}
