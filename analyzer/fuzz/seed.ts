import { crc32c } from '../packet/crc32c.js';

/** A seed that hangs on these texts and nothing else. */
export function seedOf(texts: readonly string[]): number {
  return crc32c(new TextEncoder().encode(texts.join('\0'))) >>> 1;
}
