/** IRC: direct connections between clients (DCC). @see net/netfilter/nf_conntrack_irc.c, nf_nat_irc.c */
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';
import { mangle } from './mangle.js';

export const irc: HelperDefinition = {
  name: 'irc',
  protocols: [6],
  families: ['ipv4'],
  classes: [{ name: 'irc', limit: 8, timeout: 300 }],
  help,
};

/** The shortest rest of a line that can be a command, from ` :` on. */
const shortest = 26;

function help(call: HelperCall): Verdict {
  const at = call.payloadAt;
  if (call.direction !== 0 || !call.isEstablished || at === undefined) return Verdict.Accept;
  const text = call.text(at);
  let start = 0;
  while (start < text.length - 10 && ' \r\n'.includes(text.charAt(start))) start++;
  if (start < text.length - 10) {
    if (text.slice(start, start + 8).toLowerCase() !== 'privmsg ') return Verdict.Accept;
    start += 8;
  }
  const message = text.indexOf(' :', start);
  // Only the message itself may be a command, from its first character on.
  if (message < 0 || message >= text.length - shortest || !text.startsWith('\u0001DCC ', message + 2)) return Verdict.Accept;
  const command = /^(?:SEND|CHAT|MOVE|TSEND|SCHAT) /.exec(text.slice(message + 7));
  return command === null ? Verdict.Accept : offer(call, at, text, message + 7 + command[0].length);
}

/** `NAME ADDRESS PORT`, the address as one number. */
function offer(call: HelperCall, payloadAt: number, text: string, from: number): Verdict {
  const rest = /^[^ ]* ((\d+) *(\d*))(?=[^]*\n)/.exec(text.slice(from));
  if (rest === null) return Verdict.Accept;
  const [whole, parts = '', digits = '', portDigits = ''] = rest;
  if (from + whole.length - parts.length > text.length - 11) return Verdict.Accept;
  const address = Number(BigInt(digits) & 0xffff_ffffn);
  const port = Number(BigInt(portDigits === '' ? 0 : portDigits) & 0xffffn);
  const { here, there } = call;
  if ((here.src !== address && there.dst !== address) || port === 0) return Verdict.Accept;
  const wanted = { dst: there.dst, protocol: 6, dport: port };
  if (!call.isTranslated) return call.expect(wanted) === 'added' ? Verdict.Accept : Verdict.Drop;
  const found = call.expectAtFreePort({ ...wanted, nat: { direction: 1, savedPort: port } });
  if (found === 0) return Verdict.Drop;
  const at = payloadAt + from + whole.length - parts.length;
  return mangle(call, at, parts.length, `${String(call.connection.reply.dst)} ${String(found)}`) ? Verdict.Accept : Verdict.Drop;
}
