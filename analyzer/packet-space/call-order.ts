/** In which order chains call each other. */
import type { Table } from '../model/ruleset.js';

/** nftables allows 16; nobody nests chains deeper than this, and the work grows with the square of it. */
const nestingLimit = 64;

/** The chains with callers before callees, or undefined where jumps form a circle or nest too deep. */
export function callOrder(table: Table): readonly string[] | undefined {
  const state = new Map<string, 'open' | 'done'>();
  const done: string[] = [];
  const callees = (name: string): string[] => {
    const some: string[] = [];
    for (const { target } of table.chains.get(name)?.rules ?? []) if (target.kind === 'chain' && table.chains.has(target.name)) some.push(target.name);
    return some;
  };
  for (const root of table.chains.keys()) {
    if (state.has(root)) continue;
    state.set(root, 'open');
    const stack = [{ name: root, rest: callees(root) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        state.set(top.name, 'done');
        done.push(top.name);
        stack.pop();
      } else if (!state.has(next)) {
        if (stack.length === nestingLimit) return undefined;
        state.set(next, 'open');
        stack.push({ name: next, rest: callees(next) });
      } else if (state.get(next) === 'open') return undefined;
    }
  }
  return done.reverse();
}
