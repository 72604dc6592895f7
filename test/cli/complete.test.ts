/** TAB in the shells themselves, and the man page in `man`. Where one of these programs is missing the test says so; CI has them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { program } from '../../cli/main.js';
import { manPage } from '../../scripts/man-page.js';
import { cli, clean, folderWith } from './run.js';

/** CI has all of them, and is not to skip. */
const isRequired = process.env['IPTABLES_LINT_KERNEL'] === 'required';

function has(name: string): boolean {
  return isRequired || spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** The scripts of most programs want this package, which comes with bash in most distributions. */
const hasBashCompletion = isRequired || existsSync('/usr/share/bash-completion/bash_completion');

/** A folder with the program in its `bin`, a rule file, and the completions of a shell. */
function stage(t: ExecutionContext, shell: string): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = folderWith(t, { 'office.rules': clean });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/run'), `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`, { mode: 0o755 });
  symlinkSync('run', join(folder, 'bin/iptables-lint'));
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder, TERM: 'dumb' };
  writeFileSync(join(folder, 'completions'), spawnSync(process.execPath, [cli, 'complete', shell], { encoding: 'utf8' }).stdout);
  return { folder, env };
}

/** What a person types, and a word that is to be offered. */
const typed: readonly (readonly [line: string, word: string])[] = [
  ['iptables-lint --fail', '--fail-on'],
  ['iptables-lint --fail-on n', 'never'],
  ['iptables-lint --format sar', 'sarif'],
  ['iptables-lint --check shadowed-r', 'shadowed-rule=warning'],
  ['iptables-lint ex', 'explain'],
  ['iptables-lint explain shadowed', 'shadowed-rule'],
  ['iptables-lint fmt --wr', '--write'],
  ['iptables-lint offi', 'office.rules'],
];

const bashScript = `
source /usr/share/bash-completion/bash_completion
source ./completions
line=$1
COMP_LINE=$line COMP_POINT=\${#line} COMP_TYPE=9 COMP_KEY=9
read -ra COMP_WORDS <<<"$line"
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
spec=$(complete -p iptables-lint)
function=\${spec##*-F }; function=\${function%% *}
cur=\${COMP_WORDS[COMP_CWORD]}
"$function" iptables-lint "$cur" "\${COMP_WORDS[COMP_CWORD-1]}"
[ \${#COMPREPLY[@]} -gt 0 ] || case $spec in *default*) COMPREPLY=($(compgen -f -- "$cur"));; esac
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** zsh completes only at a terminal: one is made, and what it lists is read. */
const zshScript = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= ; autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-prompt ''; LISTMAX=1000; setopt list_ambiguous no_list_beep; source ./completions; print ready-now"
zpty -r z out '*ready-now*ready-now*'
zpty -w -n z "$1"$'\\t'
sleep \${ZSH_WAIT:-3}
zpty -w z $'\\C-a'"print -r -- typed: "
typeset all=
while zpty -r -t z out; do all+=$out; done
sleep 1
while zpty -r -t z out; do all+=$out; done
print -r -- "$all"
zpty -d z
`;

for (const [line, word] of typed) {
  (hasBashCompletion ? test : test.skip)(`bash offers ${word} for: ${line}`, t => {
    const { folder, env } = stage(t, 'bash');
    const { stdout, stderr } = spawnSync('bash', ['-c', bashScript, 'bash', line], { cwd: folder, env, encoding: 'utf8' });
    t.true(stdout.split('\n').some(one => one.trim() === word), `${stdout}\n${stderr}`);
  });

  (has('fish') ? test : test.skip)(`fish offers ${word} for: ${line}`, t => {
    const { folder, env } = stage(t, 'fish');
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', 'source ./completions; complete -C $argv[1]', line], { cwd: folder, env, encoding: 'utf8' });
    t.true(stdout.split('\n').some(one => one.split('\t')[0] === word), `${stdout}\n${stderr}`);
  });
}

(has('zsh') ? test : test.skip)('zsh takes the completions, and completes an option, a check and a file', t => {
  for (const [line, word] of [['iptables-lint --fail', '--fail-on'], ['iptables-lint explain shadowed', 'shadowed-rule'], ['iptables-lint offi', 'office.rules']] as const) {
    const { folder, env } = stage(t, 'zsh');
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', zshScript, 'zsh', line], { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
    t.true(stdout.includes(word), `${line}\n${stdout}\n${stderr}`);
  }
});

test('the man page is what --help says now', t => {
  t.is(readFileSync('docs/iptables-lint.1', 'utf8'), manPage(), 'run npm run docs');
});

(has('man') ? test : test.skip)('man shows the page without a complaint, with every option of every command', t => {
  const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-l', 'docs/iptables-lint.1'], { encoding: 'utf8', env: { ...process.env, MANWIDTH: '200', LC_ALL: 'C.UTF-8', MAN_KEEP_FORMATTING: '' } });
  t.is(status, 0);
  t.is(stderr, '');
  const page = stdout.replace(/.\u0008/gu, '').replaceAll('‐', '-').replaceAll('−', '-');
  for (const command of program().commands) {
    for (const option of command.options) if (!option.hidden) t.true(page.includes(option.long ?? ''), `${command.name()} ${option.flags}`);
  }
});
