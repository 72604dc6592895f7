/** Everything that a rule asks of a packet, as one constraint. */
import type { RuleContext } from '../extensions/define.js';
import { meaningOf } from '../extensions/use.js';
import { isOpaque, isUnresolved, type MatchUse, type Rule, type Ruleset, type UnresolvedName } from '../model/ruleset.js';
import { all, is, not, unknown, within, type Constraint } from '../packet/constraint.js';
import type { AddressMask } from '../values/address-mask.js';
import { fullMask, prefixLength } from '../values/address.js';
import type { Family } from '../values/value.js';

type GivenAddress = { readonly negated: boolean; readonly value: AddressMask | UnresolvedName } | undefined;

/** Makes constraints of the rules of one table; equal parts of rules become one and the same object. */
export class RuleConstraints {
  readonly #ruleset: Ruleset;
  readonly #table: string;
  readonly #meanings = new Map<MatchUse, Map<string, Constraint>>();
  readonly #parts = new Map<string, Constraint>();

  constructor(ruleset: Ruleset, table: string) {
    this.#ruleset = ruleset;
    this.#table = table;
  }

  of(rule: Rule): Constraint {
    const parts: Constraint[] = [];
    const add = (key: string, negated: boolean, make: () => Constraint): void => {
      const known = this.#parts.get(key) ?? make();
      this.#parts.set(key, known);
      parts.push(negated ? not(known) : known);
    };
    this.#address('src', rule.source, add);
    this.#address('dst', rule.destination, add);
    for (const [field, given] of [['in', rule.inInterface], ['out', rule.outInterface]] as const) {
      if (given !== undefined) add(`${field} ${given.value.name}${given.value.prefix ? '+' : ''}`, given.negated, () => given.value.prefix && given.value.name === '' ? all([]) : { kind: 'interface', field, ...given.value });
    }
    const { protocol, fragment } = rule;
    if (protocol !== undefined) {
      const { value } = protocol;
      add(`protocol ${typeof value === 'number' ? String(value) : value.name}`, protocol.negated, () => typeof value === 'number' ? is('protocol', value) : unknown(`the name \`${value.name}\` is not resolved`));
    }
    if (fragment !== undefined) add('fragment', fragment.negated, () => is('fragment', 1));
    const number = protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
    for (const use of rule.matches) parts.push(this.#meaning(use, number));
    return all(parts);
  }

  #address(field: 'src' | 'dst', given: GivenAddress, add: (key: string, negated: boolean, make: () => Constraint) => void): void {
    if (given === undefined) return;
    const { value, negated } = given;
    if (isUnresolved(value)) add(`${field} ${value.name}`, negated, () => unknown(`the name \`${value.name}\` is not resolved`));
    else add(`${field} ${String(value.address)}/${String(value.mask)}`, negated, () => addressConstraint(field, value, this.#ruleset.family));
  }

  #meaning(use: MatchUse, protocol: RuleContext['protocol']): Constraint {
    if (isOpaque(use)) return unknown(`match \`${use.opaque}\` is not known`);
    let byProtocol = this.#meanings.get(use);
    if (byProtocol === undefined) this.#meanings.set(use, byProtocol = new Map<string, Constraint>());
    const key = protocol === undefined ? '' : `${protocol.negated ? '!' : ''}${String(protocol.number)}`;
    let meaning = byProtocol.get(key);
    if (meaning === undefined) {
      const { family, backend } = this.#ruleset;
      byProtocol.set(key, meaning = meaningOf(use, { family, backend, protocol, table: this.#table, ordered: use.ordered }));
    }
    return meaning;
  }
}

function addressConstraint(field: 'src' | 'dst', { address, mask }: AddressMask, family: Family): Constraint {
  if (prefixLength(mask) === undefined) return { kind: 'masked', field, value: address, mask };
  if (family === 'ipv4') return within(field, Number(address), Number(address) + (0xffff_ffff - Number(mask)));
  return within(field, BigInt(address), BigInt(address) | (BigInt(fullMask('ipv6')) ^ BigInt(mask)));
}
