/** Conntrack zones, as `-j CT` asks for them. */
import type { Packet } from '../../packet/packet.js';
import type { CtTemplate } from '../../packet/traversal.js';
import type { Zones } from './tuple-table.js';

export const defaultZones: Zones = [0, 0];

/** @see nf_ct_zone_tmpl(), nf_ct_zone_id() in include/net/netfilter/nf_conntrack_zones.h: a zone of one direction leaves the other in zone 0. */
export function zonesOf(packet: Packet, template: CtTemplate | undefined): Zones {
  const zone = template?.zone;
  if (zone === undefined) return defaultZones;
  const id = (zone.id === 'mark' ? packet.mark : zone.id) & 0xffff;
  return [zone.direction === 'reply' ? 0 : id, zone.direction === 'original' ? 0 : id];
}
