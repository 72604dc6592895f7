import { whatIsMissing } from '../../kernel/requirements.js';
import { reasonToSkip, unlessRequired } from './real-iptables.js';

/** Why this machine's kernel cannot be asked; undefined where it can. */
export function kernelAvailable(): string | undefined {
  return reasonToSkip() ?? unlessRequired(whatIsMissing(['conntrack']));
}
