/** Whether to colour: the option, then FORCE_COLOR, then NO_COLOR, then whether a person looks. */
export function wantsColor(option: boolean | undefined, stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (option !== undefined) return option;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Whether names may be links: only for a person who sees colours, in a terminal that opens them; FORCE_HYPERLINK says otherwise. */
export async function wantsLinks(color: boolean, stream: { readonly isTTY?: boolean }): Promise<boolean> {
  const forced = process.env['FORCE_HYPERLINK'];
  if (!color || (stream.isTTY !== true && forced === undefined)) return false;
  const { createSupportsHyperlinks } = await import('supports-hyperlinks');
  return createSupportsHyperlinks(stream);
}

/** Columns of the terminal, within reason; wide where nobody looks. */
export function widthOf(stream: { readonly columns?: number | undefined }): number {
  return Math.max(40, stream.columns ?? 200);
}
