import { findTarget } from '../extensions/registry.js';
import type { Family } from '../values/value.js';

const standardTargets = new Set(['ACCEPT', 'DROP', 'QUEUE', 'RETURN']);

/** What is wrong with the name of a new chain (`assert_valid_chain_name`, iptables/xshared.c); undefined where nothing is. */
export function chainNameProblem(name: string): string | undefined {
  if (Buffer.byteLength(name) > 28) return `the chain name \`${name}\` is longer than 28 bytes`;
  if (/^[-!]/u.test(name)) return `a chain name must not begin with \`${name.charAt(0)}\``;
  if (/[\s\v\f]/u.test(name)) return `the chain name \`${name}\` contains white space`;
  if (standardTargets.has(name)) return `\`${name}\` is the name of a target, so it cannot be the name of a chain`;
  return undefined;
}

/** True where a target extension has this name: `-N` refuses it, and a declared chain of that name takes its place. */
export function isTargetName(name: string, family: Family): boolean {
  return findTarget(name, family) !== undefined;
}
