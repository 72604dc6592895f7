/** What a real stack would send where a scenario says nothing. Building and describing packets read the same values. */
import { icmpErrors, icmpQueries } from '../../packet/icmp-types.js';

export const packetDefaults = {
  ttl: 64,
  ipId: 1,
  /** TCP: SYN. */
  flags: 'S',
  seq: 1000,
  win: 65535,
  icmpId: 1,
  icmpSeq: 1,
  /** ESP and AH. */
  spi: 256,
  /** SCTP: the tag that INIT and INIT_ACK offer, and that the packets behind them must carry; INIT itself carries 0. */
  vtag: 1,
} as const;

/** The letters of TCP flags, the lowest bit first. */
export const flagLetters = 'FSRPAUEC';

/** ICMP types of echo request and reply, by family. */
export const echo = { ipv4: { request: 8, reply: 0 }, ipv6: { request: 128, reply: 129 } } as const;

/** ICMP types that quote the packet that they are about (ICMP(6)_*). */
export const quotingTypes = { ipv4: icmpErrors, ipv6: new Set([1, 2, 3, 4]) } as const;

/** ICMP types with an id and a sequence number. */
export const queryTypes = { ipv4: icmpQueries, ipv6: new Set([128, 129]) } as const;

/** So much of a packet a router quotes: the error is not to exceed 576 bytes (RFC 1812) or 1280 (RFC 4443). */
export const quoteLimit = { ipv4: 576 - 28, ipv6: 1280 - 48 } as const;
