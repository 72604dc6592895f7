/**
 * A host's network stack around netfilter: where a packet goes from hook to hook (see the diagram in hooks.ts).
 * Packets come in, journeys come out; what the host sends because of a packet travels at once, as in the kernel.
 */
import { ctstates } from '../packet/constraint.js';
import { Packet } from '../packet/packet.js';
import { rewriteTtl, setDontFragment, setHeaderChecksum } from '../packet/rewrite.js';
import type { RejectKind, Traversal } from '../packet/traversal.js';
import { exceedsMtu, refragment } from './fragments/fragments.js';
import { isLinkLocal6 } from './host/address-kind.js';
import type { Forward } from './host/decision.js';
import type { IcmpError } from './host/flow.js';
import { InetPeers } from './replies/inet-peers.js';
import { Journey, type Way, type Witness } from './journey.js';
import { icmpError, rejectPacket } from './replies/reject.js';
import { StackStages, type LocalRoute } from './stack-stages.js';
import type { StackParts } from './stack-world.js';

export class Stack extends StackStages {
  /** Of the packet that travels now; a packet that REJECT sends travels inside that of its cause. */
  #journey: Journey | undefined;
  /** Sent out of lo, or of another interface to many, and not yet come in again by it. */
  readonly #backlog: Journey[] = [];
  readonly #peers = new InetPeers();
  /** A copy travels: of what it sets off, no copies are made (nf_skb_duplicated). */
  #isDuplicating = false;
  /** Asked for each unknown. */
  assume: (why: string) => boolean = () => false;
  witness: Witness | undefined;

  constructor(parts: StackParts) {
    super(parts);
    this.compile();
  }

