/** Criteria that every packet meets are no part of a rule, and iptables does not print them: `-s 0.0.0.0/0`, `-i +`. */
import { isUnresolved, type RuleBody } from './ruleset.js';

/** Undefined where it is for any address. One that somebody meant otherwise (`10.1.2.3/0`) is kept. */
export function askedAddress(given: RuleBody['source']): RuleBody['source'] {
  const isAny = given?.negated === false && !isUnresolved(given.value) && !given.value.hostBits && Number(given.value.mask) === 0;
  return isAny ? undefined : given;
}

/** Undefined where it is for any interface. */
export function askedInterface(given: RuleBody['inInterface']): RuleBody['inInterface'] {
  return given?.negated === false && given.value.prefix && given.value.name === '' ? undefined : given;
}
