/** Writes boxes down one after the other, in typed arrays that grow. */
import type { Boxes } from './boxes.js';

export class BoxWriter {
  count = 0;
  #at = new Int32Array(64);
  #dim = new Int32Array(256);
  #lo = new Int32Array(256);
  #hi = new Int32Array(256);
  #sides = 0;

  side(dimension: number, low: number, high: number): void {
    const i = this.#sides++;
    if (i === this.#dim.length) {
      this.#dim = grown(this.#dim);
      this.#lo = grown(this.#lo);
      this.#hi = grown(this.#hi);
    }
    this.#dim[i] = dimension;
    this.#lo[i] = low;
    this.#hi[i] = high;
  }

  /** The sides since the last call make a box. */
  close(): void {
    this.count++;
    if (this.count === this.#at.length) this.#at = grown(this.#at);
    this.#at[this.count] = this.#sides;
  }

  /** To begin anew. */
  clear(): void {
    this.count = 0;
    this.#sides = 0;
  }

  finish(): Pick<Boxes, 'at' | 'dim' | 'lo' | 'hi'> {
    return { at: this.#at.slice(0, this.count + 1), dim: this.#dim.slice(0, this.#sides), lo: this.#lo.slice(0, this.#sides), hi: this.#hi.slice(0, this.#sides) };
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
