/** The exact printer, partner of the reader: what it prints is read back as the same words. */
import type { Statement, WordNode } from './syntax.js';

/** A word as iptables-restore must see it: quoted where it has blanks or quotes, or is empty. */
function printWord({ text }: WordNode): string {
  return text === '' || /[\s"]/u.test(text) ? `"${text.replace(/["\\]/gu, '\\$&')}"` : text;
}

/** One statement as a line without its line end; '' for one that could not be read. */
export function printStatement(statement: Statement): string {
  switch (statement.kind) {
    case 'table': return `*${statement.name.text}`;
    case 'chain': return [`:${statement.name.text}`, statement.policy?.text, statement.counters?.text].filter(part => part !== undefined).join(' ');
    case 'commit': return 'COMMIT';
    case 'comment': return statement.text;
    case 'bad': return '';
    case 'command': return statement.words.map((word, index) => index === 0 && word === statement.counters ? word.text : printWord(word)).join(' ');
  }
}
