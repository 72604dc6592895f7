/** The files and words that a trace is made of, read and found right. */
import { analyzeWithoutWitnesses, isSkippedLine } from '../../analyzer/examine.js';
import { hostSchema, type HostDescription } from '../../analyzer/netfilter/host/host.js';
import { parsePacketWords, WordsError, type PacketWords } from '../../analyzer/netfilter/scenario/packet-words.js';
import { readScenario } from '../../analyzer/netfilter/scenario/read-scenario.js';
import type { Scenario } from '../../analyzer/netfilter/scenario.js';
import type { Ruleset } from '../../analyzer/model/ruleset.js';
import type { SourceText } from '../../grammar/source-text.js';
import { frameFinding } from '../../report/full.js';
import { wantsColor, widthOf } from '../color.js';
import { loadOptions, type InputOptions } from '../options.js';
import { readJsonAs } from '../read-json.js';
import { readSource } from '../read-source.js';
import { tellProblems } from '../tell-problems.js';
import { raiseExitCode, say, Trouble } from '../trouble.js';
import { stderr } from '../streams.js';

type Family = Ruleset['family'];

function errorStyle(color: boolean | undefined): { readonly color: boolean; readonly width: number } {
  return { color: wantsColor(color, stderr()), width: widthOf(stderr()) };
}

function tell(lines: Iterable<string>): void {
  say(`${[...lines].join('\n')}\n\n`);
}

/** A scenario file. */
export async function scenarioFrom(path: string, color: boolean | undefined): Promise<Scenario> {
  const source = await readSource(path);
  const { scenario, problems } = readScenario(source.text);
  tellProblems(source, problems, color);
  if (scenario === undefined) throw new Trouble(`${path} is no scenario: repair the errors above first`);
  return scenario;
}

/** A host file, as `iptables-lint collect` writes it. */
export async function hostFrom(path: string, color?: boolean): Promise<HostDescription> {
  return hostIn(await readSource(path), color);
}

/** The same, already read. @throws {Trouble} where it is none */
export function hostIn(source: SourceText, color?: boolean): HostDescription {
  return readJsonAs(hostSchema, source, 'host file', { color });
}

/** A packet as `--packet` or `--conversation` has it; `option` says which. */
export function packetFrom(line: string, option: string, color: boolean | undefined): PacketWords {
  try {
    return parsePacketWords(line);
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    tellProblems({ path: option, text: line }, [error], color);
    throw new Trouble(`${option} is no packet: ${error.message}`);
  }
}

/** The rule sets of a file. The kernel would not have loaded one with errors, so that nothing can be said of its packets; of a script whose lines are not all analyzed too little is. */
export function rulesFrom(source: SourceText, options: InputOptions & { readonly color?: boolean }, done = 'traced'): readonly Ruleset[] {
  const { findings, loaded, unreadable } = analyzeWithoutWitnesses(source, { ...loadOptions(options), checks: [] });
  const errors = findings.filter(finding => finding.severity === 'error');
  for (const finding of [...errors, ...findings.filter(isSkippedLine)]) tell(frameFinding(source, finding, errorStyle(options.color)));
  if (errors.length > 0) throw new Trouble(`${source.path} is not ${done}: iptables-restore would refuse it; repair the errors above first`);
  if (unreadable) raiseExitCode(2);
  return loaded.rulesets;
}

/** The rules themselves: those of the file that is named, else the scenario's, else the host's. */
export async function rulesSource(path: string | undefined, scenario: Scenario | undefined, host: HostDescription | undefined, family: Family | undefined, options: InputOptions): Promise<SourceText> {
  if (path !== undefined) return readSource(path, options.stdinFilename, options.maxSize);
  if (scenario?.rules !== undefined) return { path: '<scenario>', text: scenario.rules };
  const backend = options.backend ?? scenario?.backend;
  const [ofHost, other] = (host?.ruleSets ?? []).filter(rules => rules.family === (family ?? 'ipv4') && (backend === undefined || rules.backend === backend));
  if (ofHost === undefined) throw new Trouble(`${host === undefined ? 'no rules' : `the host file holds no rules of ${family ?? 'ipv4'}${backend === undefined ? '' : ` for ${backend}`}`}: name a file, as in iptables-lint trace /etc/iptables/rules.v4 --packet "tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0"`);
  if (other !== undefined) say(`iptables-lint: the host has rules of both backends, and packets meet both; these are those of ${ofHost.backend}, and --backend ${other.backend} has the others\n`);
  return { path: '<host>', text: ofHost.text };
}
