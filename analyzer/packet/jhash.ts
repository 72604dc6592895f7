/** Bob Jenkins' lookup3 hash of 32-bit words, which is in the public domain, as the kernel seeds it. */

const initial = 0xdead_beef;

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

class State {
  a: number;
  b: number;
  c: number;
  constructor(seed: number) {
    this.a = this.b = this.c = seed | 0;
  }

  mix(): void {
    let { a, b, c } = this;
    a = (a - c) ^ rotated(c, 4); c = (c + b) | 0;
    b = (b - a) ^ rotated(a, 6); a = (a + c) | 0;
    c = (c - b) ^ rotated(b, 8); b = (b + a) | 0;
    a = (a - c) ^ rotated(c, 16); c = (c + b) | 0;
    b = (b - a) ^ rotated(a, 19); a = (a + c) | 0;
    c = (c - b) ^ rotated(b, 4); b = (b + a) | 0;
    this.a = a; this.b = b; this.c = c;
  }

  final(): number {
    let { a, b, c } = this;
    c = ((c ^ b) - rotated(b, 14)) | 0;
    a = ((a ^ c) - rotated(c, 11)) | 0;
    b = ((b ^ a) - rotated(a, 25)) | 0;
    c = ((c ^ b) - rotated(b, 16)) | 0;
    a = ((a ^ c) - rotated(c, 4)) | 0;
    b = ((b ^ a) - rotated(a, 14)) | 0;
    return ((c ^ b) - rotated(b, 24)) >>> 0;
  }
}

/** A word as it lies in a packet, read by a machine that begins with the lowest byte: so the kernel hashes addresses. */
export function littleEndian(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** 32 bits, unsigned. @see jhash2(), and jhash_1word() for a single word, in include/linux/jhash.h */
export function jhash(words: readonly number[], seed: number): number {
  const state = new State(initial + 4 * words.length + seed);
  let at = 0;
  for (; words.length - at > 3; at += 3) {
    state.a = (state.a + (words[at] ?? 0)) | 0;
    state.b = (state.b + (words[at + 1] ?? 0)) | 0;
    state.c = (state.c + (words[at + 2] ?? 0)) | 0;
    state.mix();
  }
  if (at === words.length) return state.c >>> 0;
  state.a = (state.a + (words[at] ?? 0)) | 0;
  state.b = (state.b + (words[at + 1] ?? 0)) | 0;
  state.c = (state.c + (words[at + 2] ?? 0)) | 0;
  return state.final();
}

/**
 * A hash spread evenly over 0 … `count` − 1: `hash` · `count` / 2^32, rounded down, without losing a bit on the way.
 * @see reciprocal_scale() in include/linux/kernel.h
 */
export function scaled(hash: number, count: number): number {
  return Math.floor(((hash >>> 16) * count + Math.floor((hash & 0xffff) * count / 0x1_0000)) / 0x1_0000);
}
