/** FTP: data connections from PORT, EPRT and the answers 227 and 229. @see net/netfilter/nf_conntrack_ftp.c, nf_nat_ftp.c */
import { Verdict } from '../../packet/traversal.js';
import { printAddress } from '../../values/address.js';
import { findCommand, type FtpCommand } from './ftp-command.js';
import type { HelperCall, HelperDefinition } from './helper.js';
import { mangle } from './mangle.js';

export const ftp: HelperDefinition = {
  name: 'ftp',
  protocols: [6],
  families: ['ipv4', 'ipv6'],
  classes: [{ name: 'ftp', limit: 1, timeout: 300 }],
  help,
};

/** For each direction up to two sequence numbers at which a line begins. Only what begins there is read. */
class FtpState {
  readonly lineStarts: [number[], number[]] = [[], []];
}

function help(call: HelperCall): Verdict {
  const at = call.payloadAt;
  if (!call.isEstablished || at === undefined) return Verdict.Accept;
  const { packet, direction } = call;
  const text = call.text(at);
  const sequence = packet.u32(packet.transport + 4);
  const starts = call.state(FtpState).lineStarts[direction];
  const found = starts.includes(sequence) ? findCommand(text, direction, packet.family) : undefined;
  // Half a command: the rest could not be understood without it.
  if (found === 'partial') return Verdict.Drop;
  const verdict = found === undefined ? Verdict.Accept : expectData(call, found, at);
  if (text.endsWith('\n')) rememberLine(starts, (sequence + text.length) >>> 0);
  return verdict;
}

/** @see update_nl_seq() */
function rememberLine(starts: number[], sequence: number): void {
  if (starts.includes(sequence)) return;
  const [first, second] = starts;
  if (first === undefined || second === undefined) starts.push(sequence);
  else starts[((first - second) | 0) < 0 ? 0 : 1] = sequence;
}

/** The other side will connect to what the command names. */
function expectData(call: HelperCall, command: FtpCommand, payloadAt: number): Verdict {
  const { here, there } = call;
  // Somebody else's address opens no hole (`loose` is 0).
  if (command.address !== undefined && command.address !== here.src) return Verdict.Accept;
  const data = { src: there.src, dst: there.dst, protocol: 6, dport: command.port };
  if (!call.isTranslated) return call.expect(data) === 'added' ? Verdict.Accept : Verdict.Drop;
  const port = call.expectAtFreePort({ ...data, nat: { direction: call.direction === 0 ? 1 : 0, savedPort: command.port } });
  if (port === 0) return Verdict.Drop;
  return mangle(call, payloadAt + command.at, command.length, written(command, there.dst, port)) ? Verdict.Accept : Verdict.Drop;
}

/** @see nf_nat_ftp_fmt_cmd() */
function written({ kind }: FtpCommand, address: number | bigint, port: number): string {
  switch (kind) {
    case 'PORT': case '227': return `${printAddress(address).replaceAll('.', ',')},${String(port >> 8)},${String(port & 0xff)}`;
    case 'EPRT': return typeof address === 'number' ? `|1|${printAddress(address)}|${String(port)}|` : `|2|${uncompressed(address)}|${String(port)}|`;
    case '229': return `|||${String(port)}|`;
  }
}

/** All eight groups of four digits (`%pI6`). */
function uncompressed(address: bigint): string {
  return address.toString(16).padStart(32, '0').match(/.{4}/g)?.join(':') ?? '';
}
