import { saveUse } from '../extensions/use.js';
import { printBody } from '../model/print.js';
import { isOpaque, isUnresolved, type Chain, type MatchUse, type Rule, type RuleTarget, type Ruleset, type Table } from '../model/ruleset.js';
import type { Because } from '../finding.js';
import type { RuleAt } from '../packet-space/answers.js';
import { hangingOnChanges } from '../packet-space/changes.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { withoutLines } from './shared/edits.js';
import { mayBeEntered } from './shared/parts.js';
import { effectOf, isFinal, isStateless } from './shared/targets.js';

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

/** Rules that repeat an earlier one, in the order of the chain, and that one. */
interface Copies {
  readonly of: RuleAt;
  readonly copies: readonly RuleAt[];
}

const told = new WeakMap<Chain, readonly Copies[]>();

/**
 * Those that are the same whenever a packet comes: between two there may be a mark set, and then the second means something else. Where it is not known what comes, or what marks are there,
 * nothing may stand between that goes on.
 */
function copiesIn(cx: Pick<CheckContext, 'ruleset' | 'reach'>, table: Table, chain: Chain): readonly Copies[] {
  let copies = told.get(chain);
  if (copies === undefined) told.set(chain, copies = findCopies(cx, table, chain));
  return copies;
}

function findCopies({ ruleset, reach }: Pick<CheckContext, 'ruleset' | 'reach'>, table: Table, chain: Chain): readonly Copies[] {
  const duplicates = duplicatesIn(ruleset, table, chain);
  const groups = new Map<number, { readonly of: RuleAt; readonly copies: RuleAt[] }>();
  if (duplicates.size === 0) return [];
  const place = { table: table.name, chain: chain.name };
  for (const [index, rule] of chain.rules.entries()) {
    const position = duplicates.get(rule);
    const first = position === undefined ? undefined : chain.rules[position - 1];
    if (position === undefined || first === undefined) continue;
    const isUnsure = mayBeEntered(ruleset, table, chain.name) || (endsChain(rule) ? reach(table).get(rule)?.kind === 'live' : hangingOnChanges(ruleset, table).has(rule));
    if (isUnsure && goesOnBetween(chain, position, index)) continue;
    const group = groups.get(position) ?? { of: { ...place, position, rule: first }, copies: [] };
    group.copies.push({ ...place, position: index + 1, rule });
    groups.set(position, group);
  }
  return [...groups.values()];
}

/** Whether a packet may match one of these rules and go on to the next. */
function goesOnBetween({ rules }: Chain, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const rule = rules[i];
    if (rule !== undefined && !isFinal(rule)) return true;
  }
  return false;
}

/** No packet that matches comes to the next rule of the chain. */
function endsChain(rule: Rule): boolean {
  return isFinal(rule) || effectOf(rule) === 'return' || (rule.target.kind === 'chain' && rule.target.goto);
}

/** Whether the rule is told of as one that repeats another. */
export function isCopy(cx: Pick<CheckContext, 'ruleset' | 'reach'>, table: Table, { chain: name, rule }: RuleAt): boolean {
  const chain = table.chains.get(name);
  return chain !== undefined && copiesIn(cx, table, chain).some(({ copies }) => copies.some(one => one.rule === rule));
}

function becauseOf({ of, copies: [, ...others] }: Copies): readonly Because[] {
  return [{ rule: referenceOf(of), line: of.rule.line, message: 'the same rule' }, ...others.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'the same rule once more' }))];
}

/** The first one takes all packets itself, or leads them to where none comes back from. */
function isIdle({ reach }: Pick<CheckContext, 'reach'>, table: Table, rule: Rule): boolean {
  return isFinal(rule) || reach(table).get(rule)?.kind === 'shadowed';
}

/** Goes with the copies to which no packet came; a second jump or log is done twice, so that to delete it changes something. */
function deletion({ ruleset }: CheckContext, copies: readonly RuleAt[], areIdle: boolean): Pick<Report, 'fix'> {
  const idle = areIdle ? copies.filter(({ rule }) => (rule.counters?.packets ?? 0n) === 0n).map(({ rule }) => rule) : [];
  return idle.length === 0 ? {} : fixWith(idle.length === 1 ? 'delete the rule' : `delete the ${String(idle.length)} copies`, 'safe', withoutLines(ruleset, idle));
}

function report(cx: CheckContext, table: Table, at: RuleAt, { of, copies }: Copies): Report {
  const areIdle = copies.every(({ rule }) => isIdle(cx, table, rule));
  const more = copies.length - 1;
  const [subject, repeats, sees] = more === 0 ? ['this rule', 'repeats', 'never sees'] : [`this rule and ${String(more)} behind it`, 'repeat', 'never see'];
  const said = `${subject} ${repeats} rule ${String(of.position)} of the chain word for word`;
  return {
    at,
    alike: copies.length, message: areIdle ? `${said}, and ${sees} a packet` : `${said}, so a packet that matches ${more === 0 ? 'both goes through the same twice' : `them goes through the same ${String(copies.length + 1)} times`}`,
    because: becauseOf({ of, copies }),
    help: more === 0 ? 'delete one of the two' : `delete all but one of the ${String(copies.length + 1)}`,
    ...deletion(cx, copies, areIdle),
  };
}

export const duplicateRule = defineCheck({
  name: 'duplicate-rule',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'The rule says word for word what an earlier rule of its chain says',
  why: `The first of two equal rules takes every packet, so the second is dead weight: a script that was run twice,
or a paste. It is a trap as well: whoever changes or deletes one of the two is surprised by the other. Where a rule is repeated more than once,
it is told once, at the first copy, with all others.`,
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
  * run(cx) {
    for (const table of cx.ruleset.tables.values()) for (const chain of table.chains.values()) for (const group of copiesIn(cx, table, chain)) {
      const [first] = group.copies;
      if (first !== undefined) yield report(cx, table, first, group);
    }
  },
});
