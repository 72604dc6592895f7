/** The command line: what may be said. What is done about it is loaded when needed. */
import { Command, CommanderError, Option } from 'commander';
import { formatNames } from '../report/formats.js';
import type { CollectOptions } from './collect.js';
import type { FuzzCommandOptions } from './fuzz/fuzz-options.js';
import type { MergeOptions } from './merge.js';
import { helpCommand } from './help-command.js';
import { leave } from './leave.js';
import { defaultTimeout, inputOptions, type FmtOptions, type LintOptions, type PluginOptions } from './options.js';
import { collect, count, moment, seconds, shard, threads } from './option-values.js';
import type { ReplayOptions } from './replay.js';
import { print, startStreaming } from './streams.js';
import type { TraceCommandOptions } from './trace/trace-options.js';
import { debug, raiseExitCode, reportTrouble, say, startDebugging, Trouble } from './trouble.js';
import { version } from './version.js';
import { failLevels, personas } from './words.js';

const option = (flags: string, description: string): Option => new Option(flags, description);

function withColorOptions(command: Command): Command {
  return command.option('--color', 'colour the output').option('--no-color', 'do not (also: NO_COLOR, FORCE_COLOR)');
}

function pluginOption(): Option {
  return option('--plugin <file>', 'checks of your own: a JavaScript module, which is run; may be repeated').argParser(collect);
}

function withInputOptions(command: Command): Command {
  for (const one of inputOptions(option)) command.addOption(one);
  return command;
}

const examples = `
Files may be files, directories (searched for *.rules, *.save, *.v4, *.v6, *.fw, *.ipt, *iptables*, *ip6tables*, and for
hosts as "iptables-lint collect" writes them: host.json, *.host.json), globs in quotes, or - for standard input. Write ./checks for a file that is named like a command.

Exit code: 0 nothing at or above the fail level; 1 findings; 2 the job could not be done.

Examples:
  iptables-lint /etc/iptables/rules.v4
  sudo iptables-save | iptables-lint --format full -
  iptables-lint --fail-on error --check duplicate-rule=off '/etc/**/*.rules'
  iptables-lint explain shadowed-rule`;

function lintCommand(): Command {
  const program = new Command('iptables-lint')
    .description('Finds mistakes in Linux firewall rules: iptables-save files, iptables -S output, scripts of iptables commands.')
    .argument('[files...]', 'what to lint; standard input where something is piped in')
    .addOption(option('--format <name[=file]>', `how to print the findings, and where to; may be repeated: ${formatNames.join(', ')} (default: pretty)`).argParser(collect))
    .addOption(option('--check <name=level>', 'set a check to off, info, warning or error; may be repeated').argParser(collect))
    .addOption(pluginOption())
    .addOption(option('--fail-on <level>', 'the least severity that makes the exit code 1 (default: warning)').choices([...failLevels]))
    .option('--max-warnings <number>', 'so many warnings do not make the exit code 1', count)
    .option('--quiet', 'print errors only; the exit code stays the same')
    .option('--decide', 'search a conversation for each finding that is only possible; takes longer')
    .addOption(option('--persona <who>', 'who reads it: for an auditor, what is open to whom matters more').choices([...personas]))
    .option('--show-generated', 'show what is to be said about how docker, ufw and others write their rules')
    .option('--host <file>', 'the host that has these rules, as "iptables-lint collect" wrote it')
    .option('--no-suppressions', 'show what notes in the files say is meant, as if they did not')
    .option('--show-suppressed', 'show it apart, with the reasons')
    .option('--baseline <file>', 'leave out the findings that are written down there')
    .option('--update-baseline', 'write down all findings in the --baseline file')
    .addOption(option('--since <commit>', 'show only what was not found in the files as git has them at that commit').conflicts('baseline'))
    .addOption(option('--fix [which]', 'repair the files where no packet fares differently; unsafe: also where some do').choices(['safe', 'unsafe']).conflicts('updateBaseline'))
    .addOption(option('--fix-dry-run', 'print what --fix would change, as a patch, and change nothing').conflicts(['format', 'updateBaseline']))
    .option('--jobs <number>', 'so many threads, where there is much to lint (default: one for each processor)', threads)
    .option('--timeout <seconds>', `how long the rules of one file may take in a thread (default: ${String(defaultTimeout)})`, seconds)
    .option('--shard <part/parts>', 'lint only this part of the files, as 2/8; "iptables-lint merge" joins the reports', shard)
    .option('--config <file>', 'the configuration (default: iptables-lint.yaml here, or in the nearest folder above)')
    .option('--no-config', 'read no configuration')
    .option('--stats', 'say on stderr where the time went, check by check')
    .option('--debug', 'say on stderr what was decided and why, and where in the program it failed; for all commands');
  withColorOptions(withInputOptions(program));
  return program
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', examples)
    .enablePositionalOptions()
    .action(async (files: string[], options: LintOptions) => { await (await import('./lint.js')).lint(files, options); });
}

