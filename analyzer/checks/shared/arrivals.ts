/** By which interfaces packets arrive, as far as rules tell them apart. */
import type { Ruleset } from '../../model/ruleset.js';
import { all, not, type Constraint } from '../../packet/constraint.js';

export interface Arrival {
  /** `by eth0`, or of those that no rule names `by any other interface`; '' where none is named. */
  readonly words: string;
  /** As the rules name it, `wg+` for all that begin so; undefined: what none names. */
  readonly name: string | undefined;
  /** An interface that is meant. */
  readonly device: string;
  /** The packet has this interface in the field, and not lo. */
  readonly has: (field: 'in' | 'out') => Constraint;
}

/** More than these are looked at together. */
const mostNames = 8;

function named(field: 'in' | 'out', name: string): Constraint {
  const prefix = name.endsWith('+');
  return { kind: 'interface', field, name: prefix ? name.slice(0, -1) : name, prefix };
}

/** The name of an interface that is none of these. */
function deviceBeside(names: ReadonlySet<string>): string {
  const isNamed = (device: string): boolean => [...names].some(name => name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : name === device);
  return ['eth0', 'eth1', 'eth2', 'ens3', 'wan0'].find(device => !isNamed(device)) ?? 'another0';
}

/** The interfaces that rules of table filter name, and the rest; lo is none of them. */
export function arrivals({ tables }: Ruleset): readonly Arrival[] {
  const names = new Set<string>();
  for (const chain of tables.get('filter')?.chains.values() ?? []) for (const { inInterface, outInterface } of chain.rules) {
    for (const one of [inInterface?.value, outInterface?.value]) if (one !== undefined && one.name !== '' && one.name !== 'lo') names.add(`${one.name}${one.prefix ? '+' : ''}`);
  }
  const some = names.size > mostNames ? [] : [...names];
  const outside = (field: 'in' | 'out'): Constraint => not(named(field, 'lo'));
  return [
    ...some.map((name): Arrival => ({ words: `by ${name}`, name, device: name.replace('+', '0'), has: field => all([named(field, name), outside(field)]) })),
    { words: some.length === 0 ? '' : 'by any other interface', name: undefined, device: deviceBeside(names), has: field => all([outside(field), ...some.map(name => not(named(field, name)))]) },
  ];
}
