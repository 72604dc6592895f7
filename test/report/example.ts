/** Findings made by hand, with everything that a format must cope with. */
import type { Finding } from '../../analyzer/finding.js';
import type { FileReport, Report } from '../../report/report.js';

const text = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP
-A INPUT -m comment --comment "\u001b[31mred\u0007 \u202etxet \u0085" -j ACCEPT
-A INPUT\t-m comment --comment "日本語 e\u0301t\u00e9 👩‍👩‍👧" -j LOGG
-A INPUT -m comment --comment "${'long '.repeat(50)}" -m state --state NEW -m comment --comment "${'tail '.repeat(50)}" -j ACCEPT
COMMIT
`;

function spanOf(words: string): Finding['span'] {
  const start = text.indexOf(words);
  return { start, end: start + words.length };
}

const base = { certainty: 'certain', rule: null, because: [], witness: null, help: '' } as const satisfies Partial<Finding>;

const findings: readonly Finding[] = [
  {
    ...base, check: 'missing-established-return', severity: 'error', span: { start: 0, end: text.length }, certainty: 'possible', rule: 'filter:INPUT:1',
    message: 'replies to `tcp` connections don\'t get back',
    because: [{ rule: 'filter:INPUT:policy', line: 2, message: 'drops the reply' }, { rule: 'filter:OUTPUT:policy', line: 0, message: 'is not in the file' }],
    witness: [
      { in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 22, flags: 'S' } },
      { in: 'local', packet: { proto: 'udp', src: '2001:db8::1', dst: '2001:db8::2', sport: 53, dport: 40_000, mf: true } },
      { in: 'eth1', packet: { proto: 'icmp', src: '198.51.100.7', dst: '192.0.2.1', type: 8 } },
    ],
    help: 'add -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT at the top',
  },
  {
    ...base, check: 'shadowed-rule', severity: 'error', span: spanOf('-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP'), rule: 'filter:INPUT:2',
    message: 'no packet can match this rule',
    because: [{ rule: 'filter:INPUT:1', line: 5, message: 'filter:INPUT:1 takes all of them first' }],
    help: 'move it up',
    fix: { description: 'delete the rule', safety: 'safe', edits: [{ span: spanOf('-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP\n'), text: '' }] }, owner: 'docker',
  },
  { ...base, check: 'comment', severity: 'info', span: spanOf('txet'), message: 'a comment with \u001b[2J and \u202e in it', rule: 'filter:\u001b[31mINPUT:3' },
  { ...base, check: 'undefined-chain', severity: 'error', span: spanOf('LOGG'), message: 'there is no chain or target `LOGG` in table filter', rule: 'filter:INPUT:4' },
  { ...base, check: 'deprecated-state-match', severity: 'warning', span: spanOf('-m state --state NEW'), message: '`-m state` is deprecated', rule: 'filter:INPUT:5' },
  { ...base, check: 'missing-commit', severity: 'warning', span: { start: text.length, end: text.length }, message: 'nothing after the end' },
];

export const fileWithAll: FileReport = { source: { path: 'rules/\u001b[31mall.v4', text }, findings };
export const cleanFile: FileReport = { source: { path: 'clean.v4', text: '*filter\nCOMMIT\n' }, findings: [] };
export const fileWithInfo: FileReport = { source: { path: '<stdin>', text }, findings: findings.filter(finding => finding.severity === 'info') };

export const reports: Readonly<Record<string, Report>> = {
  all: { files: [fileWithAll, cleanFile, fileWithInfo], undecided: { 'missing-established-return': 1, 'redundant-rule': 1 }, generated: 12 },
  clean: { files: [cleanFile], undecided: {} },
  failed: { files: [cleanFile], undecided: {}, incomplete: 3, failures: [{ path: 'hosts/\u001b[31mb.v4', message: 'cannot read hosts/\u001b[31mb.v4: permission denied' }, { path: null, message: 'no rule files in \ufffe\uffff <empty>' }] },
  'only-infos': { files: [fileWithInfo], undecided: {} },
};
