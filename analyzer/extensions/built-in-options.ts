/** The options that every rule has without `-m`: commands, addresses, interfaces (iptables/iptables.c, `original_opts`). */
import type { OptionShape } from '../../grammar/option-shape.js';

/** The letter that getopt answers for an option; synonyms share it. */
export type BuiltInKey =
  | 'A' | 'D' | 'C' | 'I' | 'R' | 'L' | 'S' | 'F' | 'Z' | 'N' | 'X' | 'E' | 'P'
  | 's' | 'd' | 'p' | 'i' | 'o' | 'j' | 'g' | 'm' | 't' | 'f' | 'c'
  | 'n' | 'v' | 'x' | 'w' | 'W' | 'V' | 'h' | 'M' | '0' | '4' | '6';

interface BuiltIn extends OptionShape {
  readonly key: BuiltInKey;
  readonly long: readonly string[];
}

const one = { required: 1, optional: 0 };
const none = { required: 0, optional: 0 };
const maybe = { required: 0, optional: 1 };

/** In the order of the table in the source, which decides nothing but messages. */
export const builtInOptions: readonly BuiltIn[] = [
  { key: 'A', long: ['append'], ...one },
  { key: 'D', long: ['delete'], required: 1, optional: 1 },
  { key: 'C', long: ['check'], ...one },
  { key: 'I', long: ['insert'], required: 1, optional: 1 },
  { key: 'R', long: ['replace'], required: 1, optional: 1 },
  { key: 'L', long: ['list'], required: 0, optional: 2 },
  { key: 'S', long: ['list-rules'], required: 0, optional: 2 },
  { key: 'F', long: ['flush'], ...maybe },
  { key: 'Z', long: ['zero'], required: 0, optional: 2 },
  { key: 'N', long: ['new-chain'], ...one },
  { key: 'X', long: ['delete-chain'], ...maybe },
  { key: 'E', long: ['rename-chain'], required: 1, optional: 1 },
  { key: 'P', long: ['policy'], required: 1, optional: 1 },
  { key: 's', long: ['source', 'src'], ...one },
  { key: 'd', long: ['destination', 'dst'], ...one },
  { key: 'p', long: ['protocol'], ...one },
  { key: 'i', long: ['in-interface'], ...one },
  { key: 'j', long: ['jump'], ...one },
  { key: 't', long: ['table'], ...one },
  { key: 'm', long: ['match'], ...one },
  { key: 'n', long: ['numeric'], ...none },
  { key: 'o', long: ['out-interface'], ...one },
  { key: 'v', long: ['verbose'], ...none },
  { key: 'w', long: ['wait'], ...maybe },
  { key: 'W', long: ['wait-interval'], ...maybe },
  { key: 'x', long: ['exact'], ...none },
  { key: 'f', long: ['fragments'], ...none },
  { key: 'V', long: ['version'], ...none },
  { key: 'h', long: ['help'], ...maybe },
  { key: '0', long: ['line-numbers'], ...none },
  { key: 'M', long: ['modprobe'], ...one },
  { key: 'c', long: ['set-counters'], required: 1, optional: 1 },
  { key: 'g', long: ['goto'], ...one },
  { key: '4', long: ['ipv4'], ...none },
  { key: '6', long: ['ipv6'], ...none },
];

/** By short letter; `0` (--line-numbers) has none. */
export const shortOptions: ReadonlyMap<string, BuiltIn> = new Map(
  builtInOptions.filter(option => option.key !== '0').map(option => [option.key, option]),
);
