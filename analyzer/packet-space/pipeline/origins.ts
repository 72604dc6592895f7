/** Where the fields of a packet on its way come from. */
import type { Classes } from './part.js';

/** Where a field comes from: an input plus an offset, or with input -1 the class `offset` itself. It is never changed, so that packets share it. */
export interface Origin {
  readonly input: number;
  readonly offset: number;
  /** Stages (a bit each) that may have written the field, or that it was copied from. */
  readonly stages: number;
  /** What they would have done to write it. */
  readonly by: number;
  /** The input that it is unless one of them wrote it; -1 where there is none. */
  readonly unwritten: number;
}

/** Whether both are the same for all packets. */
export function isSameOrigin(a: Origin, b: Origin): boolean {
  return a.input === b.input && a.offset === b.offset;
}

/** All that is said of a field that no rule asks for. */
const nothing: Origin = { input: -1, offset: 0, stages: 0, by: 0, unwritten: -1 };

export class Origins {
  readonly #fields: Origin[];

  constructor(fields: Origin[]) {
    this.#fields = fields;
  }

  /** Every field is the input of its number. It is shared: to change it, copy it. */
  static identity(size: number): Origins {
    let known = identities.get(size);
    if (known === undefined) identities.set(size, known = new Origins(Array.from({ length: size }, (_, d) => ({ input: d, offset: 0, stages: 0, by: 0, unwritten: d }))));
    return known;
  }

  copy(): Origins {
    return new Origins(this.#fields.slice());
  }

  of(d: number): Origin {
    return this.#fields[d] ?? nothing;
  }

  /** The field is that from now on; -1, which no rule asks for, is left alone. */
  set(d: number, origin: Origin): void {
    if (d >= 0) this.#fields[d] = origin;
  }

  /** It is this class, whatever was written. */
  setClass(d: number, value: number): void {
    const { stages, by } = this.of(d);
    this.set(d, { input: -1, offset: value, stages, by, unwritten: -1 });
  }

  /** It is this input, whatever was written. */
  setInput(d: number, input: number): void {
    const { stages, by } = this.of(d);
    this.set(d, { input, offset: 0, stages, by, unwritten: input });
  }

  /** It is this input, and nothing has been written to it. */
  restart(d: number, input: number): void {
    this.set(d, { input, offset: 0, stages: 0, by: 0, unwritten: input });
  }

  /** A rule writes an input to it, and an offset; with input -1 a class. */
  write(d: number, input: number, offset: number): void {
    const { stages, by, unwritten } = this.of(d);
    this.set(d, { input, offset, stages, by, unwritten });
  }

  /** A rule writes to it what another field is. */
  writeCopy(d: number, from: Origin): void {
    const { stages, by, unwritten } = this.of(d);
    this.set(d, { input: from.input, offset: from.offset, stages: stages | from.stages, by: by | from.by, unwritten });
  }

  /** Stages may have written it as well. */
  touch(d: number, stages: number, by: number): void {
    const was = this.of(d);
    if ((was.stages | stages) === was.stages && (was.by | by) === was.by) return;
    this.set(d, { input: was.input, offset: was.offset, stages: was.stages | stages, by: was.by | by, unwritten: was.unwritten });
  }

  valueOf(d: number, inputs: Classes): number {
    const { input, offset } = this.of(d);
    return input < 0 ? offset : (inputs[input] ?? 0) + offset;
  }
}

const identities = new Map<number, Origins>();
