/** What `ss -H -lntupe` prints, as sockets that somebody listens on. */
import type { HostSocket } from '../../analyzer/netfilter/host/host.js';

/** `0.0.0.0%lo:53`, `[::]:22`, `*:80` */
function readLocal(word: string): { readonly address: string; readonly interface: string | undefined; readonly port: number } | undefined {
  const match = /^\[?([^\]%]+?)\]?(?:%([^:\]]+)\]?)?:(\d+)$/u.exec(word);
  const [, address, device, port] = match ?? [];
  return address === undefined ? undefined : { address, interface: device, port: Number(port) };
}

function readLine(line: string): HostSocket | undefined {
  const [protocol, , , , local = ''] = line.split(/\s+/u);
  const read = readLocal(local);
  if ((protocol !== 'tcp' && protocol !== 'udp') || read === undefined) return undefined;
  const uid = /\suid:(\d+)/u.exec(line)?.[1] ?? '0';
  const program = /users:\(\("((?:[^"\\]|\\.)*)"/u.exec(line)?.[1];
  return {
    protocol, address: read.address, port: read.port, ...read.interface !== undefined && { interface: read.interface }, uid: Number(uid),
    ...program !== undefined && { process: program },
  };
}

export function readSockets(text: string): readonly HostSocket[] {
  return text.split('\n').map(readLine).filter(socket => socket !== undefined);
}
