/** The man page, made from what `--help` says. `npm run docs` writes it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { program } from '../cli/main.js';

/** Text that means nothing but itself. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>]/gu, character => `\\${character}`);
}

function optionLines(command: Command): readonly string[] {
  const help = command.createHelp();
  return help.visibleOptions(command).flatMap(option => ['', `* **${plain(help.optionTerm(option))}**:`, `  ${plain(help.optionDescription(option))}`]);
}

/** What stands behind the options in `--help`. */
function after(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: some => { text += some; } }).outputHelp();
  return text.slice(command.helpInformation().length).trim();
}

/** Its paragraphs as they are, and the examples as code. */
function afterLines(command: Command): readonly string[] {
  const lines = after(command).split('\n');
  return lines.flatMap(line => line.startsWith('  ') ? [`    ${line.trim()}`] : line === '' ? [''] : ['', plain(line), '']);
}

/** Without that which prints the help, as the page does. */
function subcommands(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command).filter(one => one.name() !== 'help');
}

function commandSection(command: Command, name: string): readonly string[] {
  const help = command.createHelp();
  return ['', `### ${name}`, '', `**${plain(help.commandUsage(command))}**`, '', plain(help.commandDescription(command)), ...optionLines(command), '', ...afterLines(command), ...subcommands(command).flatMap(one => commandSection(one, `${name} ${one.name()}`))];
}

function markdown(): string {
  const root = program();
  const help = root.createHelp();
  return [
    '# iptables-lint(1) -- finds mistakes in Linux firewall rules', '',
    '## SYNOPSIS', '', `**${plain(help.commandUsage(root))}**`, '',
    '## DESCRIPTION', '', plain(help.commandDescription(root)), '',
    '## OPTIONS', ...optionLines(root), '', ...afterLines(root),
    '## COMMANDS', ...subcommands(root).flatMap(one => commandSection(one, one.name())), '',
    '## FILES', '', '**iptables-lint.yaml**', '', '> the configuration: in the folder where the program runs, or in the nearest above', '',
    '## SEE ALSO', '', '**iptables-save**(8), **iptables-restore**(8), **iptables**(8), **iptables-extensions**(8)', '',
  ].join('\n');
}

/** The page in roff. It has no date of its own: it is the same for as long as `--help` is. */
export function manPage(): string {
  const converter = fileURLToPath(new URL('bin/marked-man.js', import.meta.resolve('marked-man/package.json')));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const { stdout, stderr, status } = spawnSync(process.execPath, [converter, '--man-version', `iptables-lint ${version}`], { input: markdown(), encoding: 'utf8', env: { ...process.env, SOURCE_DATE_EPOCH: '1767225600' } });
  if (status !== 0) throw new Error(`marked-man: ${stderr}`);
  return stdout;
}
