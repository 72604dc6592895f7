/** A line cut into words. */

export interface Word {
  readonly text: string;
  /** Offsets in the line; quotes belong to the word. */
  readonly start: number;
  readonly end: number;
}

/** Words stand between blanks; `>` is one of its own wherever it stands; quotes keep blanks in a word, and are not part of it. */
export function cutWords(line: string): readonly Word[] {
  return [...line.matchAll(/"(?<double>[^"]*)"|'(?<single>[^']*)'|>|[^\s>]+/gu)].map(match => ({
    text: match.groups?.['double'] ?? match.groups?.['single'] ?? match[0], start: match.index, end: match.index + match[0].length,
  }));
}
