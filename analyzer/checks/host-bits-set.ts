import { isUnresolved, type RuleBody, type Ruleset } from '../model/ruleset.js';
import { optionSpan } from '../model/spans.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import { isPrivate } from '../packet/address-blocks.js';
import { printAddressMask, type AddressMask } from '../values/address-mask.js';
import { fullMask, parseAddress } from '../values/address.js';
import { Problem, type Family } from '../values/value.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, fixWith, type Report } from './define-check.js';

function widened(given: RuleBody['source']): AddressMask | undefined {
  if (given === undefined || isUnresolved(given.value)) return undefined;
  return given.value.hostBits ? given.value : undefined;
}

/** Whether a private address was given, and a mask by which most others are public. */
function leavesPrivate(host: string, { address, mask }: AddressMask, family: Family): boolean {
  const given = parseAddress(host, family);
  if (given instanceof Problem || !isPrivate(given)) return false;
  const last = typeof address === 'number' ? address + (0xffff_ffff - Number(mask)) : address | (BigInt(fullMask(family)) ^ BigInt(mask));
  return !isPrivate(address) || !isPrivate(last);
}

function report(ruleset: Ruleset, at: RuleAt, key: 's' | 'd', value: AddressMask): Report {
  const span = optionSpan(ruleset, at.rule, option => option.shape instanceof BuiltInOption && option.shape.key === key);
  const written = ruleset.source.text.slice(span.start, span.end).split(/[\s=]+/u).at(-1) ?? '';
  const [host = written] = written.split('/');
  const reachesOut = leavesPrivate(host, value, ruleset.family);
  // Not in a list of addresses, nor where the word stands in quotes.
  const isPlain = /^[\d.:a-fA-F]+\/[\d.:a-fA-F]+$/u.test(written);
  return {
    at, span,
    message: `\`${written}\` is silently the whole of ${printAddressMask(value)}${reachesOut ? ', where the internet is as well' : ''}`,
    help: reachesOut ? `write the mask of the private network that is meant, or ${host} for the one host` : `write ${printAddressMask(value)} if the network is meant, or ${host} for the one host`,
    // Nobody means that, and who writes it down hides it.
    ...reachesOut ? {} : fixWith(`write ${printAddressMask(value)}, which it means`, 'safe', isPlain ? [{ span: { start: span.end - written.length, end: span.end }, text: printAddressMask(value) }] : undefined),
  };
}

export const hostBitsSet = defineCheck({
  name: 'host-bits-set',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'An address has bits outside its mask, which are silently dropped',
  why: `iptables clears the bits that the mask does not cover, without a word: -d 10.10.10.3/24 is the whole of
10.10.10.0/24, 256 addresses and not one. Whoever wrote it may have meant the host. iptables-save shows the
network only, so the mistake cannot be seen in a saved rule set. Where the host is private and most of the network is not (192.168.0.0/8), no fix is offered.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.17/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.17/32 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.16/28 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  * run({ ruleset, rules }) {
    for (const table of ruleset.tables.values()) for (const at of rules(table)) {
      const source = widened(at.rule.source);
      if (source !== undefined) yield report(ruleset, at, 's', source);
      const destination = widened(at.rule.destination);
      if (destination !== undefined) yield report(ruleset, at, 'd', destination);
    }
  },
});
