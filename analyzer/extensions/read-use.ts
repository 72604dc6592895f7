/** From the words of a rule to a match or target in use. */
import type { OptionNode, WordNode } from '../../grammar/syntax.js';
import type { Span } from '../../grammar/source-text.js';
import { Problem } from '../values/value.js';
import type { AnyExtension, AnyOption, Given, OrderedOption, RuleContext } from './define.js';
import { ExtensionOption } from './option-scope.js';
import type { Use } from './use.js';

/** What is wrong with a use; `check` names the finding. */
export interface UseProblem {
  readonly span: Span;
  readonly check: 'invalid-value' | 'invalid-options' | 'unresolved-name' | 'too-many-ports';
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly help?: string | undefined;
}

function spanOf(words: readonly WordNode[], fallback: Span): Span {
  const first = words[0];
  const last = words.at(-1);
  return first === undefined || last === undefined ? fallback : { start: first.start, end: last.end };
}

/** Reads one option's words; records it or says what is wrong. */
function readOption(node: OptionNode, known: ExtensionOption, cx: RuleContext, into: Use & { ordered: OrderedOption[]; given: Record<string, Given<unknown>>; unresolved: Record<string, string> }, problems: UseProblem[]): void {
  const { definition, key, extension } = known;
  const name = definition.names[0];
  const refuseHere = (span: Span, check: UseProblem['check'], message: string, help?: string): void => {
    problems.push({ span, check, severity: 'error', message: `${extension.name}: ${message}`, help });
  };
  if (definition.repeat === 'refused' && key in into.given) return refuseHere(node, 'invalid-options', `${name} is given twice`, `keep one ${name}`);
  if (node.bang !== undefined && !definition.negatable) return refuseHere({ start: node.bang.start, end: node.name.end }, 'invalid-options', `${name} cannot be negated`, 'delete the `!`');
  if (node.args.length < definition.value.words) return;
  const words = node.args.map(word => word.text);
  // Words beyond the first are taken only if they do not look like an option, as the extensions themselves check.
  if (words.length > 1 && /^[-!]/u.test(words[1] ?? '')) return refuseHere(node.args[1] ?? node, 'invalid-value', `${name} requires two arguments`);
  const value: unknown = definition.value.parse(words, cx);
  if (value instanceof Problem) {
    if (value.kind === 'refused') return refuseHere(spanOf(node.args, node), value.check ?? 'invalid-value', value.message, value.help ?? (definition.value.syntax === '' ? undefined : `${name} takes ${definition.value.syntax}`));
    problems.push({ span: spanOf(node.args, node), check: 'unresolved-name', severity: 'warning', message: value.message, help: 'write the number: a name may mean something else on another machine, or nothing at all at boot' });
    into.unresolved[key] = words.join(' ');
  }
  const given = { negated: node.bang !== undefined, value: value instanceof Problem ? undefined : value };
  into.given[key] = given;
  into.ordered.push({ key, ...given });
}

function checkTogether(definition: AnyExtension, given: Readonly<Record<string, unknown>>, complain: (message: string) => void): void {
  const options = definition.options as Record<string, AnyOption>;
  for (const key in options) {
    const option = options[key];
    if (option === undefined) continue;
    const name = option.names[0];
    if (!(key in given)) {
      if (option.required) complain(`${name} must be given`);
      continue;
    }
    for (const other of option.needs) if (!(other in given)) complain(`${name} needs ${options[other]?.names[0] ?? other} with it`);
    for (const other of option.excludes) if (other !== key && other in given) complain(`${name} cannot be used together with ${options[other]?.names[0] ?? other}`);
  }
}

/**
 * Reads the options of one match or target. `at` is the span of its name, for what is missing.
 * `cx.protocol` is `-p` as far as it was read before the options, `protocol` what it is in the end.
 * The use is returned even where problems were found: what could be read, was.
 */
export function readUse<D extends AnyExtension>(definition: D, nodes: readonly OptionNode[], at: Span, cx: RuleContext, protocol = cx.protocol): { readonly use: Use<D>; readonly problems: readonly UseProblem[] } {
  const use = { definition, given: {} as Record<string, Given<unknown>>, ordered: [] as OrderedOption[], unresolved: {} as Record<string, string> };
  const problems: UseProblem[] = [];
  for (const node of nodes) if (node.shape instanceof ExtensionOption) readOption(node, node.shape, cx, use, problems);
  if (problems.every(problem => problem.severity !== 'error')) {
    const complain = (message: string): void => {
      problems.push({ span: at, check: 'invalid-options', severity: 'error', message: `${definition.name}: ${message}` });
    };
    checkTogether(definition, use.given, complain);
    if (problems.length === 0) {
      const message = definition.check?.(use.given, { ...cx, protocol, ordered: use.ordered });
      if (message !== undefined) complain(message);
    }
  }
  return { use, problems };
}
