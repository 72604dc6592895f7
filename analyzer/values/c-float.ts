/** A floating-point number at the start of `text` as `strtod` reads it, and what follows; undefined where there is none. */
export function scanFloat(text: string): { readonly value: number; readonly rest: string } | undefined {
  const start = /^[ \t\n\v\f\r]*([+-]?)/u.exec(text);
  const negative = start?.[1] === '-';
  const body = text.slice(start?.[0].length ?? 0);
  const found = scanUnsigned(body);
  return found === undefined ? undefined : { value: negative ? -found.value : found.value, rest: body.slice(found.length) };
}

function scanUnsigned(body: string): { readonly value: number; readonly length: number } | undefined {
  const special = /^(infinity|inf|nan(?:\(\w*\))?)/iu.exec(body)?.[0];
  if (special !== undefined) return { value: /^nan/iu.test(special) ? NaN : Infinity, length: special.length };
  const hex = /^0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?/iu.exec(body);
  const digits = `${hex?.[1] ?? ''}${hex?.[2] ?? ''}`;
  if (hex !== null && digits !== '') return { value: Number(BigInt(`0x${digits}`)) * 2 ** (Number(hex[3] ?? 0) - 4 * (hex[2] ?? '').length), length: hex[0].length };
  const decimal = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iu.exec(body)?.[0];
  return decimal === undefined ? undefined : { value: Number(decimal), length: decimal.length };
}
