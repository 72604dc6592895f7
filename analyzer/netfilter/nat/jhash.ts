/** Bob Jenkins's hash of 32-bit words (lookup3, http://burtleburtle.net/bob/c/lookup3.c), as `jhash2()` of the kernel has it. */

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Words are unsigned 32-bit numbers, as a machine with the low byte first reads them. So is the hash. */
export function jhash(words: readonly number[], initial: number): number {
  const start = (0xdead_beef + 4 * words.length + initial) | 0;
  const state: [number, number, number] = [start, start, start];
  let at = 0;
  for (; words.length - at > 3; at += 3) {
    add(state, words, at);
    mix(state);
  }
  if (at === words.length) return state[2] >>> 0;
  add(state, words, at);
  return finish(state);
}

function add(state: [number, number, number], words: readonly number[], at: number): void {
  state[0] = (state[0] + (words[at] ?? 0)) | 0;
  state[1] = (state[1] + (words[at + 1] ?? 0)) | 0;
  state[2] = (state[2] + (words[at + 2] ?? 0)) | 0;
}

function mix(state: [number, number, number]): void {
  let [a, b, c] = state;
  a = (a - c) ^ rotate(c, 4); c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 6); a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 8); b = (b + a) | 0;
  a = (a - c) ^ rotate(c, 16); c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 19); a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 4); b = (b + a) | 0;
  state[0] = a;
  state[1] = b;
  state[2] = c;
}

function finish([first, second, third]: readonly [number, number, number]): number {
  let a = first, b = second, c = third;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) >>> 0;
}
