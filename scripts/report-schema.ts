/** The JSON schema of reports, made from what the program holds them against. `npm run docs` writes it. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { definitions, lineSchema, reportSchema } from '../report/report-schema.js';

function write(schema: object, name: string, title: string): string {
  return `${JSON.stringify({ ...schema, $id: `https://raw.githubusercontent.com/iptables-lint/iptables-lint/main/docs/${name}`, title }, null, 2)}\n`;
}

/** The schemas by file name. */
export function reportSchemas(): ReadonlyMap<string, string> {
  const options = { errorMode: 'ignore', definitions } as const;
  return new Map([
    ['report.schema.json', write(toJsonSchema(reportSchema, options), 'report.schema.json', 'iptables-lint --format json')],
    ['report-line.schema.json', write(toJsonSchema(lineSchema, options), 'report-line.schema.json', 'A line of iptables-lint --format ndjson')],
  ]);
}
