/** Rules that accept what is sent from some ports: a sender chooses those as he likes. */
import type { Rule, Ruleset } from '../../model/ruleset.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { Constraint, Range } from '../../packet/constraint.js';
import { localPorts } from '../../packet/local-ports.js';
import { acceptsAll } from './accepting.js';
import { rangesOf } from './asked.js';
import { conjuncts } from './conjuncts.js';
import { namedPorts } from './named-ports.js';
import { isForSomebody } from './strangers.js';

/** Who asks for more of them than this asks for whoever opens a connection. */
const few = 1024;

export interface TrustedPorts {
  readonly ports: readonly [Range, ...Range[]];
  /** Those of `--ports`: who asks for one of them may send from any. */
  readonly isEither: boolean;
  /** The ports of clients to which answers go, where the rule asks for these as well. */
  readonly to: Range | undefined;
}

/** The ports from which or to which a packet may go by a rule, where one of both will do (`--ports`). */
function eitherPorts(asks: Constraint): readonly Range[] | undefined {
  for (const one of conjuncts(asks)) {
    const fields = one.kind === 'any' ? one.of.map(part => part.kind === 'within' ? part.field : undefined) : [];
    if (one.kind === 'any' && fields.includes('sport') && fields.every(field => field === 'sport' || field === 'dport')) return one.of.flatMap(part => rangesOf(part, 'sport') ?? []);
  }
  return undefined;
}

/** Whether somebody may have one of the ports by chance. */
function areEveryday(ports: readonly Range[]): boolean {
  return ports.reduce((sum, { low, high }) => sum + Math.max(0, Number(high) - Math.max(Number(low), localPorts.low) + 1), 0) > few;
}

/** Where clients await answers, and servers are as well: `1024:65535`. */
function isForClients({ low, high }: Range): boolean {
  return Number(low) >= 1024 && Number(low) < localPorts.low && Number(high) >= localPorts.high;
}

/** The source ports that a rule of table filter asks for, where nobody has them by chance, and it asks for no destination port besides, or for any of a client's. */
export function trustedPorts(ruleset: Ruleset, rule: Rule): TrustedPorts | undefined {
  const table = ruleset.tables.get('filter');
  if (table === undefined || !acceptsAll(table, rule) || isForSomebody(rule)) return undefined;
  const asks = constraintsOf(ruleset, 'filter').of(rule);
  const own = rangesOf(asks, 'sport');
  const [first, ...more] = own ?? eitherPorts(asks) ?? [];
  const [to, ...others] = rangesOf(asks, 'dport') ?? [];
  if (first === undefined || areEveryday([first, ...more]) || others.length > 0 || (to !== undefined && !isForClients(to))) return undefined;
  // What it leaves out of the destination ports it says in another way.
  return own === undefined || to !== undefined || namedPorts(ruleset, 'filter', rule) === undefined ? { ports: [first, ...more], isEither: own === undefined, to } : undefined;
}