  /** A packet arrives at an interface (its `in`). */
  receive(packet: Packet): Journey {
    return this.#travel(packet, journey => {
      const drop = this.routing.checkInput(packet);
      if (drop === undefined) this.#arrive(journey);
      else this.#refuse(journey, drop);
    });
  }

  /** A local process sends a packet; its header's checksum is the kernel's business (ip_send_check()). */
  send(packet: Packet): Journey {
    setHeaderChecksum(packet);
    return this.#travel(packet, journey => { this.#sendLocal(journey, undefined); });
  }

  /** Time has passed: fragments that waited too long are given up, and their senders told where the host may. */
  giveUpFragments(): void {
    for (const packet of this.defragmenter.expire()) {
      const journey = new Journey(packet, this.assume, this.witness);
      if (this.family === 'ipv6') this.#tell(journey, 3, 1, 0);
      else if (this.addressTypes(packet.dst).has('LOCAL')) this.#tell(journey, 11, 1, 0);
    }
  }

  protected get way(): Way | undefined { return this.#journey?.way; }

  #travel(packet: Packet, go: (journey: Journey) => void): Journey {
    const journey = new Journey(packet, this.assume, this.witness);
    this.takeTemplate();
    const before = this.#journey;
    this.#journey = journey;
    go(journey);
    this.#journey = before;
    if (before === undefined) this.#comeInAgain();
    return journey;
  }

  /** lo hands over what it was given when the sender is done (process_backlog()). */
  #comeInAgain(): void {
    for (let journey = this.#backlog.shift(); journey !== undefined; journey = this.#backlog.shift()) {
      this.#journey = journey;
      const { packet } = journey;
      packet.in = packet.out;
      packet.out = '';
      packet.owner = undefined;
      packet.isFromKernelSocket = false;
      packet.linkType = packet.in === 'lo' ? 'unicast' : 'loopback';
      const drop = packet.in === 'lo' ? this.routing.checkInput(packet) : undefined;
      if (drop !== undefined) journey.droppedByKernel(drop.reason);
      else if (this.pass('PREROUTING', journey)) this.#deliver(journey);
      this.#journey = undefined;
    }
  }

  #arrive(journey: Journey): void {
    if (!this.pass('PREROUTING', journey)) return;
    const route = this.routing.input(journey.packet);
    if (route.kind === 'drop') this.#noWay(journey, route);
    else if (route.kind === 'forward') this.#forward(journey, route);
    else this.#deliver(journey);
  }

  #refuse(journey: Journey, { reason, icmp }: { readonly reason: string; readonly icmp?: IcmpError }): void {
    // A pointer fills the whole word in ICMPv6, and the first byte of it in ICMP.
    if (icmp !== undefined) this.#tell(journey, icmp.type, icmp.code, (icmp.pointer ?? 0) * (this.family === 'ipv4' ? 0x100_0000 : 1));
    journey.droppedByKernel(reason);
  }

  /** IPv4 tells a sender not too often that there is no route. @see ip_error() in net/ipv4/route.c, ip6_pkt_drop() in net/ipv6/route.c */
  #noWay(journey: Journey, { reason, ...drop }: { readonly reason: string; readonly icmp?: IcmpError }): void {
    const isTold = drop.icmp !== undefined && (this.family === 'ipv6' || this.#peers.allowsRouteError(journey.packet.src, this.now));
    this.#refuse(journey, isTold ? { reason, ...drop } : { reason });
  }

  /** @see ip_local_deliver(): IPv4 fragments are put together before INPUT; in IPv6 that comes behind it. */
  #deliver(journey: Journey): void {
    if (this.family === 'ipv4' && journey.packet.isFragment && !this.putTogether(journey, 'PREROUTING')) return;
    if (!this.pass('INPUT', journey)) return;
    this.sockets.delivered(journey.packet);
    journey.fate = { kind: 'delivered' };
  }

  /** @see ip_forward() in net/ipv4/ip_forward.c, ip6_forward() in net/ipv6/ip6_output.c */
  #forward(journey: Journey, { out, mtu, via, redirect }: Forward): void {
    const { packet } = journey;
    const isV4 = this.family === 'ipv4';
    if (packet.linkType !== 'unicast') { journey.droppedByKernel('not addressed to this host'); return; }
    if (packet.ttl <= 1) {
      this.#tell(journey, isV4 ? 11 : 3, 0, 0);
      journey.droppedByKernel('ttl');
      return;
    }
    if (exceedsMtu(packet, mtu)) {
      this.#tooBig(journey, mtu);
      return;
    }
    rewriteTtl(packet, packet.ttl - 1);
    if (isV4 && redirect === true) this.#tellBetterWay(journey, via);
    packet.out = out;
    journey.way = { mtu, via };
    if (!this.pass('FORWARD', journey) || !this.pass('POSTROUTING', journey)) return;
    if (this.#transmit(journey, mtu)) journey.fate = { kind: 'forwarded', out: journey.packet.out };
  }

  /** The host itself answers with an ICMP error, if it may. */
  #tell(cause: Journey, type: number, code: number, info: number): void {
    const error = icmpError(cause.packet, type, code, info, this);
    if (error !== undefined) this.#makePacket(cause, error, this.#wayBack(cause.packet, error), 'the host answers');
  }

  /** Of an ICMP error to an address of the link; undefined: it is routed as any packet. */
  #wayBack(cause: Packet, { dst, isFromKernelSocket }: Packet): LocalRoute | undefined {
    if (!isFromKernelSocket || typeof dst !== 'bigint' || !isLinkLocal6(dst)) return undefined;
    const route = this.answerRoute(cause);
    return route.kind === 'drop' ? undefined : { out: route.out, mtu: route.mtu, via: route.via };
  }

  /** It leaves by the interface that it came in by: its sender may as well use the gateway himself. @see ip_rt_send_redirect() in net/ipv4/route.c */
  #tellBetterWay(journey: Journey, via: number | bigint | undefined): void {
    const { src, dst } = journey.packet;
    if (this.#peers.allowsRedirect(src, this.now)) this.#tell(journey, 5, 1, Number(via ?? dst));
  }

  /** A packet of the host's own travels inside the journey of its cause. */
  #makePacket(cause: Journey, packet: Packet, via: LocalRoute | undefined, why: string): void {
    const origin = packet.copyBytes();
    this.witness?.generated(why, packet);
    cause.generated.push(this.#travel(packet, journey => {
      journey.origin = origin;
      this.#sendLocal(journey, via);
    }));
    this.witness?.generatedEnded(packet);
  }

  /** @see __ip_local_out(), ip_output(); a change of mark or destination in mangle or nat OUTPUT routes anew. */
  #sendLocal(journey: Journey, via: LocalRoute | undefined): void {
    const route = via ?? this.#routeLocal(journey);
    if (route === undefined) return;
    // Sockets refuse at once what may not be cut and is too long (EMSGSIZE).
    if (journey.packet.dontFragment && journey.packet.bytes.length > route.mtu && journey.origin === undefined) { journey.droppedByKernel('mtu'); return; }
    journey.packet.out = route.out;
    journey.way = route;
    if (!this.pass('OUTPUT', journey, route)) return;
    journey.packet.out = route.out;
    if (route.isForUsToo === true) this.#loopBack(journey);
    if (!this.pass('POSTROUTING', journey)) return;
    if (journey.packet.out === 'lo') {
      this.#backlog.push(journey);
      return;
    }
    if (this.#transmit(journey, route.mtu)) journey.fate = { kind: 'sent', out: journey.packet.out };
  }

  /** What goes to many, this host among them, comes in again as a copy, which belongs to the same connection. @see ip_mc_output(), dev_loopback_xmit() */
  #loopBack(original: Journey): void {
    const { packet } = original;
    const copy = packet.copyBytes();
    const { out, mark, priority, connection, ctstate, direction, owner, isGenerated } = packet;
    Object.assign(copy, { out, mark, priority, connection, ctstate, direction, owner, isGenerated, isChecksumTrusted: true });
    const journey = new Journey(copy, this.assume, this.witness);
    journey.origin = packet.copyBytes();
    original.generated.push(journey);
    this.#journey = journey;
    if (this.pass('POSTROUTING', journey)) this.#backlog.push(journey);
    this.#journey = original;
  }

  protected routeAnew(journey: Journey): LocalRoute | undefined {
    return this.#routeLocal(journey, true);
  }

  #routeLocal(journey: Journey, isAnew = false): LocalRoute | undefined {
    const { packet } = journey;
    const { src, dst, mark, tos, protocol, sport, dport } = packet;
    // To :: means to this host (rawv6_sendmsg()).
    const route = isAnew ? this.routing.reroute(packet) : this.routing.output({ src, dst: dst === 0n ? 1n : dst, mark, tos, protocol, sport, dport, uid: packet.owner?.uid ?? 0, anySource: true });
    if (route.kind !== 'drop') return { out: route.out, mtu: route.mtu, via: route.via, isForUsToo: this.routing.isForUsToo(route, dst) };
    journey.droppedByKernel(route.reason);
    return undefined;
  }

  /** @see ip_finish_output(), ip6_finish_output(): what came in pieces, or is too long, leaves in pieces. False: it may not be cut. */
  #transmit(journey: Journey, mtu: number): boolean {
    const { packet } = journey;
    const isCut = packet.largestFragment > 0 || packet.bytes.length > mtu;
    const pieces = isCut ? refragment(packet, mtu, this.#fragmentId()) : [packet];
    if (pieces === 'too big') {
      this.#tooBig(journey, mtu);
      return false;
    }
    for (const piece of pieces) {
      piece.out = packet.out;
      journey.sent.push(piece);
    }
    return true;
  }

  /** IPv6 numbers its fragments anew. */
  #fragmentId(): number {
    return this.family === 'ipv4' ? 0 : Math.floor(this.random('the number of a fragmented packet') * 0x1_0000_0000);
  }

  #tooBig(journey: Journey, mtu: number): void {
    if (this.family === 'ipv4') this.#tell(journey, 3, 4, mtu);
    else this.#tell(journey, 2, 0, mtu);
    journey.droppedByKernel('mtu');
  }

  /** REJECT's answer travels before the packet itself is gone. */
  reject(t: Traversal, kind: RejectKind): void {
    const journey = this.#journey;
    if (journey === undefined) return;
    const answer = rejectPacket(t.packet, kind, this);
    journey.rejected = answer === undefined ? '(nothing sent)' : kind === 'tcp-reset' ? 'tcp-reset' : `icmp ${String(answer.icmpType)}/${String(answer.icmpCode)}`;
    if (answer === undefined) return;
    if (kind === 'tcp-reset' && answer.connection !== undefined) this.conntrack.setClosing(answer.connection);
    this.#makePacket(journey, answer, this.#wayBack(t.packet, answer), 'REJECT answers');
  }

  icmpError(type: number, code: number, info: number): void {
    const journey = this.#journey;
    if (journey !== undefined) this.#tell(journey, type, code, info);
  }

  /** @see nf_dup_ipv4() in net/ipv4/netfilter/nf_dup_ipv4.c: an untracked copy, a hop further where the packet came from outside. */
  duplicate(t: Traversal, gateway: number | bigint, interfaceName: string | undefined): void {
    const journey = this.#journey;
    if (journey === undefined || this.#isDuplicating) return;
    const copy = t.packet.copyBytes();
    copy.isGenerated = true;
    copy.mark = t.packet.mark;
    copy.ctstate = ctstates.UNTRACKED;
    if (t.hook === 'PREROUTING' || t.hook === 'INPUT') rewriteTtl(copy, Math.max(0, copy.ttl - 1));
    if (this.family === 'ipv4') setDontFragment(copy);
    const route = this.routing.output({ dst: gateway, ...interfaceName === undefined ? {} : { out: interfaceName } });
    if (route.kind === 'drop') return;
    this.#isDuplicating = true;
    this.#makePacket(journey, copy, { out: route.out, mtu: route.mtu, via: route.via }, 'a copy for the gateway');
    this.#isDuplicating = false;
  }
}
