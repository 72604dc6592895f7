/** All packets that a path can have. */
import { dimensionOf } from '../dimensions.js';
import { classOf } from '../fields.js';
import type { Mode } from './modes.js';
import type { PartBox } from './part.js';
import type { Pipeline } from './passes.js';
import type { Path } from './stages.js';

/** All inputs that packets on a path can have: their interfaces are there, and are lo or not. */
export function universe(pipeline: Pipeline, path: Path): readonly PartBox[] {
  const { chains, outInputs } = pipeline;
  const { dimensions } = chains;
  const input = dimensionOf(dimensions, 'in');
  const names = dimensions.list[input];
  const lo = names?.kind === 'name' ? names.names.classOf('lo') : 0;
  const end = dimensions.last[input] ?? 0;
  const outside = ([[1, lo - 1], [lo + 1, end]] as const).filter(([from, to]) => from <= to);
  const isSent = path === 'out' || path === 'loop';
  // What is routed anew may have been on its way anywhere.
  const there: readonly (readonly [number, number])[] = isSent && outInputs[0] >= 0 ? [[1, end]] : path === 'loop' ? [[lo, lo]] : outside;
  const nowhere: readonly (readonly [number, number])[] = [[0, 0]];
  const ins = path === 'in' || path === 'through' ? outside : nowhere;
  const outs = path === 'in' ? nowhere : there;
  return ins.flatMap(i => outs.flatMap(o => pipeline.modes[path].map(mode => regionOf(pipeline, i, o, mode)))).flatMap(region => path === 'through' ? withTtl(pipeline, region) : [region]);
}

/** More classes than this, and nothing is said of what the TTL becomes. */
const ttlLimit = 32;

/** The TTL that forwarded packets come with, and the one less that FORWARD sees. Those that would get to 0 are not forwarded. */
function withTtl({ chains, forth, ttlInputs }: Pipeline, region: PartBox): readonly PartBox[] {
  const d = dimensionOf(chains.dimensions, 'ttl');
  const ttl = chains.dimensions.list[d];
  if (ttl?.kind !== 'range' || ttl.starts.length > ttlLimit) return [region];
  const mayBeWritten = forth.through.some(({ hook, chain }) => hook === 'PREROUTING' && [...chains.below(chain)].some(id => chains.list[id]?.writing.some(({ writes }) => writes.some(write => write.dimension === d)) === true));
  if (mayBeWritten) return [region];
  return ttl.starts.flatMap((start, i) => {
    const [low, high] = [Math.max(2, Number(start)), Number(ttl.starts[i + 1] ?? 256) - 1];
    if (low > high) return [];
    const own = { lo: region.lo.slice(), hi: region.hi.slice() };
    [own.lo[d], own.hi[d]] = [i, i];
    [own.lo[ttlInputs[0]], own.hi[ttlInputs[0]]] = [classOf(ttl.starts, low - 1), classOf(ttl.starts, high - 1)];
    return [own];
  });
}

function regionOf({ chains: { dimensions, tracking }, last, backInputs, outInputs, natInput, rawInput }: Pipeline, i: readonly [number, number], o: readonly [number, number], { nat, raw, states }: Mode): PartBox {
  const region = { lo: last.map(() => 0), hi: last.slice() };
  const pin = (input: number, [from, to]: readonly [number, number]): void => {
    if (input >= 0) [region.lo[input], region.hi[input]] = [from, to];
  };
  pin(dimensionOf(dimensions, 'in'), i);
  pin(dimensionOf(dimensions, 'out'), o);
  for (const input of outInputs) pin(input, [1, last[input] ?? 1]);
  pin(natInput, [nat, nat]);
  pin(rawInput, [raw, raw]);
  pin(dimensionOf(dimensions, 'ctstate'), states);
  // IPv6 lets pass what it cannot put together.
  const fragment = dimensionOf(dimensions, 'fragment');
  if (tracking.fragments && dimensions.family === 'ipv4' && fragment >= 0) for (const input of [fragment, backInputs + fragment]) pin(input, [0, 0]);
  return region;
}
