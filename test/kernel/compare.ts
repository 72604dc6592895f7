/** What the engine says beside what the kernel did. */
import { isDeepStrictEqual } from 'node:util';
import { isSameDecider } from '../../kernel/same-decider.js';
import type { ConntrackAnswer, GeneratedAnswer, ScenarioAnswer, ScenarioPacket, StepAnswer } from '../../analyzer/netfilter/scenario.js';

/** Real time passes while the kernel works, and it rounds: so many seconds of a timeout may be missing. */
const secondsForgiven = 6;

/** The same flows, in whatever order. */
export function isSameTable(expected: readonly ConntrackAnswer[], actual: readonly ConntrackAnswer[]): boolean {
  const sorted = (table: readonly ConntrackAnswer[]): ConntrackAnswer[] => [...table].sort((a, b) => a.orig < b.orig ? -1 : a.orig > b.orig ? 1 : a.zone - b.zone);
  const [ours, theirs] = [sorted(expected), sorted(actual)];
  return ours.length === theirs.length && ours.every((flow, index) => {
    const other = theirs[index] ?? flow;
    return Math.abs(other.timeout - flow.timeout) <= secondsForgiven && isDeepStrictEqual({ ...flow, timeout: 0 }, { ...other, timeout: 0 });
  });
}

/** The kernel chooses the id of packets that it makes, and of IPv6 fragments; it is nobody's business. */
function withoutId<T extends ScenarioPacket>({ ip_id: _, ...packet }: T): Omit<T, 'ip_id'> {
  return packet;
}

function withoutFragmentId(packet: ScenarioPacket): ScenarioPacket {
  return packet.src?.includes(':') === true ? withoutId(packet) : packet;
}

function comparable({ packet, path, ct, out }: GeneratedAnswer): unknown {
  // What it quotes may have no words: then its bytes are told, and its checksum with them, which is not there yet when it sets out.
  const { rest_hex: _, ...told } = withoutId(packet);
  return { packet: told, path, ct, out: out.map(withoutId) };
}

/** Whether the same is said of each key. */
const isSame: Readonly<Record<'path' | 'verdict' | 'by' | 'out' | 'ct' | 'conntrack' | 'generated', (a: StepAnswer, b: StepAnswer) => boolean>> = {
  path: (a, b) => isDeepStrictEqual(a.path, b.path),
  verdict: (a, b) => a.verdict === b.verdict,
  by: (a, b) => isSameDecider(a.by, b.by),
  ct: (a, b) => isDeepStrictEqual(a.ct, b.ct),
  out: (a, b) => isDeepStrictEqual(a.out.map(withoutFragmentId), b.out.map(withoutFragmentId)),
  conntrack: (a, b) => isSameTable(a.conntrack, b.conntrack),
  generated: (a, b) => isDeepStrictEqual(a.generated.map(comparable), b.generated.map(comparable)),
};

/** Where chance chose a port or an id, one is as good as another. */
function withoutPorts(step: StepAnswer): StepAnswer {
  const text = JSON.stringify(step).replaceAll(/"(sport|dport|id)":\d+/gu, '"$1":0').replaceAll(/:\d+(?=>|")/gu, ':0').replaceAll(/ id \d+"/gu, ' id 0"');
  return JSON.parse(text) as StepAnswer;
}

function differencesOf(expected: StepAnswer, actual: StepAnswer): string[] {
  const keys = Object.keys(isSame) as (keyof typeof isSame)[];
  return keys.filter(key => !isSame[key](expected, actual)).map(key => `${key}: ${JSON.stringify(expected[key])} became ${JSON.stringify(actual[key])}`);
}

/** One line for each key of a step that differs; none where the answers mean the same. */
export function differences(expected: ScenarioAnswer, actual: ScenarioAnswer): readonly string[] {
  if (expected.steps.length !== actual.steps.length) return [`${String(expected.steps.length)} steps became ${String(actual.steps.length)}`];
  let wasChance = false;
  return expected.steps.flatMap((step, index) => {
    const other = actual.steps[index] ?? step;
    wasChance ||= step.chance !== undefined || other.chance !== undefined;
    const lines = wasChance ? differencesOf(withoutPorts(step), withoutPorts(other)) : differencesOf(step, other);
    return lines.map(line => `step ${String(index + 1)}, ${line}`);
  });
}
