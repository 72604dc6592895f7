/** Where the fields of a packet on its way come from. */
import type { Classes } from './part.js';

/** Each field is an input plus an offset, or with input -1 the class `offset` itself. Plain arrays: so few numbers are copied sooner than typed ones are made. */
export class Origins {
  readonly input: number[];
  readonly offset: number[];
  /** Stages (a bit each) that may have written the field, or that it was copied from. */
  readonly stages: number[];
  /** What they would have done to write it. */
  readonly by: number[];
  /** The input that it is unless one of them wrote it; -1 where there is none. */
  readonly unwritten: number[];

  constructor(input: number[], offset: number[], stages: number[], by: number[], unwritten: number[]) {
    this.input = input;
    this.offset = offset;
    this.stages = stages;
    this.by = by;
    this.unwritten = unwritten;
  }

  /** Every field is the input of its number. It is shared: to change it, copy it. */
  static identity(size: number): Origins {
    let known = identities.get(size);
    if (known === undefined) {
      const input = Array.from({ length: size }, (_, d) => d);
      const nothing = input.map(() => 0);
      identities.set(size, known = new Origins(input, nothing, nothing, nothing, input));
    }
    return known;
  }

  copy(): Origins {
    return new Origins(this.input.slice(), this.offset.slice(), this.stages.slice(), this.by.slice(), this.unwritten.slice());
  }

  /** It is that, whatever was written. */
  setClass(d: number, value: number): void {
    this.writeClass(d, value);
    this.unwritten[d] = -1;
  }

  /** It is that, whatever was written. */
  setInput(d: number, input: number): void {
    this.writeInput(d, input, 0);
    this.unwritten[d] = input;
  }

  writeClass(d: number, value: number): void {
    this.input[d] = -1;
    this.offset[d] = value;
  }

  writeInput(d: number, input: number, offset: number): void {
    this.input[d] = input;
    this.offset[d] = offset;
  }

  writeCopy(d: number, other: Origins, from: number): void {
    this.input[d] = other.input[from] ?? 0;
    this.offset[d] = other.offset[from] ?? 0;
    this.stages[d] = (this.stages[d] ?? 0) | (other.stages[from] ?? 0);
    this.by[d] = (this.by[d] ?? 0) | (other.by[from] ?? 0);
  }

  /** The field is what another one was at another time. */
  take(d: number, other: Origins, from: number): void {
    this.input[d] = other.input[from] ?? 0;
    this.offset[d] = other.offset[from] ?? 0;
    this.stages[d] = other.stages[from] ?? 0;
    this.by[d] = other.by[from] ?? 0;
    this.unwritten[d] = other.unwritten[from] ?? -1;
  }

  valueOf(d: number, inputs: Classes): number {
    const input = this.input[d] ?? -1;
    return input < 0 ? this.offset[d] ?? 0 : (inputs[input] ?? 0) + (this.offset[d] ?? 0);
  }
}

const identities = new Map<number, Origins>();
