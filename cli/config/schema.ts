/** What `iptables-lint.yaml` may hold. */
import * as v from 'valibot';
import { flag, found, list, noList, object, oneOf, text, whole } from '../../analyzer/model/schema-words.js';
import { neededServices } from '../../analyzer/checks/settings.js';
import { parseAddressMask } from '../../analyzer/values/address-mask.js';
import { Problem } from '../../analyzer/values/value.js';
import { checkNames, levels, unknownCheckMessage } from '../check-names.js';
import { backends, failLevels, families, inputFormats, personas } from '../words.js';

const optional = v.exactOptional;
const interfaceName = v.pipe(text, v.regex(/^[^\s/!+]{1,15}\+?$/u, 'must be the name of an interface, as rules have it: up to 15 characters, and + for all that begin so'));
const textOrList = v.pipe(
  v.union([v.string(), v.array(v.string())], issue => `must be text or a list of texts, and is ${found(issue)}`),
  v.transform(value => typeof value === 'string' ? [value] : value),
);

/** Whether a glob takes out of what others match, as `!hosts/lab.rules` does; `!(a|b)` is one like any other. */
export function takesOut(glob: string): boolean {
  return /^!(?!\()/u.test(glob);
}

const globs = v.pipe(textOrList, v.check(
  all => !all.some(takesOut) || !all.every(takesOut),
  'must have a glob without `!` as well: those with it only take out of what others match',
));

const network = v.pipe(text, v.check(
  word => (['ipv4', 'ipv6'] as const).some(family => !(parseAddressMask(word, family) instanceof Problem)),
  ({ input }) => `\`${input}\` is no address and no network, as 192.0.2.0/24`,
));

const port = whole(65_535);

const checks = v.pipe(
  noList(v.record(v.string(), oneOf(levels, 'level'), issue => `must be an object of checks and their levels, and is ${found(issue)}`)),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [key, value] of Object.entries(dataset.value)) {
      if (!checkNames().includes(key)) addIssue({ message: unknownCheckMessage(key), path: [{ type: 'object', origin: 'key', input: dataset.value, key, value }] });
    }
  }),
);

/** What may be said of all files, and of some. */
const entries = {
  checks: optional(v.pipe(checks, v.description('Levels of checks, by name'))),
  persona: optional(v.pipe(oneOf(personas, 'persona'), v.description('Who reads the findings'))),
  input: optional(v.pipe(oneOf(inputFormats, 'input'), v.description('What the files are; detected where absent'))),
  family: optional(v.pipe(oneOf(families, 'family'), v.description('Whose rules they are'))),
  backend: optional(v.pipe(oneOf(backends, 'backend'), v.description('Which iptables loads them'))),
  'require-reason': optional(v.pipe(flag, v.description('Whether a note that suppresses findings must say why'))),
  host: optional(v.pipe(text, v.description('The host file that `iptables-lint collect` wrote, beside this file'))),
  management: optional(object({
    ports: optional(v.pipe(list(port), v.description('TCP ports by which the host is managed; 22 where absent'))),
    peers: optional(v.pipe(list(network), v.description('Whence it is managed; from anywhere where absent'))),
  }, '`management`')),
  'trusted-interfaces': optional(v.pipe(list(interfaceName), v.description('Interfaces of which everybody is trusted, as rules name them (eth1, wg+)'))),
  'needed-services': optional(v.pipe(list(oneOf(neededServices, 'service')), v.description('What the host must be able to send; all of these where absent'))),
  'conntrack-max': optional(v.pipe(whole(0xffff_ffff), v.description('How many flows the kernel tracks at most'))),
};

const noPlugin = 'no configuration can load a plugin: it is a program, and whoever lints a folder of somebody else, maybe as root, would run theirs; say --plugin FILE on the command line';
const refused = { plugin: noPlugin, plugins: noPlugin };

const override = object({ files: v.pipe(globs, v.description('Globs, from the folder of this file')), ...entries }, 'the override', refused);

const config = object({
  $schema: optional(text),
  extends: optional(v.pipe(textOrList, v.description('Files that this one builds on; what it says itself goes before'))),
  ignore: optional(v.pipe(globs, v.description('Globs of files that are not linted when a folder is'))),
  'fail-on': optional(v.pipe(oneOf(failLevels, 'level'), v.description('The least severity that makes the exit code 1'))),
  siblings: optional(v.pipe(list(object({ ipv4: text, ipv6: text }, 'a pair of files')), v.description('Rules of one host in two files, of both families'))),
  ...entries,
  overrides: optional(v.pipe(list(override), v.description('What is different for some files; a later one goes before'))),
}, 'the configuration', refused);

/** An empty file says nothing. */
export const configSchema = v.optional(config, {});
export const configObject = config;

export type Config = v.InferOutput<typeof config>;
export type Override = v.InferOutput<typeof override>;
/** What holds for one file. */
export type FileConfig = Omit<Override, 'files'>;
