/** The flow that must be known already for a packet to be ESTABLISHED, as `conntrack -L` prints it. */
import type { ProposedStep } from './proposal.js';

type Packet = ProposedStep['packet'];

function words({ src, dst }: Packet, ports: string): string {
  return `src=${String(src)} dst=${String(dst)}${ports}`;
}

function portsOf({ sport = 0, dport = 0 }: Packet): string {
  return ` sport=${String(sport)} dport=${String(dport)}`;
}

function turned({ src, dst, sport, dport, ...rest }: Packet): Packet {
  return { ...rest, ...dst === undefined ? {} : { src: dst }, ...src === undefined ? {} : { dst: src }, ...dport === undefined ? {} : { sport: dport }, ...sport === undefined ? {} : { dport: sport } };
}

/** The first packet that some earlier step has sent makes the flow itself. */
function isAnswered({ packet }: ProposedStep, earlier: readonly ProposedStep[]): boolean {
  return earlier.some(({ packet: before }) => before['proto'] === packet['proto'] && before['src'] === packet['dst'] && before['dst'] === packet['src']);
}

/** Echo replies by their type, and the requests that they answer. */
const echo: Readonly<Record<string, readonly [number, number]>> = { icmp: [8, 0], icmpv6: [128, 129] };

/** A line, or '' where none is needed or none would help. */
export function earlierFlow(step: ProposedStep, earlier: readonly ProposedStep[]): string {
  if (step.sample?.ctstate !== 'ESTABLISHED' || isAnswered(step, earlier)) return '';
  const { packet } = step;
  const back = turned(packet);
  switch (packet['proto']) {
    // The answer to a SYN comes where only that has been seen.
    case 'tcp': return packet['flags'] === 'SA'
      ? `tcp 6 120 SYN_SENT ${words(back, portsOf(back))} [UNREPLIED] ${words(packet, portsOf(packet))} mark=0 use=1\n`
      : `tcp 6 432000 ESTABLISHED ${words(packet, portsOf(packet))} ${words(back, portsOf(back))} [ASSURED] mark=0 use=1\n`;
    case 'udp': return `udp 17 120 ${words(packet, portsOf(packet))} ${words(back, portsOf(back))} [ASSURED] mark=0 use=1\n`;
    case 'icmp': case 'icmpv6': {
      const [request = 8, reply = 0] = echo[packet['proto']] ?? [];
      const isReply = packet['type'] === reply;
      const id = (type: number): string => ` type=${String(type)} code=0 id=1`;
      const [one, other] = isReply ? [back, packet] : [packet, back];
      const number = packet['proto'] === 'icmp' ? 1 : 58;
      return `${packet['proto']} ${String(number)} 30 ${words(one, id(request))} ${isReply ? '[UNREPLIED] ' : ''}${words(other, id(reply))} mark=0 use=1\n`;
    }
    default: return '';
  }
}
