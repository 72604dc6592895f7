/** mark-not-kept: of which marks only the first packet of a connection gets one. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';

function found(mangle: readonly string[], filter: readonly string[] = []): readonly string[] {
  const text = ['*mangle', ':PREROUTING ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', ...mangle, 'COMMIT', '*filter', ':FORWARD ACCEPT', ...filter, 'COMMIT', ''].join('\n');
  const { findings, internalErrors } = analyze({ path: 'x.rules', text });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === 'mark-not-kept').map(({ rule }) => rule ?? '');
}

const mark = '-A PREROUTING -p tcp -m tcp --dport 25 -m conntrack --ctstate NEW -j MARK --set-mark 1';

test('what is NEW is marked, and what follows is not', t => {
  t.deepEqual(found([mark]), ['mangle:PREROUTING:1']);
  t.deepEqual(found([mark.replace('PREROUTING', 'OUTPUT')]), ['mangle:OUTPUT:1']);
  t.deepEqual(found([mark, mark.replace('25', '587')]), ['mangle:PREROUTING:1'], 'told once');
});

test('marks that are kept, looked at, or given to all', t => {
  t.deepEqual(found([mark, '-A PREROUTING -j CONNMARK --save-mark']), [], 'kept');
  t.deepEqual(found([mark], ['-A FORWARD -m mark --mark 1 -j ACCEPT']), [], 'a rule for first packets looks at it');
  t.deepEqual(found([mark, mark.replace('NEW', 'ESTABLISHED')]), [], 'another rule marks the others');
  t.deepEqual(found([mark.replace('NEW', 'NEW,ESTABLISHED')]), []);
  t.deepEqual(found([mark.replace('PREROUTING', 'POSTROUTING')]), [], 'it is routed by then');
  t.deepEqual(found([mark, '-A PREROUTING -j SOMEMARK']), [], 'a target that nobody knows');
});
