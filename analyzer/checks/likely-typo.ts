import type { Span } from '../../grammar/source-text.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import { isUnresolved, type Rule } from '../model/ruleset.js';
import { optionSpan } from '../model/spans.js';
import { isPrivate, privateRanges } from '../packet/address-blocks.js';
import { printAddressMask, type AddressMask } from '../values/address-mask.js';
import { maskAddress, parseAddress, prefixLength, printAddress, type Address } from '../values/address.js';
import { defineCheck, fixWith, type CheckContext, type Report, type RuleInChain } from './define-check.js';
import { isVirtualName } from './shared/outside.js';
import { effectOf } from './shared/targets.js';
import { othersTold, theSame } from './shared/the-same.js';

/** The options by which rules name interfaces and addresses. */
type Key = 'i' | 'o' | 's' | 'd';

/** A word, the first rule that says it, and the others. */
interface Said<Word> {
  readonly word: Word;
  readonly key: Key;
  readonly at: RuleInChain;
  readonly others: RuleInChain[];
}

/** What rules say, each word by a key of its own. */
class Sayings<Word> {
  readonly all = new Map<number | string, Said<Word>>();

  note(id: number | string, word: Word, key: Key, at: RuleInChain): void {
    const known = this.all.get(id);
    if (known === undefined) this.all.set(id, { word, key, at, others: [] });
    else if (known.at.rule !== at.rule) known.others.push(at);
  }
}

/** The words that one gets by exchanging two neighbouring characters of a kind. */
function* exchanged(word: string, kind: RegExp): Generator<string, void> {
  for (let i = 1; i < word.length; i++) {
    const [one = '', other = ''] = [word[i - 1], word[i]];
    if (one !== other && kind.test(one) && kind.test(other)) yield `${word.slice(0, i - 1)}${other}${one}${word.slice(i + 1)}`;
  }
}

/** What somebody seems to have mistyped, and what he meant. */
interface Typo {
  readonly said: Said<string>;
  readonly meant: string;
  readonly isCertain: boolean;
}

/** An interface that the host does not have, and nothing like it. */
interface Absent {
  readonly said: Said<string>;
  /** Those that it has. */
  readonly there: readonly string[];
}

const letter = /^[a-z]$/iu, digit = /^\d$/u;

/** Names of cards, and of what is made of them for good: tunnels and what is there for guests come and go. */
const lasting = /^(?:eth|en|em|wl|wan|lan|dmz|bond|team|br)(?:-?[a-z0-9]{0,7})(?:\.\d+)?$/u;
/** More interfaces of the host than these are not named. */
const mostNamed = 6;

/** Interfaces that the host does not have, or that fewer rules name than name one that differs in the order of two letters. In numbers that may be meant: there is a `vlan12`, and a `vlan21`. */
function* interfaceTypos(cx: CheckContext): Generator<Typo | Absent, void> {
  const said = new Sayings<string>();
  const note = (given: Rule['inInterface'], key: Key, at: RuleInChain): void => {
    if (given !== undefined && !given.value.prefix) said.note(given.value.name, given.value.name, key, at);
  };
  for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
    note(at.rule.inInterface, 'i', at);
    note(at.rule.outInterface, 'o', at);
  }
  const there = cx.host?.interfaces === undefined ? undefined : new Set(cx.host.interfaces.map(({ name }) => name));
  for (const one of said.all.values()) {
    if (there?.has(one.word) === true) continue;
    const often = (word: string): number => there === undefined ? said.all.get(word)?.others.length ?? -1 : there.has(word) ? Infinity : -1;
    const meant = [...exchanged(one.word, letter)].find(word => often(word) > one.others.length);
    if (meant !== undefined) yield { said: one, meant, isCertain: there !== undefined };
    else if (there !== undefined && lasting.test(one.word) && !isVirtualName(one.word)) yield { said: one, there: [...there].filter(name => name !== 'lo' && !isVirtualName(name)).sort() };
  }
}

/** Names that stand for one: of a line of wg-quick's, of a shell, of a template. The kernel itself gives no interface a name with % in it. */
const placeholder = /%|^\$\w|^\$?\{.+\}$|^<.+>$|^@.+@$/u;

/** Interfaces for whose name somebody was to put in another, and did not. */
function* placeholders(cx: CheckContext): Generator<Report, void> {
  const said = new Sayings<string>();
  for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
    for (const [key, given] of [['i', at.rule.inInterface], ['o', at.rule.outInterface]] as const) if (given !== undefined && placeholder.test(given.value.name)) said.note(given.value.name, given.value.name, key, at);
  }
  for (const { word, key, at, others } of said.all.values()) {
    yield {
      at, span: spanOf(cx, at, key), certainty: word.includes('%') ? 'certain' : 'possible', alike: others.length + 1, because: theSame(others.slice(0, othersTold)),
      message: `${word} stands for the name of an interface, and is none: iptables takes it as it is, and no packet comes or goes by it`,
      help: word.startsWith('%') ? 'name the interface: wg-quick puts its own in place of %i in PostUp and PostDown, and nowhere else' : 'name the interface',
    };
  }
}

function spanOf({ ruleset }: CheckContext, { rule }: RuleInChain, key: Key): Span {
  return optionSpan(ruleset, rule, option => option.shape instanceof BuiltInOption && option.shape.key === key);
}

const letting = new Set(['accept', 'nat']);

