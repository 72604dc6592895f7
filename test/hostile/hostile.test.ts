/** Bad input is normal: a clear answer, bounded memory, nothing printed raw, and never exit code 0. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import * as fc from 'fast-check';
import { analyze } from '../../analyzer/analyze.js';

const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
test.after.always(() => { rmSync(folder, { recursive: true }); });

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Lints a file in a process of its own, with `megabytes` of heap. */
function lint(name: string, content: string | Uint8Array, words: readonly string[] = [], megabytes = 512): Answer {
  const file = join(folder, name);
  writeFileSync(file, content);
  return spawnSync(process.execPath, [`--max-old-space-size=${String(megabytes)}`, 'dist/cli.cjs', '--no-color', ...words, file], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

test('random bytes', t => {
  const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 13) & 255);
  const { status, stdout } = lint('random.rules', bytes);
  t.is(status, 2);
  t.regex(stdout, /not a text file/u);
});

for (const [what, content, says] of [
  ['what iptables -L prints', 'Chain INPUT (policy ACCEPT)\ntarget     prot opt source               destination\n', /iptables-save prints the rules/u],
  ['rules of nftables', 'table inet filter {\n  chain input {\n  }\n}\n', /rules of nftables/u],
  ['a compressed file', gzipSync('*filter\nCOMMIT\n'), /gunzip/u],
  ['UTF-16', Buffer.from('\ufeff# by hand\r\n*filter\r\nCOMMIT\r\n', 'utf16le'), /looks like UTF-16/u],
] as const) {
  test(`${what} is no rule file, and it is said what to do`, t => {
    const { status, stdout } = lint('other.rules', content, ['--format', 'full']);
    t.is(status, 2);
    t.regex(stdout, says);
  });
}

test('what never ends is read up to the limit, and a folder is no standard input', t => {
  for (const [words, says] of [['/dev/zero', /^iptables-lint: \/dev\/zero is larger than 1 MB/u], ['- < /dev/zero', /standard input is larger than 1 MB/u], ['- < .', /^iptables-lint: cannot read standard input: it is a directory/u]] as const) {
    const { status, stderr } = spawnSync('sh', ['-c', `exec "$0" dist/cli.cjs --max-size 1 ${words}`, process.execPath], { encoding: 'utf8' });
    t.is(status, 2, words);
    t.regex(stderr, says);
  }
});

test('a NUL byte is shown where it stands', t => {
  const { status, stdout } = lint('nul.rules', '*filter\n-A INPUT -j DR\0OP\nCOMMIT\n', ['--format', 'full']);
  t.is(status, 2);
  t.regex(stdout, /nul\.rules:2:15\n[^]*DR\\x00OP\n/u);
});

test('one line of a megabyte', t => {
  const { status, stdout } = lint('long.rules', `*filter\n-A INPUT ${'-p tcp '.repeat(150_000)}\nCOMMIT\n`, ['--format', 'full']);
  t.not(status, 0);
  t.regex(stdout, /at most/u);
  t.true(stdout.length < 20_000, 'the frame is cut');
});

for (const [name, line] of [['many.rules', '*filter\n-A INPUT MATCHES-j ACCEPT\nCOMMIT\n'], ['many.sh', 'iptables -A INPUT MATCHES-j ACCEPT\n']] as const) {
  test(`one line with 20,000 matches: ${name}`, t => {
    const { status, stderr } = lint(name, line.replace('MATCHES', '-m comment --comment x '.repeat(20_000)));
    t.is(status, name === 'many.rules' ? 2 : 0, stderr);
  });
}

test('one line with 16,000 wrong matches', t => {
  const start = performance.now();
  const { stdout, stderr } = lint('wrong.sh', `iptables -A INPUT ${'-m tcp --dport 80 '.repeat(16_000)}-j ACCEPT\n`);
  t.regex(stdout, /wrong-protocol/u, stderr);
  // Half a second, and half a minute where each mistake has the line read again.
  t.true(performance.now() - start < 15_000);
});

