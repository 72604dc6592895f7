/** Where the fields of a packet on its way come from. */

/** Each field is an input plus an offset, or with input -1 the class `offset` itself. */
export class Origins {
  readonly size: number;
  readonly #all: Int32Array;
  readonly input: Int32Array;
  readonly offset: Int32Array;
  /** Stages (a bit each) that may have written the field, or that it was copied from. */
  readonly stages: Int32Array;
  /** What they would have done to write it. */
  readonly by: Int32Array;

  /** `all`: the four arrays, one behind the other, so that a copy is one. */
  constructor(all: Int32Array) {
    const size = all.length >> 2;
    this.size = size;
    this.#all = all;
    this.input = all.subarray(0, size);
    this.offset = all.subarray(size, 2 * size);
    this.stages = all.subarray(2 * size, 3 * size);
    this.by = all.subarray(3 * size);
  }

  static identity(size: number): Origins {
    const all = new Int32Array(4 * size);
    for (let d = 0; d < size; d++) all[d] = d;
    return new Origins(all);
  }

  copy(): Origins {
    return new Origins(this.#all.slice());
  }

  setClass(d: number, value: number): void {
    this.input[d] = -1;
    this.offset[d] = value;
  }

  setInput(d: number, input: number, offset = 0): void {
    this.input[d] = input;
    this.offset[d] = offset;
  }

  /** The field is what another one was at another time. */
  take(d: number, other: Origins, from: number): void {
    this.input[d] = other.input[from] ?? 0;
    this.offset[d] = other.offset[from] ?? 0;
    this.stages[d] = other.stages[from] ?? 0;
    this.by[d] = other.by[from] ?? 0;
  }

  valueOf(d: number, inputs: Int32Array): number {
    const input = this.input[d] ?? -1;
    return input < 0 ? this.offset[d] ?? 0 : (inputs[input] ?? 0) + (this.offset[d] ?? 0);
  }
}
