/** One namespace that is one host after the other: each fares as on a namespace of its own. */
import test from 'ava';
import type { Scenario, ScenarioAnswer, ScenarioInterface } from '../../analyzer/netfilter/scenario.js';
import { Kernel } from '../../kernel/kernel.js';
import type { HostAndSteps, SharedRules } from '../../kernel/namespace.js';
import { SetUpError } from '../../kernel/set-up.js';
import { differences } from './compare.js';
import { kernelAvailable } from './kernel-available.js';

const onKernel = kernelAvailable() === undefined ? test.serial : test.skip;

const text = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -o eth1 -j ACCEPT
COMMIT
`;

const addresses = { ipv4: { own: '192.0.2.1', peer: '198.51.100.7', whole: '32' }, ipv6: { own: '2001:db8::1', peer: '2001:db8:1::7', whole: '128' } } as const;

/** The address is the host's, then a neighbour's, then the host's again on another interface: what is left of the one before would show. */
function hosts(family: 'ipv4' | 'ipv6'): readonly HostAndSteps[] {
  const { own, peer, whole } = addresses[family];
  const syn = { proto: 'tcp', src: peer, dst: own, sport: 40_000, dport: 22 };
  const ack = { ...syn, dport: 80, flags: 'A' };
  const flow = `tcp 6 300 ESTABLISHED src=${peer} dst=${own} sport=40000 dport=80 src=${own} dst=${peer} sport=80 dport=40000 [ASSURED] mark=0 use=1\n`;
  const local = (name: string): readonly ScenarioInterface[] => [{ name, addresses: [`${own}/${whole}`] }];
  return [
    { interfaces: local('eth0'), routes: ['default dev eth0'], conntrack: flow, steps: [{ in: 'eth0', packet: ack }, { in: 'eth0', packet: syn }] },
    { interfaces: local('eth0'), routes: ['default dev eth0'], steps: [{ in: 'eth0', packet: ack }] },
    { interfaces: [{ name: 'eth0', addresses: [] }, { name: 'eth1', addresses: [] }], routes: ['default dev eth0', `${own}/${whole} dev eth1`], steps: [{ in: 'eth0', packet: syn }] },
    { interfaces: local('eth1'), routes: ['default dev eth1'], steps: [{ in: 'eth1', packet: syn }] },
  ];
}

for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['nft', 'legacy'] as const) {
  onKernel(`nothing is left of the hosts before: ${family}, ${backend}`, async t => {
    const kernel = new Kernel();
    const rules: SharedRules = { family, backend, rules: text };
    const rows = Array.from({ length: 5 }, () => hosts(family)).flat();
    const answers = await kernel.runAll(rules, rows);
    for (const [index, answer] of answers.entries()) {
      const own: Scenario = { ...rules, ...rows[index], steps: rows[index]?.steps ?? [] };
      if (answer instanceof SetUpError) t.fail(answer.message);
      else t.deepEqual(differences(await kernel.run(own), answer), [], `host ${String(index + 1)}`);
    }
    const verdicts = answers.map(answer => answer instanceof SetUpError ? answer.message : answer.steps.at(-1)?.verdict);
    t.deepEqual(verdicts.slice(0, 4), ['delivered', 'drop', 'forwarded eth1', 'delivered']);
    await kernel.close();
  });
}

function refusal(answer: ScenarioAnswer | SetUpError | undefined): string {
  return answer instanceof SetUpError ? answer.message : '';
}

onKernel('a host that cannot be is told, and those behind it are played', async t => {
  const kernel = new Kernel();
  const [first, , third] = hosts('ipv4');
  if (first === undefined || third === undefined) return t.fail();
  const answers = await kernel.runAll({ family: 'ipv4', backend: 'nft', rules: text }, [first, { ...third, routes: ['default dev nowhere'] }, third]);
  t.deepEqual(answers.map(answer => answer instanceof SetUpError), [false, true, false]);
  t.regex(refusal(answers[1]), /Cannot find device "nowhere"/u);
  await kernel.close();
});

onKernel('rules that iptables refuses are refused for all hosts', async t => {
  const kernel = new Kernel();
  const answers = await kernel.runAll({ family: 'ipv4', backend: 'nft', rules: text.replace('DROP', 'DRIP') }, hosts('ipv4'));
  t.is(answers.length, 4);
  for (const answer of answers) t.regex(refusal(answer), /iptables-nft-restore.*: /u);
  await kernel.close();
});
