/** What comes from rule files must not speak to the terminal. */

/** Control characters, line separators, and marks that turn the direction of text: they can make a terminal show what is not there. The last two are no characters, and XML may not hold them. */
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** `text` with those characters written as `\x1b` or `\u202e`; everything that is printed for a person goes through here. */
export function visible(text: string): string {
  return text.replace(hidden, escaped);
}

/** The same for JSON, where an escape loses nothing: `JSON.stringify` leaves DEL, C1 controls and direction marks as they are. */
export function visibleJson(json: string): string {
  return json.replace(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu, character => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
