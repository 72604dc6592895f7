/** The JSON schema of `iptables-lint.yaml`, made from what the program holds it against. `npm run docs` writes it. */
import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import { checkNames, levels } from '../cli/check-names.js';
import { configObject } from '../cli/config/schema.js';

/** Names of checks are held by a function there; editors complete them from here. */
const checks: JsonSchema = { type: 'object', description: 'Levels of checks, by name', additionalProperties: false, properties: Object.fromEntries(checkNames().map(name => [name, { enum: [...levels] }])) };

export function configSchemaText(): string {
  const schema = toJsonSchema(configObject, {
    typeMode: 'input', errorMode: 'ignore',
    overrideSchema: ({ valibotSchema, jsonSchema }) => valibotSchema.type === 'record' ? checks : jsonSchema,
  });
  return `${JSON.stringify({ ...schema, $id: 'https://raw.githubusercontent.com/iptables-lint/iptables-lint/main/docs/iptables-lint.schema.json', title: 'iptables-lint.yaml' }, null, 2)}\n`;
}
