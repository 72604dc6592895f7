/** XML documents, for formats that are. */
import Builder from 'fast-xml-builder';
import { visible } from './visible.js';

export type XmlValue = string | number | readonly XmlValue[] | XmlElement;

export interface XmlElement {
  readonly [name: string]: XmlValue | undefined;
}

/** Control characters, which XML 1.0 has no way to write, made visible; a line end may stay. */
function cleaned(value: XmlValue | undefined): XmlValue | undefined {
  if (typeof value === 'string') return value.split('\n').map(visible).join('\n');
  if (Array.isArray(value)) return value.map((one: XmlValue) => cleaned(one) ?? '');
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cleaned(one)]));
}

/** A document of one element. Attributes have `@` in front of their name, text is `#text`. */
export function xmlDocument(root: XmlElement): string {
  const builder = new Builder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true, suppressEmptyNode: true, suppressBooleanAttributes: false });
  const { ...document } = cleaned(root) as object;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build(document).trim()}\n`;
}
