/** What the engine says beside what the kernel did. */
import { isDeepStrictEqual } from 'node:util';
import type { ConntrackAnswer, GeneratedAnswer, ScenarioAnswer, ScenarioPacket, StepAnswer } from '../../../analyzer/netfilter/scenario.js';

/** Real time passes while the kernel works, and it rounds: so many seconds of a timeout may be missing. */
const secondsForgiven = 2;

/** Words of ours that one reason of the kernel's may stand for: it tells fewer apart. */
const sameReasons: readonly ReadonlySet<string>[] = [
  new Set(['no route', 'unreachable', 'prohibit', 'blackhole', 'ip_forward']),
  new Set(['martian', 'invalid source', 'multicast', 'scope', 'no route']),
  new Set(['link-layer broadcast', 'not addressed to this host', 'multicast']),
  new Set(['bad header', 'ip options', 'source route', 'scope', 'ttl']),
  new Set(['held fragment', 'bad fragment']),
];

function isSameDecider(a: string | null, b: string | null): boolean {
  if (a === b) return true;
  if (a?.startsWith('kernel: ') !== true || b?.startsWith('kernel: ') !== true) return false;
  const [one, other] = [a.slice(8), b.slice(8)];
  return one === '?' || other === '?' || sameReasons.some(reasons => reasons.has(one) && reasons.has(other));
}

function isSameTable(expected: readonly ConntrackAnswer[], actual: readonly ConntrackAnswer[]): boolean {
  const sorted = (table: readonly ConntrackAnswer[]): ConntrackAnswer[] => [...table].sort((a, b) => a.orig < b.orig ? -1 : a.orig > b.orig ? 1 : a.zone - b.zone);
  const [ours, theirs] = [sorted(expected), sorted(actual)];
  return ours.length === theirs.length && ours.every((flow, index) => {
    const { timeout = 0, ...rest } = theirs[index] ?? flow;
    return Math.abs(timeout - flow.timeout) <= secondsForgiven && isDeepStrictEqual({ ...flow, timeout: 0 }, { ...rest, timeout: 0 });
  });
}

/** The kernel chooses the id of packets that it makes; it is nobody's business. */
function withoutId<T extends ScenarioPacket>({ ip_id: _, ...packet }: T): Omit<T, 'ip_id'> {
  return packet;
}

function comparable({ packet, path, ct, out }: GeneratedAnswer): unknown {
  return { packet: withoutId(packet), path, ct, out: out.map(withoutId) };
}

/** Compares key by key. */
const isSame: { readonly [K in 'path' | 'verdict' | 'by' | 'out' | 'ct' | 'conntrack' | 'generated']: (a: StepAnswer[K], b: StepAnswer[K]) => boolean } = {
  path: isDeepStrictEqual, verdict: isDeepStrictEqual, by: isSameDecider, ct: isDeepStrictEqual, out: isDeepStrictEqual, conntrack: isSameTable,
  generated: (a, b) => isDeepStrictEqual(a.map(comparable), b.map(comparable)),
};

function difference<K extends keyof typeof isSame>(key: K, expected: StepAnswer, actual: StepAnswer): string[] {
  return isSame[key](expected[key], actual[key]) ? [] : [`${key}: ${JSON.stringify(expected[key])} became ${JSON.stringify(actual[key])}`];
}

/** One line for each key of a step that differs; none where the answers mean the same. */
export function differences(expected: ScenarioAnswer, actual: ScenarioAnswer): readonly string[] {
  if (expected.steps.length !== actual.steps.length) return [`${String(expected.steps.length)} steps became ${String(actual.steps.length)}`];
  return expected.steps.flatMap((step, index) => {
    const other = actual.steps[index] ?? step;
    const keys = Object.keys(isSame) as (keyof typeof isSame)[];
    return keys.flatMap(key => difference(key, step, other)).map(line => `step ${String(index + 1)}, ${line}`);
  });
}
