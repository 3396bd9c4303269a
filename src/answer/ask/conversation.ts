import { goesOn, standaloneQuestion } from './follow-up.js';
import type { AskParts, Work } from './parts.js';
import { MAX_QUESTION_CHARACTERS, type AskedBefore, type Question } from './question.js';

/** Questions of a conversation that are looked back on; a chat's own history is as long. */
const REMEMBERED = 10;

/**
 * The question as it is answered: a follow-up becomes one that stands for itself. What points at nothing is the same object, and no history
 * is read for it. Texts that an adapter of the caller's choice works on (routing, translation) stand for themselves, and so do those that are
 * held against labelled rows.
 * @returns the question, and what it was put behind of what is recorded
 * @throws NOT_FOUND for an adapter that doesn't exist, and what the database throws
 */
export async function followed(work: FollowWork, question: Question): Promise<Followed> {
  const { text, conversationId, earlier, shownAnswers = [] } = question;
  const fallback = { question, behind: shownAnswers };
  if ((conversationId === null && earlier === undefined) || !goesOn(text)) return fallback;
  if (!(await asksDocuments(work, question))) return fallback;
  const recorded = earlier
    ? []
    : await work.answers.askedBefore({ ...work, conversationId: conversationId! }, REMEMBERED);
  const history = (earlier?.slice(-REMEMBERED) ?? recorded).map((turn) => turn.question);
  const { text: standing, joined } = standaloneQuestion(text, history);
  if (joined === 0 || standing.length > MAX_QUESTION_CHARACTERS) return fallback;
  return {
    question: { ...question, text: standing, latest: text },
    behind: earlier ? shownAnswers : recorded.slice(-joined),
  };
}

interface Followed {
  question: Question;
  behind: readonly AskedBefore[];
}

type FollowWork = Pick<Work, 'workspaceId' | 'groups' | 'askedBy'> & {
  answers: Pick<AskParts['answers'], 'askedBefore'>;
  adapters: Pick<AskParts['adapters'], 'resolve'>;
};

async function asksDocuments(
  { adapters, workspaceId }: FollowWork,
  { strategy, adapter, dataset, task }: Question,
): Promise<boolean> {
  if (strategy === 'ADAPTER' || dataset !== null || (task !== null && task !== 'QUESTION_ANSWERING')) return false;
  return adapter === null || (await adapters.resolve(workspaceId, adapter)).task === 'QUESTION_ANSWERING';
}