test('10,000 nested jumps', t => {
  const count = 10_000;
  const chains = Array.from({ length: count }, (_, i) => `:c${String(i)} - [0:0]`);
  const jumps = Array.from({ length: count - 1 }, (_, i) => `-A c${String(i)} -j c${String(i + 1)}`);
  const { status, stdout, stderr } = lint('nested.rules', ['*filter', ...chains, '-A INPUT -j c0', ...jumps, 'COMMIT', ''].join('\n'));
  t.is(status, 1);
  t.is(stderr, '');
  t.regex(stdout, /too-many-jumps/u);
});

test('a circle of 10,000 chains', t => {
  const count = 10_000;
  const chains = Array.from({ length: count }, (_, i) => `:c${String(i)} - [0:0]`);
  const jumps = Array.from({ length: count }, (_, i) => `-A c${String(i)} -j c${String((i + 1) % count)}`);
  const { status, stdout } = lint('circle.rules', ['*filter', ...chains, '-A INPUT -j c0', ...jumps, 'COMMIT', ''].join('\n'));
  t.is(status, 1);
  t.regex(stdout, /jump-loop/u);
});

test('terminal escape codes in comments, names and the path are never printed raw', t => {
  const evil = '\u001b[2J\u001b]0;pwned\u0007\u202e';
  const text = `# ${evil}\n*filter\n:INPUT ACCEPT [0:0]\n:${evil} - [0:0]\n-A INPUT -m comment --comment "${evil}" -j nowhere${evil}\n-A INPUT -m comment --comment "${evil}" -j ACCEPT\n-A INPUT -m comment --comment "${evil}" -j ACCEPT\n-A INPUT ${evil}\nCOMMIT\n`;
  for (const format of ['pretty', 'full', 'json']) {
    const { status, stdout, stderr } = lint(`evil${evil}.rules`, text, ['--format', format]);
    t.not(status, 0);
    t.notRegex(stdout + stderr, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/u, format);
  }
});

test('a file of 100 MB', t => {
  const { status, stdout, stderr } = lint('huge.rules', Buffer.alloc(100_000_000, '-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -j ACCEPT\n'), [], 128);
  t.is(status, 2);
  t.is(stdout, '');
  t.regex(stderr, /huge\.rules is larger than 32 MB; --max-size/u);
});

test('a large file is analyzed, in bounded memory', t => {
  const rules = Array.from({ length: 100_000 }, (_, i) => `-A INPUT -s 10.${String((i >> 16) & 255)}.${String((i >> 8) & 255)}.${String(i & 255)}/32 -p tcp -m tcp --dport ${String(i & 65_535)} -j nowhere\n`);
  const { status, stdout } = lint('large.rules', ['*filter\n:INPUT ACCEPT [0:0]\n', ...rules, 'COMMIT\n'].join(''), ['--format', 'json'], 512);
  t.is(status, 1);
  t.true((JSON.parse(stdout) as { summary: { errors: number } }).summary.errors >= 1000);
});

test('a file that was cut short, at any place', t => {
  const text = '# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:INPUT DROP [0:0]\n:own - [0:0]\n-A INPUT ! -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m comment --comment "a b" -j own\nCOMMIT\n';
  for (let end = 48; end < text.length - 1; end++) {
    const { findings } = analyze({ path: 'cut.rules', text: text.slice(0, end) });
    t.true(findings.some(one => one.severity !== 'info'), JSON.stringify(text.slice(Math.max(0, end - 30), end)));
  }
});

test('no mutation of a rule file makes it throw', t => {
  const base = '*filter\n:INPUT DROP [0:0]\n:own - [0:0]\n-A INPUT ! -s 192.0.2.0/24 -i eth0 -p tcp -m tcp --dport 22:80 -m conntrack --ctstate NEW,ESTABLISHED -m limit --limit 3/min -j own\n-A own -m set --match-set web src -j REJECT --reject-with tcp-reset\nCOMMIT\n';
  const edit = fc.tuple(fc.nat({ max: base.length }), fc.nat({ max: 12 }), fc.string({ maxLength: 6, unit: fc.constantFrom(...'-!"\\\n\r\t ,:/*#[]0129azAZ\u0000\u00e9') }));
  fc.assert(fc.property(fc.array(edit, { maxLength: 4 }), edits => {
    const text = edits.reduce((now, [at, length, put]) => now.slice(0, at) + put + now.slice(at + length), base);
    analyze({ path: 'mutated.rules', text });
    return true;
  }), { seed: 5, numRuns: 1500 });
  t.pass();
});
