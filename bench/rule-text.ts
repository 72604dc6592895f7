/** What generated rule sets are written with: chance, addresses, and a table as `iptables-save` prints it. */

/** Chance, the same each time. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number of 0 … `count` − 1 (a linear congruential generator: its high bits). */
  below(count: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(this.#state / 0x1_0000_0000 * count);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** True in so many of a hundred cases. */
  percent(count: number): boolean { return this.below(100) < count; }
}

export function address(value: number): string {
  return [24, 16, 8, 0].map(shift => String((value >>> shift) & 255)).join('.');
}

/** The network of so many bits that holds the address. */
export function network(value: number, length: number): string {
  return `${address(length === 0 ? 0 : value & (0xffff_ffff << (32 - length)))}/${String(length)}`;
}

export function anyAddress(chance: Chance): number {
  return chance.below(0x1000) * 0x10_0000 + chance.below(0x10_0000);
}

const builtIn: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** A table as `iptables-save` prints it. `drop`: chains whose policy is DROP; user-defined chains are those that rules are in. */
export function table(name: string, lines: readonly string[], drop: readonly string[] = []): string {
  const own = builtIn[name] ?? [];
  const chains = new Set(lines.map(line => line.slice(3, line.indexOf(' ', 3))));
  const heads = [...own.map(chain => `:${chain} ${drop.includes(chain) ? 'DROP' : 'ACCEPT'} [0:0]`), ...[...chains].filter(chain => !own.includes(chain)).map(chain => `:${chain} - [0:0]`)];
  return [`*${name}`, ...heads, ...lines, 'COMMIT', ''].join('\n');
}
