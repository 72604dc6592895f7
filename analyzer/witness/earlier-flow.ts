/** The flow that must be known already for a packet to be ESTABLISHED, as `conntrack -L` prints it. */
import { icmpInverse, isIcmpQuery, type IcmpProtocol } from '../netfilter/conntrack/icmp-types.js';
import { protocolNumber } from '../packet/protocols.js';
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

/** What begins a flow that a message belongs to: its own type, or that which it answers. */
function requestOf(protocol: IcmpProtocol, type: number): number | undefined {
  return isIcmpQuery(protocol, type) ? type : icmpInverse(protocol, type);
}

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
      const number = packet['proto'] === 'icmp' ? protocolNumber.icmp : protocolNumber.icmpv6;
      const { type = packet['proto'] === 'icmp' ? 8 : 128, code = 0 } = packet;
      const request = requestOf(number, Number(type));
      const reply = request === undefined ? undefined : icmpInverse(number, request);
      const isReply = type === reply;
      const id = (of: number | undefined): string => ` type=${String(of)} code=${String(code)} id=1`;
      const [one, other] = isReply ? [back, packet] : [packet, back];
      return request === undefined ? '' : `${packet['proto']} ${String(number)} 30 ${words(one, id(request))} ${isReply ? '[UNREPLIED] ' : ''}${words(other, id(reply))} mark=0 use=1\n`;
    }
    default: return '';
  }
}
