import { goesOn, standaloneQuestion } from './follow-up.js';
import type { AskParts, Work } from './parts.js';
import { MAX_QUESTION_CHARACTERS, type Question } from './question.js';

/** Questions of a conversation that are looked back on; a chat's own history is as long. */
export const REMEMBERED = 10;

/**
 * The question as it is answered: a follow-up becomes one that stands for itself. What points at nothing is the same object, and no history
 * is read for it. Texts that an adapter of the caller's choice works on (routing, translation) stand for themselves, and so do those that are
 * held against labelled rows.
 * @throws NOT_FOUND for an adapter that doesn't exist, and what the database throws
 */
export async function followed(work: FollowWork, question: Question): Promise<Question> {
  const { text, conversationId, earlier } = question;
  if ((conversationId === null && earlier === undefined) || !goesOn(text)) return question;
  if (!(await asksDocuments(work, question))) return question;
  const before = earlier ?? (await work.answers.askedBefore({ ...work, conversationId: conversationId! }, REMEMBERED));
  const { text: standing } = standaloneQuestion(text, before.slice(-REMEMBERED));
  return standing === text || standing.length > MAX_QUESTION_CHARACTERS ? question : { ...question, text: standing };
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
