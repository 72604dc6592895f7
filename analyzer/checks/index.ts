/** Every check, one line each, in the order of the docs. */
import type { Check } from './define-check.js';
import { deadStateMatch } from './dead-state-match.js';
import { deprecatedStateMatch } from './deprecated-state-match.js';
import { dnatCatchesOutbound } from './dnat-catches-outbound.js';
import { dnatNotForwarded } from './dnat-not-forwarded.js';
import { dnatToLoopback } from './dnat-to-loopback.js';
import { duplicateRule } from './duplicate-rule.js';
import { icmpErrorsDropped } from './icmp-errors-dropped.js';
import { hairpinMissing } from './hairpin-missing.js';
import { ftpDataBlocked } from './ftp-data-blocked.js';
import { otherProtocol } from './other-protocol.js';
import { helperWithoutRelated } from './helper-without-related.js';
import { relatedWithoutHelper } from './related-without-helper.js';
import { invalidAccepted } from './invalid-accepted.js';
import { establishedRuleLate } from './established-rule-late.js';
import { sourcePortTrusted } from './source-port-trusted.js';
import { spoofableSource } from './spoofable-source.js';
import { superfluousStateMatch } from './superfluous-state-match.js';
import { notrackStateConflict } from './notrack-state-conflict.js';
import { asymmetricNatReply } from './asymmetric-nat-reply.js';
import { invalidLeaksUnnatted } from './invalid-leaks-unnatted.js';
import { exceptionInVain } from './exception-in-vain.js';
import { listNeverFilled } from './list-never-filled.js';
import { lockout } from './lockout.js';
import { relatedMissing } from './related-missing.js';
import { loopbackBlocked } from './loopback-blocked.js';
import { neighbourDiscoveryBlocked } from './neighbour-discovery-blocked.js';
import { anyAnyAccept } from './any-any-accept.js';
import { defaultAccept } from './default-accept.js';
import { unprotectedFamily } from './unprotected-family.js';
import { familyParity } from './family-parity.js';
import { outboundSmtpOpen } from './outbound-smtp-open.js';
import { logPrefixCut } from './log-prefix-cut.js';
import { unlimitedLog } from './unlimited-log.js';
import { unlimitedNewConnections } from './unlimited-new-connections.js';
import { exposedService } from './exposed-service.js';
import { filterMatchesPreNat } from './filter-matches-pre-nat.js';
import { hostBitsSet } from './host-bits-set.js';
import { likelyTypo } from './likely-typo.js';
import { ipsecTranslated } from './ipsec-translated.js';
import { jumpToEmptyChain } from './jump-to-empty-chain.js';
import { inputRuleBypassedByDnat } from './input-rule-bypassed-by-dnat.js';
import { markNotKept } from './mark-not-kept.js';
import { markOverwritten } from './mark-overwritten.js';
import { masqueradeEverything } from './masquerade-everything.js';
import { masqueradeIncomplete } from './masquerade-incomplete.js';
import { masqueradeNotForwarded } from './masquerade-not-forwarded.js';
import { masqueradeWrongInterface } from './masquerade-wrong-interface.js';
import { missingEstablishedReturn } from './missing-established-return.js';
import { neverMatches } from './never-matches.js';
import { natShadowed } from './nat-shadowed.js';
import { networkWithoutMask } from './network-without-mask.js';
import { outputDropBreakage } from './output-drop-breakage.js';
import { rateLimitWithoutEffect } from './rate-limit-without-effect.js';
import { redirectWithoutAccept } from './redirect-without-accept.js';
import { redirectLoop } from './redirect-loop.js';
import { redundantRule } from './redundant-rule.js';
import { shadowedRule } from './shadowed-rule.js';
import { unreachableAfterGoto } from './unreachable-after-goto.js';
import { unreachableChain } from './unreachable-chain.js';
import { snatBeforeMasquerade } from './snat-before-masquerade.js';
import { unreachableRule } from './unreachable-rule.js';
import { unusedChain } from './unused-chain.js';
import { deprecatedTarget } from './deprecated-target.js';
import { hostnameInRule } from './hostname-in-rule.js';
import { listCouldBeIpset } from './list-could-be-ipset.js';
import { mergeableRules } from './mergeable-rules.js';
import { unusedByCounters } from './unused-by-counters.js';
import { correlatedRules } from './correlated-rules.js';
import { partiallyShadowedRule } from './partially-shadowed-rule.js';
import { missingComment } from './missing-comment.js';
import { ruleOrderCost } from './rule-order-cost.js';

/** Every check of rule sets, in the order of the docs. Findings of loading are in `loadChecks`. */
export const checks: readonly Check[] = [
  shadowedRule,
  neverMatches,
  unreachableRule,
  partiallyShadowedRule,
  correlatedRules,
  redundantRule,
  rateLimitWithoutEffect,
  markOverwritten,
  exceptionInVain,
  markNotKept,
  listNeverFilled,
  duplicateRule,
  missingEstablishedReturn,
  outputDropBreakage,
  lockout,
  loopbackBlocked,
  icmpErrorsDropped,
  relatedMissing,
  ftpDataBlocked,
  otherProtocol,
  helperWithoutRelated,
  relatedWithoutHelper,
  notrackStateConflict,
  superfluousStateMatch,
  invalidAccepted,
  establishedRuleLate,
  neighbourDiscoveryBlocked,
  deadStateMatch,
  defaultAccept,
  anyAnyAccept,
  unprotectedFamily,
  familyParity,
  exposedService,
  outboundSmtpOpen,
  sourcePortTrusted,
  spoofableSource,
  unlimitedLog,
  unlimitedNewConnections,
  unreachableAfterGoto,
  unreachableChain,
  dnatCatchesOutbound,
  dnatNotForwarded,
  dnatToLoopback,
  filterMatchesPreNat,
  inputRuleBypassedByDnat,
  redirectWithoutAccept,
  redirectLoop,
  natShadowed,
  masqueradeEverything,
  masqueradeIncomplete,
  masqueradeWrongInterface,
  masqueradeNotForwarded,
  ipsecTranslated,
  snatBeforeMasquerade,
  hairpinMissing,
  invalidLeaksUnnatted,
  asymmetricNatReply,
  unusedChain,
  jumpToEmptyChain,
  deprecatedStateMatch,
  deprecatedTarget,
  logPrefixCut,
  hostnameInRule,
  hostBitsSet,
  networkWithoutMask,
  likelyTypo,
  mergeableRules,
  listCouldBeIpset,
  unusedByCounters,
  missingComment,
  ruleOrderCost,
];
