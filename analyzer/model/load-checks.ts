/**
 * The findings of loading: what `iptables-restore` or the kernel would refuse, and what cannot
 * be known offline. Each is documented like a check, and its example is tried by a test.
 */
import type { Severity } from './diagnostic.js';

export interface LoadCheck {
  readonly severity: Severity;
  readonly summary: string;
  readonly why: string;
  /** A file that yields it. */
  readonly bad: string;
}

/** A filter table with these lines. */
function filter(...lines: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
}

export const loadChecks = {
  'syntax-error': {
    severity: 'error', summary: 'The line cannot be read',
    why: 'iptables-restore stops at such a line, and nothing of its table is loaded. The rest of the file is analyzed all the same, without this line.',
    bad: filter('-A INPUT -s 192.0.2.1 192.0.2.2 -j ACCEPT'),
  },
  'line-endings': {
    severity: 'error', summary: 'CR LF line ends or a byte order mark',
    why: 'iptables-restore takes a CR for a part of the last word of its line, so it looks for a table "filter\\r" and gives up. Such files come from editors on Windows, or from a web form.',
    bad: filter('-A INPUT -j ACCEPT').replaceAll('\n', '\r\n'),
  },
  'skipped-line': {
    severity: 'warning', summary: 'A line of a script that is not literal, and is not analyzed',
    why: 'A script is read, never run: a command with a variable, inside a loop or a condition, or behind a pipe may mean anything. What it would add is missing from the analysis. Lint the output of iptables-save after the script has run to see all of it.',
    bad: '#!/bin/sh\niptables -P INPUT DROP\nfor port in 22 443; do\n  iptables -A INPUT -p tcp --dport $port -j ACCEPT\ndone\n',
  },
  'unknown-option': {
    severity: 'error', summary: 'No loaded match or target has this option',
    why: 'An option must come behind the -m or -j that knows it, or belong to the protocol that -p names. The usual causes are a typing error, a missing -m, and a missing -p tcp.',
    bad: filter('-A INPUT -p tcp --dprot 22 -j ACCEPT'),
  },
  'invalid-value': {
    severity: 'error', summary: 'The argument of an option is not valid',
    why: 'The word behind the option is not what the option takes: no such port, address, protocol, state, or out of range.',
    bad: filter('-A INPUT -p tcp -m tcp --dport 70000 -j ACCEPT'),
  },
  'invalid-options': {
    severity: 'error', summary: 'Options are missing, repeated or exclude each other',
    why: 'Each match and target has options that must be there, options that may stand once, and options that exclude each other.',
    bad: filter('-A INPUT -s 192.0.2.1 -s 192.0.2.2 -j ACCEPT'),
  },
  'unresolved-name': {
    severity: 'warning', summary: 'A name that only the machine itself can resolve',
    why: 'A host, user or service name is looked up when the rules are loaded: the answer may differ from machine to machine, and at boot the name service may not be up yet. The rule is treated as if it might match or not.',
    bad: filter('-A INPUT -s gateway.example.net -j ACCEPT'),
  },
  'unknown-extension': {
    severity: 'warning', summary: 'A match or target that is not known; it is treated as if it could do anything',
    why: 'It is not one of those that come with iptables 1.8.9: a typing error, or a module of its own. What the rule matches or does is not known, so nothing that hangs on it is claimed.',
    bad: filter('-A INPUT -m conntrak --ctstate NEW -j ACCEPT'),
  },
  'unknown-table': {
    severity: 'error', summary: 'There is no such table',
    why: 'The tables are raw, mangle, nat, filter and security. iptables-restore stops here.',
    bad: '*filtre\n-A INPUT -j ACCEPT\nCOMMIT\n',
  },
  'missing-commit': {
    severity: 'error', summary: 'A table does not end in COMMIT, so it is not loaded',
    why: 'Nothing of a table is loaded before its COMMIT. A file that ends without it was cut short, or a paste is incomplete.',
    bad: '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n',
  },
  'rule-outside-table': {
    severity: 'error', summary: 'A rule or chain stands outside of any table',
    why: 'Lines before the first *table, or behind a COMMIT, belong to no table. iptables-restore stops at them.',
    bad: `-A INPUT -i lo -j ACCEPT\n${filter()}`,
  },
  'duplicate-table': {
    severity: 'warning', summary: 'A later table of the same name replaces an earlier one',
    why: 'iptables-restore flushes a table when it meets its * line, so of two tables of one name only the second is left.',
    bad: `${filter('-A INPUT -i lo -j ACCEPT')}${filter('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')}`,
  },
  'duplicate-chain': {
    severity: 'error', summary: 'A chain is declared twice',
    why: 'iptables-legacy-restore refuses it; iptables-nft-restore takes it without a word. One of the two declarations is left over.',
    bad: filter(':ssh - [0:0]', ':ssh - [0:0]', '-A INPUT -j ssh'),
  },
  'invalid-chain-name': {
    severity: 'error', summary: 'The chain name is not allowed',
    why: 'A chain name has at most 28 bytes, no blanks, does not begin with - or !, and is not the name of a target.',
    bad: filter(':a-name-that-is-far-too-long-for-a-chain - [0:0]'),
  },
  'undefined-chain': {
    severity: 'error', summary: 'A rule names a chain that does not exist',
    why: 'A chain must be declared before the first rule that is put into it or that jumps to it. Often it is a typing error in the name of a chain or of a target.',
    bad: filter('-A INPUT -j ssh-guard'),
  },
  'jump-to-built-in': {
    severity: 'error', summary: 'A rule jumps to a built-in chain',
    why: 'Built-in chains are entered from the kernel’s hooks only.',
    bad: filter('-A INPUT -j FORWARD'),
  },
  'jump-loop': {
    severity: 'error', summary: 'Chains jump to each other in a circle',
    why: 'A packet in such a circle would never leave it; the kernel refuses the whole table.',
    bad: filter(':a - [0:0]', ':b - [0:0]', '-A INPUT -j a', '-A a -j b', '-A b -j a'),
  },
  'too-many-jumps': {
    severity: 'error', summary: 'Chains are nested deeper than the kernel allows',
    why: 'nftables, which iptables-nft uses, keeps a stack of 16 chains, the built-in one included.',
    bad: filter(...Array.from({ length: 17 }, (_, i) => `:c${String(i)} - [0:0]`), '-A INPUT -j c0', ...Array.from({ length: 16 }, (_, i) => `-A c${String(i)} -j c${String(i + 1)}`)),
  },
  'policy-on-user-chain': {
    severity: 'error', summary: 'Only built-in chains have a policy',
    why: 'A packet that falls off the end of a chain of your own goes on behind the rule that jumped there. iptables-legacy-restore refuses a policy; iptables-nft-restore ignores it, which is worse.',
    bad: filter(':ssh DROP [0:0]', '-A INPUT -j ssh'),
  },
  'invalid-policy': {
    severity: 'error', summary: 'A policy must be ACCEPT or DROP',
    why: 'REJECT, for one, cannot be a policy: end the chain with a rule -j REJECT instead.',
    bad: '*filter\n:INPUT REJECT [0:0]\nCOMMIT\n',
  },
  'drop-in-nat': {
    severity: 'error', summary: 'DROP is not allowed in the nat table',
    why: 'The nat table sees the first packet of each connection only, so it cannot filter, and iptables does not let you try.',
    bad: '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 203.0.113.0/24 -j DROP\nCOMMIT\n',
  },
  'wrong-table': {
    severity: 'error', summary: 'The match or target is not allowed in this table',
    why: 'Some targets make sense in one table only: addresses are translated in nat, packets are changed in mangle, tracking is turned off in raw. The kernel refuses the whole table.',
    bad: filter('-A FORWARD -j MASQUERADE'),
  },
  'wrong-backend': {
    severity: 'error', summary: 'Only the other backend takes this match or target',
    why: 'A few old targets exist in iptables-legacy only.',
    bad: filter('-A INPUT -j QUEUE'),
  },
  'wrong-hook': {
    severity: 'error', summary: 'The match or target is not allowed in the chains from which the rule is reached',
    why: 'What a match looks at, or a target does, may exist at some hooks only: no sender’s MAC address in OUTPUT, no owner in INPUT, no SNAT before routing. A rule in a chain of your own counts for every built-in chain that leads to it.',
    bad: '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MASQUERADE\nCOMMIT\n',
  },
  'wrong-interface': {
    severity: 'error', summary: 'The chain has no packets with such an interface',
    why: 'A packet has no outgoing interface before routing (PREROUTING, INPUT), and no incoming one after it (OUTPUT, POSTROUTING).',
    bad: filter('-A INPUT -o eth0 -j ACCEPT'),
  },
  'wrong-protocol': {
    severity: 'error', summary: 'The match or target needs another -p',
    why: 'Ports exist only in protocols that have them, so the kernel wants -p tcp with -m tcp, and so on.',
    bad: filter('-A INPUT -m tcp --dport 22 -j ACCEPT'),
  },
  'rule-number': {
    severity: 'error', summary: 'A rule number is missing, unexpected or out of range',
    why: '-I, -R and -D take the number of a rule, from 1; -A takes none.',
    bad: filter('-I INPUT 5 -i lo -j ACCEPT'),
  },
  'no-such-rule': {
    severity: 'error', summary: 'The rule to be deleted or checked does not exist',
    why: '-D and -C look for a rule that says exactly the same. iptables-restore stops if there is none.',
    bad: filter('-D INPUT -i lo -j ACCEPT'),
  },
  'chain-in-use': {
    severity: 'error', summary: 'A chain that is to be deleted still has rules or callers',
    why: '-X deletes a chain only when it is empty and no rule jumps to it.',
    bad: filter('-N ssh', '-A INPUT -j ssh', '-X ssh'),
  },
  'too-many-ports': {
    severity: 'error', summary: 'multiport takes at most 15 ports, and a range counts two',
    why: 'Split the list over several rules, or use an ipset of type bitmap:port.',
    bad: filter('-A INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j ACCEPT'),
  },
} as const satisfies Record<string, LoadCheck>;

export type LoadCheckName = keyof typeof loadChecks;