function fmtCommand(): Command {
  const command = new Command('fmt')
    .description('print rules in canonical form: as iptables-save would')
    .argument('[files...]', 'what to print; standard input where something is piped in')
    .option('-c, --counters', 'keep the counters')
    .addOption(option('--check', 'print the names of the files that differ; exit code 1 if any do').conflicts('write'))
    .option('--write', 'write the files in place')
    .option('--drop-comments', 'with --write: write files with comments too, which the canonical form has no place for');
  return withColorOptions(withInputOptions(command))
    .action(async (files: string[], options: FmtOptions) => { await (await import('./fmt.js')).fmt(files, options); });
}

const traceExamples = `
Without "in eth0" a packet comes from where its source is; "from local" sends it from the host itself. More
words are those of a scenario's packet: flags SA, ttl 1, mark 0x1, payload "hello" …

Exit code: 0 the packets were traced, whatever became of them; 2 they could not be.

Examples:
  iptables-lint trace rules.v4 --packet "tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0"
  sudo iptables-save | iptables-lint trace - --packet "icmp 192.0.2.1 > 198.51.100.7 from local"
  iptables-lint trace --host host.json --packet "tcp 198.51.100.7:40000 > 192.0.2.1:22"
  iptables-lint trace rules.v4 --host host.json --conversation "udp 10.0.0.5:5353 > 192.0.2.53:53 in eth1"
  iptables-lint trace rules.v4 --scenario packets.yaml --format json`;

function traceCommand(): Command {
  const command = new Command('trace')
    .description('say which rules packets meet, in the order of the kernel, and what becomes of them')
    .argument('[rules]', 'the rule file, or - for standard input; absent: the rules of the scenario or of the host')
    .addOption(option('--packet <words>', 'a packet, as "tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0 flags SA"; may be repeated').argParser(collect))
    .option('--conversation <words>', 'a whole exchange, as "tcp 198.51.100.7 > 192.0.2.1:22 in eth0": answers and all')
    .option('--scenario <file>', 'packets, and the host they meet, as YAML or JSON: see docs/scenario.md')
    .option('--host <file>', 'the host that they meet, as "iptables-lint collect" wrote it')
    .addOption(option('--unknown <how>', 'what to assume where it cannot be known whether a rule matches').choices(['match', 'skip', 'both']).default('skip'))
    .addOption(option('--format <name>', 'how to print it').choices(['pretty', 'json']).default('pretty'))
    .option('--seed <number>', 'another number, other luck: where only chance decides (default: 1)', count)
    .option('--at <time>', 'when the first packet comes, as 2026-01-31T23:30Z (default: when the host was collected)', moment)
    .addHelpText('after', traceExamples);
  return withColorOptions(withInputOptions(command))
    .action(async (rules: string | undefined, options: TraceCommandOptions) => { await (await import('./trace.js')).trace(rules, options); });
}

const collectExamples = `
It changes nothing: --dry-run shows the commands that it reads with. What could not be read is noted in the file.
For a container, its programs are not needed: those of this machine are run in its network.

Examples:
  sudo iptables-lint collect --output host.json
  iptables-lint trace --host host.json --packet "tcp 198.51.100.7:40000 > 192.0.2.1:22"
  sudo iptables-lint collect --pid "$(docker inspect -f '{{.State.Pid}}' NAME)"
  sudo iptables-lint collect --netns blue | ssh admin 'cat > blue.json'`;

