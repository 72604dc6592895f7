/** From a source text to rule sets: every command is carried out as `iptables-restore` or `iptables` would. */
import { detectFormat, statements, type InputFormat } from '../../grammar/statements.js';
import { positionAt, type SourceText, type Span } from '../../grammar/source-text.js';
import type { ChainStatement, CommandStatement, Statement, TableStatement, WordNode } from '../../grammar/syntax.js';
import type { TableName } from '../extensions/define.js';
import { startScope } from '../extensions/option-scope.js';
import type { Backend, Family } from '../values/value.js';
import { applyCommand } from './apply-command.js';
import { chainNameProblem, isTargetName } from './chain-name.js';
import { commandParts, parseCounters } from './command-parts.js';
import type { Diagnostic } from './diagnostic.js';
import type { LoadCheckName } from './load-checks.js';
import { TableDraft } from './draft.js';
import { guessFamily, headerOf, isMislabelled } from './guess.js';
import { leaveInDoubt, takesNothing } from './in-doubt.js';
import { listedTables } from './listed-tables.js';
import { otherFormat } from './other-formats.js';
import { quickRule } from './rule-plan.js';
import type { ReadContext } from './read-rule.js';
import { isTableName, type Ruleset } from './ruleset.js';
import { didYouMean } from './suggest.js';
import { validate } from './validate.js';
import { withFewUnread, withoutMissingChains } from './nobody-knows.js';

/** How a file is to be read. What is absent is detected from the file itself. */
export interface LoadOptions {
  /** Absent: detected. */
  readonly format?: InputFormat | undefined;
  /** Absent: taken from the header, the file's name or its addresses; else IPv4. */
  readonly family?: Family | undefined;
  /** Absent: taken from the header, else nft. */
  readonly backend?: Backend | undefined;
  /** For `iptables -S` output, which does not name its table. Absent: by the built-in chains that it lists, else filter. */
  readonly table?: TableName | undefined;
}

/** A file, read: its rule sets, and what is wrong with it. */
export interface Loaded {
  readonly source: SourceText;
  readonly format: InputFormat;
  /** One for each family that the file speaks of, in the order of their first rule. */
  readonly rulesets: readonly Ruleset[];
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Diagnostics beyond the limit, which were only counted. */
  readonly omitted: number;
}

/** More would not help anyone, and a 100 MB file of garbage must not fill the memory. */
const diagnosticLimit = 1000;

/** Commands that make no table where there is none: iptables-nft leaves it at that. */
const takesAway: ReadonlySet<string | undefined> = new Set(['F', 'X', 'Z', 'D', 'C', 'L', 'S']);

/** For a table that the file does not open by itself. */
const nowhere = { start: 0, end: 0, line: 0 };

/** What a reader of one family has built so far. */
interface FamilyDraft {
  readonly family: Family;
  backend: Backend | undefined;
  readonly tables: Map<TableName, TableDraft>;
  /** No command of it is known to be run. */
  isInDoubt: boolean;
}

class Loader {
  readonly #source: SourceText;
  readonly #options: LoadOptions;
  readonly #format: InputFormat;
  readonly #drafts = new Map<Family, FamilyDraft>();
  readonly #diagnostics: Diagnostic[] = [];
  #omitted = 0;
  #family: Family;
  #backend: Backend | undefined;
  /** The table that is open; `skipped` is one that does not exist. */
  #table: TableDraft | 'skipped' | undefined;
  #tableStart: Span & { line: number } = { start: 0, end: 0, line: 1 };
  #outsideReported = false;
  /** Whether the headers belong to other rules; looked at where there are any. */
  #mislabelled: boolean | undefined;
  /** Where listings of `iptables -S` begin. */
  #listed: ReadonlyMap<number, TableName> = new Map();
  /** The draft of the family that is being read. */
  #current: FamilyDraft | undefined;

  constructor(source: SourceText, options: LoadOptions) {
    this.#source = source;
    this.#options = options;
    this.#format = options.format ?? detectFormat(source.text);
    this.#family = options.family ?? guessFamily(source);
    this.#backend = options.backend;
  }

