/** Rule sets that break a property, with the smallest conversation that shows it, and near misses that keep it. */
import type { PortRange } from '../../analyzer/fuzz/property.js';
import type { HostSetup } from '../../analyzer/netfilter/engine.js';

export interface Case {
  readonly property: string;
  readonly what: string;
  readonly rules: readonly string[];
  readonly policies?: Readonly<Partial<Record<'INPUT' | 'FORWARD' | 'OUTPUT', string>>>;
  readonly setup?: HostSetup;
  readonly allowed?: readonly PortRange[];
  readonly untrusted?: readonly string[];
  /** Undefined: it holds. Else what the packets of the smallest conversation have, in order, and how the last of them ends. */
  readonly broken?: { readonly steps: readonly Readonly<Record<string, unknown>>[]; readonly verdict: string; readonly by: string | null };
}

const established = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
const knock = [
  established,
  '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT',
  '-A INPUT -m recent --rcheck --seconds 30 --name third --rsource -p tcp -m tcp --dport 22 -j ACCEPT',
  '-A INPUT -p tcp -m tcp --dport 8255 -m recent --rcheck --seconds 10 --name second --rsource -m recent --set --name third --rsource',
  '-A INPUT -p udp -m udp --dport 9133 -m recent --rcheck --seconds 10 --name first --rsource -m recent --set --name second --rsource',
  '-A INPUT -p tcp -m tcp --dport 7411 -m recent --set --name first --rsource',
];

export const cases: readonly Case[] = [
  {
    property: 'replies-pass', what: 'OUTPUT drops what belongs to connections', policies: { INPUT: 'DROP', FORWARD: 'DROP', OUTPUT: 'DROP' }, rules: ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'],
    broken: { steps: [{ dport: 22 }, { sport: 22, flags: 'SA' }], verdict: 'drop', by: 'filter:OUTPUT:policy' },
  },
  {
    property: 'replies-pass', what: 'OUTPUT lets it out', policies: { OUTPUT: 'DROP' },
    rules: ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
  },
  {
    property: 'replies-pass', what: 'a router knows no way back', policies: { FORWARD: 'DROP' }, rules: ['-A FORWARD -s 10.0.0.0/24 -i eth1 -o eth0 -p udp -m udp --dport 53 -j ACCEPT'],
    broken: { steps: [{ dport: 53 }, { sport: 53 }], verdict: 'drop', by: 'filter:FORWARD:policy' },
  },
  {
    property: 'replies-pass', what: 'whether the reply passes cannot be known', policies: { OUTPUT: 'DROP' },
    rules: ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -m frobnicate -j ACCEPT'],
  },
  {
    property: 'established-survives', what: 'the limit of new connections is asked of all packets', policies: { INPUT: 'DROP' }, rules: ['-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 1/hour --limit-burst 3 -j ACCEPT'],
    broken: { steps: [{ dport: 22 }, { proto: 'tcp' }, { proto: 'tcp' }, { proto: 'tcp' }, { dport: 22 }], verdict: 'drop', by: 'filter:INPUT:policy' },
  },
  {
    property: 'established-survives', what: 'the limit is asked of new connections', policies: { INPUT: 'DROP' },
    rules: [established, '-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 1/hour --limit-burst 3 -j ACCEPT'],
  },
  {
    property: 'established-survives', what: 'a list of clients that come too often stands before the connections that are known', policies: { INPUT: 'DROP' },
    rules: ['-A INPUT -p tcp -m recent --update --seconds 60 --hitcount 3 --name often --rsource -j DROP', established, '-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name often --rsource -j ACCEPT'],
    broken: { steps: [{ flags: 'S' }, { flags: 'S' }, { flags: 'S' }, { flags: 'SA' }, { flags: 'A' }], verdict: 'drop', by: 'filter:INPUT:1' },
  },
  {
    property: 'unasked-stays-out', what: 'answers are told by their port', policies: { INPUT: 'DROP' }, rules: ['-A INPUT -p udp -m udp --sport 53 -j ACCEPT'],
    broken: { steps: [{ proto: 'udp', sport: 53 }], verdict: 'delivered', by: null },
  },
  {
    property: 'unasked-stays-out', what: 'answers are told by their flags', policies: { INPUT: 'DROP' }, rules: ['-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT'],
    broken: { steps: [{ proto: 'tcp' }], verdict: 'delivered', by: null },
  },
  {
    property: 'unasked-stays-out', what: 'answers are told by connection tracking', policies: { INPUT: 'DROP' },
    rules: [established, '-A INPUT -p udp -m udp --dport 53 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p icmp -j ACCEPT'],
  },
  {
    property: 'new-only-to-listed-ports', what: 'a port is open that is not listed', policies: { INPUT: 'DROP', FORWARD: 'DROP' }, allowed: [{ low: 443, high: 443 }],
    rules: [established, '-A INPUT -p tcp -m multiport --dports 443,3306 -j ACCEPT'], broken: { steps: [{ proto: 'tcp', dport: 3306 }], verdict: 'delivered', by: null },
  },
  {
    property: 'new-only-to-listed-ports', what: 'the port is open to an interface that is trusted', policies: { INPUT: 'DROP', FORWARD: 'DROP' }, allowed: [{ proto: 'tcp', low: 443, high: 443 }], untrusted: ['eth0'],
    rules: [established, '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A INPUT -i eth1 -p tcp -m tcp --dport 3306 -j ACCEPT', '-A INPUT -i eth0 -p udp -m udp --sport 68 --dport 67 -j DROP'],
  },
  {
    property: 'new-only-to-listed-ports', what: 'whoever knocks is let in', policies: { INPUT: 'DROP', FORWARD: 'DROP' }, allowed: [{ low: 80, high: 80 }], rules: knock,
    broken: { steps: [{ proto: 'tcp', dport: 7411 }, { proto: 'udp', dport: 9133 }, { proto: 'tcp', dport: 8255 }, { proto: 'tcp', dport: 22 }], verdict: 'delivered', by: null },
  },
  { property: 'new-only-to-listed-ports', what: 'nobody can knock, for the first list is never filled', policies: { INPUT: 'DROP', FORWARD: 'DROP' }, allowed: [{ low: 80, high: 80 }], rules: knock.slice(0, -1) },
  {
    property: 'claims-hold', what: 'a rule is shadowed', policies: { INPUT: 'DROP' },
    rules: [established, '-A INPUT -p tcp -m tcp --dport 20:25 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j DROP', '-A FORWARD -i lo -j DROP'],
  },
];

export function textOf({ rules, policies = {} }: Case): string {
  const chains = (['INPUT', 'FORWARD', 'OUTPUT'] as const).map(name => `:${name} ${policies[name] ?? 'ACCEPT'} [0:0]`);
  return ['*filter', ...chains, ...rules, 'COMMIT', ''].join('\n');
}