function collectCommand(): Command {
  return new Command('collect')
    .description('write down what this host is, for trace --host: interfaces, routes, settings, rules, flows')
    .addOption(option('--netns <name>', 'of a network namespace, as "ip netns" names it').conflicts('pid'))
    .option('--pid <number>', 'of the network of this process: of a container', count)
    .option('--dry-run', 'print the commands, and run none')
    .option('--output <file>', 'where to (default: standard output)')
    .addHelpText('after', collectExamples)
    .action(async (options: CollectOptions) => { await (await import('./collect.js')).collect(options); });
}

const replayExamples = `
It needs Linux, root, a C compiler, iproute2, nftables and the iptables that the rules are for. All happens in network
namespaces that it makes for itself; rules, addresses and settings of this machine are not touched.

Exit code: 0 the kernel confirms all that could be replayed; 1 it contradicts something; 2 nothing could be replayed.

Examples:
  iptables-lint /etc/iptables/rules.v4 --format json > report.json
  sudo iptables-lint replay report.json
  sudo iptables-lint replay report.json --rules-root /srv/firewall --format json`;

function replayCommand(): Command {
  const command = new Command('replay')
    .description('let the kernel of this machine confirm the packets of a report')
    .argument('<report>', 'what --format json has printed, or - for standard input')
    .addOption(option('--format <name>', 'how to print it; json: the report again, marked').choices(['pretty', 'json']).default('pretty'))
    .option('--rules-root <folder>', 'where the paths of the report begin (default: here)')
    .addOption(option('--check <name=level>', 'as the report was made; may be repeated').argParser(collect))
    .addOption(option('--plugin <file>', 'as the report was made; may be repeated').argParser(collect))
    .addOption(option('--persona <who>', 'as the report was made').choices([...personas]))
    .option('--host <file>', 'as the report was made')
    .option('--config <file>', 'as the report was made')
    .option('--no-config', 'as the report was made')
    .addHelpText('after', replayExamples);
  return withColorOptions(withInputOptions(command))
    .action(async (report: string, options: ReplayOptions) => { await (await import('./replay.js')).replay(report, options); });
}

const fuzzExamples = `
It plays conversations, with answers, near the constants of the rules, through the whole engine. What breaks a property is made
as small as it goes, and printed as a scenario: iptables-lint trace RULES --scenario FILE plays it again.
Without --host the host is one that the rules make likely.

Exit code: 0 no property was broken; 1 one was; 2 it could not be tested.

Examples:
  iptables-lint fuzz /etc/iptables/rules.v4
  iptables-lint fuzz rules.v4 --host host.json --untrusted eth0 --allow-ports 22,443,udp/51820
  iptables-lint fuzz rules.v4 --property replies-pass --runs 5000 --output lost.yaml`;

function fuzzCommand(): Command {
  const command = new Command('fuzz')
    .description('test what must be true of every conversation, and show the smallest of which it is not')
    .argument('[rules]', 'the rule file, or - for standard input')
    .addOption(option('--property <name>', 'test only this one; may be repeated').argParser(collect))
    .option('--runs <number>', 'conversations for each property (default: 300, and fewer for large rule sets)', count)
    .option('--seed <number>', 'another number, other conversations (default: by the input)', count)
    .option('--path <path>', 'play only the failure that was printed with this path')
    .option('--allow-ports <list>', 'the ports that may be reached from outside, as 22,443,udp/53,8000:8080')
    .addOption(option('--untrusted <interface>', 'where outside is (default: every interface but lo); may be repeated').argParser(collect))
    .option('--host <file>', 'the host that has these rules, as "iptables-lint collect" wrote it')
    .addOption(option('--format <name>', 'how to print it').choices(['pretty', 'json']).default('pretty'))
    .option('--output <file>', 'write the scenario of the first failure there')
    .addHelpText('after', fuzzExamples);
  return withColorOptions(withInputOptions(command))
    .action(async (rules: string | undefined, options: FuzzCommandOptions) => { await (await import('./fuzz.js')).fuzz(rules, options); });
}

const mergeExamples = `
The reports are what --format json or --format ndjson printed. Those of --shard are put in their order, and none may be missing.

Exit code: as that of the one run that would have linted all files.

Examples:
  iptables-lint --shard 2/8 --format ndjson=report-2.ndjson hosts/
  iptables-lint merge report-*.ndjson
  iptables-lint merge --format ndjson --fail-on error report-*.json`;

