/**
 * A packet's way through the chains of one table: rules in order, the first that ends decides. A jump comes back
 * behind itself, a goto behind the jump before it; who runs off the end of a built-in chain meets its policy.
 * @see ipt_do_table() in net/ipv4/netfilter/ip_tables.c, ip6t_do_table(), nft_do_chain() in net/netfilter/nf_tables_core.c
 */
import type { Packet } from '../../packet/packet.js';
import { Verdict, type HookName, type Traversal, type World } from '../../packet/traversal.js';
import type { Backend } from '../../values/value.js';
import { protocolOf } from './quick-test.js';
import { ScanKey } from './packed-rules.js';
import { exactly, Step, type CompiledChain, type CompiledRule, type InterfaceTest } from './compiled-rule.js';

/** Who listens to a traversal. */
export interface Recorder {
  /** The target of a rule that matched begins to act; what it causes is told before `matched`. */
  acts(): void;
  /** A rule matched; `verdict` is what its target said. */
  matched(rule: CompiledRule, verdict: Verdict | 'jump' | 'goto'): void;
  policy(chain: CompiledChain): void;
  /** A user's chain was entered, or is left behind again. */
  entered(chain: CompiledChain, goto: boolean): void;
  left(chain: CompiledChain): void;
  noted(text: string): void;
  /** A match set the packet's end: it reads what the packet does not have. */
  hotdropped(rule: CompiledRule, backend: Backend): void;
  /** Answers as the user asked to assume. */
  unknown(rule: CompiledRule, why: string): boolean;
}

/** The protocol number of AH. */
const authentication = 51;

function isInterface(test: InterfaceTest, name: string): boolean {
  return (test.mode === exactly ? name === test.name : name.startsWith(test.name)) !== test.negated;
}

/** As deep as the kernel lets chains call each other (NFT_JUMP_STACK_SIZE is 16, x_tables counts when it loads); no packet goes deeper. */
interface Return {
  readonly chain: CompiledChain;
  readonly at: number;
}

export class TableTraversal implements Traversal {
  readonly packet: Packet;
  readonly table: string;
  readonly hook: HookName;
  readonly world: World;
  hotdrop = false;
  readonly #recorder: Recorder | undefined;
  readonly #key = new ScanKey();
  #rule: CompiledRule | undefined;

  constructor(packet: Packet, table: string, hook: HookName, world: World, recorder: Recorder | undefined) {
    this.packet = packet;
    this.table = table;
    this.hook = hook;
    this.world = world;
    this.#recorder = recorder;
  }

  note(text: string): void {
    this.#recorder?.noted(text);
  }

  unknown(why: string): boolean {
    return this.#rule === undefined || this.#recorder === undefined ? false : this.#recorder.unknown(this.#rule, why);
  }

  /** Runs a built-in chain. Accept, Drop, Queue or Stolen comes out. */
  run(base: CompiledChain): Verdict {
    const returns: Return[] = [];
    let chain = base;
    let at = 0;
    for (;;) {
      at = this.#next(chain, at);
      const rule = this.#rule;
      if (rule === undefined) {
        if (this.hotdrop) return Verdict.Drop;
        const back = this.#leave(chain, returns);
        if (back === undefined) return this.#policy(base);
        ({ chain, at } = back);
        continue;
      }
      at += 1;
      if (rule.to !== undefined) {
        const goto = rule.step === Step.Goto;
        this.#recorder?.matched(rule, goto ? 'goto' : 'jump');
        this.#recorder?.entered(rule.to, goto);
        if (!goto) returns.push({ chain, at });
        chain = rule.to;
        at = 0;
        continue;
      }
      if (rule.action !== undefined) this.#recorder?.acts();
      const verdict = rule.action === undefined ? rule.step as Verdict : rule.action(this);
      this.#recorder?.matched(rule, verdict);
      if (this.hotdrop) return this.#dropOnTheSpot(rule);
      if (verdict === Verdict.Continue) continue;
      if (verdict !== Verdict.Return) return verdict;
      const back = this.#leave(chain, returns);
      if (back === undefined) return this.#policy(base);
      ({ chain, at } = back);
    }
  }

  #dropOnTheSpot(rule: CompiledRule): Verdict {
    this.#recorder?.hotdropped(rule, this.world.backend);
    return Verdict.Drop;
  }

  #leave(chain: CompiledChain, returns: Return[]): Return | undefined {
    if (chain.chain.hook === undefined) this.#recorder?.left(chain);
    return returns.pop();
  }

  #policy(base: CompiledChain): Verdict {
    this.#recorder?.policy(base);
    return base.chain.policy === 'DROP' ? Verdict.Drop : Verdict.Accept;
  }

  /** The first rule from `from` on that matches; it becomes `#rule`, undefined where there is none. */
  #next(chain: CompiledChain, from: number): number {
    const { packet } = this;
    const { scan, chain: { rules: { length } } } = chain;
    const isAuthenticated = packet.isAuthenticated && this.world.backend === 'nft';
    if (packet.isCutShort && !isAuthenticated) return this.#nextWithoutProtocol(chain, from);
    this.#key.read(packet, isAuthenticated ? authentication : packet.protocol);
    for (let at = scan.next(this.#key, from); at < length; at = scan.next(this.#key, at + 1)) {
      const rule = chain.ruleAt(at);
      if (rule === undefined || !this.#isHere(rule)) continue;
      this.#rule = rule;
      if (this.#passes(rule)) return at;
      if (this.hotdrop) break;
    }
    this.#rule = undefined;
    return length;
  }

  #isHere({ in: input, out, addresses }: CompiledRule): boolean {
    const { packet } = this;
    if (input.mode !== 0 && !isInterface(input, packet.in)) return false;
    if (out.mode !== 0 && !isInterface(out, packet.out)) return false;
    return addresses.every(test => test(this));
  }

  /**
   * Of an IPv6 packet whose headers end too soon: in ip6_tables, who asks for its protocol drops it; in nf_tables, nobody gets an answer.
   * @see ip6_packet_match() in net/ipv6/netfilter/ip6_tables.c, nft_set_pktinfo_ipv6()
   */
  #nextWithoutProtocol(chain: CompiledChain, from: number): number {
    const { length } = chain.chain.rules;
    for (let at = from; at < length; at++) {
      const rule = chain.ruleAt(at);
      this.#rule = rule;
      if (rule === undefined || !this.#isHere(rule)) continue;
      if (protocolOf(rule.rule) === 0) {
        if (this.#passes(rule)) return at;
      } else if (this.world.backend === 'legacy') {
        this.hotdrop = true;
        this.#recorder?.hotdropped(rule, this.world.backend);
      }
      if (this.hotdrop) break;
    }
    this.#rule = undefined;
    return length;
  }

  #passes(rule: CompiledRule): boolean {
    for (const test of rule.tests) {
      if (test(this)) continue;
      if (this.hotdrop) this.#recorder?.hotdropped(rule, this.world.backend);
      return false;
    }
    return true;
  }
}
