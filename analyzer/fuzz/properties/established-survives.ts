import { isLostByRules, lossOf } from '../answers.js';
import { firstLost } from '../flow-progress.js';
import { defineProperty } from '../property.js';

export const establishedSurvives = defineProperty({
  name: 'established-survives',
  summary: 'an established connection goes on, whatever else begins',
  doc: `Both sides of a connection have got a packet through, and a later one of it, in its right order and sent within seconds, is dropped or
rejected by a rule or a policy: by one that asks for more than that the connection is known, such as a limit that other connections have used up.`,
  test: () => played => firstLost(played, ({ said: { line }, answer }, before) => {
    const isEstablished = before.some(one => one.said.line.from === 'server');
    return isEstablished && isLostByRules(answer) ? `the ${line.from}'s ${line.name} is ${lossOf(answer)}, although packets of its connection got through both ways` : undefined;
  }),
});