function mergeCommand(): Command {
  return new Command('merge')
    .description('join reports to one: those of --shard, or of different files')
    .argument('<reports...>', 'the reports; - is standard input')
    .addOption(option('--format <name>', 'json or ndjson (default: that of the reports)').choices(['json', 'ndjson']))
    .addOption(option('--fail-on <level>', 'the least severity that makes the exit code 1 (default: warning)').choices([...failLevels]))
    .option('--max-warnings <number>', 'so many warnings do not make the exit code 1', count)
    .option('--config <file>', 'the configuration, for its fail-on (default: as for the reports)')
    .option('--no-config', 'read no configuration')
    .addHelpText('after', mergeExamples)
    .action(async (reports: string[], options: MergeOptions) => { await (await import('./merge.js')).merge(reports, options); });
}

function explainCommand(): Command {
  return withColorOptions(new Command('explain'))
    .description('say what a check looks for, why, and what to do')
    .argument('<check>', 'its name, as in a finding')
    .addOption(pluginOption())
    .action(async (name: string, options: PluginOptions & { color?: boolean }) => { await (await import('./explain.js')).explain(name, options); });
}

function checksCommand(): Command {
  return withColorOptions(new Command('checks'))
    .description('list all checks')
    .addOption(option('--format <name>', 'how').choices(['table', 'json']).default('table'))
    .addOption(pluginOption())
    .action(async (options: PluginOptions & { format: 'table' | 'json'; color?: boolean }) => { await (await import('./list-checks.js')).listChecks(options); });
}

const configExamples = `
It is iptables-lint.yaml, in the folder where the program runs or the nearest above. docs/config.md has all keys.

Examples:
  iptables-lint init
  iptables-lint config check
  iptables-lint config print gateways/rules.v4`;

function configCommand(): Command {
  const command = new Command('config').description('show and check the configuration').addHelpText('after', configExamples);
  command.addCommand(withColorOptions(new Command('print'))
    .description('print what holds for a file, all that it builds on put together')
    .argument('[file]', 'the rule file; absent: what holds for all')
    .option('--config <file>', 'the configuration (default: the nearest)')
    .addOption(pluginOption())
    .action(async (file: string | undefined, options: PluginOptions & { config?: string; color?: boolean }) => { await (await import('./config/commands.js')).configPrint(file, options); }));
  command.addCommand(withColorOptions(new Command('check'))
    .description('say what is wrong with configurations, and where')
    .argument('[files...]', 'the configurations (default: the nearest)')
    .addOption(pluginOption())
    .action(async (files: string[], options: PluginOptions & { color?: boolean }) => { await (await import('./config/commands.js')).configCheck(files, options); }));
  return command;
}

function initCommand(): Command {
  return new Command('init')
    .description('look at the rule files and write a first iptables-lint.yaml, explained')
    .argument('[files...]', 'the rule files (default: those in this folder)')
    .option('--force', 'write over the one that is there')
    .action(async (files: string[], options: { force?: boolean }) => { await (await import('./config/init.js')).init(files, options); });
}

const completeExamples = `
Examples:
  iptables-lint complete bash > ~/.local/share/bash-completion/completions/iptables-lint
  iptables-lint complete zsh > "\${fpath[1]}/_iptables-lint"
  iptables-lint complete fish > ~/.config/fish/completions/iptables-lint.fish`;

/** `words`: the command and what it is asked, which a library reads: it makes the command anew. */
async function completeBy(words: readonly string[]): Promise<void> {
  startStreaming();
  await (await import('./complete.js')).complete(program([...commands.keys()].filter(name => name !== 'complete')), words);
}

function completeCommand(): Command {
  return new Command('complete')
    .description('print what a shell needs to complete the words of iptables-lint')
    .argument('<shell>', 'bash, zsh, fish or powershell')
    .addHelpText('after', completeExamples)
    .action(async (shell: string) => { await completeBy(['complete', shell]); });
}

/** By their names. */
const commands: ReadonlyMap<string, () => Command> = new Map([
  ['fmt', fmtCommand], ['trace', traceCommand], ['fuzz', fuzzCommand], ['collect', collectCommand], ['replay', replayCommand], ['merge', mergeCommand],
  ['explain', explainCommand], ['checks', checksCommand], ['config', configCommand], ['init', initCommand], ['complete', completeCommand],
]);

