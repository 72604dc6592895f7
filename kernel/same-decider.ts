/** Whether two mean the same rule, policy or part of the kernel by which a packet is lost. */

/** Words of ours that one reason of the kernel's may stand for: it tells fewer apart. */
const sameReasons: readonly ReadonlySet<string>[] = [
  new Set(['no route', 'unreachable', 'prohibit', 'blackhole', 'ip_forward']),
  new Set(['martian', 'invalid source', 'multicast', 'scope', 'no route']),
  new Set(['link-layer broadcast', 'otherhost', 'not addressed to this host', 'multicast']),
  new Set(['bad header', 'ip options', 'source route', 'scope', 'ttl', 'loopback address', 'invalid source', 'UNHANDLED_PROTO']),
  new Set(['held fragment', 'bad fragment']),
  new Set(['held fragment', 'link-layer broadcast']),
];

export function isSameDecider(a: string | null, b: string | null): boolean {
  if (a === b) return true;
  if (a?.startsWith('kernel: ') !== true || b?.startsWith('kernel: ') !== true) return false;
  const [one, other] = [a.slice(8), b.slice(8)];
  return one === '?' || other === '?' || sameReasons.some(reasons => reasons.has(one) && reasons.has(other));
}
