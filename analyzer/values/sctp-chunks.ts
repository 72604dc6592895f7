import { refuse, type Problem, type Value } from './value.js';

interface ChunkType {
  readonly name: string;
  readonly type: number;
  /** The letters of its flags, the highest bit first; `-` where there is none. */
  readonly flags: string;
}

const noFlags = '--------';
export const chunkTypes: readonly ChunkType[] = [
  ...['DATA', 'INIT', 'INIT_ACK', 'SACK', 'HEARTBEAT', 'HEARTBEAT_ACK', 'ABORT', 'SHUTDOWN', 'SHUTDOWN_ACK', 'ERROR', 'COOKIE_ECHO', 'COOKIE_ACK', 'ECN_ECNE', 'ECN_CWR', 'SHUTDOWN_COMPLETE']
    .map((name, type) => ({ name, type, flags: name === 'DATA' ? '----IUBE' : name === 'ABORT' || name === 'SHUTDOWN_COMPLETE' ? '-------T' : noFlags })),
  { name: 'I_DATA', type: 64, flags: '----IUBE' },
  { name: 'ASCONF_ACK', type: 128, flags: noFlags },
  { name: 'RE_CONFIG', type: 130, flags: noFlags },
  { name: 'PAD', type: 132, flags: noFlags },
  { name: 'FORWARD_TSN', type: 192, flags: noFlags },
  { name: 'ASCONF', type: 193, flags: noFlags },
  { name: 'I_FORWARD_TSN', type: 194, flags: noFlags },
];
/** Of so many chunk types flags may be asked for (XT_NUM_SCTP_FLAGS). */
const mostFlags = 4;

interface ChunkFlags {
  readonly mask: number;
  readonly set: number;
}

/** Which chunks a packet must have. */
export interface SctpChunks {
  readonly how: 'all' | 'any' | 'only';
  /** Numbers of chunk types, sorted. */
  readonly types: readonly number[] | 'every';
  readonly flags: ReadonlyMap<number, ChunkFlags>;
}

function parseFlags(chunk: ChunkType, letters: string, flags: Map<number, ChunkFlags>): Problem | undefined {
  let { mask, set } = flags.get(chunk.type) ?? { mask: 0, set: 0 };
  for (const letter of letters) {
    const at = chunk.flags.indexOf(letter.toUpperCase());
    if (at === -1) return refuse(`\`${letter}\` is not a flag of chunk type ${chunk.name}`, `its flags are ${chunk.flags.replace(/-/gu, '') || 'none'}`);
    const bit = 128 >> at;
    mask |= bit;
    if (/[A-Z]/u.test(letter)) set |= bit;
  }
  if (mask !== 0) flags.set(chunk.type, { mask, set });
  return flags.size > mostFlags ? refuse(`flags may be given for at most ${String(mostFlags)} chunk types`) : undefined;
}

function parseChunks(how: SctpChunks['how'], word: string): SctpChunks | Problem {
  const flags = new Map<number, ChunkFlags>();
  if (word.toUpperCase() === 'ALL') return { how, types: 'every', flags };
  const types = new Set<number>();
  for (const part of word.toUpperCase() === 'NONE' ? [] : word.split(',')) {
    if (part === '') continue;
    const colon = part.indexOf(':');
    const name = colon === -1 ? part : part.slice(0, colon);
    const chunk = chunkTypes.find(one => one.name === name.toUpperCase());
    if (chunk === undefined) return refuse(`\`${name}\` is not an SCTP chunk type`, `the types are ${chunkTypes.map(one => one.name).join(' ')}`);
    types.add(chunk.type);
    const problem = colon === -1 ? undefined : parseFlags(chunk, part.slice(colon + 1), flags);
    if (problem !== undefined) return problem;
  }
  return { how, types: [...types].sort((a, b) => a - b), flags };
}

/** Flags of the newer chunk types are stored under another number than that of the type, and neither asked nor saved. */
function printChunk(type: number, flags: ChunkFlags | undefined): string {
  const chunk = chunkTypes.find(one => one.type === type);
  if (chunk === undefined || flags === undefined || type > 14) return chunk?.name ?? '';
  const letters = [...chunk.flags].map((letter, at) => {
    const bit = 128 >> at;
    if ((flags.mask & bit) === 0) return '';
    return (flags.set & bit) === 0 ? letter.toLowerCase() : letter;
  });
  return `${chunk.name}:${letters.join('')}`;
}

/** `all|any|only` and `type[:flags],…`, or ALL or NONE (`parse_sctp_chunk`, libxt_sctp.c). */
export const sctpChunks: Value<SctpChunks> = {
  syntax: 'all|any|only type[:flags],…',
  words: 2,
  parse: ([howWord = '', word = '']) => {
    const how = (['all', 'any', 'only'] as const).find(one => one === howWord.toLowerCase());
    return how === undefined ? refuse(`\`${howWord}\` is not one of all, any and only`) : parseChunks(how, word);
  },
  print: ({ how, types, flags }) => {
    if (types === 'every') return `${how} ALL`;
    return `${how} ${types.length === 0 ? 'NONE' : types.map(type => printChunk(type, flags.get(type))).join(',')}`;
  },
  arbitrary: fc => {
    const how = fc.constantFrom('all', 'any', 'only', 'ANY', 'All');
    const chunk = fc.constantFrom(...chunkTypes).chain(({ name, flags }) => {
      const letters = [...new Set(flags)].flatMap(letter => [letter, letter.toLowerCase()]);
      return fc.tuple(fc.constantFrom(name, name.toLowerCase()), fc.array(fc.constantFrom(...letters), { maxLength: 3 }), fc.boolean());
    }).map(([name, letters, flagged]) => flagged ? `${name}:${letters.join('')}` : name);
    const list = fc.oneof({ weight: 4, arbitrary: fc.array(chunk, { minLength: 1, maxLength: 6 }).map(chunks => chunks.join(',')) }, { weight: 1, arbitrary: fc.constantFrom('ALL', 'none', ',', '') });
    return fc.tuple(how, list);
  },
};