/** Those that may be meant; to make all of them takes longer than to read a small file. */
function commandsIn(words: readonly string[]): readonly string[] {
  return ['-h', '--help', 'help'].some(one => words.includes(one)) ? [...commands.keys()] : words.filter(word => commands.has(word));
}

/** What takes one value, and is typed twice, is wrong: nobody can tell which was meant. What may be repeated collects its values. */
function refuseTwice(command: Command): void {
  const typed = new Map<string, Option>();
  const single = new Set(command.options.filter(one => (one.required || one.optional) && one.parseArg !== collect).map(one => one.attributeName()));
  for (const one of command.options.filter(each => single.has(each.attributeName()))) {
    command.on(`option:${one.name()}`, () => {
      const before = typed.get(one.attributeName());
      typed.set(one.attributeName(), one);
      if (before === one && !one.negate) command.error(`${one.long ?? ''}: it is given twice, and only one can hold`);
      if (before !== undefined && before !== one) command.error(`${before.long ?? ''} and ${one.long ?? ''}: only one can hold`);
    });
  }
}

/** The program with these commands, as commander has them. */
export function program(names: Iterable<string> = commands.keys()): Command {
  const root = lintCommand();
  for (const name of new Set(names)) {
    const make = commands.get(name);
    if (make !== undefined) root.addCommand(make());
  }
  for (const command of [root, ...root.commands.filter(one => one.commands.length > 0)]) command.addCommand(helpCommand(command));
  for (const command of [root, ...root.commands, ...root.commands.flatMap(one => one.commands)]) {
    if (command !== root && command.name() !== 'help') command.option('--debug', 'say on stderr what was decided and why');
    refuseTwice(command);
    command.exitOverride().configureOutput({ writeOut: text => { void print(text); }, writeErr: say, outputError: () => { /* said by main, in one line */ } });
  }
  return root;
}

/** Colours and --debug are a matter of the whole program: `iptables-lint --no-color checks` is meant as it reads. `begin` is told the command. */
function passOn(root: Command, begin: (command: string) => void): void {
  root.hook('preAction', (_, action) => {
    begin(action.name());
    if (action.optsWithGlobals<{ debug?: boolean }>().debug === true) startDebugging();
    debug(() => `iptables-lint ${version}, Node ${process.version}, ${process.platform}`);
    const color: unknown = root.getOptionValue('color');
    if (action !== root && color !== undefined && action.getOptionValue('color') === undefined) action.setOptionValue('color', color);
  });
}

/** commander's message in one line: its suggestion is on a line of its own. `[word]`: the first, which may be a command. */
function usageTrouble(error: CommanderError, [word = '']: readonly string[]): Trouble {
  const message = error.message.replace(/^error: /u, '').trim().replace(/\.$/u, '').replace(/\s*\n\s*/gu, ' ');
  const command = program().commands.some(one => one.name() === word) ? ` ${word}` : '';
  return new Trouble(`${message}; see iptables-lint${command} --help`);
}

/** `--fix FILE`: commander would take the file for what is to be fixed. */
function withWholeOptions(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return words.map((word, index) => word === '--fix' && (end === -1 || index < end) ? '--fix=safe' : word);
}

/** Returns the name of the command that was carried out, or nothing where that was none. */
export async function main(words: readonly string[]): Promise<string> {
  let command = '';
  // A plugin may throw when nobody waits for it: Node's exit code would say that something was found.
  process.on('uncaughtException', error => {
    reportTrouble(error);
    leave();
  });
  try {
    // What a shell asks at each TAB: the words behind are not to be read here.
    if (words[0] === 'complete' && words[1] === '--') {
      await completeBy(words);
      return 'complete';
    }
    const root = program(commandsIn(words));
    passOn(root, name => { command = name; });
    await root.parseAsync(withWholeOptions(words), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) reportTrouble(error);
    // What to do was not said, and all that can be was shown.
    else if (error.code === 'commander.help' && error.exitCode !== 0) raiseExitCode(2);
    else if (error.exitCode !== 0) reportTrouble(usageTrouble(error, words));
  }
  return command;
}
