import type { Citation, Evidence } from '../answer.js';
import type { AskEvent } from '../events.js';
import { documentsRead, type Judgement } from '../judge/judge-sources.js';
import type { Work } from '../parts.js';
import { nameOf, readsSentences, writesFreely } from '../plan.js';
import type { PlannedQuestion } from '../planned-question.js';
import { citeSpan } from './cite-span.js';
import { cite } from './cite.js';
import { classifyByRows } from './classify-by-rows.js';
import { classify, labelTokensOf } from './classify.js';
import {
  composeJudged,
  composeNothing,
  composeQuestion,
  composeQuote,
  composeReading,
  type ComposedPrompt,
} from '../prompt/compose.js';
import { generate, type GenerateStep } from '../prompt/generate.js';
import { bondOf } from '../tools.js';
import type { PromptRoom } from '../prompt/prompt-room.js';
import { wordAbstention, wordAnswer, wordQuote, type Completion } from './word-answer.js';
import { wordCopy } from './word-copy.js';
import { wordCalls } from './word-calls.js';
import { ownValues, wordJson } from './word-json.js';

/** An answer in words: what the model was asked, what came of it, and what it rests on. */
export interface WordedAnswer {
  prompt: ComposedPrompt;
  completion: Completion;
  citations: Citation[];
}

/**
 * Composes the prompt, has it answered, and cites. Eight ways lead to an answer, told apart here and nowhere else:
 *
 * - refused: nothing is asked, the refusal is the text;
 * - labelled rows: their vote, pooled with the adapter's labels where one acts;
 * - an adapter with a token for each label: one prefill, no decoding;
 * - an adapter that reads: a span that it copies from passages, or from the sentence that it judged best;
 * - the best sentence, where the model that answers words it worse: nothing is asked;
 * - JSON of a form that the caller gave: the model's words, which are refused where evidence doesn't support them;
 * - calls of functions that the program which asks has;
 * - else the model's own words, which evidence replaces where it doesn't support them.
 * @throws what the worker throws
 */
export async function* wordPlan(
  work: Work,
  plannedQuestion: PlannedQuestion,
  judgement: Judgement,
  room: PromptRoom,
): AsyncGenerator<AskEvent, WordedAnswer> {
  const { watch } = work;
  const prompt = await watch.time('compose', () => compose(plannedQuestion, judgement, room));
  const completion = yield* watch.follow('generate', complete(work, plannedQuestion, judgement, { prompt, room }));
  return {
    prompt,
    completion,
    citations: await watch.time('cite', () => citationsOf(plannedQuestion, judgement, prompt, completion)),
  };
}

function compose(
  { plan, wording }: PlannedQuestion,
  judgement: Judgement,
  { frame, left, count }: PromptRoom,
): ComposedPrompt | Promise<ComposedPrompt> {
  switch (judgement.kind) {
    case 'REFUSED':
      return composeNothing(judgement.documents?.passages ?? []);
    case 'ROWS':
      return plan.adaptation ? composeQuestion(frame, plan) : composeNothing([]);
    case 'NOTHING':
      return composeQuestion(frame, plan);
    case 'DOCUMENTS': {
      const { check } = judgement;
      if (wording === 'QUOTE') return composeQuote(judgement);
      const toCompose = check?.kind === 'JUDGED' && readsSentences(plan) ? composeJudged : composeReading;
      return toCompose(frame, judgement, plan, left, count);
    }
  }
}

function complete(
  { worker, workspaceId, signal }: Work,
  { plan, question, wording }: PlannedQuestion,
  judgement: Judgement,
  { prompt: composed, room: { maxTokens } }: { prompt: ComposedPrompt; room: PromptRoom },
): Generator<AskEvent, Completion> | AsyncGenerator<AskEvent, Completion> {
  if (judgement.kind === 'REFUSED') return wordAbstention(judgement.abstention);
  const [best] = evidenceOf(judgement);
  if (wording === 'QUOTE' && best) return wordQuote(best);
  const { minConfidence } = question;
  const generation = { ...question.generation, maxTokens };
  const step = { workspaceId, model: plan.model, named: nameOf(plan), composed, generation, signal };
  const labels = labelTokensOf(plan);
  if (judgement.kind === 'ROWS') {
    const { rows, neighbours } = judgement;
    return classifyByRows(worker, { ...step, labels, rows, neighbours, minConfidence });
  }
  if (labels) return classify(worker, step, labels, minConfidence);
  if (composed.copyFrom) return wordCopy(generate(worker, step), minConfidence);
  const wishes = wishesOf(plan, question, wording);
  const { form, calls, sampling } = wishes;
  const source = { best, read: composed.read };
  const generateStep = { ...step, ...wishes };
  if (form) return wordJson(generate(worker, generateStep), source, { question: question.text, form });
  if (calls) return wordCalls(generate(worker, generateStep), calls);
  const hasStop = sampling?.stop !== undefined && sampling.stop.length > 0;
  return wordAnswer(generate(worker, generateStep), source, {
    question: question.text,
    adaptation: plan.adaptation,
    hasStop,
  });
}

/** What the caller asks of the words, as far as this plan can keep to it. */
function wishesOf(
  plan: PlannedQuestion['plan'],
  { form, tools, probable, sampling }: PlannedQuestion['question'],
  wording: PlannedQuestion['wording'],
): Pick<GenerateStep, 'form' | 'calls' | 'probable' | 'sampling'> {
  const calls = tools && bondOf(plan.variant, tools);
  return {
    ...(form && { form }),
    ...(calls && { calls }),
    ...(probable !== undefined && { probable }),
    ...(sampling && writesFreely(plan, wording) && { sampling }),
  };
}

function citationsOf(
  { question }: PlannedQuestion,
  judgement: Judgement,
  prompt: ComposedPrompt,
  { abstention, text }: Completion,
): Citation[] {
  if (abstention) return [];
  const evidence = evidenceOf(judgement);
  if (question.form) return cite(ownValues(text, question.form), evidence, question.text);
  if (!prompt.copyFrom) return cite(text, evidence, question.text);
  const used = new Set(prompt.passages.filter((passage) => passage.used).map(({ chunkId }) => chunkId));
  const read = (documentsRead(judgement)?.passages ?? []).filter(({ chunkId }) => used.has(chunkId));
  return citeSpan(text, read, evidence, question.text);
}

const evidenceOf = (judgement: Judgement): readonly Evidence[] => documentsRead(judgement)?.evidence ?? [];
