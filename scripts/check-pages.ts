/** The docs pages of the checks, made from the checks' own words. `npm run docs` writes them. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Check } from '../analyzer/checks/define-check.js';
import { checks } from '../analyzer/checks/index.js';
import { loadChecks, type LoadCheck } from '../analyzer/model/load-checks.js';

function fence(text: string): string {
  return `\`\`\`\n${text.trimEnd().replaceAll('\r', '␍')}\n\`\`\``;
}

function loadCheckPage(name: string, check: LoadCheck): string {
  return `# ${name}

${check.summary}. Severity: ${check.severity}. It is found when the file is loaded.

## Why

${check.why}

## Bad

${fence(check.bad)}
`;
}

function checkPage(check: Check): string {
  return `# ${check.name}

${check.summary}. Severity: ${check.severity}, unless the finding says otherwise.

## Why

${check.why}

## Bad

${fence(check.bad)}

## Good

${fence(check.good)}
`;
}

function indexPage(): string {
  const row = (name: string, severity: string, summary: string): string => `| [${name}](${name}.md) | ${severity} | ${summary} |`;
  return `# Checks

| check | severity | what a finding means |
|---|---|---|
${checks.map(check => row(check.name, check.severity, check.summary)).join('\n')}

## Findings of loading

What \`iptables-restore\` or the kernel would refuse, and what cannot be known without the machine.

| check | severity | what a finding means |
|---|---|---|
${Object.entries(loadChecks).map(([name, { severity, summary }]) => row(name, severity, summary)).join('\n')}
`;
}

/** Every page by its file name. */
export function checkPages(): ReadonlyMap<string, string> {
  return new Map([
    ['README.md', indexPage()],
    ...checks.map(check => [`${check.name}.md`, checkPage(check)] as const),
    ...Object.entries(loadChecks).map(([name, check]) => [`${name}.md`, loadCheckPage(name, check)] as const),
  ]);
}

if (process.argv[1]?.endsWith('check-pages.js') === true) {
  mkdirSync('docs/checks', { recursive: true });
  for (const file of readdirSync('docs/checks')) rmSync(`docs/checks/${file}`);
  for (const [file, text] of checkPages()) writeFileSync(`docs/checks/${file}`, text);
}
