/** Translations in words: where packets go to, and how a rule asks for them then. */
import type { Constraint, Range } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { isUnresolved, type Rule } from '../../model/ruleset.js';
import { printAddressMask } from '../../values/address-mask.js';
import { printAddress } from '../../values/address.js';
import { rangesOf } from './asked.js';
import type { Translation } from './translations.js';

function addressText({ low, high }: Range): string {
  return low === high ? printAddress(low) : `${printAddress(low)}-${printAddress(high)}`;
}

/** `10.0.0.5`, `10.0.0.5 port 80`, `port 8080 of this host`. */
export function destinationText({ address, ports }: Translation): string {
  const port = ports === undefined ? undefined : `port ${ports.map(({ low, high }) => low === high ? String(low) : `${String(low)}-${String(high)}`).join(', ')}`;
  if (typeof address !== 'string') return [address.map(addressText).join(', '), ...port === undefined ? [] : [port]].join(' ');
  return address === 'own' ? `${port === undefined ? '' : `${port} of `}this host` : port ?? 'the same place';
}

/** `--dport 80`, `-m multiport --dports 80,443`; '' where any port will do. A list takes at most 15 (xt_multiport.h). */
function portOptions(protocol: string, ranges: readonly Range[] | undefined): string {
  const texts = (ranges ?? []).map(({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`);
  if (texts.length === 0) return '';
  return texts.length === 1 ? ` -m ${protocol} --dport ${texts[0] ?? ''}` : ` -m multiport --dports ${texts.slice(0, 7).join(',')}`;
}

const withPorts: ReadonlyMap<number, string> = new Map([[protocolNumber.tcp, 'tcp'], [protocolNumber.udp, 'udp']]);

/** `-s 192.0.2.0/24 -i eth0`, as the rule has them; with `turned`, whom it does not mean. */
export function whence({ source, inInterface }: Rule, turned = false): string {
  const bang = (negated: boolean): string => negated === turned ? ' ' : ' ! ';
  const from = source === undefined || isUnresolved(source.value) ? '' : `${bang(source.negated)}-s ${printAddressMask(source.value)}`;
  const by = inInterface === undefined || (turned && from !== '') ? '' : `${bang(inInterface.negated)}-i ${inInterface.value.name}${inInterface.value.prefix ? '+' : ''}`;
  return `${from}${by}`;
}

/** What a filter rule must say to meet packets that the translation has taken: `-d 10.0.0.5/32 -p tcp -m tcp --dport 80`. `asks`: what the rule of nat asks. */
export function optionsBehind(asks: Constraint, { at, address, ports }: Translation): string {
  const to = typeof address === 'string' ? rangesOf(asks, 'dst') : address;
  const only = to?.length === 1 ? to[0] : undefined;
  const isOwn = address === 'own';
  const destination = only === undefined || isOwn ? '' : only.low === only.high ? ` -d ${printAddress(only.low)}` : ` -m iprange --dst-range ${addressText(only)}`;
  const protocols = rangesOf(asks, 'protocol');
  const protocol = protocols?.length === 1 && protocols[0]?.low === protocols[0]?.high ? withPorts.get(Number(protocols[0]?.low)) : undefined;
  return `${whence(at.rule)}${destination}${protocol === undefined ? '' : ` -p ${protocol}${portOptions(protocol, ports ?? rangesOf(asks, 'dport'))}`}`.trimStart();
}
