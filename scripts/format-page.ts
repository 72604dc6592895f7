/** docs/formats.md: every format, by what it prints about one file. `npm run docs` writes it. */
import { analyze } from '../analyzer/analyze.js';
import { formatNames, formatWords, loadFormat, type FormatName } from '../report/formats.js';
import type { Report } from '../report/report.js';

/** No reply gets out, and a rule is written twice. */
const rules = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 10.1.0.0/16 -p tcp -m tcp --dport 22 -j DROP
COMMIT
`;

const languages: Readonly<Partial<Record<FormatName, string>>> = { json: 'json', ndjson: 'json', sarif: 'json', gitlab: 'json', rdjson: 'json', junit: 'xml', checkstyle: 'xml', markdown: 'markdown', tap: 'tap' };

interface SarifLog {
  readonly runs: readonly { readonly results: readonly unknown[] }[];
}

/** SARIF begins with all checks that there are: only what it says of the finding is shown. */
function shown(format: FormatName, text: string): string {
  return format === 'sarif' ? `${JSON.stringify((JSON.parse(text) as SarifLog).runs[0]?.results[0], null, 2)}\n` : text;
}

async function section(format: FormatName, report: Report): Promise<string> {
  const text = await (await loadFormat(format))(report, { color: false, width: 120 });
  const what = format === 'sarif' ? ' One result of it:' : '';
  return `## ${format}\n\n${formatWords[format]}${what}\n\n\`\`\`\`${languages[format] ?? ''}\n${shown(format, text).trimEnd()}\n\`\`\`\`\n`;
}

export async function formatPage(): Promise<string> {
  const { source, findings } = analyze({ path: 'rules.v4', text: rules });
  const sections: string[] = [];
  for (const format of formatNames) sections.push(await section(format, { files: [{ source, findings }], undecided: {}, version: '1.0.0' }));
  return `# Formats

\`--format NAME\` prints the findings so, \`--format NAME=FILE\` writes them to a file; both may be repeated, with one at most for standard output. The exit code is the same in
every format. Colours and links come only where a terminal has them (\`NO_COLOR\`, \`FORCE_COLOR\`, \`--color\`, \`--no-color\`; \`FORCE_HYPERLINK\`), and never into a file. What rules say cannot
steer a terminal: control characters are printed as \`\\x1b\`.

No finding is left out in silence: where a format cannot hold all (SARIF, within the limits of GitHub), it says how many it leaves out, on stderr and in the report; what is left undecided, or not shown of generated chains, is counted in the report, or on stderr where no format has a place for it.

All sections are about these rules:

\`\`\`
${rules.trimEnd()}
\`\`\`

${sections.join('\n')}`;
}
