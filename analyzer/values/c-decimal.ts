/** A number at the start of `text` as `strtoul` with base 10 reads it, cut to 32 bits: 0 where there is none, and a minus sign makes it wrap around. */
export function scanDecimal(text: string): { readonly value: number; readonly rest: string } {
  const found = /^[ \t\n\v\f\r]*([+-]?)(\d+)/u.exec(text);
  if (found === null) return { value: 0, rest: text };
  const digits = BigInt(found[2] ?? 0);
  const value = digits >= 1n << 64n ? 0xffff_ffffn : BigInt.asUintN(32, found[1] === '-' ? -digits : digits);
  return { value: Number(value), rest: text.slice(found[0].length) };
}
