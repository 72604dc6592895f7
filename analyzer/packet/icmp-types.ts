/** ICMP types of IPv4 that the kernel sorts out in more places than one. */

/** They quote the packet that they are about. @see icmp_is_err() in include/linux/icmp.h */
export const icmpErrors: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);

/** Questions and answers: echo, timestamp, information, address mask; they have an id. */
export const icmpQueries: ReadonlySet<number> = new Set([0, 8, 13, 14, 15, 16, 17, 18]);
