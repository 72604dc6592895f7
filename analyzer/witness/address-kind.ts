/** What the kernel takes an address for. */
export type AddressKind = 'unicast' | 'loopback' | 'many';

/** `many`: a group, everybody, or nobody in particular. */
export function addressKind(address: string): AddressKind {
  if (address.includes(':')) return /^ff|^::$/iu.test(address) ? 'many' : address === '::1' ? 'loopback' : 'unicast';
  const first = Number(address.split('.', 1)[0]);
  return first === 127 ? 'loopback' : first === 0 || first >= 224 ? 'many' : 'unicast';
}
