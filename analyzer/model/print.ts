/** The canonical form: what `iptables-save` prints for a rule set, byte for byte. */
import type { AnyMatch, Options, RuleContext, TableName } from '../extensions/define.js';
import { saveUse, type Use } from '../extensions/use.js';
import { printAddressMask, type AddressMask } from '../values/address-mask.js';
import { interfaceName } from '../values/interface-name.js';
import { protocolWord } from '../values/protocol.js';
import { quoteForInput } from '../values/text.js';
import type { Backend, Family } from '../values/value.js';
import { isOpaque, isUnresolved, type Chain, type Counters, type MatchUse, type OpaqueUse, type Rule, type RuleBody, type RuleTarget, type Ruleset, type Table, type UnresolvedName } from './ruleset.js';

/** Where a rule stands, as far as its words hang on it. */
export interface PrintPlace {
  readonly table: string;
  readonly family: Family;
  readonly backend: Backend;
}

function contextOf(body: RuleBody, place: PrintPlace): RuleContext {
  const protocol = body.protocol;
  return {
    family: place.family, backend: place.backend, table: place.table, ordered: [],
    protocol: protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated },
  };
}

function bang(negated: boolean): string {
  return negated ? '! ' : '';
}

function printAddresses(flag: string, given: RuleBody['source']): string {
  if (given === undefined) return '';
  const value: AddressMask | UnresolvedName = given.value;
  if (isUnresolved(value)) return ` ${bang(given.negated)}${flag} ${value.name}`;
  if (!given.negated && Number(value.mask) === 0) return '';
  return ` ${bang(given.negated)}${flag} ${printAddressMask(value)}`;
}

/** `! +`, which no interface is, is lost where legacy saves it. */
function printInterface(flag: string, given: RuleBody['inInterface'], cx: RuleContext): string {
  if (given === undefined) return '';
  const { negated, value } = given;
  const isAny = value.prefix && value.name === '';
  return isAny && !(negated && cx.backend === 'nft') ? '' : ` ${bang(negated)}${flag} ${interfaceName.print(value, cx)}`;
}

function printOpaque(flag: '-m' | '-j', { opaque, words }: OpaqueUse): string {
  return [` ${flag} ${opaque}`, ...words.map(quoteForInput)].join(' ');
}

function printMatch(use: MatchUse, cx: RuleContext): string {
  if (isOpaque(use)) return printOpaque('-m', use);
  const words = saveUse(use, cx);
  if (words === undefined) return '';
  return ` -m ${use.definition.savedAs ?? use.definition.name}${words === '' ? '' : ` ${words}`}`;
}

/** Whether one match can say what two of a kind say: it has each option once, and of two ports that are both left out it would leave out those that have both. */
function canBeOne({ definition, given, unresolved }: Use<AnyMatch>, other: Use<AnyMatch>): boolean {
  if (definition !== other.definition || Object.keys({ ...unresolved, ...other.unresolved }).length > 0) return false;
  const isApart = (key: string): boolean => other.given[key] === undefined && (definition.options as Options)[key]?.excludes.some(one => other.given[one] !== undefined) !== true;
  const together = { ...given, ...other.given };
  return Object.keys(given).every(isApart) && !(together['sport']?.negated === true && together['dport']?.negated === true);
}

/** What iptables-nft makes expressions of it saves as one match of each kind, at the place of the first. */
function together(matches: readonly MatchUse[], cx: RuleContext): readonly MatchUse[] {
  const isNative = (use: MatchUse): use is Use<AnyMatch> => !isOpaque(use) && use.definition.isNative?.(use.given, cx) === true;
  if (matches.filter(isNative).length < 2) return matches;
  const saved: MatchUse[] = [];
  for (const use of matches) {
    const index = isNative(use) ? saved.findIndex(one => isNative(one) && canBeOne(one, use)) : -1;
    const first = saved[index];
    if (first === undefined || isOpaque(first) || isOpaque(use)) saved.push(use);
    else saved[index] = { ...first, given: { ...first.given, ...use.given } };
  }
  return saved;
}

