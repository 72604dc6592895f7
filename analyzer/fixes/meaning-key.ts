/** What a rule asks and does, as a string: rules with the same one do the same wherever they stand. */
import { saveUse, meaningOf } from '../extensions/use.js';
import { printBody } from '../model/print.js';
import { isOpaque, type MatchUse, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import { isPureUse } from './purity.js';

const written = (_: string, value: unknown): unknown => typeof value === 'bigint' ? `${String(value)}n` : value;

/**
 * Makes the keys of one table's rules. Comments say nothing. Of a match that only looks at the packet the constraint counts, so that `-m state` and
 * `-m conntrack` are one; of all others the words, which stand for the memory that they have.
 */
export class MeaningKeys {
  readonly #ruleset: Ruleset;
  readonly #table: Table;
  /** By protocol, for what a match means may hang on it. */
  readonly #uses = new Map<string, Map<MatchUse, string>>();

  constructor(ruleset: Ruleset, table: Table) {
    this.#ruleset = ruleset;
    this.#table = table;
  }

  of(rule: Rule): string {
    const { family, backend } = this.#ruleset;
    const bare = printBody({ ...rule, matches: [] }, { family, backend, table: this.#table.name });
    // One module is behind both names (net/netfilter/xt_CT.c).
    return [bare.replace(/ -j NOTRACK$/u, ' -j CT --notrack'), ...rule.matches.map(use => this.#ofUse(rule, use)).filter(key => key !== '')].join('\n');
  }

  #ofUse(rule: Rule, use: MatchUse): string {
    const protocol = rule.protocol === undefined ? '' : `${String(rule.protocol.negated)} ${JSON.stringify(rule.protocol.value)}`;
    let uses = this.#uses.get(protocol);
    if (uses === undefined) this.#uses.set(protocol, uses = new Map<MatchUse, string>());
    let key = uses.get(use);
    if (key === undefined) uses.set(use, key = this.#keyOf(rule, use));
    return key;
  }

  #keyOf({ protocol }: Rule, use: MatchUse): string {
    if (isOpaque(use)) return `-m ${use.opaque} ${JSON.stringify(use.words)}`;
    if (use.definition.name === 'comment') return '';
    const { family, backend } = this.#ruleset;
    const number = protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
    const cx = { family, backend, table: this.#table.name, ordered: use.ordered, protocol: number };
    return isPureUse(use, cx) ? JSON.stringify(meaningOf(use, cx), written) : `-m ${use.definition.name} ${saveUse(use, cx) ?? ''}`;
  }
}
