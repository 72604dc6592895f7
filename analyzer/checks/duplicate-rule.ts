import { saveUse } from '../extensions/use.js';
import { printBody } from '../model/print.js';
import { isOpaque, isUnresolved, type Chain, type MatchUse, type Rule, type RuleTarget, type Ruleset, type Table } from '../model/ruleset.js';
import { defineCheck, fixWith, referenceOf, type Report } from './define-check.js';
import { withoutLines } from './shared/edits.js';
import { isFinal, isStateless } from './shared/targets.js';

const known = new WeakMap<Chain, ReadonlyMap<Rule, number>>();

/**
 * Later rules of a chain that say exactly what an earlier one says, with the position of that one.
 * A rule that counts, limits or rolls dice may be meant twice, and is none.
 */
export function duplicatesIn(ruleset: Ruleset, table: Table, chain: Chain): ReadonlyMap<Rule, number> {
  let found = known.get(chain);
  if (found === undefined) known.set(chain, found = findDuplicates(ruleset, table, chain));
  return found;
}

function findDuplicates(ruleset: Ruleset, table: Table, chain: Chain): ReadonlyMap<Rule, number> {
  const first = new Map<string, number>();
  const duplicates = new Map<Rule, number>();
  const gists = new Gists(ruleset, table);
  const place = { table: table.name, family: ruleset.family, backend: ruleset.backend };
  // To print every rule would take long: only those of one gist can be the same.
  const firstOfGist = new Map<string, number>();
  for (const [index, rule] of chain.rules.entries()) {
    const gist = gists.of(rule);
    const same = firstOfGist.get(gist);
    if (same === undefined) {
      firstOfGist.set(gist, index);
      continue;
    }
    const earlier = chain.rules[same];
    const text = printBody(rule, place);
    if (earlier !== undefined && !first.has(printBody(earlier, place))) first.set(printBody(earlier, place), same + 1);
    const before = first.get(text);
    if (before === undefined) first.set(text, index + 1);
    else if (isStateless(ruleset, rule)) duplicates.set(rule, before);
  }
  return duplicates;
}

/** Rules that are printed alike have the same gist. */
class Gists {
  readonly #ruleset: Ruleset;
  readonly #table: Table;
  /** By protocol, for what is saved may hang on it. */
  readonly #uses = new Map<string, Map<MatchUse, string>>();

  constructor(ruleset: Ruleset, table: Table) {
    this.#ruleset = ruleset;
    this.#table = table;
  }

  of(rule: Rule): string {
    const protocol = rule.protocol === undefined ? '' : `${rule.protocol.negated ? '!' : ''}${typeof rule.protocol.value === 'number' ? String(rule.protocol.value) : rule.protocol.value.name}`;
    let gist = `${addressGist(rule.source)} ${addressGist(rule.destination)} ${nameGist(rule.inInterface)} ${nameGist(rule.outInterface)} ${protocol} ${targetGist(rule.target)}`;
    for (const use of rule.matches) gist += this.#useGist(use, protocol, rule);
    return gist;
  }

  #useGist(use: MatchUse, protocol: string, rule: Rule): string {
    let uses = this.#uses.get(protocol);
    if (uses === undefined) this.#uses.set(protocol, uses = new Map<MatchUse, string>());
    let gist = uses.get(use);
    if (gist === undefined) uses.set(use, gist = this.#save(use, rule));
    return gist;
  }

  #save(use: MatchUse, { protocol }: Rule): string {
    if (isOpaque(use)) return ` ${use.opaque} ${use.words.join(' ')}`;
    const words = saveUse(use, {
      family: this.#ruleset.family, backend: this.#ruleset.backend, table: this.#table.name, ordered: [],
      protocol: protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated },
    });
    return words === undefined ? '' : ` ${use.definition.name} ${words}`;
  }
}

function addressGist(given: Rule['source']): string {
  if (given === undefined) return '';
  const { negated, value } = given;
  if (isUnresolved(value)) return `${negated ? '!' : ''}${value.name}`;
  // `-s 0.0.0.0/0` is not printed.
  return !negated && Number(value.mask) === 0 ? '' : `${negated ? '!' : ''}${String(value.address)}/${String(value.mask)}`;
}

function nameGist(given: Rule['inInterface']): string {
  if (given === undefined || (given.value.prefix && given.value.name === '')) return '';
  return `${given.negated ? '!' : ''}${given.value.name}${given.value.prefix ? '+' : ''}`;
}

function targetGist(target: RuleTarget): string {
  switch (target.kind) {
    case 'none': return '';
    case 'chain': return target.name;
    case 'opaque': return target.use.opaque;
    case 'extension': return target.use.definition.name;
  }
}

function report(ruleset: Ruleset, table: Table, chain: Chain, rule: Rule, position: number, before: number): Report {
  const at = { table: table.name, chain: chain.name, position, rule };
  const earlier = chain.rules[before - 1];
  return {
    at,
    message: isFinal(rule)
      ? `this rule repeats rule ${String(before)} of the chain word for word, and never sees a packet`
      : `this rule repeats rule ${String(before)} of the chain word for word, so a packet that matches both goes through the same twice`,
    because: earlier === undefined ? [] : [{ rule: referenceOf({ ...at, position: before, rule: earlier }), line: earlier.line, message: 'the same rule' }],
    help: 'delete one of the two',
    // A second jump or log is done twice.
    ...isFinal(rule) ? fixWith('delete the rule', 'safe', withoutLines(ruleset, [rule])) : {},
  };
}

export const duplicateRule = defineCheck({
  name: 'duplicate-rule',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'The rule says word for word what an earlier rule of its chain says',
  why: `The first of two equal rules takes every packet, so the second is dead weight: a script that was run twice,
or a paste. It is a trap as well: whoever changes or deletes one of the two is surprised by the other.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m limit --limit 1/sec -j ACCEPT
-A INPUT -p icmp -m limit --limit 1/sec -j ACCEPT
COMMIT
`,
  * run({ ruleset, reach }) {
    for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) {
      const duplicates = duplicatesIn(ruleset, table, chain);
      if (duplicates.size === 0) continue;
      for (const [index, rule] of chain.rules.entries()) {
        const before = duplicates.get(rule);
        // Between the two a mark may be set, and then the second means something else.
        if (before === undefined || (isFinal(rule) && reach(table).get(rule)?.kind === 'live')) continue;
        yield report(ruleset, table, chain, rule, index + 1, before);
      }
    }
  },
});
