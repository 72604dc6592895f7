/** What a rule asks in plain numbers, read off the rule and what its matches mean. */
import type { RuleContext } from '../../extensions/define.js';
import { meaningOf } from '../../extensions/use.js';
import { isOpaque, isUnresolved, type MatchUse, type Rule, type RuleBody } from '../../model/ruleset.js';
import { all, type Constraint } from '../../packet/constraint.js';
import type { Family } from '../../values/value.js';
import { anyPort, type PortBounds, type QuickTest } from './rule-scan.js';

const anyAddress = { address: 0, mask: 0, negated: false };
const anyPorts: Pick<QuickTest, 'sport' | 'dport'> = { sport: anyPort, dport: anyPort };

function address4(given: RuleBody['source'], family: Family): { readonly address: number; readonly mask: number; readonly negated: boolean } {
  if (given === undefined || isUnresolved(given.value) || family !== 'ipv4') return anyAddress;
  return { address: Number(given.value.address) | 0, mask: Number(given.value.mask) | 0, negated: given.negated };
}

/** The number that a rule asks for; 0: it asks for none. */
export function protocolOf({ protocol }: Rule): number {
  return typeof protocol?.value === 'number' ? protocol.value : 0;
}

/** The quick test of a rule. */
export function quickTest(rule: Rule, cx: RuleContext): QuickTest {
  const src = address4(rule.source, cx.family);
  const dst = address4(rule.destination, cx.family);
  return {
    src: src.address, srcMask: src.mask, srcNegated: src.negated,
    dst: dst.address, dstMask: dst.mask, dstNegated: dst.negated,
    protocol: protocolOf(rule), protocolNegated: rule.protocol?.negated ?? false,
    ...portsOf(rule.matches, cx),
  };
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
