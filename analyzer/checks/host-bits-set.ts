import { isUnresolved, type RuleBody, type Ruleset } from '../model/ruleset.js';
import { optionSpan } from '../model/spans.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import { printAddressMask, type AddressMask } from '../values/address-mask.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, fixWith, type Report } from './define-check.js';

function widened(given: RuleBody['source']): AddressMask | undefined {
  if (given === undefined || isUnresolved(given.value)) return undefined;
  return given.value.hostBits ? given.value : undefined;
}

function report(ruleset: Ruleset, at: RuleAt, key: 's' | 'd', value: AddressMask): Report {
  const span = optionSpan(ruleset, at.rule, option => option.shape instanceof BuiltInOption && option.shape.key === key);
  const written = ruleset.source.text.slice(span.start, span.end).split(/[\s=]+/u).at(-1) ?? '';
  const [host = written] = written.split('/');
  // Not in a list of addresses, nor where the word stands in quotes.
  const isPlain = /^[\d.:a-fA-F]+\/[\d.:a-fA-F]+$/u.test(written);
  return {
    at, span,
    message: `\`${written}\` is silently the whole of ${printAddressMask(value)}`,
    help: `write ${printAddressMask(value)} if the network is meant, or ${host} for the one host`,
    ...fixWith(`write ${printAddressMask(value)}, which it means`, 'safe', isPlain ? [{ span: { start: span.end - written.length, end: span.end }, text: printAddressMask(value) }] : undefined),
  };
}

export const hostBitsSet = defineCheck({
  name: 'host-bits-set',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'An address has bits outside its mask, which are silently dropped',
  why: `iptables clears the bits that the mask does not cover, without a word: -d 10.10.10.3/24 is the whole of
10.10.10.0/24, 256 addresses and not one. Whoever wrote it may have meant the host. iptables-save shows the
network only, so the mistake cannot be seen in a saved rule set.`,
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
