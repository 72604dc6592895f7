/** `iptables-lint collect` */
import { visible } from '../report/visible.js';
import { describeHost, type Printed } from './collect/describe-host.js';
import { commandLine, commandNames, dryRun, readCommands, typed, type CommandName, type Place, type ReadCommand } from './collect/read-commands.js';
import { runCommand } from './collect/run-command.js';
import { replaceFile } from './replace-file.js';
import { print } from './streams.js';
import { say, Trouble } from './trouble.js';

export interface CollectOptions {
  readonly netns?: string;
  readonly pid?: number;
  readonly dryRun?: boolean;
  readonly output?: string;
}

function placeOf({ netns, pid }: CollectOptions): Place {
  if (netns !== undefined) return { kind: 'netns', name: netns };
  return pid === undefined ? { kind: 'here' } : { kind: 'pid', pid };
}

const isRoot = process.getuid?.() === 0;

/** Fails where the place cannot be entered: else every command would say so. */
async function enter(place: Place): Promise<void> {
  if (place.kind === 'here') return;
  const { trouble } = await runCommand(commandLine(['true'], place));
  if (trouble !== undefined) throw new Trouble(`cannot enter ${place.kind === 'netns' ? `the namespace ${place.name}` : `the network of process ${String(place.pid)}`}: ${trouble}${isRoot ? '' : '; run it as root'}`);
}

/** One after the other: they ask the same kernel. */
async function readAll(place: Place): Promise<{ readonly printed: Printed; readonly problems: readonly string[] }> {
  const printed = new Map<CommandName, string>();
  const problems: string[] = [];
  for (const name of commandNames) {
    const { words, root, after }: ReadCommand = readCommands[name];
    if (after !== undefined && (printed.get(after) ?? '').trim() === '') continue;
    const { stdout, trouble } = await runCommand(commandLine(words, place));
    // A kernel that has never loaded legacy tables has no list of them.
    const isNone = words[0] === 'cat' && trouble?.includes('No such file') === true;
    if (trouble === undefined) printed.set(name, stdout);
    else if (!isNone) problems.push(`${typed(words)}: ${trouble}${root && !isRoot ? ' (it needs root)' : ''}`);
  }
  return { printed, problems };
}

/** Rule sets and sockets are nobody else's business. */
const onlyForOwner = 0o600;

export async function collect(options: CollectOptions): Promise<void> {
  const place = placeOf(options);
  if (options.dryRun === true) {
    await print(dryRun(place));
    return;
  }
  if (process.platform !== 'linux') throw new Trouble('only a Linux host can be collected');
  await enter(place);
  const { printed, problems } = await readAll(place);
  const text = `${JSON.stringify(describeHost(printed, new Date(), problems), undefined, 2)}\n`;
  if (options.output === undefined || options.output === '-') await print(text);
  else await replaceFile(options.output, text, onlyForOwner);
  for (const problem of problems) say(`iptables-lint: not collected: ${visible(problem)}\n`);
}