/** Public addresses that rules let in or translate, and that lie in a private network of others once two digits are exchanged. Lists of the banned have all sorts of addresses. */
function* addressTypos(cx: CheckContext): Generator<Typo, void> {
  const networks = new Map<number, AddressMask>();
  const said = new Sayings<AddressMask>();
  const note = (given: Rule['source'], key: Key, at: RuleInChain, table: string): void => {
    if (given === undefined || isUnresolved(given.value)) return;
    const { value, value: { address, mask } } = given;
    // Of a larger network more than a digit is different.
    if (typeof address !== 'number' || Number(mask) < 0xffff_0000) return;
    const length = prefixLength(mask) ?? 0;
    if (isPrivate(address)) networks.set(address * 64 + length, networkOf(value));
    else if ((table === 'nat' || letting.has(effectOf(at.rule) ?? '')) && mistyped().has(address >>> 16)) said.note(address * 64 + length, value, key, at);
  };
  for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
    note(at.rule.source, 's', at, table.name);
    note(at.rule.destination, 'd', at, table.name);
  }
  for (const one of said.all.values()) {
    const meant = privatesIn(one.word.address).find(address => [...networks.values()].some(network => maskAddress(address, network.mask) === network.address));
    if (meant !== undefined) yield { said: { ...one, word: printAddressMask(one.word) }, meant: printAddressMask({ ...one.word, address: meant }), isCertain: false };
  }
}

let halves: ReadonlySet<number> | undefined;

/** The first halves of addresses that are private with two digits exchanged: what makes an address private is there. */
function mistyped(): ReadonlySet<number> {
  return halves ??= new Set(privateRanges.ipv4.flatMap(({ low, high }) => {
    const [from, to] = [Number(low) >>> 16, Number(high) >>> 16];
    return Array.from({ length: to - from + 1 }, (_, i) => printAddress((from + i) * 65_536)).flatMap(text => [...exchanged(text, digit)].flatMap(word => {
      const address = parseAddress(word, 'ipv4');
      return typeof address === 'number' ? [address >>> 16] : [];
    }));
  }));
}

/** The private addresses that one is with two neighbouring digits exchanged. */
function privatesIn(address: Address): readonly number[] {
  return [...exchanged(printAddress(address), digit)].flatMap(word => {
    const other = parseAddress(word, 'ipv4');
    return typeof other === 'number' && printAddress(other) === word && isPrivate(other) ? [other] : [];
  });
}

/** A network of 256 addresses at least, in which one lies. */
function networkOf({ address, mask, ...rest }: AddressMask): AddressMask {
  const wide = Number(mask) > 0xffff_ff00 ? 0xffff_ff00 : mask;
  return { ...rest, address: maskAddress(address, wide), mask: wide };
}

function reportAbsent(cx: CheckContext, { said, there }: Absent): Report {
  const { word, at, others } = said;
  const more = there.length - mostNamed;
  return {
    at, span: spanOf(cx, at, said.key), certainty: 'possible', alike: others.length + 1,
    message: `this host has no interface ${word}`,
    because: theSame(others.slice(0, othersTold)),
    help: there.length === 0 ? 'name one that it has' : `name one that it has: ${there.slice(0, mostNamed).join(', ')}${more > 0 ? ` or ${String(more)} more` : ''}`,
  };
}

function report(cx: CheckContext, { said: { word, key, at, others }, meant, isCertain }: Typo): Report {
  const span = spanOf(cx, at, key);
  const isName = key === 'i' || key === 'o';
  const isAtEnd = others.length === 0 && cx.ruleset.source.text.slice(0, span.end).endsWith(` ${word}`);
  return {
    at, span, certainty: isCertain ? 'certain' : 'possible', alike: others.length + 1,
    message: isName ? `${word} is ${meant} with two letters exchanged${isCertain ? ', and this host has no such interface' : ', which more rules name'}` : `${word} is ${meant} with two digits exchanged, where other rules have a private network`,
    because: theSame(others.slice(0, othersTold)),
    help: `if it is mistyped, write ${meant}`,
    ...fixWith(`write ${meant}`, 'unsafe', isAtEnd ? [{ span: { start: span.end - word.length, end: span.end }, text: meant }] : undefined),
  };
}

export const likelyTypo = defineCheck({
  name: 'likely-typo',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'An interface or a network is named that differs from another in the order of two letters or digits, or an interface that the host does not have, or by a word that stands for its name',
  why: `iptables takes any name for an interface, and any address: a rule for eht0, or for 192.186.1.0/24, loads without a word and is for nobody, or for
strangers. It is told of interfaces that differ from one that more rules name (or that the host has) in the order of two neighbouring letters, and of public addresses that
rules let in or translate, where the same with two neighbouring digits exchanged lies in a private network that others name. Numbers of interfaces are not looked at:
vlan12 and vlan21 may both be there. Where the interfaces of the host are known, it is of these that one must have been meant, and certain; then cards and bridges that it does not have
are told as well, whatever they are like: the new machine calls them otherwise.
So it is told of a word for which a name was to be put in: \`%i\` of wg-quick, \`$WAN\` of a shell in a file that no shell reads, \`<wan>\` of a manual.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i eth1 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i eth1 -p tcp -m tcp --dport 8080 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i eht1 -p tcp -m tcp --dport 9090 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i eth1 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i eth1 -p tcp -m tcp --dport 8080 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i eth1 -p tcp -m tcp --dport 9090 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i vlan12 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i vlan12 -p tcp -m tcp --dport 8080 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -i vlan21 -p tcp -m tcp --dport 9090 -j ACCEPT
COMMIT
`,
  * run(cx) {
    yield* placeholders(cx);
    for (const one of [...interfaceTypos(cx), ...addressTypos(cx)]) yield 'there' in one ? reportAbsent(cx, one) : report(cx, one);
  },
});
