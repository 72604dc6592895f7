/** Rules are compiled when a packet first gets to them: what others know by its name, and begins earlier, must say so. */
import test from 'ava';
import type { AnyExtension } from '../../analyzer/extensions/define.js';
import { allMatches, allTargets } from '../../analyzer/extensions/registry.js';
import { load } from '../../analyzer/model/load.js';
import { isOpaque } from '../../analyzer/model/ruleset.js';
import { compileMatch } from '../../analyzer/netfilter/tables/predicate.js';
import type { World } from '../../analyzer/packet/traversal.js';
import { generateRules } from '../kernel/conformance.js';
import { contextOf } from '../netfilter/compiled.js';
import { fakeWorld } from '../netfilter/fake-world.js';

/** The names that uses of an extension ask for while they are compiled. */
function namesAsked(definition: AnyExtension): ReadonlySet<string> {
  const found = new Set<string>();
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const { line, table, chain } of generateRules(family, 'nft', 40, 1, { only: definition.name })) {
      const { rulesets } = load({ path: 'rule', text: `*${table}\n${line}\nCOMMIT\n` }, { family, backend: 'nft' });
      for (const rule of rulesets[0]?.tables.get(table)?.chains.get(chain)?.rules ?? []) {
        const { target, matches } = rule;
        const world: World = { ...fakeWorld(family, 'nft'), shared: (_kind, name, make) => { found.add(name); return make(); } };
        const cx = contextOf(rule, world, table);
        for (const use of matches) if (!isOpaque(use) && use.definition === definition) compileMatch(use, cx);
        if (target.kind === 'extension' && target.use.definition === definition) definition.apply?.(target.use.given, { ...cx, ordered: target.use.ordered });
      }
    }
  }
  return found;
}

const families = ['ipv4', 'ipv6'] as const;

for (const definition of new Set(families.flatMap(family => [...allMatches(family), ...allTargets(family)]))) {
  const { kind, name, shares = false, families: only } = definition;
  test(`what ${kind} ${name} remembers ${shares ? 'has a name' : 'has no name'}${only === undefined ? '' : `, ${only.join()}`}`, t => {
    t.is(namesAsked(definition).size > 0, shares);
  });
}
