/** What the kernel would refuse when the tables are committed. */
import type { AnyExtension, Given, Hook } from '../extensions/define.js';
import { findTarget } from '../extensions/registry.js';
import type { Use } from '../extensions/use.js';
import { protocolNumber, type ProtocolName } from '../packet/protocols.js';
import type { Diagnostic } from './diagnostic.js';
import type { LoadCheckName } from './load-checks.js';
import { makeChain, notMadeHere } from './missing-chain.js';
import { isOpaque, ruleReference, type Chain, type Rule, type Ruleset, type Table } from './ruleset.js';
import { namedSpan } from './spans.js';
import { didYouMean } from './suggest.js';

type Report = (diagnostic: Diagnostic) => void;

const usualTargets = ['ACCEPT', 'DROP', 'REJECT', 'RETURN', 'LOG', 'MARK', 'DNAT', 'SNAT', 'MASQUERADE'];

/** Checks every table of a rule set; reports each refusal at the rule that causes it. */
export function validate(ruleset: Ruleset, report: Report): void {
  for (const table of ruleset.tables.values()) new TableValidator(ruleset, table, report).run();
}

/** nft keeps at most this many chains on its stack (NFT_JUMP_STACK_SIZE, net/netfilter/nf_tables.h). */
const jumpLimit = 16;

class TableValidator {
  readonly #followed = new Map<Chain, number>();
  readonly #ruleset: Ruleset;
  readonly #table: Table;
  readonly #report: Report;
  /** From which hooks each chain is reached. */
  readonly #hooks = new Map<Chain, Set<Hook>>();

  constructor(ruleset: Ruleset, table: Table, report: Report) {
    this.#ruleset = ruleset;
    this.#table = table;
    this.#report = report;
  }

  run(): void {
    for (const chain of this.#table.chains.values()) if (chain.hook !== undefined) this.#spread(chain, chain.hook);
    for (const chain of this.#table.chains.values()) chain.rules.forEach((rule, index) => { this.#rule(chain, rule, index + 1); });
    this.#nesting();
  }

  /** `name` is the match, target or chain that the words point at; undefined for the whole rule. */
  #error(check: LoadCheckName, chain: Chain, rule: Rule, position: number, message: string, help?: string, name?: string, severity: 'error' | 'warning' = 'error'): void {
    const span = name === undefined ? rule : namedSpan(this.#ruleset, rule, name);
    this.#report({ check, severity, span, line: rule.line, rule: ruleReference(this.#table.name, chain.name, position), message, help });
  }

  #callee(rule: Rule): Chain | undefined {
    return rule.target.kind === 'chain' ? this.#table.chains.get(rule.target.name) : undefined;
  }

  #spread(start: Chain, hook: Hook): void {
    const open = [start];
    for (let chain = open.pop(); chain !== undefined; chain = open.pop()) {
      const hooks = this.#hooks.get(chain) ?? new Set();
      if (hooks.has(hook)) continue;
      this.#hooks.set(chain, hooks.add(hook));
      for (let index = 0; index < this.#reached(chain); index++) {
        const rule = chain.rules[index];
        const callee = rule === undefined ? undefined : this.#callee(rule);
        if (callee !== undefined) open.push(callee);
      }
    }
  }

