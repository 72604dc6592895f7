/** What two rule sets do differently, in lines for people. */
import type { Difference, DifferenceCase } from '../analyzer/packet-space/pipeline/index.js';
import type { Fate } from '../analyzer/packet-space/pipeline/fates/fate-words.js';

const ways: Readonly<Record<DifferenceCase['path'], string>> = { in: 'to this host', through: 'forwarded', out: 'from this host', loop: 'over lo' };

/** Who decides is told of one packet: of the others it may be somebody else. */
function fateWords({ verdict, with: how, written, by }: Fate): string {
  const who = by === undefined ? '' : `, for one by ${'policy' in by ? `the policy of ${by.chain}` : `${by.chain}:${String(by.position)}`}`;
  return `${verdict}${how === undefined ? '' : ` (${how})`}${written.length === 0 ? '' : `, ${written.join(', ')}`}${who}`;
}

function caseLine({ path, part: { fields, except, given }, a, b }: DifferenceCase): string {
  const packets = fields.length === 0 ? 'all packets' : fields.join(', ');
  const left = except.map(one => `but ${one.join(', ')}`);
  return `${ways[path]}: ${[packets, ...left, ...given.map(one => `where ${one}`)].join('; ')}: ${fateWords(a)} -> ${fateWords(b)}`;
}

/** One line for each kind of packets that fare differently, the largest first. */
export function differenceLines(difference: Difference): readonly string[] {
  switch (difference.kind) {
    case 'equivalent': return ['no packet fares differently'];
    case 'undecided': return ['what fares differently could not be worked out'];
    case 'different': return [...difference.cases.map(caseLine), ...difference.complete ? [] : ['and perhaps more']];
  }
}