function printTarget(target: RuleTarget, cx: RuleContext): string {
  switch (target.kind) {
    case 'none': return '';
    case 'chain': return ` ${target.goto ? '-g' : '-j'} ${target.name}`;
    case 'opaque': return printOpaque('-j', target.use);
    case 'extension': {
      const { definition } = target.use;
      const words = saveUse(target.use, cx) ?? '';
      return ` -j ${definition.savedAs ?? definition.name}${words === '' ? '' : ` ${words}`}`;
    }
  }
}

/** A rule without its `-A CHAIN`, with a blank in front of each part; '' for a rule that asks and does nothing. */
export function printBody(body: RuleBody, place: PrintPlace): string {
  const cx = contextOf(body, place);
  let text = printAddresses('-s', body.source) + printAddresses('-d', body.destination);
  text += printInterface('-i', body.inInterface, cx) + printInterface('-o', body.outInterface, cx);
  if (body.protocol !== undefined) text += ` ${bang(body.protocol.negated)}-p ${typeof body.protocol.value === 'number' ? protocolWord(body.protocol.value) : body.protocol.value.name}`;
  if (body.fragment !== undefined) text += ` ${bang(body.fragment.negated)}-f`;
  for (const use of together(body.matches, cx)) text += printMatch(use, cx);
  return text + printTarget(body.target, cx);
}

/** How rules are printed. */
export interface PrintOptions {
  /** Print the counters of rules, and of policies what they are and not zero. */
  readonly counters: boolean;
}

function printCounters(counters: Counters | undefined): string {
  return `[${String(counters?.packets ?? 0n)}:${String(counters?.bytes ?? 0n)}]`;
}

/** No packet has a mark that is 1 in none of its bits. */
const matchesNothing = ' -m mark --mark 0x1/0x0';

/** One rule as a line without its line end. One that could not be read is printed as one that matches nothing, so that the others keep their numbers. */
export function printRule(rule: Rule, chain: string, place: PrintPlace, options: PrintOptions = { counters: false }): string {
  return `${options.counters ? `${printCounters(rule.counters)} ` : ''}-A ${chain}${rule.isUnread === true ? matchesNothing : printBody(rule, place)}`;
}

function orderedChains(table: Table): readonly Chain[] {
  const chains = [...table.chains.values()];
  const own = chains.filter(chain => chain.hook === undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...chains.filter(chain => chain.hook !== undefined), ...own];
}

/** A table from its `*` line to COMMIT. */
export function* printTable(table: Table, ruleset: Ruleset, options: PrintOptions): Generator<string, void> {
  const place = { table: table.name, family: ruleset.family, backend: ruleset.backend };
  const chains = orderedChains(table);
  yield `*${table.name}`;
  for (const chain of chains) yield `:${chain.name} ${chain.policy ?? '-'} ${chain.policy === undefined || !options.counters ? '[0:0]' : printCounters(chain.policyCounters)}`;
  for (const chain of chains) for (const rule of chain.rules) yield printRule(rule, chain.name, place, options);
  yield 'COMMIT';
}

/** The order of iptables-nft-save (`builtin_tables`, iptables/nft.c). */
const nftOrder: readonly TableName[] = ['mangle', 'security', 'raw', 'filter', 'nat'];

/**
 * The tables in the order in which they are saved. In legacy that is the order in which the kernel
 * came to know them, last first, which no file can tell: there the file's own order is kept.
 */
function orderedTables(ruleset: Ruleset): readonly Table[] {
  if (ruleset.backend === 'legacy') return [...ruleset.tables.values()];
  return nftOrder.flatMap(name => ruleset.tables.get(name) ?? []);
}

/** A whole rule set, line by line, as `iptables-save` prints it without its dated comments. */
export function* printRuleset(ruleset: Ruleset, options: PrintOptions = { counters: false }): Generator<string, void> {
  for (const table of orderedTables(ruleset)) yield* printTable(table, ruleset, options);
}
