import { printBody } from '../model/print.js';
import type { Chain, Rule, Ruleset, Table } from '../model/ruleset.js';
import { isFullRange, type NumberRange } from '../values/number-range.js';
import { defineCheck, fixWith, type Report } from './define-check.js';
import { withMerged } from './shared/edits.js';
import { differingUse, useAt } from './shared/runs.js';
import { isStateless } from './shared/targets.js';

/** So few are left as they are: merging two saves little. */
const fewest = 3;
/** As many ports as the multiport match takes; a range counts two (XT_MULTI_PORTS in linux/netfilter/xt_multiport.h). */
const mostPorts = 15;
const portMatches = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp']);

interface OnePort {
  readonly key: 'sport' | 'dport';
  readonly range: NumberRange;
}

/** The one port, or range of ports, that is all that a match asks for. */
function portOf(rule: Rule, place: number): OnePort | undefined {
  const use = useAt(rule, place);
  if (use === undefined || !portMatches.has(use.definition.name) || Object.keys(use.unresolved).length > 0) return undefined;
  const asked = Object.entries(use.given).filter(([, given]) => given !== undefined);
  const [[key, given] = ['', undefined]] = asked;
  if (asked.length !== 1 || given === undefined || given.negated || (key !== 'sport' && key !== 'dport')) return undefined;
  const range = rangeOf(given.value);
  return range === undefined || isFullRange(range, 0xffff) ? undefined : { key, range };
}

function rangeOf(value: unknown): NumberRange | undefined {
  return typeof value === 'object' && value !== null && 'low' in value && 'high' in value && typeof value.low === 'number' && typeof value.high === 'number' ? { low: value.low, high: value.high } : undefined;
}

interface PortRun {
  readonly place: number;
  readonly key: OnePort['key'];
  readonly position: number;
  readonly rules: readonly Rule[];
  readonly ports: readonly NumberRange[];
}

function isDisjoint(ports: readonly NumberRange[], { low, high }: NumberRange): boolean {
  return ports.every(one => one.high < low || high < one.low);
}

function slots(ports: readonly NumberRange[]): number {
  return ports.reduce((sum, { low, high }) => sum + (low === high ? 1 : 2), 0);
}

/** Neighbours that differ in a port only. No packet matches two of them, so that one rule for all does the same. */
function* portRuns(rules: readonly Rule[]): Generator<PortRun, void> {
  for (let from = 0, to = 1; from + 1 < rules.length; from = to, to++) {
    const first = rules[from];
    const second = rules[from + 1];
    const place = first === undefined || second === undefined ? undefined : differingUse(first, second);
    const port = first === undefined || place === undefined ? undefined : portOf(first, place);
    if (first === undefined || place === undefined || port === undefined) continue;
    const ports = [port.range];
    for (let next = rules[to]; next !== undefined && differingUse(first, next) === place; next = rules[++to]) {
      const one = portOf(next, place);
      if (one?.key !== port.key || !isDisjoint(ports, one.range) || slots([...ports, one.range]) > mostPorts) break;
      ports.push(one.range);
    }
    yield { place, key: port.key, position: from + 1, rules: rules.slice(from, to), ports };
  }
}

/** The rule in place of all of them. */
function merged(ruleset: Ruleset, table: Table, chain: Chain, { place, key, ports }: PortRun, rule: Rule): string {
  const where = { table: table.name, family: ruleset.family, backend: ruleset.backend };
  const before = printBody({ ...rule, matches: rule.matches.slice(0, place), target: { kind: 'none' } }, where);
  const bare = { ...rule, source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, fragment: undefined };
  const protocol = printBody({ ...bare, matches: [], target: { kind: 'none' } }, where);
  const after = printBody({ ...bare, matches: rule.matches.slice(place + 1) }, where).slice(protocol.length);
  const list = [...ports].sort((a, b) => a.low - b.low).map(({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`).join(',');
  return `-A ${chain.name}${before} -m multiport --${key}s ${list}${after}`;
}

function report(ruleset: Ruleset, table: Table, chain: Chain, run: PortRun, rule: Rule): Report {
  const count = run.rules.length;
  const text = merged(ruleset, table, chain, run, rule);
  return {
    at: { table: table.name, chain: chain.name, position: run.position, rule },
    message: `this rule and the ${String(count - 1)} behind it differ in the ${run.key === 'dport' ? 'destination' : 'source'} port only, and could be one`,
    because: run.rules.slice(1).map((one, i) => ({ rule: `${table.name}:${chain.name}:${String(run.position + i + 1)}`, line: one.line, message: 'the same for another port' })),
    help: `write ${text} in place of the ${String(count)}`,
    ...fixWith('make one rule of them', 'safe', withMerged(ruleset, run.rules, text)),
  };
}

export const mergeableRules = defineCheck({
  name: 'mergeable-rules',
  kind: 'hygiene',
  severity: 'info',
  summary: 'Neighbouring rules differ in one port only, and could be one rule',
  why: `A packet is compared with one rule in place of several, and who reads the rules sees at once that all these ports
are treated alike. The multiport match takes up to 15 ports; a range counts two. Rules with different comments, or that
limit or count something, are not meant: there it may be on purpose.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 465 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 587 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 25,465,587 -j ACCEPT
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
COMMIT
`,
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) {
      for (const run of portRuns(chain.rules)) {
        const [first] = run.rules;
        if (first !== undefined && run.rules.length >= fewest && isStateless(ruleset, first)) yield report(ruleset, table, chain, run, first);
      }
    }
  },
});
