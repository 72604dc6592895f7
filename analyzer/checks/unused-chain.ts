import { mayJumpAnywhere } from '../model/nobody-knows.js';
import { ruleReference, type Chain, type Ruleset, type Table } from '../model/ruleset.js';
import { defineCheck, fixWith, type Report } from './define-check.js';
import { withoutLines } from './shared/edits.js';
import { programToCome } from './shared/owners.js';
import { isPart } from './shared/parts.js';

function calledChains(table: Table): Set<string> {
  const called = new Set<string>();
  for (const chain of table.chains.values()) for (const { target } of chain.rules) if (target.kind === 'chain') called.add(target.name);
  return called;
}

function doNothing(count: number): string {
  return `its ${count === 1 ? 'rule does' : `${String(count)} rules do`} nothing`;
}

const asSaved = 'lint what iptables-save prints on the host';

/** What nobody sees here, somebody may see elsewhere. */
function unseen(table: Table, chain: Chain, program: string): Report {
  return {
    message: `no rule of table ${table.name} jumps to chain \`${chain.name}\` before ${program} does: until then ${doNothing(chain.rules.length)}; what comes then is not looked at here`,
    span: chain.span, chain, help: `once ${program} runs, ${asSaved}`,
  };
}

function partial(table: Table): Report {
  const count = [...table.chains.values()].reduce((sum, { rules }) => sum + rules.length, 0);
  return {
    message: `table ${table.name} says nothing of built-in chains, so that alone ${doNothing(count)}; what comes of it where others lead there is not looked at here`,
    span: table.span, help: `once they are loaded, ${asSaved}`,
  };
}

function unused(ruleset: Ruleset, table: Table, chain: Chain): Report {
  const count = chain.rules.length;
  const [first] = chain.rules;
  return {
    message: `no rule of table ${table.name} jumps to chain \`${chain.name}\`${count === 0 ? '' : `, so ${doNothing(count)}`}`,
    span: chain.span, chain,
    ...first === undefined ? {} : { because: [{ rule: ruleReference(table.name, chain.name, 1), line: first.line, message: 'never reached' }] },
    help: `delete the chain, or jump to it: -A ${table.chains.values().next().value?.name ?? 'INPUT'} … -j ${chain.name}`,
    ...fixWith(count === 0 ? 'delete the chain' : 'delete the chain and its rules', 'safe', withoutLines(ruleset, [chain.span, ...chain.rules])),
  };
}

function* lookAt(ruleset: Ruleset, table: Table): Generator<Report, void> {
  const called = calledChains(table);
  for (const chain of table.chains.values()) {
    // Whoever made a chain that the file does not make leads to it as well.
    if (chain.hook !== undefined || called.has(chain.name) || chain.isStandIn === true) continue;
    const program = programToCome(ruleset, chain.name);
    if (program === undefined) yield unused(ruleset, table, chain);
    else if (chain.rules.length > 0) yield unseen(table, chain, program);
  }
}

export const unusedChain = defineCheck({
  name: 'unused-chain',
  kind: 'reachability',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'No rule jumps to the chain',
  why: `A chain of your own does nothing until a rule jumps (-j) or goes (-g) to it. Rules in a chain that
nothing calls look like protection and are none. Often the jump was lost in an edit, or the chain is left over.
Where docker has made no chain yet, it is docker that will jump to DOCKER-USER; and a table that says nothing of built-in chains is a part for
iptables-restore --noflush, to which others jump. Of both it is told that what their rules do is not looked at, and nothing is to be deleted.`,
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
      if (isPart(table)) yield partial(table);
      else if (!mayJumpAnywhere(table)) yield* lookAt(ruleset, table);
    }
  },
});
