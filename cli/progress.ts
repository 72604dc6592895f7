/** One line on stderr that says what is being done; only for a person, and only when it takes long. */
import { visible } from '../report/visible.js';

const patience = 1000;
/** Files of this many characters take long by themselves. */
const large = 4_000_000;

export class Progress {
  readonly #isShown = process.stderr.isTTY;
  readonly #start = Date.now();
  #written = false;

  update(position: number, of: number, path: string, length: number): void {
    if (!this.#isShown || (Date.now() - this.#start < patience && length < large)) return;
    process.stderr.write(`\r\u001b[K${String(position)}/${String(of)} ${visible(path).slice(-60)}`);
    this.#written = true;
  }

  clear(): void {
    if (this.#written) process.stderr.write('\r\u001b[K');
    this.#written = false;
  }
}
