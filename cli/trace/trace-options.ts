/** The options of `iptables-lint trace`, as commander hands them over. */
import type { InputOptions } from '../options.js';

export interface TraceCommandOptions extends InputOptions {
  /** Packets in words. */
  readonly packet?: readonly string[];
  readonly conversation?: string;
  /** Names of files. */
  readonly scenario?: string;
  readonly host?: string;
  readonly unknown: 'match' | 'skip' | 'both';
  readonly format: 'pretty' | 'json';
  readonly seed?: number;
  /** In seconds since 1970 (UTC). */
  readonly at?: number;
  readonly color?: boolean;
}
