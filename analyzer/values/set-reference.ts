import { refuse, type Value } from './value.js';

/** A set of ipset, and which side of the packet each of its parts is taken from. */
export interface SetReference {
  readonly name: string;
  readonly directions: readonly ('src' | 'dst')[];
}

const maxDimensions = 6;
const maxName = 31;

/** `name src|dst[,…]`. Of each direction only the first three letters are looked at (`parse_dirs`, libxt_set.h). */
export const setReference: Value<SetReference> = {
  syntax: 'set src|dst[,src|dst…]',
  words: 2,
  parse: ([name = '', list = '']) => {
    if (name === '') return refuse('the set name is empty');
    if (Buffer.byteLength(name) > maxName) return refuse(`the set name \`${name}\` is longer than ${String(maxName)} bytes`);
    const directions: ('src' | 'dst')[] = [];
    for (const word of list.split(',')) {
      if (word.startsWith('src')) directions.push('src');
      else if (word.startsWith('dst')) directions.push('dst');
      else return refuse(`\`${word}\` is neither \`src\` nor \`dst\``, `after the set name comes src or dst for each of its parts, as \`src,dst\``);
    }
    if (directions.length > maxDimensions) return refuse(`${String(directions.length)} directions are given, and a set has at most ${String(maxDimensions)} parts`);
    return { name, directions };
  },
  print: ({ name, directions }) => `${name} ${directions.join(',')}`,
  arbitrary: (fc, { family }) => {
    // The sets of the test namespace that fit; a set that does not exist would be refused there.
    const names = family === 'ipv4' ? ['web', 'nets', 'hostport', 'ifaces', 'mixed', 'ports'] : ['web6', 'nets6', 'hostport6', 'mixed', 'ports'];
    const direction = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('src', 'dst') }, { weight: 1, arbitrary: fc.constantFrom('srcip', 'dst-port') });
    return fc.tuple(fc.constantFrom(...names), fc.array(direction, { minLength: 1, maxLength: maxDimensions })).map(([name, list]) => [name, list.join(',')]);
  },
};