  /** How many rules of a chain the kernel follows: legacy stops behind one that always decides (`mark_source_chains`). */
  #reached(chain: Chain): number {
    let known = this.#followed.get(chain);
    if (known === undefined) {
      const end = this.#ruleset.backend === 'legacy' ? chain.rules.findIndex(alwaysDecides) : -1;
      this.#followed.set(chain, known = end === -1 ? chain.rules.length : end + 1);
    }
    return known;
  }

  #rule(chain: Chain, rule: Rule, position: number): void {
    for (const use of rule.matches) if (!isOpaque(use)) this.#extension(use, chain, rule, position);
    const { target } = rule;
    if (target.kind === 'extension') this.#extension(target.use, chain, rule, position);
    else if (target.kind === 'chain') this.#jump(target.name, chain, rule, position);
  }

  #jump(name: string, chain: Chain, rule: Rule, position: number): void {
    const callee = this.#table.chains.get(name);
    if (callee === undefined) {
      const known = [...this.#table.chains.values()].filter(one => one.hook === undefined).map(one => one.name);
      // Capitals may be a target of which nobody here has heard.
      const isTarget = findTarget(name, this.#ruleset.family) !== undefined;
      const meant = isTarget ? `use -j ${name}: -g goes to chains only` : didYouMean(name, [...known, ...usualTargets]);
      const isFound = !isTarget && this.#table.mayHaveOthers === true && didYouMean(name, usualTargets) === undefined;
      const message = isFound ? notMadeHere(name, this.#table.name) : `there is no chain${rule.target.kind === 'chain' && rule.target.goto ? '' : ' or target'} \`${name}\` in table ${this.#table.name}`;
      this.#error('undefined-chain', chain, rule, position, message, meant ?? (/[a-z]/u.test(name) ? makeChain(name, this.#ruleset.source) : undefined), name, isFound ? 'warning' : 'error');
    } else if (callee.hook !== undefined) {
      this.#error('jump-to-built-in', chain, rule, position, `\`${name}\` is a built-in chain, and no rule may jump to it`, undefined, name);
    } else if (callee.line > rule.line && rule.line > 0 && this.#ruleset.source.text !== '' && !(callee.isStandIn === true && this.#table.mayHaveOthers === true)) {
      const [message, help] = callee.isStandIn === true
        ? [`there is no chain \`${name}\` in table ${this.#table.name}`, makeChain(name, this.#ruleset.source)]
        : [`chain \`${name}\` is declared only later, in line ${String(callee.line)}`, 'declare chains before the rules that jump to them'];
      this.#error('undefined-chain', chain, rule, position, message, help, name);
    }
  }

  #extension(use: Use, chain: Chain, rule: Rule, position: number): void {
    const { definition } = use;
    const name = `${definition.kind === 'match' ? 'match' : 'target'} \`${definition.name}\``;
    if (definition.tables !== undefined && !definition.tables.includes(this.#table.name)) {
      this.#error('wrong-table', chain, rule, position, `${name} is not allowed in table ${this.#table.name}`, `it is allowed in ${definition.tables.join(', ')}`, definition.name);
      return;
    }
    if (definition.backends?.includes(this.#ruleset.backend) === false) this.#error('wrong-backend', chain, rule, position, `${name} is not taken by iptables-${this.#ruleset.backend}-restore`, undefined, definition.name);
    // What a module checks by itself, and not by its list of hooks, nft asks of rules in base chains only.
    const isAsked = this.#ruleset.backend === 'legacy' ? position <= this.#reached(chain) : chain.hook !== undefined || typeof definition.hooks !== 'function';
    const allowed = isAsked ? allowedHooks(definition, use.given) : undefined;
    const bad = allowed === undefined ? undefined : [...this.#hooks.get(chain) ?? []].find(hook => !allowed.includes(hook));
    if (bad !== undefined) this.#error('wrong-hook', chain, rule, position, `${name} is not allowed in ${chain.hook === undefined ? `chain \`${chain.name}\`, which is reached from ${bad}` : bad}`, `it is allowed in ${(allowed ?? []).join(', ')}`, definition.name);
    const others = definition.checkRule === undefined ? [] : rule.matches.flatMap(one => isOpaque(one) ? [] : [{ name: one.definition.name, given: one.given }]);
    const wrong = definition.checkRule?.(others, this.#ruleset.backend);
    if (wrong !== undefined) this.#error('invalid-options', chain, rule, position, `${name}: ${wrong}`, undefined, definition.name);
    if (definition.protocols !== undefined && !hasProtocol(rule, definition.protocols)) {
      this.#error('wrong-protocol', chain, rule, position, `${name} needs -p ${definition.protocols.join(' or -p ')}`, undefined, definition.name);
    }
  }

  /** Finds circles and too deep nests, iteratively: a file may have 10,000 chains in a row. */
  #nesting(): void {
    const depth = new Map<Chain, number>();
    const onPath = new Set<Chain>();
    const visit = (root: Chain): void => {
      const stack: { chain: Chain; next: number; deepest: number }[] = [{ chain: root, next: 0, deepest: 0 }];
      onPath.add(root);
      for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
        const rule = frame.chain.rules[frame.next++];
        if (rule === undefined) {
          stack.pop();
          onPath.delete(frame.chain);
          depth.set(frame.chain, frame.deepest);
          const parent = stack.at(-1);
          if (parent !== undefined) parent.deepest = Math.max(parent.deepest, frame.deepest + 1);
          continue;
        }
        const callee = this.#callee(rule);
        if (callee === undefined || callee.hook !== undefined) continue;
        const known = depth.get(callee);
        if (onPath.has(callee)) this.#error('jump-loop', frame.chain, rule, frame.next, `this jump closes a circle: chain \`${callee.name}\` is already on the way here`, 'a packet that came here would never leave', callee.name);
        else if (known !== undefined) frame.deepest = Math.max(frame.deepest, known + 1);
        else {
          onPath.add(callee);
          stack.push({ chain: callee, next: 0, deepest: 0 });
        }
      }
    };
    // What no hook reaches, nobody looks at (`mark_source_chains`, `nft_table_validate`).
    for (const chain of this.#table.chains.values()) if (chain.hook !== undefined && !depth.has(chain)) visit(chain);
    if (this.#ruleset.backend === 'legacy') return;
    for (const chain of this.#table.chains.values()) {
      if (chain.hook === undefined || (depth.get(chain) ?? 0) < jumpLimit) continue;
      const index = chain.rules.findIndex(rule => (depth.get(this.#callee(rule) ?? chain) ?? 0) >= jumpLimit - 1 && this.#callee(rule) !== undefined);
      const rule = chain.rules[index];
      if (rule !== undefined) this.#error('too-many-jumps', chain, rule, index + 1, `chains are nested ${String(depth.get(chain) ?? 0)} deep from here; nftables allows ${String(jumpLimit - 1)}`);
    }
  }
}

/** No criterion, and a verdict: every packet ends here. */
function alwaysDecides(rule: Rule): boolean {
  const { target } = rule;
  const isVerdict = target.kind === 'extension' && Object.keys(target.use.definition.options as object).length === 0 && target.use.definition.effect !== 'continue';
  const asks = [rule.source, rule.destination].some(one => one !== undefined && (one.negated || !('mask' in one.value) || Number(one.value.mask) !== 0));
  return isVerdict && !asks && rule.matches.length === 0
    && rule.inInterface === undefined && rule.outInterface === undefined && rule.protocol === undefined && rule.fragment === undefined;
}

function allowedHooks(definition: AnyExtension, given: Readonly<Record<string, Given<unknown> | undefined>>): readonly Hook[] | undefined {
  return typeof definition.hooks === 'function' ? definition.hooks(given) : definition.hooks;
}

function hasProtocol(rule: Rule, names: readonly ProtocolName[]): boolean {
  const { protocol } = rule;
  // A name that is not resolved may be the right one.
  if (protocol !== undefined && typeof protocol.value !== 'number') return true;
  return protocol !== undefined && !protocol.negated && names.some(name => protocolNumber[name] === protocol.value);
}
