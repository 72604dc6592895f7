/** Rules that ask nothing of packets, whatever they remark. */
import { isOpaque, type MatchUse, type Rule } from '../../model/ruleset.js';

/** `-m comment`: for the reader, and not about packets. */
export function isRemark(use: MatchUse): boolean {
  return !isOpaque(use) && use.definition.name === 'comment';
}

/** True where every packet that comes to the rule matches it, whatever it is. */
export function isCatchAll({ source, destination, inInterface, outInterface, protocol, fragment, matches }: Rule): boolean {
  return [source, destination, inInterface, outInterface, protocol, fragment].every(one => one === undefined) && matches.every(isRemark);
}
