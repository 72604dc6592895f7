/** Exact questions about packets on their whole way through a host: table after table, translated and marked, and back. */
export { paths, type Path, type Routing } from './stages.js';
export type { Pipeline } from './passes.js';
export { reachThrough, type Passage } from './reach.js';
export { fate, isCertain, isCertainHowever, isCertainlySentOn, opens, question, type PathAnswer } from './fate.js';
export { certificate } from './certificate.js';
export { deciderOf } from './deciders.js';
export { everReplied, isAskedAbout, neverReplied, replies, type ConversationCase, type ConversationQuestion, type Replies } from './conversations.js';
export { lostReplies, lostWith, whereLost, type LostPackets, type LostReply } from './lost-replies.js';
export { areAllEveryday, comesByPlaces, type LostPlaces } from './lost-places.js';
export { firstPacket, nextPacket, type Sighting } from './samples.js';
export { difference, type Difference, type DifferenceCase, type DifferenceOptions } from './difference/difference.js';
export { fates, type FateClaim, type Fates, type FatesOptions } from './fates/fates.js';
export { keptAway } from './first-packets.js';
export { onward, type Onward } from './onward.js';
export { stateReach, takersUnderWay, type StateReach } from './states.js';
export { translatedAnswer } from './translated-answers.js';
export { familyDifference, type FamilyDifference, type FamilyGap } from './difference/family/family-difference.js';
export { pipeline, type PipelineOptions } from './ruleset-pipeline.js';
