/** The words that options and configuration choose from. Records hold them complete, without loading what they speak of. */
import type { Persona } from '../analyzer/examine.js';
import type { TableName } from '../analyzer/extensions/define.js';
import type { Backend, Family } from '../analyzer/values/value.js';
import type { InputFormat } from '../grammar/statements.js';

export type FailLevel = 'error' | 'warning' | 'info' | 'never';

function words<W extends string>(record: Readonly<Record<W, true>>): readonly W[] {
  return Object.keys(record) as W[];
}

export const inputFormats = words<InputFormat>({ save: true, restore: true, 'list-rules': true, script: true });
export const families = words<Family>({ ipv4: true, ipv6: true });
export const backends = words<Backend>({ legacy: true, nft: true });
export const tables = words<TableName>({ filter: true, nat: true, mangle: true, raw: true, security: true });
export const personas = words<Persona>({ operator: true, auditor: true });
export const failLevels = words<FailLevel>({ error: true, warning: true, info: true, never: true });
