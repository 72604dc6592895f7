/** docs/conformance.md: the kernel beside us, in numbers. `npm run docs` writes it from what was recorded. */
import { readFileSync } from 'node:fs';
import { matches } from '../analyzer/extensions/matches/index.js';
import { targets } from '../analyzer/extensions/targets/index.js';
import { recordedAnswers } from '../test/kernel/cases/answers.js';
import { allCases } from '../test/kernel/cases/index.js';
import { measuredFile, type Measured } from '../test/kernel/measure.js';

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function caseRows(): string {
  return Object.entries(allCases).map(([file, cases]) => {
    const { kernel, iptables, answers } = recordedAnswers(file);
    const packets = Object.values(answers).reduce((sum, { steps }) => sum + steps.length, 0);
    return `| [${file}](../test/kernel/cases/${file}.ts) | ${count(cases.length)} | ${count(packets)} | Linux ${kernel}, iptables ${iptables} |`;
  }).join('\n');
}

function comparedRows({ compared }: Measured): string {
  return compared.map(({ family, backend, rules, packets }) => `| ${family}, ${backend} | ${count(rules.accepted)} | ${count(rules.refused)} | ${count(rules.disagreements)} | ${count(packets.packets)} in ${count(packets.scenarios)} | ${count(packets.disagreements)} |`).join('\n');
}

export function conformancePage(): string {
  const measured = JSON.parse(readFileSync(measuredFile, 'utf8')) as Measured;
  const { date, kernel, iptables, seed } = measured;
  const cases = Object.values(allCases).reduce((sum, list) => sum + list.length, 0);
  return `# Conformance with the kernel

What we say that iptables and netfilter do is held against what they do. ${count(matches.length)} matches and ${count(targets.length)} targets are declared; what the engine does not model is in [engine.md](engine.md), and where
exact reasoning allows more than the kernel does in [exactness.md](exactness.md).

## Generated rules and packets

Measured on ${date}, with Linux ${kernel} and iptables ${iptables}, from seed ${String(seed)}: \`node build/test/kernel/measure.js\` as root measures it anew.

Rules are drawn from the declarations of all matches and targets. A *disagreement* is one that the real \`iptables-restore\` takes and we refuse, or the other way round, or that \`iptables-save\` prints otherwise than
\`fmt\`. Packets are those of drawn scenarios: rule sets in all tables, tracked connections, NAT, routing, fragments, errors. A scenario *disagrees* where one of its packets meets another rule,
leaves otherwise, changes otherwise or leaves another connection behind.

One difference is meant. Of two \`-m tcp\` or \`-m udp\` in one rule that ask for the same thing in two ways (\`--sport 1:5\` and \`--sport 3:9\`) the kernel has both, and iptables-nft-save prints the
second alone; of two that leave out a port each (\`! --sport 5\` and \`! --dport 6\`) it prints one, which would leave out less. \`fmt\` keeps both, so that nothing is lost where its output is loaded again.

| | rules taken | refused, and tried | disagreements | packets, scenarios | scenarios that disagree |
|---|---|---|---|---|---|
${comparedRows(measured)}

## Cases by hand

${count(cases)} scenarios with the kernel's recorded answers, so that they are also tests where there is no kernel. \`node build/test/kernel/record.js\` records them anew.

| about | cases | packets | recorded with |
|---|---|---|---|
${caseRows()}

## In each test run

As root, with iptables: 20,000 generated rules for each family, generated scenarios for each family and backend, the examples of all matches and targets, witnesses replayed in the kernel, and claims of exact reasoning
(a rule is dead, or redundant) held against it: \`test/kernel/\`. Elsewhere these tests skip, and say so.
`;
}
