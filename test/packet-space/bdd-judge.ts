/**
 * What sets of packets do in a table's chains: the set that enters a built-in chain is led through the rules, and each rule takes its part
 * of what arrives. Nothing here is unknown, so that every packet has one way.
 */
import { nothing, type Node } from './bdd.js';
import { hookPackets, type PacketSets } from './bdd-packets.js';
import type { ReadChain, ReadChains, ReadRule } from './bdd-rules.js';

/** Where packets go on when a chain comes to its end: behind the jump, or, of a built-in chain, to its policy. */
interface Behind {
  readonly chain: ReadChain;
  readonly index: number;
  readonly up: Behind | undefined;
}

/** Packets that arrive at a rule, in one hook and on one way through the chains. */
interface Arrival {
  readonly rule: ReadRule;
  readonly hook: string;
  readonly matched: Node;
  readonly at: Behind;
}

/** Sets by what happened to them. */
type Fates = Map<string, Node>;

interface Walk {
  /** Passed over, wherever it is met. */
  readonly without?: ReadRule;
  /** All other rules may match, or not, whatever their packets. */
  readonly certain?: ReadonlySet<ReadRule>;
  /** With `certain`: the rule whose packets are led, until they are there. */
  readonly until?: ReadRule;
  readonly meets?: (rule: ReadRule, arrived: Node, matched: Node, at: Behind) => void;
  readonly ends?: (fate: string, packets: Node) => void;
  /** Enough is known. */
  readonly isDone?: () => boolean;
}

export interface Judged {
  /** By hook: the packets that match the rule when they arrive; nowhere empty. */
  readonly matched: ReadonlyMap<ReadRule, ReadonlyMap<string, Node>>;
  readonly arrivals: readonly Arrival[];
  /** Chains that some packet enters. */
  readonly entered: ReadonlySet<string>;
}

/** A rule that ends the way of some packets, and may as well not, keeps nothing from what comes behind. */
function isPassedOver({ without, certain, until }: Walk, rule: ReadRule): boolean {
  return rule === without || (certain?.has(rule) === false && rule.target.kind === 'end' && rule !== until);
}

export class Judge {
  readonly sets: PacketSets;
  readonly chains: ReadChains;
  readonly hooks: readonly ReadChain[];

  constructor(sets: PacketSets, chains: ReadChains) {
    this.sets = sets;
    this.chains = chains;
    this.hooks = [...chains.values()].filter(one => one.policy !== undefined);
  }

