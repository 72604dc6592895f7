/** Witnesses of one rule set, replayed by the kernel. */
import type { KernelWord, WitnessHost } from '../analyzer/finding.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import { askedFor, assumedHost } from '../analyzer/netfilter/scenario/assumed-host.js';
import { ScenarioError } from '../analyzer/netfilter/scenario/scenario-error.js';
import type { Scenario, ScenarioAnswer, ScenarioStep } from '../analyzer/netfilter/scenario.js';
import type { Proposal } from '../analyzer/witness/proposal.js';
import { softRule } from '../analyzer/witness/soft-rules.js';
import { completed } from '../analyzer/witness/step.js';
import { judge, type Case } from './judge.js';
import type { Kernel } from './kernel.js';
import { missingSets } from './missing-sets.js';
import type { HostAndSteps, SharedRules } from './namespace.js';
import { SetUpError } from './set-up.js';

/** A witness as a report has it, and what the finding shows by it. */
export interface Exhibit {
  readonly steps: readonly ScenarioStep[];
  /** Absent: the one that `trace` assumes. */
  readonly host?: WitnessHost | undefined;
  readonly proposal: Proposal;
}

/** A rule set, and what iptables-restore is given of it. */
export interface Rules {
  readonly ruleset: Ruleset;
  readonly text: string;
}

/** Witnesses that are played on one helper, one after the other: loading the rules is to be worth it. */
const mostInRow = 50;

type Played = ScenarioAnswer | SetUpError;

function hostOf({ steps, host }: Exhibit, { family }: Ruleset): HostAndSteps & Pick<Scenario, 'ipsets'> {
  const { setup } = assumedHost(steps, family);
  const { interfaces = [], routes = [] } = host ?? { interfaces: setup.interfaces?.map(({ name, addresses = [] }) => ({ name, addresses: addresses.map(String) })), routes: setup.routes?.map(String) };
  return { ...host, interfaces, routes, steps };
}

/**
 * A packet that leaves by the interface by which it came makes a router send a redirect: before it comes to FORWARD, and in the midst of
 * what is told of it. Nothing becomes of the packet by that, so none is sent.
 */
function withoutRedirects(names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(['all', 'default', ...names].map(name => [`net.ipv4.conf.${name.replaceAll('.', '/')}.send_redirects`, 0]));
}

/** What of earlier packets the kernel cannot be made to forget, but by another namespace: what rules remember, pieces of packets, and sets. */
function needsOwnNamespace({ steps, host }: Exhibit, remembers: boolean): boolean {
  return remembers || host?.ipsets !== undefined || steps.some(({ packet }) => packet.frag_off !== undefined || packet.mf === true || packet.fragsize !== undefined);
}

function inRows<T>(list: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / mostInRow) }, (_, row) => list.slice(row * mostInRow, (row + 1) * mostInRow));
}

async function orRefusal(answer: Promise<ScenarioAnswer>): Promise<Played> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof SetUpError) return error;
    throw error;
  }
}

/** Plays all on the kernel; what it did, by exhibit. */
async function play(kernel: Kernel, { ruleset, text }: Rules, exhibits: readonly Exhibit[]): Promise<ReadonlyMap<Exhibit, Played>> {
  const played = new Map<Exhibit, Played>();
  const { family, backend } = ruleset;
  const rules: SharedRules = { family, backend, sysctls: withoutRedirects([]), rules: text };
  const remembers = softRule(ruleset, undefined) !== undefined;
  const withSets = (given: string): SharedRules => {
    const ipsets = `${given}${missingSets(ruleset, given)}`;
    return ipsets === '' ? rules : { ...rules, ipsets };
  };
  const [alone, together] = [exhibits.filter(one => needsOwnNamespace(one, remembers)), exhibits.filter(one => !needsOwnNamespace(one, remembers))];
  await Promise.all([
    ...alone.map(async one => {
      const { ipsets = '', ...host } = hostOf(one, ruleset);
      played.set(one, await orRefusal(kernel.run({ ...host, ...withSets(ipsets), sysctls: withoutRedirects((host.interfaces ?? []).map(({ name }) => name)) })));
    }),
    ...inRows(together).map(async row => {
      const answers = await kernel.runAll(withSets(''), row.map(one => hostOf(one, ruleset)));
      for (const [index, answer] of answers.entries()) {
        const one = row[index];
        if (one !== undefined) played.set(one, answer);
      }
    }),
  ]);
  return played;
}

function wordOn(exhibit: Exhibit, ruleset: Ruleset, played: Played | undefined, now: number): KernelWord {
  if (played === undefined || played instanceof SetUpError) return { kernel: 'not-replayed', reason: played?.message ?? 'the kernel was not asked' };
  // They have no use for addresses of the link layer (IFF_NOARP).
  if (exhibit.steps.some(({ in: from, packet }) => from !== 'local' && packet.dst !== undefined && askedFor(packet.dst) !== undefined)) return { kernel: 'not-replayed', reason: 'the interfaces of the namespace do not listen when neighbours are looked for' };
  const proposal = { ...exhibit.proposal, steps: completed(exhibit.proposal.steps, ruleset.family) };
  const one: Case = { ruleset, proposal, steps: exhibit.steps, setup: hostOf(exhibit, ruleset) };
  try {
    return judge(one, played, now);
  } catch (error) {
    if (error instanceof ScenarioError) return { kernel: 'not-replayed', reason: error.message };
    throw error;
  }
}

/** What the kernel says, in the order of the exhibits. */
export async function replayInKernel(kernel: Kernel, rules: Rules, exhibits: readonly Exhibit[]): Promise<readonly KernelWord[]> {
  const now = Date.now() / 1000;
  const fitting = new Set(exhibits.filter(({ steps, proposal }) => steps.length === proposal.steps.length));
  const played = await play(kernel, rules, [...fitting]);
  return exhibits.map(one => fitting.has(one) ? wordOn(one, rules.ruleset, played.get(one), now) : { kernel: 'not-replayed', reason: `its witness has ${String(one.steps.length)} packets, and shows something of ${String(one.proposal.steps.length)}` });
}
