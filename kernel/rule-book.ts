/** Which rule of the loaded rule set a trace means: legacy traces say its number, nft's its handle. */
import type { Backend, Family } from '../analyzer/values/value.js';
import type { Helper } from './helper-process.js';
import { flags, messagesIn, messageTypes, request } from './netlink.js';

export interface Chain {
  /** Undefined: a user-defined chain. */
  readonly policy: string | undefined;
  /** What each rule's `-j` or `-g` names; '' where there is none. */
  readonly targets: string[];
}

/** Matches and targets that switch connection tracking on, where one rule names them. */
const tracking = /-m (?:cluster|conn\w+|ctstate|helper|ipvs|state)\b|-j (?:CT(?! --notrack)|CONN\w+|[DS]NAT|MASQUERADE|NETMAP|REDIRECT|SYNPROXY)\b/u;

/** What stands between quotes could be anything. A quote within a word is part of it. */
function withoutTexts(saved: string): string {
  return saved.replaceAll(/(?<= )"(?:[^"\\]|\\.)*"/gu, '""');
}

export class RuleBook {
  readonly #chains = new Map<string, Chain>();
  readonly #positions = new Map<string, number>();
  /** Whether a rule makes the kernel track connections. */
  readonly isTracking: boolean;
  /** Whether a rule counts packets of one tick of the clock in another way than those of several (connlimit_mt()). */
  readonly countsByTick: boolean;

  /** @param saved what `iptables-save` printed */
  constructor(saved: string) {
    let table = '';
    for (const line of saved.split('\n')) {
      if (line.startsWith('*')) table = line.slice(1);
      else if (line.startsWith(':')) this.#declare(table, line.slice(1));
      else if (line.startsWith('-A ')) this.#append(table, line);
    }
    this.countsByTick = saved.includes('-m connlimit ');
    this.isTracking = tracking.test(withoutTexts(saved));
  }

  #declare(table: string, line: string): void {
    const [name = '', policy] = line.split(' ');
    this.#chains.set(`${table}:${name}`, { policy: policy === '-' ? undefined : policy, targets: [] });
  }

  #append(table: string, line: string): void {
    const words = withoutTexts(line).split(' ');
    const at = words.findIndex(word => word === '-j' || word === '-g');
    this.#chains.get(`${table}:${words[1] ?? ''}`)?.targets.push(at < 0 ? '' : words[at + 1] ?? '');
  }

  chain(table: string, name: string): Chain | undefined {
    return this.#chains.get(`${table}:${name}`);
  }

  /** What the rule's `-j` or `-g` names. */
  target(table: string, chain: string, position: number): string {
    return this.chain(table, chain)?.targets[position - 1] ?? '';
  }

  /** From 1, as in `iptables -L --line-numbers`. */
  positionOf(table: string, chain: string, handle: number): number | undefined {
    return this.#positions.get(`${table}:${chain}:${String(handle)}`);
  }

  /** Asks the kernel for the handles of the rules that iptables-nft made. */
  async readHandles(helper: Helper, family: Family): Promise<void> {
    const counts = new Map<string, number>();
    const answer = await helper.netlink('questions', request(messageTypes.nftGetRule, { flag: flags.dump, family: family === 'ipv4' ? 2 : 10 }));
    for (const { attributes } of messagesIn(answer)) {
      const [table, chain, handle] = [attributes.string(1) ?? '', attributes.string(2) ?? '', attributes.u64(3) ?? 0];
      const position = (counts.get(`${table}:${chain}`) ?? 0) + 1;
      counts.set(`${table}:${chain}`, position);
      this.#positions.set(`${table}:${chain}:${String(handle)}`, position);
    }
  }
}

export async function readRuleBook(helper: Helper, saved: string, { family, backend }: { readonly family: Family; readonly backend: Backend }): Promise<RuleBook> {
  const book = new RuleBook(saved);
  if (backend === 'nft') await book.readHandles(helper, family);
  return book;
}
