import { refuse, type Value } from './value.js';

/** A name that becomes that of a file in /proc (`xt_check_proc_name`, net/netfilter/x_tables.c); what is beyond `max` bytes is cut off, and it is never quoted. */
export function procName(max: number): Value<string> {
  return {
    syntax: 'name',
    words: 1,
    parse: ([word = '']) => {
      if (word === '') return refuse('the name is empty');
      const name = Buffer.byteLength(word) <= max ? word : Buffer.from(word).subarray(0, max).toString();
      if (name === '.' || name === '..' || name.includes('/')) return refuse(`\`${word}\` cannot be the name of a file`, 'use letters, digits, - and _');
      return name;
    },
    print: name => name,
    arbitrary: fc => fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('DEFAULT', 'ssh', 'web-clients', 'a', 'x.y', 'scan_1') },
      { weight: 1, arbitrary: fc.constantFrom('two words', 'a'.repeat(max), 'b'.repeat(max + 1), 'd"q', 'per%cent') },
    ).map(name => [name]),
  };
}
