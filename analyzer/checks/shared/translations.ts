/** The rules of table nat that translate addresses or ports, and what they write. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Ruleset, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import type { Range } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import { fullMask } from '../../values/address.js';

/** A rule that writes a destination (DNAT, REDIRECT) or a source (SNAT, MASQUERADE). */
export interface Translation {
  readonly at: RuleAt;
  readonly side: 'destination' | 'source';
  /** The addresses that it may get; `own`: one of the host's; `same`: it keeps its address. */
  readonly address: 'own' | 'same' | readonly Range[];
  /** The ports that it may get; undefined: it keeps its own. */
  readonly ports: readonly Range[] | undefined;
  /** The bits of the mask become those of the address, and the others stay (NETMAP). */
  readonly network?: Extract<Rewriting, { kind: 'network' }> | undefined;
  /** The built-in chains that lead to the rule. */
  readonly hooks: readonly Hook[];
}

const known = new WeakMap<Ruleset, readonly Translation[]>();

/** All of them, chain after chain. Rules whose target is not understood are left out. */
export function translationsOf(ruleset: Ruleset): readonly Translation[] {
  let found = known.get(ruleset);
  if (found === undefined) {
    const nat = ruleset.tables.get('nat');
    known.set(ruleset, found = nat === undefined ? [] : inTable(ruleset, nat));
  }
  return found;
}

function inTable(ruleset: Ruleset, table: Table): Translation[] {
  const hooks = hooksOf(table);
  return [...table.chains.values()].flatMap(chain => chain.rules.flatMap((rule, index): Translation[] => {
    const own = hooks.get(chain.name) ?? [];
    const found = own.flatMap(hook => writtenBy(ruleset, rule, hook) ?? []);
    // REDIRECT writes 127.0.0.1 at OUTPUT, and the address of the interface at PREROUTING.
    const first = found.find(one => one.address === 'own') ?? found[0];
    return first === undefined ? [] : [{ ...first, at: { table: table.name, chain: chain.name, position: index + 1, rule }, hooks: own }];
  }));
}

function writtenBy({ family, backend }: Ruleset, { target, protocol }: Rule, hook: Hook): Omit<Translation, 'at' | 'hooks'> | undefined {
  if (target.kind !== 'extension') return undefined;
  const { definition, given, ordered, unresolved } = target.use;
  if (definition.effect !== 'nat' || definition.rewrites === undefined || Object.keys(unresolved).length > 0) return undefined;
  const number = protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
  const written = definition.rewrites(given, { family, backend, table: 'nat', ordered, protocol: number, hook });
  const side = written.some(isOf('dst', 'dport')) ? 'destination' : written.some(isOf('src', 'sport')) ? 'source' : undefined;
  if (side === undefined) return undefined;
  const [address, port] = side === 'destination' ? ['dst', 'dport'] as const : ['src', 'sport'] as const;
  const [ports, place] = [written.find(isOf(port)), written.find(isOf(address))];
  return { side, address: addressOf(place, fullMask(family)), ...place?.kind === 'network' ? { network: place } : {}, ports: ports?.kind === 'within' ? ports.ranges : undefined };
}

function isOf(...fields: readonly string[]): (one: Rewriting) => boolean {
  return one => 'field' in one && fields.includes(one.field);
}

function addressOf(written: Rewriting | undefined, full: number | bigint): Translation['address'] {
  switch (written?.kind) {
    case 'local': return 'own';
    case 'within': return written.ranges;
    case 'network': return [{ low: written.address, high: typeof written.address === 'number' ? written.address + (Number(full) - Number(written.mask)) : written.address | (BigInt(full) ^ BigInt(written.mask)) }];
    default: return 'same';
  }
}

/** The translation as it is of packets to these destinations: of one network to another, those behind that they become. */
export function translationOf(destinations: readonly Range[] | undefined, translation: Translation): Translation {
  const { network } = translation;
  if (network === undefined || destinations === undefined) return translation;
  const [address, mask] = [BigInt(network.address), BigInt(network.mask)];
  const mapped = (from: Range['low']): Range['low'] => {
    const to = (BigInt(from) & ~mask) | address;
    return typeof network.address === 'number' ? Number(to) : to;
  };
  if (destinations.some(({ low, high }) => (BigInt(low) & mask) !== (BigInt(high) & mask))) return translation;
  return { ...translation, address: destinations.map(({ low, high }) => ({ low: mapped(low), high: mapped(high) })) };
}
