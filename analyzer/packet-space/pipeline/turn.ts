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
 * What comes after a packet: `reply`, the other side's answer; `anyone`, an answer from any address (of a network that was asked by its broadcast address, say);
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
    if (from !== undefined && isForward(back)) origins.set(d, before.of(d));
    else if (from !== undefined) origins.set(d, gone.of(from));
    else if (!shared.includes(one.field)) origins.restart(d, backInputs + d);
  }
  if (!isForward(back)) turnInterfaces(origins, path, dimensions);
  turnState(run, gone, dimensions, backInputs);
  if (back === 'anyone') for (const d of dimensions.fields.get('src') ?? []) origins.restart(d, backInputs + d);
  if (back === 'error' || back === 'error-again') makeError(origins, dimensions, backInputs);
  run.refresh();
}

/** The answer comes in where the packet went out, and the other way round; what was local stays so. */
function turnInterfaces(origins: Origins, path: Path, dimensions: Dimensions): void {
  const [input, output] = [dimensionOf(dimensions, 'in'), dimensionOf(dimensions, 'out')];
  if (path === 'through') {
    origins.restart(input, output);
    origins.restart(output, input);
  } else if (path === 'in') {
    origins.setClass(input, 0);
    origins.restart(output, input);
  } else if (path === 'out') {
    origins.restart(input, output);
    origins.setClass(output, 0);
  } else {
    origins.setClass(input, 0);
    origins.restart(output, output);
  }
}

/** Answers to what was tracked are ESTABLISHED; of others nobody knows. */
function turnState(run: Run, gone: Origins, dimensions: Dimensions, backInputs: number): void {
  const state = dimensionOf(dimensions, 'ctstate');
  const { origins } = run;
  const { stages, by } = gone.of(state);
  const input = run.now[state] === ctstates.UNTRACKED ? backInputs + state : -1;
  origins.set(state, { input, offset: input < 0 ? ctstates.ESTABLISHED : 0, stages, by, unwritten: input });
}

/** An ICMP error about the packet: from anybody, to its sender, RELATED to its connection. */
function makeError(origins: Origins, dimensions: Dimensions, backInputs: number): void {
  const isV4 = dimensions.family === 'ipv4';
  for (const field of ['src', 'sport', 'dport'] as const) for (const d of dimensions.fields.get(field) ?? []) origins.restart(d, backInputs + d);
  const set = (field: Field, value: number): void => {
    for (const d of dimensions.fields.get(field) ?? []) {
      const one = dimensions.list[d];
      if (one?.kind === 'range') origins.setClass(d, classOf(one.starts, value));
    }
  };
  set('protocol', isV4 ? protocolNumber.icmp : protocolNumber.icmpv6);
  const state = dimensionOf(dimensions, 'ctstate');
  if (origins.of(state).input < 0) origins.setClass(state, ctstates.RELATED);
}
