/** Why the kernel dropped a packet, in a few words: `enum skb_drop_reason`, as the tracepoint skb:kfree_skb tells it. */
import { bytesOf, type Helper } from './helper-process.js';

const words: Readonly<Record<string, string>> = {
  IP_RPFILTER: 'rp_filter', IP_MARTIAN_SOURCE: 'martian', IP_LOCAL_SOURCE: 'martian', IP_INVALID_SOURCE: 'martian', IP_LOCALNET: 'martian', IP_INVALID_DEST: 'martian',
  IP_INNOROUTES: 'no route', IP_OUTNOROUTES: 'no route', IP_INADDRERRORS: 'no route', IP_CSUM: 'bad checksum', IP_INHDR: 'bad header', OTHERHOST: 'otherhost',
  PKT_TOO_BIG: 'mtu', PKT_TOO_SMALL: 'bad header', UNICAST_IN_L2_MULTICAST: 'link-layer broadcast', INVALID_PROTO: 'bad header', DUP_FRAG: 'bad fragment',
};

/** Reasons of packets on their way; those of sockets and queues are not ours. */
const ofPackets = /^(?:DUP|FRAG|HDR|INVALID_PROTO|IP|NEIGH|NETFILTER|OTHERHOST|PKT|SKB_CSUM|UNHANDLED|UNICAST)/u;

export type DropReasons = ReadonlyMap<number, string>;

export async function readDropReasons(helper: Helper): Promise<DropReasons> {
  const [text] = await helper.ask('reasons');
  return new Map([...bytesOf(text).toString().matchAll(/\{ (\d+), "(\w+)" \}/gu)].map(([, number, name]) => [Number(number), name ?? '']));
}

/** The reasons that were told with a step, by their kernel names. */
export function reasonsIn(answer: readonly string[], reasons: DropReasons): readonly string[] {
  return answer.filter(word => word.startsWith('D')).map(word => reasons.get(Number(word.slice(1))) ?? '').filter(name => ofPackets.test(name));
}

/** `IP_INHDR` behind PREROUTING is ip_forward()'s: the time to live has run out. */
export function reasonText(name: string, wasRouted: boolean): string {
  return name === 'IP_INHDR' && wasRouted ? 'ttl' : words[name] ?? name;
}
