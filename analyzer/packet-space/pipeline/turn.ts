/** From a packet to what comes after it. */
import { ctstates, type Field } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { dimensionOf, type Dimensions } from '../dimensions.js';
import { classOf } from '../fields.js';
import type { Chains } from './chains.js';
import { Origins } from './origins.js';
import type { Run } from './run.js';
import { backPath, type Path } from './stages.js';

/**
 * What comes after a packet: `reply`, the other side's answer; `anyone`, an answer from any address (to a broadcast, say);
 * `error`, an ICMP error about the packet from anywhere; `again`, another packet in the same direction once an answer was seen;
 * `error-again`, an ICMP error about an answer.
 */
export type Back = 'reply' | 'anyone' | 'error' | 'again' | 'error-again';

/** The path on which it comes. */
export function pathOf(back: Back, path: Path): Path {
  return isForward(back) ? path : backPath[path];
}

/** It comes along the same path as the first packet. */
export function isForward(back: Back): boolean {
  return back === 'again' || back === 'error-again';
}

/** What a reply has from the other end. */
export const exchanged: Readonly<Partial<Record<Field, Field>>> = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport', in: 'out', out: 'in' };
const shared: readonly Field[] = ['connmark', 'protocol'];

/** The dimension that an answer has from this one; undefined where it has none. */
export function dimensionTwin({ list, fields }: Dimensions, d: number): number | undefined {
  const one = list[d];
  if (one === undefined || one.kind === 'atom') return undefined;
  const twin = exchanged[one.field];
  return twin === undefined ? undefined : fields.get(twin)?.[fields.get(one.field)?.indexOf(d) ?? 0];
}

const allTwins = new WeakMap<Dimensions, readonly (number | undefined)[]>();

function twinsOf(dimensions: Dimensions): readonly (number | undefined)[] {
  let twins = allTwins.get(dimensions);
  if (twins === undefined) allTwins.set(dimensions, twins = dimensions.list.map((_, d) => dimensionTwin(dimensions, d)));
  return twins;
}

/** The answer's fields, from those of the packet as it left. */
export function turn({ chains, backInputs }: { readonly chains: Chains; readonly backInputs: number }, run: Run, path: Path, back: Back): void {
  const { dimensions, fieldCount } = chains;
  const twins = twinsOf(dimensions);
  const gone = run.origins;
  const before = Origins.identity(fieldCount);
  const origins = run.origins = gone.copy();
  for (let d = 0; d < fieldCount; d++) {
    const one = dimensions.list[d];
    if (one === undefined || one.kind === 'atom') continue;
    const from = twins[d];
    if (from !== undefined && isForward(back)) origins.take(d, before, d);
    else if (from !== undefined) origins.take(d, gone, from);
    else if (!shared.includes(one.field)) free(origins, d, backInputs);
  }
  if (!isForward(back)) turnInterfaces(origins, path, dimensions);
  turnState(run, gone, dimensions, backInputs);
  if (back === 'anyone') for (const d of dimensions.fields.get('src') ?? []) free(origins, d, backInputs);
  if (back === 'error' || back === 'error-again') makeError(origins, dimensions, backInputs);
  run.refresh();
}

function free(origins: Origins, d: number, backInputs: number): void {
  origins.setInput(d, backInputs + d);
  origins.stages[d] = 0;
  origins.by[d] = 0;
}

/** The answer comes in where the packet went out, and the other way round; what was local stays so. */
function turnInterfaces(origins: Origins, path: Path, dimensions: Dimensions): void {
  const [input, output] = [dimensionOf(dimensions, 'in'), dimensionOf(dimensions, 'out')];
  const plain = (d: number, from: number): void => {
    origins.setInput(d, from);
    origins.stages[d] = 0;
    origins.by[d] = 0;
  };
  if (path === 'through') {
    plain(input, output);
    plain(output, input);
  } else if (path === 'in') {
    origins.setClass(input, 0);
    plain(output, input);
  } else if (path === 'out') {
    plain(input, output);
    origins.setClass(output, 0);
  } else {
    origins.setClass(input, 0);
    plain(output, output);
  }
}

/** Answers to what was tracked are ESTABLISHED; of others nobody knows. */
function turnState(run: Run, gone: Origins, dimensions: Dimensions, backInputs: number): void {
  const state = dimensionOf(dimensions, 'ctstate');
  const { origins } = run;
  const [stages, by] = [gone.stages[state] ?? 0, gone.by[state] ?? 0];
  if (run.now[state] === ctstates.UNTRACKED) origins.setInput(state, backInputs + state);
  else origins.setClass(state, ctstates.ESTABLISHED);
  origins.stages[state] = stages;
  origins.by[state] = by;
}

/** An ICMP error about the packet: from anybody, to its sender, RELATED to its connection. */
function makeError(origins: Origins, dimensions: Dimensions, backInputs: number): void {
  const isV4 = dimensions.family === 'ipv4';
  for (const field of ['src', 'sport', 'dport'] as const) for (const d of dimensions.fields.get(field) ?? []) free(origins, d, backInputs);
  const set = (field: Field, value: number): void => {
    for (const d of dimensions.fields.get(field) ?? []) {
      const one = dimensions.list[d];
      if (one?.kind === 'range') origins.setClass(d, classOf(one.starts, value));
    }
  };
  set('protocol', isV4 ? protocolNumber.icmp : protocolNumber.icmpv6);
  const state = dimensionOf(dimensions, 'ctstate');
  if (origins.input[state] === -1) origins.offset[state] = ctstates.RELATED;
}
