/** What stands at the hooks, carried out for one packet: defragmentation, tracking, the tables, translation, and the entry in the table of connections. */
import { ctstates } from '../packet/constraint.js';
import { Packet } from '../packet/packet.js';
import { Verdict, type HookName } from '../packet/traversal.js';
import { stagesAt, type Stage } from './hooks.js';
import type { Journey, Way } from './journey.js';
import { StackWorld } from './stack-world.js';
import type { CompiledChain } from './tables/compiled-rule.js';

/** Sent by a local process, or by the host itself. */
export interface LocalRoute extends Way {
  out: string;
  /** This host is among those it is for: it gets a copy. */
  readonly isForUsToo?: boolean;
}

/** Defragmentation goes by the chain of headers, also where it cannot be followed to its end. */
function mayBeFragment({ isFragment, hasFragmentHeader, isCutShort }: Packet): boolean {
  return isFragment || hasFragmentHeader || isCutShort;
}

export abstract class StackStages extends StackWorld {
  /** The way of a local packet whose mark or addresses have changed; undefined, and its end told, where there is none. */
  protected abstract routeAnew(journey: Journey): LocalRoute | undefined;

  /** Passes the stages of a hook; false where the packet's way ends there. */
  protected pass(hook: HookName, journey: Journey, route?: LocalRoute): boolean {
    for (const stage of stagesAt[this.backend][hook]) if (!this.#stage(stage, hook, journey, route)) return false;
    return true;
  }

  #stage(stage: Stage, hook: HookName, journey: Journey, route: LocalRoute | undefined): boolean {
    switch (stage) {
      case 'defrag': return !this.isDefragmenting || !mayBeFragment(journey.packet) || this.putTogether(journey, hook === 'OUTPUT' ? 'OUTPUT' : 'PREROUTING');
      case 'conntrack': return this.isTracking ? this.#track(journey, hook === 'OUTPUT' ? 'OUTPUT' : 'PREROUTING') : this.#isUntracked(journey);
      case 'confirm': return !this.isTracking || this.#confirm(journey);
      case 'nat': return !this.isTranslating || this.#translate(hook, journey, route);
      default: return this.#table(stage, hook, journey, route);
    }
  }

  protected putTogether(journey: Journey, where: 'PREROUTING' | 'OUTPUT'): boolean {
    const whole = this.defragmenter.add(journey.packet, where, 0);
    if (whole instanceof Packet) {
      if (whole !== journey.packet) journey.replace(whole);
      return true;
    }
    journey.droppedByKernel(whole === 'held' ? 'held fragment' : 'bad fragment');
    return false;
  }

  /** CT --notrack marks packets of hosts too that track nothing. */
  #isUntracked(journey: Journey): true {
    if (journey.packet.ctstate === ctstates.UNTRACKED) journey.look();
    return true;
  }

  #track(journey: Journey, hook: 'PREROUTING' | 'OUTPUT'): boolean {
    const verdict = this.conntrack.track(journey.packet, hook, this.takeTemplate(journey.packet));
    journey.look();
    if (verdict === Verdict.Accept) return true;
    journey.droppedByKernel('table full');
    return false;
  }

  /** @see nf_confirm() in net/netfilter/nf_conntrack_proto.c: helper, sequence numbers, and then it is in the table. */
  #confirm(journey: Journey): boolean {
    const { packet } = journey;
    if (packet.connection === undefined) return true;
    if (packet.connection.helper !== '' && this.helpers.run(packet) !== Verdict.Accept) {
      journey.droppedByKernel('helper');
      return false;
    }
    if (!this.helpers.adjustSequence(packet)) {
      journey.droppedByKernel('helper');
      return false;
    }
    if (this.conntrack.confirm(packet) === Verdict.Accept) return true;
    journey.droppedByKernel('clash');
    return false;
  }

  #translate(hook: HookName, journey: Journey, route: LocalRoute | undefined): boolean {
    if (hook === 'FORWARD') return true;
    const { packet } = journey;
    const { dst } = packet;
    const ruled: { verdict: Verdict } = { verdict: Verdict.Accept };
    const verdict = this.translator.hook(packet, hook, () => ruled.verdict = this.#run('nat', hook, journey));
    if (ruled.verdict !== Verdict.Accept) return this.#end(journey);
    if (verdict !== Verdict.Accept) {
      journey.droppedByKernel('nat');
      return false;
    }
    return packet.dst === dst || route === undefined || this.#reroute(journey, route);
  }

  #table(table: string, hook: HookName, journey: Journey, route: LocalRoute | undefined): boolean {
    const { packet } = journey;
    const isMangledHere = table === 'mangle' && route !== undefined;
    const { mark, tos } = packet;
    const [src, dst] = isMangledHere ? [packet.src, packet.dst] : [0, 0];
    const verdict = this.#run(table, hook, journey);
    if (verdict !== Verdict.Accept) return this.#end(journey);
    const isAsBefore = !isMangledHere || (packet.mark === mark && packet.tos === tos && packet.src === src && packet.dst === dst);
    return isAsBefore || this.#reroute(journey, route);
  }

  #end(journey: Journey): false {
    journey.dropped();
    return false;
  }

  /** @see ip_route_me_harder() in net/ipv4/netfilter.c */
  #reroute(journey: Journey, route: LocalRoute): boolean {
    const anew = this.routeAnew(journey);
    if (anew === undefined) return false;
    if (anew.out !== route.out) journey.noted(`routed anew: out of ${anew.out}`);
    Object.assign(route, anew);
    return true;
  }

  #run(table: string, hook: HookName, journey: Journey): Verdict {
    const chain: CompiledChain | undefined = this.baseChain(table, hook);
    if (chain === undefined) return Verdict.Accept;
    journey.began(table, hook);
    return this.traverse(chain, hook, journey.packet, journey);
  }
}
