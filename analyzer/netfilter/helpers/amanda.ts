/** Amanda backups: the client names the ports of its data streams. @see net/netfilter/nf_conntrack_amanda.c, nf_nat_amanda.c */
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';
import { mangle } from './mangle.js';

export const amanda: HelperDefinition = {
  name: 'amanda',
  protocols: [17],
  families: ['ipv4', 'ipv6'],
  classes: [{ name: 'amanda', limit: 4, timeout: 180 }],
  help,
};

const streams = ['DATA ', 'MESG ', 'INDEX ', 'STATE '];

function help(call: HelperCall): Verdict {
  if (call.direction === 0) return Verdict.Accept;
  // The client may think for long.
  call.refresh(300);
  const at = call.payloadAt;
  if (at === undefined) return Verdict.Accept;
  let verdict: Verdict = Verdict.Accept;
  for (const stream of streams) {
    // Read anew each time: a longer port moves what follows.
    const text = call.text(at);
    const start = text.indexOf('CONNECT ') + 8;
    const stop = text.indexOf('\n', start);
    if (start < 8 || stop < 0) return verdict;
    const found = text.slice(start, stop).indexOf(stream);
    if (found < 0) continue;
    const from = start + found + stream.length;
    const digits = /^\d{0,5}/.exec(text.slice(from, stop))?.[0] ?? '';
    const port = Number(digits) & 0xffff;
    if (port === 0) return verdict;
    verdict = expectStream(call, at + from, digits.length, port);
  }
  return verdict;
}

function expectStream(call: HelperCall, at: number, length: number, port: number): Verdict {
  const { src, dst } = call.connection.original;
  const stream = { src, dst, protocol: 6, dport: port };
  if (!call.isTranslated || call.host.family !== 'ipv4') return call.expect(stream) === 'added' ? Verdict.Accept : Verdict.Drop;
  const found = call.expectAtFreePort({ ...stream, nat: { direction: 0, savedPort: port } });
  return found !== 0 && mangle(call, at, length, String(found)) ? Verdict.Accept : Verdict.Drop;
}
