/** What to do about a chain, or a rule, that is not there. */
import type { SourceText } from '../../grammar/source-text.js';

/** A line that says something of a built-in chain. */
const builtIn = /^(?::|(?:\[\d+:\d+\])?[ \t]*-[A-Z][ \t]+)(?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)\b/mu;

/** It is asked for each chain that is missing, and a file may be long. */
const known = new WeakMap<SourceText, boolean>();

/**
 * A file for iptables-restore that declares no chain, or none but its own and leads no packet to them, as those of ufw: `--noflush` leaves what is there, of
 * which the file says nothing.
 */
function isFragment(source: SourceText): boolean {
  const { text } = source;
  const isOne = known.get(source) ?? (/^\*/mu.test(text) && (!/^:/mu.test(text) || !builtIn.test(text)));
  known.set(source, isOne);
  return isOne;
}

const asSaved = 'for iptables-restore --noflush, lint what iptables-save prints once it is loaded';

/** What is wrong with a command of a script for a chain that it may find, for all that is known. */
export function notMadeHere(name: string, table: string): string {
  return `nothing here makes chain \`${name}\` of table ${table}: unless it is there already, this fails`;
}

/** How a chain is made, in the words of the file. `program`: that of the line, in a script. */
export function makeChain(name: string, source: SourceText, program?: string): string {
  if (program !== undefined || !/^\*/mu.test(source.text)) return `create it first: ${program === undefined ? '' : `${program} `}-N ${name}`;
  return `declare it first with a line :${name} - [0:0]${isFragment(source) ? `; if the file is a part ${asSaved}` : ''}`;
}

/** What to do about a line that flushes or deletes what no line before it has made. */
export function nothingThere(source: SourceText): string {
  return isFragment(source) ? `every table of the file begins empty; if it is a part ${asSaved}` : 'leave it out, or make it first: here everything begins empty';
}
