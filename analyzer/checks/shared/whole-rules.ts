/** Rules as packets meet them: what the rules ask that lead to a chain, its own ask as well. */
import type { Rule, Table } from '../../model/ruleset.js';

/** What a rule asks, and not what it does. */
type Asked = Pick<Rule, 'source' | 'destination' | 'inInterface' | 'outInterface' | 'protocol' | 'fragment' | 'matches'>;

/** Where more ways than these lead to a chain, or longer ones, its rules are taken by themselves. */
const wayLimits = { most: 16, deepest: 16 };

const nothing: Asked = { source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, protocol: undefined, fragment: undefined, matches: [] };
const byThemselves: readonly Asked[] = [nothing];

/** A rule, and what one asks that leads there. Of the same thing the rule itself says more. */
export function together<T extends Asked>(led: Asked, rule: T): T {
  if (led === nothing) return rule;
  return {
    ...rule, source: rule.source ?? led.source, destination: rule.destination ?? led.destination, inInterface: rule.inInterface ?? led.inInterface, outInterface: rule.outInterface ?? led.outInterface,
    protocol: rule.protocol ?? led.protocol, fragment: rule.fragment ?? led.fragment, matches: [...led.matches, ...rule.matches],
  };
}

/** A rule that leads to a chain, and the chain that it stands in. */
interface Call {
  readonly from: string;
  readonly rule: Rule;
}

function callsIn({ chains }: Table): ReadonlyMap<string, readonly Call[]> {
  const calls = new Map<string, Call[]>();
  for (const { name, rules } of chains.values()) for (const rule of rules) {
    if (rule.target.kind !== 'chain') continue;
    const known = calls.get(rule.target.name);
    if (known === undefined) calls.set(rule.target.name, [{ from: name, rule }]);
    else known.push({ from: name, rule });
  }
  return calls;
}

/** The rules of a table, each once for every way by which packets come to its chain. */
export function* wholeRules(table: Table): Generator<Rule, void> {
  const calls = callsIn(table);
  const known = new Map<string, readonly Asked[]>();
  const waysTo = (name: string, depth: number): readonly Asked[] => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const leading = table.chains.get(name)?.hook === undefined ? calls.get(name) ?? [] : [];
    // Whoever comes by here again has come in a circle.
    known.set(name, byThemselves);
    const ways = depth > wayLimits.deepest || leading.length > wayLimits.most ? [] : leading.flatMap(({ from, rule }) => waysTo(from, depth + 1).map(way => together(way, rule)));
    const answer = ways.length === 0 || ways.length > wayLimits.most ? byThemselves : ways;
    known.set(name, answer);
    return answer;
  };
  for (const { name, rules } of table.chains.values()) for (const way of waysTo(name, 0)) for (const rule of rules) yield together(way, rule);
}
