/** Every input there is, one after the other, and every choice that a trip asks about. */
import { follow, type Pipeline, type Trip } from '../../../analyzer/packet-space/pipeline/passes.js';
import { universe } from '../../../analyzer/packet-space/pipeline/universe.js';
import type { Following } from '../../../analyzer/packet-space/pipeline/passes.js';

export type PathLike = 'in' | 'through' | 'out' | 'loop';

/** Remembers the choices that were asked about and not made. */
class Asked extends Map<number, number> {
  readonly open = new Set<number>();

  override get(choice: number): number | undefined {
    const value = super.get(choice);
    if (value === undefined) this.open.add(choice);
    return value;
  }
}

/** Which inputs any rule asks about, of the packet itself or (with `back`) of the answer to it. */
export function asked({ chains, freeInputs, last, backInputs, ttlInputs, outInputs }: Pipeline, back = false): (input: number) => boolean {
  const dimensions = new Set<number>();
  for (const { dim, writes } of chains.list) {
    for (const d of dim) dimensions.add(d);
    for (const write of writes.flatMap(some => some ?? [])) if (write.kind === 'copy') dimensions.add(write.from);
  }
  for (const field of ['ctstate', 'in', 'out'] as const) dimensions.add(chains.dimensions.fields.get(field)?.[0] ?? -1);
  const twins = new Set(back ? [...dimensions].flatMap(d => twinsOf(chains.dimensions, d)) : []);
  const inputs = new Set<number>([...dimensions, ...twins]);
  for (const [write, occasions] of freeInputs) if (dimensions.has(write.dimension) || twins.has(write.dimension)) for (const input of occasions.values()) inputs.add(input);
  if (back) for (const d of dimensions) inputs.add(backInputs + d);
  for (const input of [...ttlInputs, ...outInputs]) inputs.add(input);
  return input => inputs.has(input) && (last[input] ?? 0) > 0;
}

const pairs = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport' } as const;

function twinsOf({ list, fields }: Pipeline['chains']['dimensions'], d: number): number[] {
  const one = list[d];
  if (one === undefined || one.kind === 'atom' || !(one.field in pairs)) return [];
  const place = fields.get(one.field)?.indexOf(d) ?? 0;
  return [fields.get(pairs[one.field as keyof typeof pairs])?.[place] ?? d];
}

/** The number of inputs on a path, choices not counted. */
export function countInputs(pipeline: Pipeline, path: PathLike, relevant: (input: number) => boolean): number {
  return universe(pipeline, path).reduce((sum, { lo, hi }) => sum + lo.reduce((product, low, i) => relevant(i) ? product * ((hi[i] ?? 0) - low + 1) : product, 1), 0);
}

/** All trips on a path; inputs that are not relevant keep their first class. */
export function* everyTrip(pipeline: Pipeline, path: PathLike, following: Following, relevant: (input: number) => boolean): Generator<Trip, void> {
  for (const { lo, hi } of universe(pipeline, path)) {
    const inputs = lo.slice();
    for (;;) {
      yield* withChoices(pipeline, path, inputs.slice(), following, []);
      let i = 0;
      while (i < inputs.length && (!relevant(i) || (inputs[i] ?? 0) >= (hi[i] ?? 0))) {
        inputs[i] = lo[i] ?? 0;
        i++;
      }
      if (i === inputs.length) break;
      inputs[i] = (inputs[i] ?? 0) + 1;
    }
  }
}

/** Makes a choice by chance when it is asked about. */
export class Drawn extends Map<number, number> {
  readonly #draw: (below: number) => number;

  constructor(draw: (below: number) => number) {
    super();
    this.#draw = draw;
  }

  override get(choice: number): number {
    const value = super.get(choice) ?? this.#draw(2);
    this.set(choice, value);
    return value;
  }
}

/** Numbers of 0 … `below` − 1, the same each time. */
export function drawer(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Trips of packets that are drawn. */
export function* drawnTrips(pipeline: Pipeline, path: PathLike, relevant: (input: number) => boolean, count: number, following: Following = {}): Generator<Trip, void> {
  const draw = drawer(count);
  const all = universe(pipeline, path);
  for (let i = 0; i < count; i++) {
    const region = all[draw(all.length)];
    if (region === undefined) return;
    const inputs = region.lo.map((low, input) => relevant(input) ? low + draw((region.hi[input] ?? 0) - low + 1) : low);
    yield follow(pipeline, path, { inputs, choices: new Drawn(draw) }, following);
  }
}

function* withChoices(pipeline: Pipeline, path: PathLike, inputs: readonly number[], following: Following, made: readonly (readonly [number, number])[]): Generator<Trip, void> {
  const choices = new Asked(made);
  const trip = follow(pipeline, path, { inputs, choices }, following);
  const [open] = choices.open;
  if (open === undefined) yield trip;
  else for (const value of [0, 1]) yield* withChoices(pipeline, path, inputs, following, [...made, [open, value]]);
}
