/** The formats by name. Each is loaded only when it is asked for. */
import type { Format } from './report.js';

export const formatNames = ['pretty', 'full', 'compact', 'json', 'ndjson', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle', 'rdjson', 'tap', 'markdown'] as const;
export type FormatName = (typeof formatNames)[number];

const loaders: Readonly<Record<FormatName, () => Promise<Format>>> = {
  pretty: async () => (await import('./pretty.js')).pretty,
  full: async () => (await import('./full.js')).full,
  compact: async () => (await import('./compact.js')).compact,
  json: async () => (await import('./json.js')).json,
  ndjson: async () => (await import('./ndjson.js')).ndjson,
  sarif: async () => (await import('./sarif.js')).sarif,
  github: async () => (await import('./github.js')).github,
  gitlab: async () => (await import('./gitlab.js')).gitlab,
  junit: async () => (await import('./junit.js')).junit,
  checkstyle: async () => (await import('./checkstyle.js')).checkstyle,
  rdjson: async () => (await import('./rdjson.js')).rdjson,
  tap: async () => (await import('./tap.js')).tap,
  markdown: async () => (await import('./markdown.js')).markdown,
};

export function loadFormat(name: FormatName): Promise<Format> {
  return loaders[name]();
}
