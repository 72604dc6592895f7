/** What a rule asks in plain numbers, read off the rule and what its matches mean. */
import type { RuleContext } from '../../extensions/define.js';
import { meaningOf } from '../../extensions/use.js';
import { isOpaque, isUnresolved, type MatchUse, type Rule, type RuleBody } from '../../model/ruleset.js';
import { all, type Constraint } from '../../packet/constraint.js';
import { anyPort, type AddressTest, type PortBounds, type QuickTest } from './packed-rules.js';

const anyAddress: AddressTest = { address: 0n, mask: 0n, negated: false };
const anyPorts: Pick<QuickTest, 'sport' | 'dport'> = { sport: anyPort, dport: anyPort };

function addressTest(given: RuleBody['source']): AddressTest {
  return given === undefined || isUnresolved(given.value) ? anyAddress : { address: given.value.address, mask: given.value.mask, negated: given.negated };
}

/** The number that a rule asks for; 0: it asks for none. */
export function protocolOf({ protocol }: Rule): number {
  return typeof protocol?.value === 'number' ? protocol.value : 0;
}

/** The quick test of a rule. */
export function quickTest(rule: Rule, cx: RuleContext): QuickTest {
  return { src: addressTest(rule.source), dst: addressTest(rule.destination), protocol: protocolOf(rule), protocolNegated: rule.protocol?.negated ?? false, ...portsOf(rule.matches, cx) };
}

/** Whether a constraint hangs on fields alone: asking it changes nothing, and it can be asked early. */
function isOfFields(constraint: Constraint): boolean {
  switch (constraint.kind) {
    case 'atom': case 'unknown': return false;
    case 'not': return isOfFields(constraint.of);
    case 'all': case 'any': return constraint.of.every(isOfFields);
    case 'always': case 'never': case 'within': case 'masked': case 'interface': return true;
  }
}

function boundsIn(constraint: Constraint, field: 'sport' | 'dport'): PortBounds {
  if (constraint.kind === 'all') return constraint.of.map(part => boundsIn(part, field)).reduce((a, b) => ({ low: Math.max(a.low, b.low), high: Math.min(a.high, b.high) }), anyPort);
  if (constraint.kind !== 'within' || constraint.field !== field) return anyPort;
  return { low: Math.min(...constraint.ranges.map(range => Number(range.low))), high: Math.max(...constraint.ranges.map(range => Number(range.high))) };
}

/** The ports that a rule's matches leave, as far as they are asked before anything that remembers, counts or is unknown. */
function portsOf(matches: readonly MatchUse[], cx: RuleContext): Pick<QuickTest, 'sport' | 'dport'> {
  if (matches.length === 0) return anyPorts;
  const early: Constraint[] = [];
  for (const use of matches) {
    if (isOpaque(use)) break;
    const asked = meaningOf(use, cx);
    if (!isOfFields(asked)) break;
    early.push(asked);
  }
  const together = all(early);
  return { sport: boundsIn(together, 'sport'), dport: boundsIn(together, 'dport') };
}
