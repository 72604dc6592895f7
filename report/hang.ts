import { displayWidth } from './display-width.js';

/** Breaks a text between words into lines of at most `width` columns; a word that is longer stands alone. */
export function hang(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let [line, used] = ['', 0];
  for (const word of text.split(' ')) {
    const columns = displayWidth(word);
    if (line !== '' && used + 1 + columns > width) {
      lines.push(line);
      [line, used] = [word, columns];
    } else {
      [line, used] = line === '' ? [word, columns] : [`${line} ${word}`, used + 1 + columns];
    }
  }
  return [...lines, line];
}
