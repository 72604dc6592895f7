import { printBody } from '../model/print.js';
import type { Rule, Ruleset, Table, Chain } from '../model/ruleset.js';
import { fullMask } from '../values/address.js';
import { defineCheck, type Report } from './define-check.js';
import { addressRuns, type AddressRun } from './shared/runs.js';
import { effectOf, isFinal, isStateless } from './shared/targets.js';

/** Fewer rules than this are as quickly asked one by one, and easier to read. */
const fewest = 20;

function isWorthIt(ruleset: Ruleset, { rules, addresses }: AddressRun): boolean {
  const [first] = rules;
  if (first === undefined || rules.length < fewest || !isStateless(ruleset, first)) return false;
  // Of nets that overlap, a packet meets two rules; where the first one decides that makes no difference.
  return isFinal(first) || effectOf(first) === 'return' || addresses.every(({ mask }) => mask === fullMask(ruleset.family));
}

function setRule(ruleset: Ruleset, table: Table, chain: Chain, rule: Rule, field: AddressRun['field']): string {
  const place = { table: table.name, family: ruleset.family, backend: ruleset.backend };
  const rest = printBody({ ...rule, [field]: undefined, target: { kind: 'none' } }, place);
  const target = printBody({ ...rule, source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, protocol: undefined, fragment: undefined, matches: [] }, place);
  return `-A ${chain.name}${rest} -m set --match-set NAME ${field === 'source' ? 'src' : 'dst'}${target}`;
}

function report(ruleset: Ruleset, table: Table, chain: Chain, { field, position, rules, addresses }: AddressRun, rule: Rule): Report {
  const isHosts = addresses.every(({ mask }) => mask === fullMask(ruleset.family));
  const count = String(rules.length);
  return {
    at: { table: table.name, chain: chain.name, position, rule },
    alike: rules.length, message: `this rule and the ${String(rules.length - 1)} behind it differ in the ${field} address only: a packet of another address is compared with all ${count}, with an ipset once`,
    because: rules.slice(-1).map(last => ({ rule: `${table.name}:${chain.name}:${String(position + rules.length - 1)}`, line: last.line, message: 'the last of them' })),
    help: `ipset create NAME hash:${isHosts ? 'ip' : 'net'}${ruleset.family === 'ipv6' ? ' family inet6' : ''}, add the ${count} addresses, and write ${setRule(ruleset, table, chain, rule, field)}`,
  };
}

export const listCouldBeIpset = defineCheck({
  name: 'list-could-be-ipset',
  kind: 'hygiene',
  severity: 'info',
  summary: 'Many rules differ in one address; a set would be asked once',
  why: `Rules are tried one after the other, so a list of a thousand addresses costs a thousand comparisons for every packet
that is not on it, which is nearly every packet. A set (ipset) answers for all of them in one look-up, however many
there are, and its members can be changed without loading the rules again. The set must exist before the rules are loaded.`,
  bad: listOf(24),
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m set --match-set blocked src -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: listOf(6),
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) {
      if (chain.rules.length < fewest) continue;
      for (const run of addressRuns(chain.rules)) {
        const [first] = run.rules;
        if (first !== undefined && isWorthIt(ruleset, run)) yield report(ruleset, table, chain, run, first);
      }
    }
  },
});

/** A rule set that blocks so many addresses. */
function listOf(count: number): string {
  return `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
${Array.from({ length: count }, (_, i) => `-A INPUT -s 203.0.113.${String(7 * i + 1)}/32 -j DROP\n`).join('')}-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;
}
