import { isLostByRules, lossOf } from '../answers.js';
import { firstLost } from '../flow-progress.js';
import { defineProperty } from '../property.js';

export const repliesPass = defineProperty({
  name: 'replies-pass',
  summary: 'a reply to an accepted connection is never dropped',
  doc: `The first packet of a connection arrived, or was forwarded or sent, and the first answer of the other side (the SYN/ACK, the answer
to a query, the echo reply), sent within seconds to what arrived there, is dropped or rejected by a rule or a policy.`,
  test: () => played => firstLost(played, ({ said: { line }, answer }, before) => {
    const [first] = before;
    if (line.from !== 'server' || first === undefined || before.some(one => one.said.line.from === 'server') || !isLostByRules(answer)) return undefined;
    return `the server's ${line.name} is ${lossOf(answer)}, although the client's ${first.said.line.name} got through`;
  }),
});
