/** The formats by name. Each is loaded only when it is asked for. */
import type { Format } from './report.js';

export const formatNames = ['pretty', 'full', 'json'] as const;
export type FormatName = (typeof formatNames)[number];

const loaders: Readonly<Record<FormatName, () => Promise<Format>>> = {
  pretty: async () => (await import('./pretty.js')).pretty,
  full: async () => (await import('./full.js')).full,
  json: async () => (await import('./json.js')).json,
};

export function loadFormat(name: FormatName): Promise<Format> {
  return loaders[name]();
}
