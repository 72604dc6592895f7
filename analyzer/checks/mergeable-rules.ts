import { printBody } from '../model/print.js';
import type { Chain, Rule, RuleBody, Ruleset, Table } from '../model/ruleset.js';
import { ipRange } from '../values/ip-range.js';
import { defineCheck, fixWith, type Report } from './define-check.js';
import { adjacentIn, type Adjacent } from './shared/adjacent-addresses.js';
import { withMerged } from './shared/edits.js';
import { portRuns, type PortRun } from './shared/port-runs.js';
import { addressRuns, type AddressRun } from './shared/runs.js';
import { isStateless } from './shared/targets.js';

/** So few are left as they are: merging two saves little. */
const fewest = 3;
/** Rules that could be one. */
interface Mergeable {
  readonly differIn: string;
  readonly rules: readonly { readonly rule: Rule; readonly position: number }[];
  /** The rule in place of all of them, without its `-A CHAIN`. */
  readonly text: string;
}

type Place = Parameters<typeof printBody>[1];

/** A rule with one more match, at a place among its own. */
function withMatch(place: Place, rule: RuleBody, at: number, words: string, from = at): string {
  const before = printBody({ ...rule, matches: rule.matches.slice(0, at), target: { kind: 'none' } }, place);
  const bare = { ...rule, source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, fragment: undefined };
  const protocol = printBody({ ...bare, matches: [], target: { kind: 'none' } }, place);
  return `${before} ${words}${printBody({ ...bare, matches: rule.matches.slice(from) }, place).slice(protocol.length)}`;
}

function mergedPorts(place: Place, { place: at, key, position, rules, ports }: PortRun, first: Rule): Mergeable {
  const numbers = [...ports].sort((a, b) => a.low - b.low).map(({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`).join(',');
  return {
    differIn: `the ${key === 'dport' ? 'destination' : 'source'} port`,
    rules: rules.map((rule, i) => ({ rule, position: position + i })),
    text: withMatch(place, first, at, `-m multiport --${key}s ${numbers}`, at + 1),
  };
}

/**
 * All that stand there become one: two halves a network, or three and more a range. Of a longer list, whose other addresses stay, only what is most of
 * it and becomes one network: networks that happen to lie side by side are somebody's list of networks.
 */
function isWorthIt({ addresses }: AddressRun, { rules: { length }, network, isHosts }: Adjacent): boolean {
  if (length < addresses.length) return network !== undefined && length >= fewest && 2 * length >= addresses.length;
  return length >= fewest || (network !== undefined && !isHosts);
}

function mergedAddresses(place: Place, { field }: AddressRun, { rules, network, range }: Adjacent, first: Rule): Mergeable {
  const body = { ...first, [field]: network === undefined ? undefined : { negated: false, value: network } };
  const words = `-m iprange --${field === 'source' ? 'src' : 'dst'}-range ${ipRange.print(range, { ...place, protocol: undefined })}`;
  return { differIn: `the ${field} address`, rules, text: network === undefined ? withMatch(place, body, 0, words) : printBody(body, place) };
}

/** Rules of a chain that differ in one thing and could be one. No packet matches two of them, so that one for all does the same. */
function* mergeableIn(ruleset: Ruleset, table: Table, { rules }: Chain): Generator<Mergeable, void> {
  const place = { table: table.name, family: ruleset.family, backend: ruleset.backend };
  for (const run of portRuns(rules)) {
    const [first] = run.rules;
    if (first !== undefined && run.rules.length >= fewest && isStateless(ruleset, first)) yield mergedPorts(place, run, first);
  }
  for (const run of addressRuns(rules)) for (const some of adjacentIn(ruleset.family, run)) {
    const first = some.rules[0]?.rule;
    if (first !== undefined && isWorthIt(run, some) && isStateless(ruleset, first)) yield mergedAddresses(place, run, some, first);
  }
}

function report(ruleset: Ruleset, table: Table, chain: Chain, { differIn, rules: [first, ...others], text }: Mergeable): Report | undefined {
  if (first === undefined) return undefined;
  const line = `-A ${chain.name}${text}`;
  const isNext = others.every(({ position }, i) => position === first.position + 1 + i);
  return {
    at: { table: table.name, chain: chain.name, ...first },
    alike: others.length + 1, message: `this rule and ${others.length === 1 ? isNext ? 'the next' : 'one behind it' : `${isNext ? 'the ' : ''}${String(others.length)} behind it`} differ in ${differIn} only, and could be one`,
    because: others.map(({ rule, position }) => ({ rule: `${table.name}:${chain.name}:${String(position)}`, line: rule.line, message: `the same for another ${differIn.endsWith('port') ? 'port' : 'address'}` })),
    help: `write ${line} in place of the ${String(others.length + 1)}`,
    ...fixWith('make one rule of them', 'safe', withMerged(ruleset, [first, ...others].map(({ rule }) => rule), line)),
  };
}

export const mergeableRules = defineCheck({
  name: 'mergeable-rules',
  kind: 'hygiene',
  severity: 'info',
  summary: 'Neighbouring rules differ in one port or address only, and could be one rule',
  why: `A packet is compared with one rule in place of several, and who reads the rules sees at once that all these ports
are treated alike. The multiport match takes up to 15 ports; a range counts two. Addresses without a gap between them are one
network (the two halves 10.0.0.0/25 and 10.0.0.128/25 are 10.0.0.0/24), or else, of three rules or more, one range of the
iprange match. It is told where all the rules that stand together become one, or most of them one network: who lists twenty
networks, two of which are neighbours, has a list of networks. Rules with different comments, or that limit or count something, are not meant: there it may be on purpose.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 465 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 587 -j ACCEPT
-A INPUT -s 198.51.100.0/25 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 198.51.100.128/25 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 25,465,587 -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 25 -m comment --comment "mail from other servers" -j ACCEPT
-A INPUT -p tcp -m tcp --dport 465 -m comment --comment "mail from our users" -j ACCEPT
-A INPUT -p tcp -m tcp --dport 587 -m comment --comment "the same, the old way" -j ACCEPT
-A INPUT -s 198.51.100.128/25 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 198.51.101.0/25 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) {
      for (const some of mergeableIn(ruleset, table, chain)) {
        const found = report(ruleset, table, chain, some);
        if (found !== undefined) yield found;
      }
    }
  },
});
