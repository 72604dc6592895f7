/** The options of the commands, as commander hands them over. */
import { InvalidArgumentError, type Option } from 'commander';
import type { TableName } from '../analyzer/extensions/define.js';
import type { Persona } from '../analyzer/examine.js';
import type { LoadOptions } from '../analyzer/model/load.js';
import type { Backend, Family } from '../analyzer/values/value.js';
import type { InputFormat } from '../grammar/statements.js';
import { defaultMaxSize } from './read-source.js';
import { backends, families, inputFormats, tables, type FailLevel } from './words.js';

/** How files are to be read. Absent: as the file itself says. */
export interface InputOptions {
  readonly input?: InputFormat;
  readonly family?: Family;
  readonly backend?: Backend;
  readonly table?: TableName;
  readonly stdinFilename?: string;
  /** In megabytes. */
  readonly maxSize?: number;
}

/** Paths of files with checks of the user's own, as typed. */
export interface PluginOptions {
  readonly plugin?: readonly string[];
}

/** `2/8`: the second of eight parts of the files. */
export interface ShardOption {
  readonly index: number;
  readonly count: number;
}

/** Seconds: sixty times what 100,000 rules take. */
export const defaultTimeout = 600;

export interface LintOptions extends InputOptions, PluginOptions {
  /** `NAME` or `NAME=FILE`, as typed. */
  readonly format?: readonly string[];
  /** `NAME=LEVEL`, as typed. */
  readonly check?: readonly string[];
  readonly failOn?: FailLevel;
  readonly maxWarnings?: number;
  readonly quiet?: boolean;
  /** Search for conversations that show what is only possible. */
  readonly decide?: boolean;
  readonly persona?: Persona;
  readonly config?: string | boolean;
  readonly host?: string;
  readonly showGenerated?: boolean;
  readonly suppressions?: boolean;
  readonly showSuppressed?: boolean;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
  readonly since?: string;
  readonly fix?: 'safe' | 'unsafe';
  readonly fixDryRun?: boolean;
  readonly stats?: boolean;
  /** Threads that lint. */
  readonly jobs?: number;
  /** Seconds that the rules of one file may take. */
  readonly timeout?: number;
  readonly shard?: ShardOption;
  readonly color?: boolean;
}

export interface FmtOptions extends InputOptions {
  readonly counters?: boolean;
  readonly check?: boolean;
  readonly write?: boolean;
  readonly dropComments?: boolean;
  readonly color?: boolean;
}

function megabytes(word: string): number {
  const size = Number(word);
  if (!(size > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return size;
}

export function inputOptions(option: (flags: string, description: string) => Option): readonly Option[] {
  return [
    option('--input <format>', 'what the files are (default: detected)').choices([...inputFormats]),
    option('--family <family>', 'whose rules they are (default: by the header, the file name, the addresses)').choices([...families]),
    option('--backend <backend>', 'which iptables loads them (default: by the header, else nft)').choices([...backends]),
    option('--table <name>', 'the table that "iptables -S" output is of (default: by the policies that it begins with, else filter)').choices([...tables]),
    option('--stdin-filename <name>', 'what to call standard input in reports'),
    option('--max-size <megabytes>', 'how large a file may be').default(defaultMaxSize).argParser(megabytes),
  ];
}

export function loadOptions({ input, family, backend, table }: InputOptions): LoadOptions {
  return { format: input, family, backend, table };
}
