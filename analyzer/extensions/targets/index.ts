/** Every target, one line each. */
import type { AnyTarget, Declared } from '../define.js';
import { accept } from './accept.js';
import { audit } from './audit.js';
import { checksum } from './checksum.js';
import { classify } from './classify.js';
import { clusterip } from './clusterip.js';
import { connmarkTarget } from './connmark.js';
import { connsecmark } from './connsecmark.js';
import { ct } from './ct.js';
import { dnat } from './dnat.js';
import { dnpt } from './dnpt.js';
import { drop } from './drop.js';
import { dscpTarget } from './dscp.js';
import { ecnTarget } from './ecn.js';
import { hlTarget } from './hl.js';
import { hmark } from './hmark.js';
import { idletimer } from './idletimer.js';
import { led } from './led.js';
import { log } from './log.js';
import { markTarget } from './mark.js';
import { masquerade } from './masquerade.js';
import { netmap } from './netmap.js';
import { nflog } from './nflog.js';
import { nfqueue } from './nfqueue.js';
import { notrack } from './notrack.js';
import { queue } from './queue.js';
import { rateestTarget } from './rateest.js';
import { redirect } from './redirect.js';
import { reject } from './reject.js';
import { returnTarget } from './return.js';
import { secmark } from './secmark.js';
import { setTarget } from './set.js';
import { snat } from './snat.js';
import { snpt } from './snpt.js';
import { synproxy } from './synproxy.js';
import { tcpmss } from './tcpmss.js';
import { tcpoptstrip } from './tcpoptstrip.js';
import { tee } from './tee.js';
import { tosTarget } from './tos.js';
import { tproxy } from './tproxy.js';
import { trace } from './trace.js';
import { ttlTarget } from './ttl.js';
import { ulog } from './ulog.js';

export const targets: readonly Declared<AnyTarget>[] = [
  accept,
  audit,
  checksum,
  classify,
  clusterip,
  connmarkTarget,
  connsecmark,
  ct,
  dnat,
  dnpt,
  drop,
  dscpTarget,
  ecnTarget,
  hlTarget,
  hmark,
  idletimer,
  led,
  log,
  markTarget,
  masquerade,
  netmap,
  nflog,
  nfqueue,
  notrack,
  queue,
  rateestTarget,
  redirect,
  reject,
  returnTarget,
  secmark,
  setTarget,
  snat,
  snpt,
  synproxy,
  tcpmss,
  tcpoptstrip,
  tee,
  tosTarget,
  tproxy,
  trace,
  ttlTarget,
  ulog,
];
