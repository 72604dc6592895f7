/** The docs pages of the checks, made from the checks' own words. `npm run docs` writes them. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { checkKinds, exampleOf, type Check, type CheckKind, type Example } from '../analyzer/checks/define-check.js';
import { checks } from '../analyzer/checks/index.js';
import type { Settings } from '../analyzer/checks/settings.js';
import { configSchemaText } from './config-schema.js';
import { conformancePage } from './conformance-page.js';
import { formatPage } from './format-page.js';
import { manPage } from './man-page.js';
import { reportSchemas } from './report-schema.js';
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

/** How the configuration calls what checks are told. */
const configKeys: Readonly<Record<keyof Settings, string>> = {
  managementPorts: 'management.ports', managementPeers: 'management.peers', trustedInterfaces: 'trusted-interfaces', neededServices: 'needed-services', conntrackMax: 'conntrack-max',
};

function keysOf(settings: Partial<Settings>): readonly (readonly [keyof Settings, unknown])[] {
  return Object.entries(settings) as (readonly [keyof Settings, unknown])[];
}

/** What an example needs to be known besides its rules. */
function besides({ settings, host, sibling }: Example): string {
  const said = [
    ...settings === undefined ? [] : [`With ${keysOf(settings).map(([key, value]) => `\`${configKeys[key]}: ${JSON.stringify(value)}\``).join(', ')} in the [configuration](../config.md).`],
    ...host === undefined ? [] : [`On a host with\n\n${fence(JSON.stringify(host, null, 2))}`],
    ...sibling === undefined ? [] : [`Beside it, the rules of the other family:\n\n${fence(sibling)}`],
  ];
  return said.map(one => `\n\n${one}`).join('');
}

function example(one: string | Example): string {
  const { rules, ...rest } = exampleOf(one);
  return `${fence(rules)}${besides({ rules, ...rest })}`;
}

/** When the check speaks, and how loud. */
function severityLine({ severity, auditor, isOff }: Check): string {
  const off = isOff === true ? ` It is off unless it is asked for by name${auditor === undefined ? '' : ', or by an auditor'}.` : '';
  const raised = auditor === undefined ? '' : ` With \`--persona auditor\`: at least ${auditor}.`;
  return `Severity: ${severity}, unless the finding says otherwise.${raised}${off}`;
}

function checkPage(check: Check): string {
  return `# ${check.name}

${check.summary}. ${severityLine(check)}

## Why

${check.why}

## Bad

${example(check.bad)}

## Good

${example(check.good)}

## Also good

It looks much the same, and is right.

${example(check.nearMiss)}
`;
}

function indexPage(): string {
  const row = (name: string, severity: string, summary: string): string => `| [${name}](${name}.md) | ${severity} | ${summary} |`;
  const ofKind = (kind: CheckKind): string => checks.filter(check => check.kind === kind).map(check => row(check.name, check.isOff === true ? 'off' : check.severity, check.summary)).join('\n');
  const section = (kind: CheckKind): string => `## ${checkKinds[kind]}

| check | severity | what a finding means |
|---|---|---|
${ofKind(kind)}
`;
  const kinds = Object.keys(checkKinds).filter((kind): kind is CheckKind => checks.some(check => check.kind === kind));
  return `# Checks

${kinds.map(section).join('\n')}

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
  writeFileSync('docs/iptables-lint.schema.json', configSchemaText());
  for (const [file, text] of reportSchemas()) writeFileSync(`docs/${file}`, text);
  writeFileSync('docs/formats.md', await formatPage());
  writeFileSync('docs/conformance.md', conformancePage());
  writeFileSync('docs/iptables-lint.1', manPage());
}
