/** Notes that suppress findings: what they reach, what they do not, and what is said of them. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { applyEdits } from '../../analyzer/fixes/apply-edits.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';

const today = '2026-11-21';
const aboutNotes = ['unused-suppression', 'expired-suppression', 'invalid-suppression'];

function filter(...lines: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...lines, 'COMMIT', ''].join('\n');
}

/** What is found of host bits and of notes, and what is suppressed: `check line`. */
function lint(text: string, options: AnalyzeOptions = {}): { readonly shown: readonly string[]; readonly suppressed: readonly string[] } {
  const { findings, suppressed } = analyze({ path: 'rules', text }, { today, ...options });
  const words = (some: typeof findings): readonly string[] => some
    .filter(({ check }) => check === 'host-bits-set' || aboutNotes.includes(check))
    .map(({ check, span }) => `${check} ${String(text.slice(0, span.start).split('\n').length)}`);
  return { shown: words(findings), suppressed: words(suppressed) };
}

const loose = '-A INPUT -s 192.0.2.1/24 -p tcp -m tcp --dport 22 -j ACCEPT';
const looser = '-A INPUT -s 198.51.100.1/24 -p tcp -m tcp --dport 22 -j ACCEPT';

test('a note speaks of the next rule, over blank lines and comments, and of no other', t => {
  t.deepEqual(lint(filter('# iptables-lint-disable-next-line host-bits-set -- the network is meant', '', '# web', loose, looser)), { shown: ['host-bits-set 11'], suppressed: ['host-bits-set 10'] });
});

test('a block ends where it is enabled again, or with the file', t => {
  const on = '# iptables-lint-disable host-bits-set -- networks';
  t.deepEqual(lint(filter(loose, on, looser, '# iptables-lint-enable host-bits-set', '-A INPUT -s 203.0.113.1/24 -j ACCEPT')), { shown: ['host-bits-set 7', 'host-bits-set 11'], suppressed: ['host-bits-set 9'] });
  t.deepEqual(lint(filter(on, loose, looser)), { shown: [], suppressed: ['host-bits-set 8', 'host-bits-set 9'] });
  t.deepEqual(lint(filter(on, loose, '# iptables-lint-enable', looser)), { shown: ['host-bits-set 10'], suppressed: ['host-bits-set 8'] });
});

test('an enable that ends nothing is told: what it was meant to end goes on', t => {
  const on = '# iptables-lint-disable host-bits-set -- networks';
  t.deepEqual(lint(filter(on, loose, '# iptables-lint-enable host-bit-set', looser)), { shown: ['invalid-suppression 9'], suppressed: ['host-bits-set 8', 'host-bits-set 10'] });
  t.deepEqual(lint(filter(on, loose, '# iptables-lint-enable', '# iptables-lint-enable host-bits-set')), { shown: ['invalid-suppression 10'], suppressed: ['host-bits-set 8'] });
  t.deepEqual(lint(filter('# iptables-lint-enable host-bits-set', on, loose)), { shown: ['invalid-suppression 7'], suppressed: ['host-bits-set 9'] });
});

test('a note of the file reaches all of it, before and after', t => {
  t.deepEqual(lint(filter(loose, '# iptables-lint-disable-file host-bits-set -- networks', looser)), { shown: [], suppressed: ['host-bits-set 7', 'host-bits-set 9'] });
});

test('a note in the comment of a rule speaks of this rule', t => {
  const noted = (comment: string): string => loose.replace('-j', `-m comment --comment ${comment} -j`);
  t.deepEqual(lint(filter(noted('"office; lint:off=host-bits-set the network is meant"'), looser)), { shown: ['host-bits-set 8'], suppressed: ['host-bits-set 7'] });
  t.deepEqual(lint(filter(noted('"lint:off=shadowed-rule,host-bits-set meant"'))), { shown: ['unused-suppression 7'], suppressed: ['host-bits-set 7'] });
  t.deepEqual(lint(filter(noted('lint:off=host-bits-set'))), { shown: ['host-bits-set 7', 'invalid-suppression 7'], suppressed: [] }, 'a word has no room for a reason');
  t.deepEqual(lint(filter(noted('lint:off=host-bits-set'), ), { requireReason: false }), { shown: [], suppressed: ['host-bits-set 7'] });
});

