import { AnswerStore, type Assignment } from '../../src/answer/ask/index.js';
import type { FinishedAnswer } from '../../src/answer/ask/answer.js';
import type { AnswerOutcome } from '../../src/answer/ask/record/answer-store.js';
import { newId, type Uuid, type WorkspaceId } from '../../src/kernel/ids.js';
import type { Database } from '../../src/platform/database/index.js';

export interface WishedAnswer extends Partial<FinishedAnswer> {
  question?: string;
  conversationId?: string | null;
  createdAt?: Date;
  /** What it was drawn into, and how long it took. */
  assignment?: Assignment | null;
  latencyMs?: number;
  /** The code that it failed with. */
  failure?: string | null;
}

/** An answer as `ask` would record it, without a model: by default an answer of the base model in words. */
export const finishedAnswer = (wishes: Partial<FinishedAnswer> = {}): FinishedAnswer => ({
  text: '21 days',
  task: 'QUESTION_ANSWERING',
  wording: 'MODEL',
  finishReason: 'END',
  output: { kind: 'TEXT' },
  abstention: null,
  answerability: null,
  evidence: [],
  conflicts: [],
  citations: [],
  passages: [],
  features: [],
  neighbours: [],
  stages: [],
  route: { strategy: 'BASE', chosenBy: 'CALLER', candidates: [], reasons: [] },
  variant: { id: newId(), sha256: '0'.repeat(64), model: 'tiny', quantization: 'F16' },
  adapter: null,
  usage: { promptTokens: 1, reusedTokens: 0, generatedTokens: 1 },
  cost: { computeMs: 1, computedTokens: 2 },
  configuration: {
    digest: '0'.repeat(64),
    values: { strategy: 'BASE', prompts: 1, model: { name: 'tiny', quantization: 'F16', sha256: '0'.repeat(64) } },
  },
  ...wishes,
});

/** An answer with a label, as an adapter gives it. */
export const labelled = (label: string, probability = 0.9): Partial<FinishedAnswer> => ({
  text: label,
  task: 'CLASSIFICATION',
  output: { kind: 'LABEL', label, probabilities: [{ label, probability }] },
});

/** Records answers. @returns their row ids, in order */
export async function recordAnswers(
  database: Database,
  workspaceId: WorkspaceId,
  wished: readonly WishedAnswer[],
): Promise<Uuid[]> {
  const store = new AnswerStore(database);
  const ids: Uuid[] = [];
  for (const wish of wished) {
    const { question = 'How long is it valid?', conversationId = null, createdAt, ...said } = wish;
    const { assignment = null, latencyMs = 1, failure = null, ...rest } = said;
    const id = newId();
    const claim = { workspaceId, requestId: id, inputDigest: id, question, conversationId, askedBy: null };
    const outcome: AnswerOutcome =
      failure === null
        ? { finished: finishedAnswer(rest) }
        : { status: 'FAILED', code: failure, message: 'The model threw.', planned: null };
    await store.add({ ...claim, id, createdAt: createdAt ?? new Date() }, outcome, { assignment, latencyMs });
    ids.push(id);
  }
  return ids;
}