  /** That a hook sees; where connections are tracked, no fragment of IPv4 is among them (nf_defrag_ipv4_enable()). */
  #packets(hook: string): Node {
    const packets = hookPackets(this.sets, hook);
    const areWhole = this.sets.family === 'ipv4' && [...this.chains.values()].some(({ rules }) => rules.some(({ text }) => /-m (?:conntrack|state) /u.test(text)));
    return areWhole ? this.sets.bdd.and(packets, this.sets.is('fragment', 0)) : packets;
  }

  /** Leads packets through a chain from a rule on. @returns those that come to its end, or are sent back */
  #through(walk: Walk, chain: ReadChain, index: number, packets: Node, up: Behind | undefined): Node {
    const { bdd } = this.sets;
    let now = packets;
    let back = nothing;
    for (let at = index; at < chain.rules.length && now !== nothing && walk.isDone?.() !== true; at++) {
      const rule = chain.rules[at];
      if (rule === undefined || isPassedOver(walk, rule) || !bdd.meets(now, rule.match)) continue;
      const matched = bdd.and(now, rule.match);
      const rest = walk.certain?.has(rule) === false ? now : bdd.minus(now, rule.match);
      const here = { chain, index: at, up };
      walk.meets?.(rule, now, matched, here);
      const { stays, returns } = this.#target(walk, rule, matched, here);
      back = bdd.or(back, returns);
      now = rule.target.kind === 'goes-on' ? now : bdd.or(rest, stays);
    }
    return bdd.or(now, back);
  }

  /** Of the packets that match a rule: those that go on behind it, and those that leave its chain. */
  #target(walk: Walk, rule: ReadRule, matched: Node, here: Behind): { readonly stays: Node; readonly returns: Node } {
    const { target } = rule;
    switch (target.kind) {
      case 'goes-on':
        if (target.isNoticed) walk.ends?.(`noticed by ${rule.chain} ${String(rule.position)}`, matched);
        return { stays: matched, returns: nothing };
      case 'end':
        walk.ends?.(target.fate, matched);
        return { stays: nothing, returns: nothing };
      case 'return': return { stays: nothing, returns: matched };
      case 'call': {
        const callee = this.chains.get(target.chain);
        if (callee === undefined) throw new Error(`no chain ${target.chain}`);
        const back = this.#through(walk, callee, 0, matched, target.isGoto ? here.up : { ...here, index: here.index + 1 });
        return target.isGoto ? { stays: nothing, returns: back } : { stays: back, returns: nothing };
      }
    }
  }

  /** Leads all packets of every hook through the rules. */
  judge(): Judged {
    const matched = new Map<ReadRule, Map<string, Node>>();
    const arrivals: Arrival[] = [];
    const entered = new Set<string>();
    for (const hook of this.hooks) {
      this.#through({ meets: (rule, _, packets, at) => {
        arrivals.push({ rule, hook: hook.name, matched: packets, at });
        entered.add(rule.chain);
        if (rule.target.kind === 'call') entered.add(rule.target.chain);
        const byHook = matched.get(rule) ?? new Map<string, Node>();
        matched.set(rule, byHook.set(hook.name, this.sets.bdd.or(byHook.get(hook.name) ?? nothing, packets)));
      } }, hook, 0, this.#packets(hook.name), undefined);
    }
    return { matched, arrivals, entered };
  }

  /** Everything that happens to packets from a place on, up to the policy; or some of it, as soon as it is something else than `only`. */
  #fatesFrom(packets: Node, from: Behind | undefined, { hook, without, only }: { readonly hook: string; readonly without?: ReadRule; readonly only?: string }): Fates {
    const { bdd } = this.sets;
    const fates: Fates = new Map();
    const ends = (fate: string, some: Node): void => { if (some !== nothing) fates.set(fate, bdd.or(fates.get(fate) ?? nothing, some)); };
    const isDone = (): boolean => only !== undefined && fates.size > (fates.has(only) ? 1 : 0);
    const walk: Walk = { ends, isDone, ...without !== undefined && { without } };
    let now = packets;
    for (let at = from; at !== undefined; at = at.up) now = this.#through(walk, at.chain, at.index, now, at.up);
    ends(this.chains.get(hook)?.policy ?? '', now);
    return fates;
  }

  /** Whether no packet would fare differently without the rule; logging counts as faring. Of rules that end the way, or send back. */
  isRedundant(rule: ReadRule, { arrivals }: Judged): boolean {
    return arrivals.filter(one => one.rule === rule).every(({ hook, matched, at }) => {
      const behind = { ...at, index: at.index + 1 };
      if (rule.target.kind === 'end') {
        const { fate } = rule.target;
        return [...this.#fatesFrom(matched, behind, { hook, without: rule, only: fate }).keys()].every(one => one === fate);
      }
      const [before, after] = [this.#fatesFrom(matched, at.up, { hook }), this.#fatesFrom(matched, behind, { hook, without: rule })];
      return before.size === after.size && [...before].every(([fate, packets]) => after.get(fate) === packets);
    });
  }

  /** Whether one of its own packets can match the rule if all other rules but `certain` may match or not. */
  mayMatch(rule: ReadRule, certain: ReadonlySet<ReadRule>): boolean {
    return this.hooksOf(rule.chain).some(hook => {
      const base = this.chains.get(hook);
      let found = false;
      const meets = (one: ReadRule): void => { found ||= one === rule; };
      if (base !== undefined) this.#through({ certain, until: rule, meets }, base, 0, this.sets.bdd.and(this.#packets(hook), rule.match), undefined);
      return found;
    });
  }

  /** Whether earlier rules take, or lead away, some of the packets that would match the rule if no other did anything but call; of a rule that some match. */
  isPartlyShadowed(rule: ReadRule, { matched }: Judged): boolean {
    return this.hooksOf(rule.chain).some(hook => {
      const base = this.chains.get(hook);
      let arriving = nothing;
      const meets = (one: ReadRule, _: Node, packets: Node): void => { if (one === rule) arriving = this.sets.bdd.or(arriving, packets); };
      if (base !== undefined) this.#through({ certain: new Set(), until: rule, meets }, base, 0, this.sets.bdd.and(this.#packets(hook), rule.match), undefined);
      return arriving !== (matched.get(rule)?.get(hook) ?? nothing);
    });
  }

  /** The hooks from which a chain could be reached, whatever the rules on the way ask for. */
  hooksOf(chain: string): readonly string[] {
    return this.hooks.filter(hook => this.#below(hook.name).has(chain)).map(hook => hook.name);
  }

  /** Whether a goto, over any number of other calls, leads to the chain. */
  isBehindGoto(chain: string): boolean {
    const rules = [...this.chains.values()].flatMap(one => one.rules);
    return rules.some(({ target }) => target.kind === 'call' && target.isGoto && this.#below(target.chain).has(chain));
  }

  readonly #reached = new Map<string, ReadonlySet<string>>();

  /** A chain, and all that it calls. */
  #below(hook: string): ReadonlySet<string> {
    const known = this.#reached.get(hook);
    if (known !== undefined) return known;
    const found = new Set([hook]);
    for (const name of found) for (const { target } of this.chains.get(name)?.rules ?? []) if (target.kind === 'call') found.add(target.chain);
    this.#reached.set(hook, found);
    return found;
  }

  /** Why no packet matches a rule, where `judged` says that none does. */
  whyDead(rule: ReadRule, { entered }: Judged): 'contradiction' | 'unreachable-chain' | 'shadowed' {
    const hooks = this.hooksOf(rule.chain);
    if (rule.match === nothing) return 'contradiction';
    if (hooks.length === 0 || (this.chains.get(rule.chain)?.policy === undefined && !entered.has(rule.chain))) return 'unreachable-chain';
    if (!hooks.some(hook => this.sets.bdd.meets(this.#packets(hook), rule.match))) return 'contradiction';
    return this.mayMatch(rule, new Set()) ? 'shadowed' : 'unreachable-chain';
  }
}
