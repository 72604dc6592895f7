/** The scenario: packets in, fate out. What a person or a test may ask, and what is answered; docs/scenario.md explains the keys. */
import type { Backend, Family } from '../values/value.js';

/** A packet in words; what is left out takes the value that a real stack would send. */
export interface ScenarioPacket {
  /** tcp, udp, icmp, icmpv6, sctp, gre, udplite, igmp, esp, ah, dccp, or a number. */
  readonly proto: string | number;
  readonly src?: string;
  readonly dst?: string;
  readonly sport?: number;
  readonly dport?: number;
  /** TCP: letters of FSRPAUEC, or `none`; S where nothing is said. */
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly win?: number;
  readonly mss?: number;
  readonly wscale?: number;
  readonly sackok?: boolean;
  readonly urg?: number;
  /** Data offset in 32-bit words, whatever the header really has. */
  readonly doff?: number;
  /** ICMP. */
  readonly type?: number;
  readonly code?: number;
  readonly id?: number;
  readonly icmp_seq?: number;
  /** The four bytes behind the ICMP checksum, as a number. */
  readonly rest?: number;
  /** The packet that an ICMP error quotes. */
  readonly quote?: ScenarioPacket;
  /** How many bytes of it (from its IP header on). */
  readonly quote_len?: number;
  /** Everything behind the IP header, in hexadecimal. */
  readonly rest_hex?: string;
  /** SCTP: type of the first chunk. */
  readonly chunk?: number | string;
  readonly vtag?: number;
  /** ESP and AH: the security parameters index. */
  readonly spi?: number;
  /** UDP: a false length. */
  readonly udplen?: number;
  readonly payload?: string;
  readonly payload_hex?: string;
  readonly payload_len?: number;
  readonly ttl?: number;
  readonly tos?: number;
  readonly df?: boolean;
  readonly ip_id?: number;
  /** Units of 8 bytes. */
  readonly frag_off?: number;
  readonly mf?: boolean;
  /** Send it as fragments with so many bytes of payload each, in this order (from 0). */
  readonly fragsize?: number;
  readonly fragorder?: readonly number[];
  /** Truncate layer 4 to so many bytes. */
  readonly cut?: number;
  readonly smac?: string;
  readonly dmac?: string;
  /** Of local packets. */
  readonly mark?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly badcsum?: boolean;
  readonly badipcsum?: boolean;
  /** UDP: checksum 0. */
  readonly nocsum?: boolean;
}

/** A packet of a scenario, and whence it comes. */
export interface ScenarioStep {
  /** An interface, or `local`. */
  readonly in: string;
  readonly packet: ScenarioPacket;
  /** Seconds that pass before it. */
  readonly advance?: number;
  readonly sysctls?: Readonly<Record<string, number>>;
  /** It comes as a link-layer broadcast. */
  readonly broadcast?: boolean;
}

/** An interface of the host of a scenario. */
export interface ScenarioInterface {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly kind?: 'ethernet' | 'tun';
  readonly mac?: string;
  readonly mtu?: number;
}

/** Packets, and the host that they meet: docs/scenario.md. */
export interface Scenario {
  readonly family?: Family;
  readonly backend?: Backend;
  readonly interfaces?: readonly ScenarioInterface[];
  /** The words of `ip route`. */
  readonly routes?: readonly string[];
  /** The words of `ip rule`. */
  readonly ipRules?: readonly string[];
  readonly sysctls?: Readonly<Record<string, number>>;
  /** The text of `ipset save`. */
  readonly ipsets?: string;
  /** The text of `conntrack -L`. */
  readonly conntrack?: string;
  /** The text of `iptables-save`. */
  readonly rules?: string;
  readonly steps: readonly ScenarioStep[];
}

/** What connection tracking says of a packet. */
export interface CtAnswer {
  readonly state: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';
  readonly dir: 'ORIGINAL' | 'REPLY' | null;
  readonly status: readonly string[];
}

/** An entry of the connection table, in the words of `conntrack -L`. `timeout` in seconds. */
export interface ConntrackAnswer {
  /** `tcp 192.0.2.9:40000>10.0.0.5:80` */
  readonly orig: string;
  readonly reply: string;
  readonly status: readonly string[];
  readonly tcp?: string;
  readonly timeout: number;
  readonly mark: number;
  readonly zone: number;
  readonly helper?: string;
}

/** A packet that left the host, and by which interface (`oif`). */
export type SentPacket = ScenarioPacket & { readonly oif: string };

/** A packet that the kernel sent because of another, and its own way. */
export interface GeneratedAnswer {
  readonly packet: ScenarioPacket;
  readonly path: readonly string[];
  readonly ct: CtAnswer | null;
  readonly out: readonly SentPacket[];
}

/** What became of one packet of a scenario. */
export interface StepAnswer {
  readonly path: readonly string[];
  readonly verdict: string;
  readonly by: string | null;
  readonly out: readonly SentPacket[];
  readonly ct: CtAnswer | null;
  readonly conntrack: readonly ConntrackAnswer[];
  readonly generated: readonly GeneratedAnswer[];
  /** What only chance or real time decided, if anything did. */
  readonly chance?: readonly string[];
  /** What cannot be known offline, where it mattered. */
  readonly unknown?: readonly { readonly rule: string; readonly why: string; readonly assumed: 'match' | 'skip' }[];
}

/** What became of the packets of a scenario. */
export interface ScenarioAnswer {
  readonly steps: readonly StepAnswer[];
}
