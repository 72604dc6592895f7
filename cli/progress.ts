/** One line on stderr that says how far the work is; only for a person, and only when it takes long. */
import { visible } from '../report/visible.js';
import { say } from './trouble.js';
import { stderr } from './streams.js';

const patience = 1000;
/** Files of this many characters take long by themselves. */
const large = 4_000_000;
/** Milliseconds between two lines: more often nobody can read. */
const pace = 100;
const barWidth = 20;

/** `1:05`, `2:00:09` */
function clock(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60].map(String) as [string, string, string];
  return h === '0' ? `${m}:${s.padStart(2, '0')}` : `${h}:${m.padStart(2, '0')}:${s.padStart(2, '0')}`;
}

/** `[██████              ] 61/200 17/s 0:08 left web1/rules.v4`; `elapsed` in milliseconds. */
export function progressLine(done: number, of: number, path: string, elapsed: number, columns: number): string {
  const filled = Math.round(barWidth * done / Math.max(1, of));
  const rate = done / elapsed * 1000;
  const pace = done === 0 ? '' : ` ${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)}/s ${clock((of - done) / rate)} left`;
  const start = `[${'█'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${String(done)}/${String(of)}${pace} `;
  const room = Math.max(0, columns - 1 - start.length);
  return `${start}${room === 0 ? '' : visible(path).slice(-room)}`.slice(0, columns - 1);
}

export class Progress {
  readonly #screen = stderr();
  readonly #start = Date.now();
  #last = 0;
  #written = false;

  /** `done` of so many; `path` is what is being worked on, or was last, and `length` how long it is, in characters. */
  update(done: number, of: number, path: string, length = 0): void {
    const now = Date.now();
    if (this.#screen.isTTY !== true || (length < large && (now - this.#start < patience || now - this.#last < pace))) return;
    this.#last = now;
    // Some terminals do not know how wide they are, and say 0.
    const { columns = 0 } = this.#screen;
    say(`\r\u001b[K${progressLine(done, of, path, now - this.#start, columns === 0 ? 80 : columns)}`);
    this.#written = true;
  }

  clear(): void {
    if (this.#written) say('\r\u001b[K');
    this.#written = false;
    this.#last = 0;
  }
}
