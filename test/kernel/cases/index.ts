/** All cases. */
import { backendCases } from './backends.js';
import { connectionCountCases } from './connection-counts.js';
import { copyCases } from './copies-and-limits.js';
import type { Case } from './define.js';
import { extensionHeaderCases } from './extension-headers.js';
import { forwardingCases } from './forwarding.js';
import { icmpTypeCases } from './icmp-types.js';
import { matchCases } from './matches.js';
import { natCases } from './nat.js';
import { protocolCases } from './protocols.js';
import { rejectCases } from './reject.js';
import { tcpCases } from './tcp.js';

/** By the file in which they are told; answers of the kernel are kept in a file of the same name. */
export const allCases: Readonly<Record<string, readonly Case[]>> = {
  backends: backendCases, 'connection-counts': connectionCountCases, 'copies-and-limits': copyCases, 'extension-headers': extensionHeaderCases, forwarding: forwardingCases, 'icmp-types': icmpTypeCases, matches: matchCases, nat: natCases, protocols: protocolCases, reject: rejectCases, tcp: tcpCases,
};
