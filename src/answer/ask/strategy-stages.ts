import { judgeSources, type Judgement } from './judge/judge-sources.js';
import type { AskEvent } from './events.js';
import type { Work } from './parts.js';
import { readNothing, readSources, type Source } from './read/read-sources.js';
import type { PlannedQuestion } from './planned-question.js';
import type { Strategy } from './strategies.js';
import type { PromptRoom } from './prompt/prompt-room.js';
import { wordPlan, type WordedAnswer } from './word/word-plan.js';

/** How a strategy answers: what it reads, how it judges that, and how it puts the answer into words. */
interface StrategyStages {
  read: (work: Work, planned: PlannedQuestion) => Promise<Source>;
  judge: (work: Work, planned: PlannedQuestion, source: Source) => Promise<Judgement>;
  word: (
    work: Work,
    planned: PlannedQuestion,
    judgement: Judgement,
    room: PromptRoom,
  ) => AsyncGenerator<AskEvent, WordedAnswer>;
}

/** The stages of each strategy; what it is and what it is called stands in `strategies.ts`. */
export const STRATEGY_STAGES: Readonly<Record<Strategy, StrategyStages>> = {
  BASE: { read: readNothing, judge: judgeSources, word: wordPlan },
  RAG: { read: readSources, judge: judgeSources, word: wordPlan },
  ADAPTER: { read: readNothing, judge: judgeSources, word: wordPlan },
  HYBRID: { read: readSources, judge: judgeSources, word: wordPlan },
};
