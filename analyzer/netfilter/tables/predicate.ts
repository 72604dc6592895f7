/** A rule's match, made ready for packets. */
import type { AnyMatch, EngineContext } from '../../extensions/define.js';
import { meaningOf, type Use } from '../../extensions/use.js';
import { compileConstraint } from '../../packet/compile-constraint.js';
import { withHeader } from '../../packet/transport-header.js';
import type { Predicate } from '../../packet/traversal.js';

/** What the match in use answers for packets: by its `matches` where it has one, else by what it asks (`meaningOf`). */
export function compileMatch(use: Use<AnyMatch>, cx: EngineContext): Predicate {
  const { definition, given, ordered, unresolved } = use;
  const [name] = Object.values(unresolved);
  if (name !== undefined) return t => t.unknown(`the name \`${name}\` is not resolved`);
  const context = { ...cx, ordered };
  const asked = definition.matches?.(given, context) ?? compileConstraint(meaningOf(use, context), cx.family);
  return definition.header === undefined ? asked : withHeader(definition.header, asked);
}

export { compileConstraint };
