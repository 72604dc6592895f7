/** What a finding says of packets may hang on rules that nobody can play: then it has no witness, and that is no mistake of ours. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';

/** Checks that speak, each with whether it has a witness. */
function spoken(...lines: readonly string[]): Readonly<Record<string, boolean>> {
  const { findings, internalErrors } = analyze({ path: 'soft.rules', text: [...lines, ''].join('\n') });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return Object.fromEntries(findings.map(({ check, witness }) => [check, witness !== null]));
}

const web = ['*filter', ':FORWARD DROP [0:0]', '-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT', 'COMMIT'];

test('a rule that could not be read may have made another packet of the one that the witness shows', t => {
  for (const table of ['mangle', 'nat']) for (const rule of ['-i wg0 -j TTL', '-i wg0 -j FOO', '-i wg0 -j DNAT', '-i wg0 --foo']) {
    t.false(spoken(`*${table}`, `-A PREROUTING ${rule}`, 'COMMIT', ...web)['icmp-errors-dropped'], `${table}: ${rule}`);
  }
});

test('so may a target that its table does not take', t => {
  const found = spoken('*mangle', '-A PREROUTING -p udp -m udp --dport 443 -j DNAT --to-destination 10.0.0.1:80', 'COMMIT', '*filter', '-A INPUT -p udp -m udp --dport 443 -j ACCEPT', 'COMMIT');
  t.false(found['unreachable-rule']);
});

test('a program decides about what is queued', t => {
  for (const queue of ['QUEUE', 'NFQUEUE --queue-num 0']) t.false(spoken('*filter', ':OUTPUT DROP [0:0]', `-A INPUT -j ${queue}`, 'COMMIT')['output-drop-breakage'], queue);
});

test('before connection tracking no packet has a state to show', t => {
  const found = spoken('*raw', ':c2 - [0:0]', '-A OUTPUT -m conntrack --ctstate NEW -j DROP', '-A OUTPUT -s 203.0.113.9/32 -o docker0 -p icmp -m conntrack --ctstate NEW -j c2', '-A c2 -p tcp -p udp', 'COMMIT');
  t.false(found['shadowed-rule']);
});
