/** A rule set of the tiny world (see oracle.ts) as the analyzer loads it. */
import { load } from '../../analyzer/model/load.js';
import type { Ruleset, Table } from '../../analyzer/model/ruleset.js';
import type { PacketSample, RuleAt } from '../../analyzer/packet-space/answers.js';
import { packetSpace, type PacketSpace } from '../../analyzer/packet-space/index.js';
import { packetsOf, rulesetText, userChains, ways, type Packet, type ToyRule, type ToyRuleset } from './oracle.js';

/** How many rule sets are drawn. */
export const runs = Number(process.env['SPACE_RUNS'] ?? 120);
export const hooks = ['INPUT', 'OUTPUT'] as const;

export interface Loaded {
  readonly ruleset: Ruleset;
  readonly table: Table;
  readonly space: PacketSpace;
  readonly at: (rule: ToyRule) => RuleAt;
}

export function loaded(toys: ToyRuleset): Loaded {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'toy', text: rulesetText(toys) }, { family: 'ipv4', backend: 'legacy' });
  const errors = diagnostics.filter(one => one.severity === 'error');
  const table = ruleset?.tables.get('filter');
  if (errors.length > 0 || ruleset === undefined || table === undefined) throw new Error(`${errors.map(one => one.message).join('; ')}\n${rulesetText(toys)}`);
  const positions = new Map<ToyRule, RuleAt>();
  for (const chain of ['INPUT', 'OUTPUT', ...userChains]) {
    toys.rules.filter(rule => rule.chain === chain).forEach((toy, i) => {
      const rule = table.chains.get(chain)?.rules[i];
      if (rule !== undefined) positions.set(toy, { table: 'filter', chain, position: i + 1, rule });
    });
  }
  const at = (toy: ToyRule): RuleAt => {
    const found = positions.get(toy);
    if (found === undefined) throw new Error('no such rule');
    return found;
  };
  return { ruleset, table, space: packetSpace(ruleset), at };
}

/** A sample as a packet of the toy world; what the sample leaves out does not matter. */
export function toPacket(sample: PacketSample): Packet {
  return {
    src: sample.src ?? '8.8.8.8', in: sample.in ?? '', out: sample.out ?? '', protocol: sample.protocol ?? 47, dport: sample.dport ?? 0, state: sample.ctstate ?? 'UNTRACKED',
    local: sample.atoms !== undefined && Object.values(sample.atoms).includes(true), mark: sample.mark ?? 0, fragment: sample.fragment ?? false,
  };
}

export function fail(toys: ToyRuleset, message: string): never {
  throw new Error(`${message}\n${rulesetText(toys)}`);
}

/** By rule: the hooks in which some packet matches it. */
export function oracleReach(toys: ToyRuleset, rich: boolean): Map<ToyRule, Set<string>> {
  const live = new Map<ToyRule, Set<string>>();
  for (const hook of hooks) for (const packet of packetsOf(toys, hook, rich)) {
    for (const { matched } of ways({ toys }, hook, packet)) for (const rule of matched) {
      const known = live.get(rule) ?? new Set();
      live.set(rule, known.add(hook));
    }
  }
  return live;
}