test('a note is read as iptables reads the comment: behind quotes, behind `=`, and with the option abbreviated', t => {
  const options = [String.raw`--comment "say \"hi\"; lint:off=host-bits-set meant"`, `--comment "it's the office; lint:off=host-bits-set meant"`, '--comment="x; lint:off=host-bits-set meant"', '--comm "x; lint:off=host-bits-set meant"'];
  for (const option of options) {
    const line = loose.replace('-j', `-m comment ${option} -j`);
    t.deepEqual(lint(filter(line)), { shown: [], suppressed: ['host-bits-set 7'] }, option);
    t.deepEqual(lint(`iptables -P INPUT DROP\niptables ${line}\n`), { shown: [], suppressed: ['host-bits-set 2'] }, `in a script: ${option}`);
  }
  t.deepEqual(lint(`iptables -P INPUT DROP\niptables ${loose.replace('-j', `-m comment --comment 'x; lint:off=host-bits-set meant' -j`)}\n`), { shown: [], suppressed: ['host-bits-set 2'] });
});

test('a note in a comment that names no check, or none that there is, is told, and its place is the note', t => {
  for (const name of ['*', 'host_bits', 'host-bits-set;', '']) {
    const text = filter(loose.replace('-j', `-m comment --comment "say \\"hi\\" lint:off=${name}" -j`));
    t.deepEqual(lint(text), { shown: ['host-bits-set 7', 'invalid-suppression 7'], suppressed: [] }, name);
    const { span } = analyze({ path: 'rules', text }, { today }).findings.find(one => one.check === 'invalid-suppression') ?? { span: { start: 0, end: 0 } };
    t.is(text.slice(span.start, span.end), `lint:off=${name}`);
  }
  t.deepEqual(lint(filter(loose.replace('-j', '-m comment --comment "lint:off=host-bits-set,any_any meant" -j'))), { shown: ['invalid-suppression 7'], suppressed: ['host-bits-set 7'] });
});

test('what stands in a log prefix is no note', t => {
  t.deepEqual(lint(filter('-A INPUT -s 192.0.2.1/24 -j LOG --log-prefix "lint:off=host-bits-set x"')), { shown: ['host-bits-set 7'], suppressed: [] });
});

test('a note without a reason, or of a check that there is not, counts for nothing', t => {
  t.deepEqual(lint(filter('# iptables-lint-disable-next-line host-bits-set', loose)), { shown: ['invalid-suppression 7', 'host-bits-set 8'], suppressed: [] });
  t.deepEqual(lint(filter('# iptables-lint-disable-next-line host-bit-set -- meant', loose)), { shown: ['invalid-suppression 7', 'host-bits-set 8'], suppressed: [] });
  t.deepEqual(lint(filter('# iptables-lint-disable-next-lime host-bits-set -- meant', loose)), { shown: ['invalid-suppression 7', 'host-bits-set 8'], suppressed: [] });
  t.deepEqual(lint(filter('# iptables-lint-disable-next-line -- meant', loose)), { shown: ['invalid-suppression 7', 'host-bits-set 8'], suppressed: [] });
});

test('a note counts up to its day, that day too', t => {
  const until = (day: string): string => filter(`# iptables-lint-disable-next-line host-bits-set until=${day} -- meant`, loose);
  t.deepEqual(lint(until('2026-11-21')), { shown: [], suppressed: ['host-bits-set 8'] });
  t.deepEqual(lint(until('2026-11-20')), { shown: ['expired-suppression 7', 'host-bits-set 8'], suppressed: [] });
  t.deepEqual(lint(until('2026-02-30')), { shown: ['invalid-suppression 7', 'host-bits-set 8'], suppressed: [] });
});

test('a note that is of no use is said to be, unless its check was not asked; its fix takes it away', t => {
  const text = filter('# iptables-lint-disable-next-line host-bits-set -- meant', '-A INPUT -s 192.0.2.0/24 -j ACCEPT');
  t.deepEqual(lint(text).shown, ['unused-suppression 7']);
  t.deepEqual(lint(text, { severities: { 'host-bits-set': 'off' } }).shown, []);
  const { fix } = analyze({ path: 'rules', text }, { today }).findings.find(one => one.check === 'unused-suppression') ?? {};
  t.is(applyEdits(text, fix?.edits ?? []), filter('-A INPUT -s 192.0.2.0/24 -j ACCEPT'));
});

test('nobody has to take notice of notes', t => {
  t.deepEqual(lint(filter('# iptables-lint-disable-next-line host-bits-set -- meant', loose), { suppressions: false }), { shown: ['host-bits-set 8'], suppressed: [] });
});
