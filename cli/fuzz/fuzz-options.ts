/** The options of `iptables-lint fuzz`, as commander hands them over. */
import type { InputOptions } from '../options.js';

export interface FuzzCommandOptions extends InputOptions {
  readonly property?: readonly string[];
  readonly runs?: number;
  readonly seed?: number;
  readonly path?: string;
  /** As typed. */
  readonly allowPorts?: string;
  readonly untrusted?: readonly string[];
  /** Names of files. */
  readonly host?: string;
  readonly output?: string;
  readonly format: 'pretty' | 'json';
  readonly color?: boolean;
}
