/** Which rules only one of two rule sets has. */
import type { Chain, Ruleset, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { align } from '../packet-space/pipeline/difference/align.js';
import { MeaningKeys } from './meaning-key.js';

export interface TableChanges {
  readonly before: Table;
  readonly after: Table;
  /** Rules that are not there any more, or elsewhere in their chain. */
  readonly gone: readonly RuleAt[];
  /** Rules that were not there, or elsewhere. */
  readonly come: readonly RuleAt[];
  /** The others, in the same order in both. */
  readonly kept: readonly (readonly [RuleAt, RuleAt])[];
  /** Chains that are not there any more. */
  readonly lostChains: boolean;
}

const none: Pick<Chain, 'rules'> = { rules: [] };

function placesOf(table: Table, chain: string, { rules }: Pick<Chain, 'rules'>): readonly RuleAt[] {
  return rules.map((rule, index) => ({ table: table.name, chain, position: index + 1, rule }));
}

function tableChanges(a: Ruleset, b: Ruleset, before: Table, after: Table): TableChanges | undefined {
  const [gone, come]: [RuleAt[], RuleAt[]] = [[], []];
  const kept: [RuleAt, RuleAt][] = [];
  const keys = [new MeaningKeys(a, before), new MeaningKeys(b, after)] as const;
  for (const name of after.chains.keys()) if (!before.chains.has(name)) return undefined;
  let lostChains = false;
  for (const [name, chain] of before.chains) {
    const other = after.chains.get(name);
    if (other?.policy !== chain.policy) return undefined;
    lostChains ||= other === undefined;
    const [own, others] = [placesOf(before, name, chain), placesOf(after, name, other ?? none)];
    const { partner, kept: isKept } = align(own.map(({ rule }) => keys[0].of(rule)), others.map(({ rule }) => keys[1].of(rule)));
    const taken = new Set<RuleAt>();
    for (const [index, at] of own.entries()) {
      const like = isKept[index] === 1 ? others[partner[index] ?? -1] : undefined;
      if (like === undefined) gone.push(at);
      else {
        kept.push([at, like]);
        taken.add(like);
      }
    }
    come.push(...others.filter(at => !taken.has(at)));
  }
  return { before, after, gone, come, kept, lostChains };
}

/** The tables in which something changed; undefined where tables, policies or new chains did, which no proof is made for. */
export function changesOf(a: Ruleset, b: Ruleset): readonly TableChanges[] | undefined {
  if (a.family !== b.family || a.backend !== b.backend || [...a.tables.keys()].join() !== [...b.tables.keys()].join()) return undefined;
  const changed: TableChanges[] = [];
  for (const [name, before] of a.tables) {
    const after = b.tables.get(name);
    const changes = after === undefined ? undefined : tableChanges(a, b, before, after);
    if (changes === undefined) return undefined;
    if (changes.gone.length > 0 || changes.come.length > 0 || changes.lostChains) changed.push(changes);
  }
  return changed;
}
