/** Everything that a rule asks of a packet, as one constraint. */
import type { RuleContext } from '../extensions/define.js';
import { meaningOf } from '../extensions/use.js';
import { isOpaque, isUnresolved, whyOpaque, type MatchUse, type Rule, type Ruleset, type UnresolvedName } from '../model/ruleset.js';
import { all, is, never, not, unknown, within, type Constraint } from '../packet/constraint.js';
import type { AddressMask } from '../values/address-mask.js';
import { addressKey, fullMask, prefixLength } from '../values/address.js';
import { forbiddenIn } from '../values/interface-name.js';
import type { Family } from '../values/value.js';

interface GivenAddress {
  readonly negated: boolean;
  readonly value: AddressMask | UnresolvedName;
}

/** Of tables with more rules than this only the last rule is kept that was asked about: to keep them all would take too much room. */
const keptLimit = 5000;

const kept = new WeakMap<Ruleset, Map<string, RuleConstraints>>();

/** The constraints of the rules of a table; of all but very large tables they are made once. */
export function constraintsOf(ruleset: Ruleset, table: string): RuleConstraints {
  let tables = kept.get(ruleset);
  if (tables === undefined) kept.set(ruleset, tables = new Map<string, RuleConstraints>());
  let known = tables.get(table);
  if (known === undefined) tables.set(table, known = new RuleConstraints(ruleset, table, !isLarge(ruleset, table)));
  return known;
}

function isLarge(ruleset: Ruleset, table: string): boolean {
  let count = 0;
  for (const { name, chains } of ruleset.tables.values()) if (name === table) for (const { rules } of chains.values()) count += rules.length;
  return count > keptLimit;
}

/** Longer prefixes hardly come twice. */
const oftenLength = { ipv4: 24, ipv6: 48 } as const;

/** Makes constraints of the rules of one table; equal parts of rules become one and the same object. */
export class RuleConstraints {
  readonly #ruleset: Ruleset;
  readonly #table: string;
  readonly #meanings = new Map<MatchUse, Map<number, Constraint>>();
  readonly #parts = new Map<string, Constraint>();
  /** Of networks, by address and length. */
  readonly #networks = { src: new Map<number | string, Constraint>(), dst: new Map<number | string, Constraint>() };
  readonly #rules: WeakMap<Rule, Constraint> | undefined;
  #last: { readonly rule: Rule; readonly asks: Constraint } | undefined;

  /** `keeps`: of all rules, and not only of the last one, what was made is given again. */
  constructor(ruleset: Ruleset, table: string, keeps: boolean) {
    this.#ruleset = ruleset;
    this.#table = table;
    this.#rules = keeps ? new WeakMap() : undefined;
  }

  /** What a packet must be to match the rule. */
  of(rule: Rule): Constraint {
    const known = this.#last?.rule === rule ? this.#last.asks : this.#rules?.get(rule);
    if (known !== undefined) return known;
    const asks = this.#of(rule);
    this.#last = { rule, asks };
    this.#rules?.set(rule, asks);
    return asks;
  }

  #of(rule: Rule): Constraint {
    const parts: Constraint[] = [];
    if (rule.source !== undefined) parts.push(this.#address('src', rule.source));
    if (rule.destination !== undefined) parts.push(this.#address('dst', rule.destination));
    if (rule.inInterface !== undefined) parts.push(this.#interface('in', rule.inInterface));
    if (rule.outInterface !== undefined) parts.push(this.#interface('out', rule.outInterface));
    const { protocol, fragment } = rule;
    if (protocol !== undefined) {
      const { value } = protocol;
      parts.push(this.#part(`protocol ${typeof value === 'number' ? String(value) : value.name}`, protocol.negated, () => typeof value === 'number' ? is('protocol', value) : unknown(`the name \`${value.name}\` is not resolved`)));
    }
    if (fragment !== undefined) parts.push(this.#part('fragment', fragment.negated, () => is('fragment', 1)));
    if (rule.matches.length > 0) {
      const number = protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
      for (const use of rule.matches) parts.push(this.#meaning(use, number));
    }
    return all(parts);
  }

  #part(name: string, negated: boolean, make: () => Constraint): Constraint {
    const key = negated ? `! ${name}` : name;
    let known = this.#parts.get(key);
    if (known === undefined) this.#parts.set(key, known = negated ? not(make()) : make());
    return known;
  }

  #interface(field: 'in' | 'out', { negated, value }: NonNullable<Rule['inInterface']>): Constraint {
    return this.#part(`${field} ${value.name}${value.prefix ? '+' : ''}`, negated, () => {
      if (value.prefix && value.name === '') return all([]);
      return forbiddenIn(value.name) === undefined ? { kind: 'interface', field, ...value } : never;
    });
  }

  #address(field: 'src' | 'dst', { value, negated }: GivenAddress): Constraint {
    if (isUnresolved(value)) return this.#part(`${field} ${value.name}`, negated, () => unknown(`the name \`${value.name}\` is not resolved`));
    const { address, mask } = value;
    const { family } = this.#ruleset;
    const length = prefixLength(mask);
    if (length === undefined) return this.#part(`${field} ${String(address)}/${String(mask)}`, negated, () => addressConstraint(field, value, family));
    const asked = length > oftenLength[family] ? addressConstraint(field, value, family) : this.#network(field, typeof address === 'number' ? address * 64 + length : `${String(addressKey(address))}/${String(length)}`, value);
    return negated ? not(asked) : asked;
  }

  #network(field: 'src' | 'dst', key: number | string, value: AddressMask): Constraint {
    let known = this.#networks[field].get(key);
    if (known === undefined) this.#networks[field].set(key, known = addressConstraint(field, value, this.#ruleset.family));
    return known;
  }

  #meaning(use: MatchUse, protocol: RuleContext['protocol']): Constraint {
    if (isOpaque(use)) return unknown(whyOpaque(use, 'match'));
    let byProtocol = this.#meanings.get(use);
    if (byProtocol === undefined) this.#meanings.set(use, byProtocol = new Map<number, Constraint>());
    const key = protocol === undefined ? -1 : protocol.number + (protocol.negated ? 256 : 0);
    let meaning = byProtocol.get(key);
    if (meaning === undefined) {
      const { family, backend, sets } = this.#ruleset;
      byProtocol.set(key, meaning = meaningOf(use, { family, backend, sets: sets?.contents, protocol, table: this.#table, ordered: use.ordered }));
    }
    return meaning;
  }
}

/** That an address lies in a network, or agrees with another where the mask says so. */
export function addressConstraint(field: 'src' | 'dst', { address, mask }: AddressMask, family: Family): Constraint {
  if (prefixLength(mask) === undefined) return { kind: 'masked', field, value: address, mask };
  if (family === 'ipv4') return within(field, Number(address), Number(address) + (0xffff_ffff - Number(mask)));
  return within(field, BigInt(address), BigInt(address) | (BigInt(fullMask('ipv6')) ^ BigInt(mask)));
}
