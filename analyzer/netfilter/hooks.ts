/**
 * The five hooks, and what stands at each in the order of priority.
 *
 *            ┌──────────────┐   for others   ┌─────────┐                ┌───────────────┐
 *  arrives → │  PREROUTING  │ → route ─────→ │ FORWARD │ ─────────────→ │  POSTROUTING  │ → leaves
 *            └──────────────┘      │ for us  └─────────┘        ↑       └───────────────┘
 *             defrag raw ct        ↓        mangle filter       │        mangle nat
 *             mangle nat       ┌───────┐    security        ┌────────┐   helper confirm
 *                              │ INPUT │ → delivered        │ OUTPUT │ ← route ← sent by the host
 *                              └───────┘                    └────────┘
 *                 mangle filter security nat        defrag raw ct mangle nat
 *                 helper confirm                    filter security
 *
 * What is sent out of lo comes in again at PREROUTING. iptables-nft puts `security` behind `nat` (150 and not 50).
 * @see enum nf_ip_hook_priorities in include/uapi/linux/netfilter_ipv4.h; NF_IP_PRI_… in iptables/nft.c
 */
import type { TableName } from '../extensions/define.js';
import type { HookName } from '../packet/traversal.js';
import type { Backend } from '../values/value.js';

export type Stage = 'defrag' | 'conntrack' | 'confirm' | TableName;

const common: Readonly<Record<Exclude<HookName, 'INPUT'>, readonly Stage[]>> = {
  PREROUTING: ['defrag', 'raw', 'conntrack', 'mangle', 'nat'],
  FORWARD: ['mangle', 'filter', 'security'],
  OUTPUT: ['defrag', 'raw', 'conntrack', 'mangle', 'nat', 'filter', 'security'],
  POSTROUTING: ['mangle', 'nat', 'confirm'],
};

/** What stands at each hook, in order. */
export const stagesAt: Readonly<Record<Backend, Readonly<Record<HookName, readonly Stage[]>>>> = {
  legacy: { ...common, INPUT: ['mangle', 'filter', 'security', 'nat', 'confirm'] },
  nft: { ...common, INPUT: ['mangle', 'filter', 'nat', 'security', 'confirm'] },
};
