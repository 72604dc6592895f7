import { arbitraryAddress } from './address-mask.js';
import { printAddress } from './address.js';
import { hostMask, type HostMask } from './host-mask.js';
import type { Value } from './value.js';

/** `address[/mask]` of a segment; saved with its length always, and with the bits that do not count (`srh1_save`, libip6t_srh.c). */
export const segmentId: Value<HostMask> = {
  ...hostMask,
  print: ({ address, length }) => `${printAddress(address)}/${String(length)}`,
  arbitrary: fc => fc.tuple(arbitraryAddress(fc, 'ipv6'), fc.oneof(
    fc.constantFrom('', '/::', '/ffff::', '/ffff:ffff::ffff', '/0x20', '/010'), fc.integer({ min: 0, max: 128 }).map(n => `/${String(n)}`),
  )).map(([address, mask]) => [`${address}${mask}`]),
};