  load(): Loaded {
    const nul = this.#source.text.indexOf('\0');
    if (nul !== -1) {
      this.#report({ check: 'syntax-error', severity: 'error', line: positionAt(this.#source, nul).line, span: { start: nul, end: nul + 1 }, message: 'this is not a text file: it contains NUL bytes', help: otherFormat(this.#source.text) });
      return this.#result([]);
    }
    if (this.#format === 'list-rules') this.#beginListing();
    if (this.#source.bareCarriageReturns === true) this.#reportBareReturns();
    const scope = (program?: string): ReturnType<typeof startScope> => startScope(program === undefined ? this.#family : this.#programFamily(program));
    for (const statement of statements(this.#source, { format: this.#format, scope })) this.#statement(statement);
    if (this.#table !== undefined && this.#format !== 'list-rules' && this.#format !== 'script') {
      this.#report({ check: 'missing-commit', severity: 'error', span: this.#tableStart, line: this.#tableStart.line, message: `table \`${this.#table === 'skipped' ? '?' : this.#table.name}\` does not end in COMMIT, so nothing of it is loaded`, help: 'add a line COMMIT at the end; was the file cut short?' });
    }
    const rulesets = [...this.#drafts.values()].filter(draft => this.#format !== 'script' || !draft.isInDoubt).map(draft => this.#finish(draft));
    if (rulesets.length === 0 && this.#diagnostics.length === 0) this.#report({ check: 'empty-file', severity: 'warning', line: 1, span: { start: 0, end: 0 }, message: 'there is no table and no rule in this file', help: 'was it cut short, or is it the right file?' });
    for (const ruleset of rulesets) validate(ruleset, this.#report);
    return this.#result(rulesets.map(one => withoutMissingChains(withFewUnread(one))));
  }

  #beginListing(): void {
    if (this.#options.table === undefined) this.#listed = listedTables(this.#source.text);
    const [first = 'filter'] = this.#listed.values();
    this.#table = this.#tableDraft(this.#draft(), this.#options.table ?? first, nowhere);
  }

  #reportBareReturns(): void {
    const { text } = this.#source;
    const start = /^[^#\n]/mu.exec(text)?.index ?? 0;
    const line = text.slice(0, start).split('\n').length;
    this.#report({ check: 'line-endings', severity: 'error', span: { start, end: Math.max(start, text.indexOf('\n', start)) }, line, message: 'the lines end in CR alone, so for iptables-restore the file is one long line', help: 'convert the file with `tr "\\r" "\\n"`' });
  }

  #result(rulesets: readonly Ruleset[]): Loaded {
    const diagnostics = this.#diagnostics.sort((a, b) => a.line - b.line || a.span.start - b.span.start);
    return { source: this.#source, format: this.#format, rulesets, diagnostics, omitted: this.#omitted };
  }

  #finish(draft: FamilyDraft): Ruleset {
    const said = [...draft.tables].filter(([, table]) => this.#format !== 'script' || draft.backend === 'legacy' || table.isSaid);
    const tables = new Map(said.map(([name, table]) => [name, table.finish()]));
    return { source: this.#source, family: draft.family, backend: draft.backend ?? 'nft', tables };
  }

  readonly #report = (diagnostic: Diagnostic): void => {
    if (this.#diagnostics.length < diagnosticLimit) this.#diagnostics.push(diagnostic);
    else this.#omitted++;
  };

  #error(check: LoadCheckName, statement: Statement, message: string, help?: string, span: Span = statement): void {
    this.#report({ check, severity: 'error', span, line: statement.line, message, help });
  }

  #draft(family = this.#family): FamilyDraft {
    let draft = this.#drafts.get(family);
    if (draft === undefined) this.#drafts.set(family, draft = { family, backend: this.#backend, tables: new Map(), isInDoubt: true });
    return draft;
  }

  #tableDraft(draft: FamilyDraft, name: TableName, at: Span & { readonly line: number }): TableDraft {
    let table = draft.tables.get(name);
    if (table === undefined) draft.tables.set(name, table = new TableDraft(name, at));
    return table;
  }

  #programFamily(program: string): Family {
    return program.includes('ip6') ? 'ipv6' : 'ipv4';
  }

  /** The families that a command is for: of a variable that may hold either program, both. */
  #familiesOf({ program }: CommandStatement): readonly Family[] {
    if (program === undefined) return [this.#family];
    if (!program.text.includes('$')) return [this.#programFamily(program.text)];
    return program.text.includes('6') ? ['ipv6'] : ['ipv4', 'ipv6'];
  }

  #readContext(draft: FamilyDraft): ReadContext {
    return { family: draft.family, backend: draft.backend ?? 'nft', source: this.#source, report: this.#report };
  }

  #statement(statement: Statement): void {
    // Outside of any table nothing can be read, whatever is wrong with it besides.
    const isLost = this.#table === undefined && this.#format !== 'script' && statement.kind === 'command';
    if (!isLost && !(statement.kind === 'command' && this.#isIdle(statement))) this.#problems(statement);
    switch (statement.kind) {
      case 'comment': this.#header(statement.text); return;
      case 'table': this.#openTable(statement); return;
      case 'chain': this.#declareChain(statement); return;
      case 'commit': this.#commit(statement); return;
      case 'command': this.#command(statement); return;
      case 'bad': return;
    }
  }

  /** One bad line costs one error: what follows from the first is no news. */
  #problems(statement: Statement): void {
    let failed = false;
    for (const { check, severity, span, message, help } of statement.problems) {
      if (!failed || severity !== 'error') this.#report({ check, severity, span, line: statement.line, message, help });
      failed ||= severity === 'error' && check !== 'line-endings';
    }
  }

  /** `# Generated by ip6tables-save v1.8.9 (nf_tables) on …` says family and backend. */
  #header(text: string): void {
    const header = headerOf(text);
    if (header === undefined || this.#table !== undefined) return;
    this.#current = undefined;
    if (this.#options.family === undefined && !(this.#mislabelled ??= isMislabelled(this.#source))) this.#family = header.family;
    if (this.#options.backend === undefined) this.#backend = header.backend;
  }

  #openTable(statement: TableStatement): void {
    if (this.#format === 'list-rules') this.#notListed(statement);
    else if (this.#table !== undefined) this.#error('missing-commit', statement, `table \`${this.#table === 'skipped' ? '?' : this.#table.name}\` of line ${String(this.#tableStart.line)} has no COMMIT before this`, 'add a line COMMIT before this one');
    this.#tableStart = statement;
    const name = statement.name.text;
    if (!isTableName(name)) {
      this.#error('unknown-table', statement, `there is no table \`${name}\``, didYouMean(name, ['filter', 'nat', 'mangle', 'raw', 'security']) ?? 'the tables are raw, mangle, nat, filter and security', statement.name);
      this.#table = 'skipped';
      return;
    }
    const draft = this.#draft();
    draft.backend ??= this.#backend;
    const before = draft.tables.get(name);
    if (before !== undefined && before.line > 0) {
      this.#report({ check: 'duplicate-table', severity: 'warning', span: statement, line: statement.line, message: `table \`${name}\` of line ${String(before.line)} is flushed and replaced by this one`, help: 'keep one of the two, or load this file with --noflush' });
      draft.tables.delete(name);
    }
    this.#table = this.#tableDraft(draft, name, statement);
  }

  /** What iptables -S prints has no tables: the file is of another form than it was said to be. */
  #notListed(statement: TableStatement): void {
    if (!this.#outsideReported) this.#error('syntax-error', statement, 'what `iptables -S` prints has no such line', this.#options.format === undefined ? 'is it the right file?' : 'if this is a file for iptables-restore, leave `--input list-rules` out');
    this.#outsideReported = true;
  }

  #outside(statement: Statement, what: string): void {
    // One pasted page of prose must not drown the rest.
    this.#error('rule-outside-table', statement, `${what} stands outside of any table`, this.#outsideReported ? undefined : otherFormat(this.#source.text) ?? 'a table begins with a line such as *filter and ends with COMMIT');
    this.#outsideReported = true;
  }

  #declareChain(statement: ChainStatement): void {
    if (this.#table === undefined) return this.#outside(statement, 'this chain');
    if (this.#table === 'skipped') return;
    const { name, policy } = statement;
    if (!this.#validChainName(statement, name)) return;
    const counters = statement.counters === undefined ? undefined : parseCounters(statement.counters.text);
    if (policy === undefined) return this.#error('invalid-policy', statement, `chain \`${name.text}\` has no policy`, 'write its policy, or - for a chain of your own');
    const before = this.#table.chain(name.text);
    if (before?.hook !== undefined) {
      if (policy.text === 'ACCEPT' || policy.text === 'DROP') this.#table.setPolicy(name.text, policy.text, counters, statement);
      else if (policy.text !== '-') this.#error('invalid-policy', statement, `\`${policy.text}\` is not a policy`, 'a policy is ACCEPT or DROP', policy);
      return;
    }
    if (before !== undefined) this.#error('duplicate-chain', statement, `chain \`${name.text}\` is declared twice, first in line ${String(before.line)}`, 'delete one of the two', name);
    else this.#table.addChain(name.text, statement);
    if (counters === undefined && parseCounters(policy.text) !== undefined) this.#withoutPolicy(statement, name, policy);
    else if (policy.text !== '-') this.#error('policy-on-user-chain', statement, `\`${name.text}\` is not a built-in chain of table ${this.#table.name}, so it cannot have the policy ${policy.text}`, 'write - for the policy, and end the chain with a rule that catches the rest', policy);
  }

  /** iptables-nft-restore takes what stands in its place for a policy, and that of a chain of one's own is no matter to it. */
  #withoutPolicy(statement: Statement, name: WordNode, counters: WordNode): void {
    const isLegacy = this.#backend === 'legacy';
    this.#report({
      check: 'policy-on-user-chain', severity: isLegacy ? 'error' : 'warning', span: counters, line: statement.line,
      message: `the policy of chain \`${name.text}\` is missing, and ${isLegacy ? 'iptables-legacy-restore refuses it' : 'iptables-nft-restore takes that, iptables-legacy-restore does not'}`,
      help: `write :${name.text} - ${counters.text}`,
    });
  }

  #validChainName(statement: Statement, name: WordNode): boolean {
    const bad = chainNameProblem(name.text);
    if (bad !== undefined) this.#error('invalid-chain-name', statement, bad, undefined, name);
    else if (isTargetName(name.text, this.#family)) this.#report({ check: 'invalid-chain-name', severity: 'warning', span: name, line: statement.line, message: `chain \`${name.text}\` has the name of a target, which it takes the place of`, help: 'give the chain another name' });
    return bad === undefined;
  }

  #commit(statement: Statement & { newline?: boolean }): void {
    if (this.#table === undefined) return this.#outside(statement, 'this COMMIT');
    if (statement.newline === false) {
      const isLegacy = this.#backend === 'legacy';
      this.#report({
        check: 'missing-commit', severity: isLegacy ? 'error' : 'warning', span: statement, line: statement.line,
        message: isLegacy ? 'the last COMMIT has no line end, and iptables-legacy-restore refuses it' : 'the last COMMIT has no line end: iptables-nft-restore takes it, iptables-legacy-restore does not',
        help: 'end the file with a line end',
      });
    }
    this.#table = undefined;
  }

  /** The usual line, quickly; false where it must be looked at with care. */
  #quick(statement: CommandStatement): boolean {
    const table = this.#table;
    if (table === undefined || table === 'skipped' || statement.problems.length > 0) return false;
    const counters = statement.counters === undefined ? undefined : parseCounters(statement.counters.text);
    const draft = this.#current ??= this.#draft();
    const quick = quickRule(statement, { family: draft.family, backend: draft.backend ?? 'nft', table: table.name, text: this.#source.text }, counters);
    const chain = quick === undefined ? undefined : table.chain(quick.chain);
    if (quick === undefined || chain === undefined || (quick.rule.target.kind === 'extension' && table.chain(quick.rule.target.use.definition.name) !== undefined)) return false;
    chain.rules.push(quick.rule);
    return true;
  }

  /** iptables-nft-restore renames chains that the kernel has, and only COMMIT gives it those of the file (CHAIN_RENAME: No such file or directory). */
  #renamed(statement: CommandStatement, span: Span, { backend }: FamilyDraft): void {
    if (this.#format === 'script' || this.#format === 'list-rules' || backend === 'legacy') return;
    const isKnown = backend === 'nft';
    this.#report({
      check: 'undefined-chain', severity: isKnown ? 'error' : 'warning', span, line: statement.line,
      message: `iptables-nft-restore cannot rename a chain that the file itself makes${isKnown ? '' : ', as iptables-legacy-restore can'}`, help: 'give the chain its last name where it is made',
    });
  }

  /** A script tidies up behind an earlier run of it, and begins here. */
  #isIdle(statement: CommandStatement): boolean {
    if (statement.isTried !== true) return false;
    const parts = commandParts(statement, () => undefined);
    const name = parts.table?.text ?? 'filter';
    return isTableName(name) && this.#familiesOf(statement).every(family => takesNothing(parts, this.#draft(family).tables.get(name)));
  }

  /** It may be run or not, or with other words; that is reported already. */
  #inDoubt(statement: CommandStatement): void {
    const parts = commandParts(statement, () => undefined);
    const name = parts.table?.text ?? 'filter';
    if (!isTableName(name)) return;
    for (const family of this.#familiesOf(statement)) {
      const draft = this.#draft(family);
      const table = this.#tableDraft(draft, name, nowhere);
      table.isSaid ||= !takesAway.has(parts.command?.key);
      leaveInDoubt(statement, parts, table, this.#readContext(draft));
    }
  }

  #command(statement: CommandStatement): void {
    if (statement.isInDoubt === true) return this.#inDoubt(statement);
    if (this.#quick(statement)) return;
    const parts = commandParts(statement, this.#report);
    const family = statement.program === undefined ? this.#family : this.#programFamily(statement.program.text);
    if (parts.onlyFamily !== undefined && parts.onlyFamily !== family) return;
    const draft = this.#draft(family);
    draft.isInDoubt = false;
    let table = this.#table;
    if (this.#format === 'script') {
      const name = parts.table?.text ?? 'filter';
      if (!isTableName(name)) return this.#error('unknown-table', statement, `there is no table \`${name}\``, didYouMean(name, ['filter', 'nat', 'mangle', 'raw', 'security']), parts.table);
      table = this.#tableDraft(draft, name, nowhere);
    }
    const listed = this.#listed.get(statement.start);
    if (listed !== undefined) table = this.#table = this.#tableDraft(draft, listed, nowhere);
    if (table === 'skipped') return;
    if (table !== undefined && !takesAway.has(parts.command?.key)) table.isSaid = true;
    if (table === undefined) return this.#outside(statement, parts.command === undefined ? 'this line' : 'this rule');
    // Where the line itself could not be read, what is left of it is no rule.
    const failed = statement.problems.some(problem => problem.severity === 'error' && problem.check === 'syntax-error' && problem.recovered !== true);
    if (parts.command?.key === 'E') this.#renamed(statement, parts.command.node, draft);
    applyCommand(statement, parts, table, this.#readContext(draft), failed);
  }
}

/** Loads a file. Never throws on bad input: what is wrong is in `diagnostics`. */
export function load(source: SourceText, options: LoadOptions = {}): Loaded {
  const text = withLineFeeds(source);
  if (options.family !== undefined || !familyPrefix.test(text.text)) return new Loader(text, options).load();
  // Lines with -4 or -6: one file for iptables-restore and ip6tables-restore, and each skips the other's lines.
  const [first, second] = (['ipv4', 'ipv6'] as const).map(family => new Loader(text, { ...options, family }).load());
  return first === undefined || second === undefined ? new Loader(text, options).load() : bothFamilies(first, second);
}

const familyPrefix = /^(?:\[\d+:\d+\] *)?-[46] +-/mu;

/** What two readings of one file found; what both found, once. */
function bothFamilies(first: Loaded, second: Loaded): Loaded {
  const key = ({ line, check, message }: Diagnostic): string => `${String(line)} ${check} ${message}`;
  const known = new Set(first.diagnostics.map(key));
  const diagnostics = [...first.diagnostics, ...second.diagnostics.filter(one => !known.has(key(one)))].sort((a, b) => a.line - b.line || a.span.start - b.span.start);
  return { ...first, rulesets: [...first.rulesets, ...second.rulesets], diagnostics, omitted: Math.max(first.omitted, second.omitted) };
}

/** A file of an old Mac, or a bad paste: its lines end in CR alone. Each becomes LF, so that places stay what they are. */
function withLineFeeds(source: SourceText): SourceText {
  if (!source.text.includes('\r')) return source;
  const lineFeeds = source.text.split('\n').length;
  const bare = source.text.match(/\r(?!\n)/gu)?.length ?? 0;
  return bare > lineFeeds ? { path: source.path, text: source.text.replaceAll(/\r(?!\n)/gu, '\n'), bareCarriageReturns: true } : source;
}
