import { ruleReference, type Chain, type Ruleset, type Table } from '../model/ruleset.js';
import { defineCheck, fixWith, type Report } from './define-check.js';
import { withoutLines } from './shared/edits.js';

function calledChains(table: Table): Set<string> {
  const called = new Set<string>();
  for (const chain of table.chains.values()) for (const { target } of chain.rules) if (target.kind === 'chain') called.add(target.name);
  return called;
}

function report(ruleset: Ruleset, table: Table, chain: Chain): Report {
  const count = chain.rules.length;
  const [first] = chain.rules;
  return {
    message: `no rule of table ${table.name} jumps to chain \`${chain.name}\`${count === 0 ? '' : `, so its ${count === 1 ? 'rule does' : `${String(count)} rules do`} nothing`}`,
    span: chain.span, chain,
    ...first === undefined ? {} : { because: [{ rule: ruleReference(table.name, chain.name, 1), line: first.line, message: 'never reached' }] },
    help: `delete the chain, or jump to it: -A ${table.chains.values().next().value?.name ?? 'INPUT'} … -j ${chain.name}`,
    ...fixWith(count === 0 ? 'delete the chain' : 'delete the chain and its rules', 'safe', withoutLines(ruleset, [chain.span, ...chain.rules])),
  };
}

export const unusedChain = defineCheck({
  name: 'unused-chain',
  kind: 'reachability',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'No rule jumps to the chain',
  why: `A chain of your own does nothing until a rule jumps (-j) or goes (-g) to it. Rules in a chain that
nothing calls look like protection and are none. Often the jump was lost in an edit, or the chain is left over.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ssh-guard - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A ssh-guard -s 203.0.113.0/24 -j DROP
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ssh-guard - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ssh-guard
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A ssh-guard -s 203.0.113.0/24 -j DROP
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:web - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -g web
-A web -s 203.0.113.0/24 -j DROP
-A web -j ACCEPT
COMMIT
`,
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) {
      const called = calledChains(table);
      for (const chain of table.chains.values()) if (chain.hook === undefined && !called.has(chain.name)) yield report(ruleset, table, chain);
    }
  },
});
