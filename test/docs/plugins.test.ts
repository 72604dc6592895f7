/** What docs/plugins.md says is run. */
import { join } from 'node:path';
import test from 'ava';
import { cli, table } from '../cli/run.js';
import { blocks, page, root, runNode, strangersFolder } from './stranger.js';

/** The files that the page shows; the first line of each says what it is called. */
const files = Object.fromEntries(blocks(page('plugins.md'), 'js').map(text => [/^\/\/ (\S+)\n/u.exec(text)?.[1] ?? '', text]));

test('its check finds what it says, with a packet, whatever rule lets it in', t => {
  t.deepEqual(Object.keys(files), ['no-telnet.js', 'no-telnet.test.js']);
  const folder = strangersFolder(t, { ...files, 'rules.v4': table('-A INPUT -p tcp -m multiport --dports 21:24 -j ACCEPT') });
  const { stdout, stderr, status } = runNode([cli, '--plugin', 'no-telnet.js', '--format', 'json', 'rules.v4'], folder);
  t.is(stderr, '');
  t.is(status, 1);
  const { files: [file] } = JSON.parse(stdout) as { files: { findings: { check: string; rule: string; witness: { packet: { dport: number } }[] }[] }[] };
  const found = file?.findings.find(({ check }) => check === 'acme/no-telnet');
  t.is(found?.rule, 'filter:INPUT:1');
  t.is(found?.witness[0]?.packet.dport, 23);
});

test('its test passes, and fails where the check is wrong', t => {
  t.timeout(600_000);
  const folder = strangersFolder(t, files);
  const passed = runNode(['--test', 'no-telnet.test.js'], folder);
  t.is(passed.status, 0, passed.stdout);
  const wrong = strangersFolder(t, { ...files, 'no-telnet.js': (files['no-telnet.js'] ?? '').replace(`is('dport', 23)`, `is('dport', 24)`) });
  const failed = runNode(['--test', 'no-telnet.test.js'], wrong);
  t.is(failed.status, 1);
  t.regex(failed.stdout, /the near-miss example yields a finding of it: telnet is let in/u);
  t.is(join(root, 'dist/cli.cjs'), cli);
});
