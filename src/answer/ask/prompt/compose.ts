import { inPieces, renderPrompt, type Piece, type TaskInput } from '../../../sources/data/index.js';
import { GraftError } from '../../../kernel/errors.js';
import type { Passage } from '../../../sources/knowledge/index.js';
import {
  baseMessages,
  oneLine,
  passage,
  passagesMessages,
  READ_PASSAGES,
  REFUSAL,
  renderChat,
  renderToolChat,
  sentenceMessages,
  toolMessages,
  withSystem,
  wordingOnly,
  type ChatMessage,
  type EarlierTurn,
  type Excerpt,
  type PromptSegment,
} from '../../../sources/prompting/index.js';
import type { Material, ServedVariant } from '../../../sources/registry/index.js';
import type { Evidence, PromptPassage } from '../answer.js';
import { copiesSpans, type Adaptation, type Plan } from '../plan.js';
import { toolFormOf, type ToolUse } from '../tools.js';
import { withSurroundings } from '../read/surroundings.js';

/** As long as nobody measured it (`compareWordings`), models below this many weights get the best sentence and larger ones whole passages. */
const READS_PASSAGES = 1_000_000_000;
/** Prompt tokens spent on passages at most: the model reads every one of them before its first word. */
export const PASSAGE_TOKENS = 1_024;

/** A copy of which each second word is marked is twice as long as its text; more marks than that are not met. */
const MARKED_SHARE = 2;
/** Tokens of one mark, for the shortest texts. */
const SHORTEST_MARK = 16;

export type PromptTokenCounter = (texts: (string | PromptSegment[])[]) => Promise<number[]>;

export interface ComposedPrompt {
  prompt: PromptSegment[];
  /** What is asked after it, one by one, where a question is answered in pieces. */
  then: Piece<PromptSegment[]>[];
  /** The excerpts in it: what the model's words are held against. */
  read: string[];
  /** Every retrieved passage and what became of it, strongest first. */
  passages: PromptPassage[];
  stop: string[];
  /** The texts that the answer is to be a span of, as they stand in the prompt; null where the model words freely. */
  copyFrom: string[] | null;
  /** What it may say instead of a span; null where it words freely, or something else decided whether there is an answer. */
  refusal: string | null;
  /** What the adapter's answers always hold to; null where it may say anything. */
  heldTo: Adaptation['heldTo'];
}

/** When there is nothing to ask the model. */
export const composeNothing = (passages: readonly Passage[]): ComposedPrompt => ({
  prompt: [],
  then: [],
  read: [],
  stop: [],
  copyFrom: null,
  refusal: null,
  heldTo: null,
  passages: unusedPassages(passages),
});

interface Room {
  /** Tokens of the context. */
  context: number;
  /** Tokens kept free for the answer. */
  answer: number;
}

/** How a question, or a piece of it, is put to a model: the messages, with what they are to be answered from. */
export type Frame = (excerpts: readonly Excerpt[], piece?: TaskInput) => PromptSegment[];

/**
 * The form that the plan's model reads best: an adapter's own, a sentence for small models, whole passages for others.
 * @param system instructions of the program that asks @param earlier what the base model is shown of the conversation @param tools what it may call
 */
export function frameOf(
  plan: Plan,
  question: string,
  facts: string,
  { system, earlier, tools }: { system?: string; earlier?: readonly EarlierTurn[]; tools?: ToolUse } = {},
): Frame {
  const { scope, variant, adaptation } = plan;
  const chat = (messages: readonly ChatMessage[]): PromptSegment[] => renderChat(variant.chat, messages);
  if (adaptation) {
    const { input, context } = adaptation;
    return (excerpts, piece = input) => {
      const passages = scope === null ? null : excerpts.map(({ text }) => text);
      return chat(withSystem(renderPrompt(piece, context, { facts, passages }), system));
    };
  }
  if (tools) {
    const messages = toolMessages(question, { facts, system, earlier, steps: tools.steps });
    const functions = tools.functions.map(({ definition }) => definition);
    return () => renderToolChat(toolFormOf(variant), messages, functions);
  }
  if (scope === null) return () => chat(baseMessages(question, { facts, system, earlier }));
  const messages = materialOf(plan) === 'SENTENCE' ? sentenceMessages : passagesMessages;
  return (excerpts) => chat(withSystem(messages(question, excerpts, facts), system && wordingOnly(system)));
}

/**
 * @returns the tokens left beside the question, its frame and the answer, or fewer where there is room for every passage anyway:
 * most questions are so short that their bytes say so, without a word from the worker
 * @throws QUESTION_TOO_LONG when there are none
 */
export async function measureRoom(
  question: string,
  frame: Frame,
  room: Room,
  count: PromptTokenCounter,
): Promise<number> {
  const certain = room.context - room.answer - mostTokens(frame([]));
  if (certain >= PASSAGE_TOKENS) return certain;
  const [framed = 0, questionTokens = 0] = await count([frame([]), question]);
  const remainingTokens = room.context - room.answer - framed;
  if (remainingTokens >= 0) return remainingTokens;
  throw new GraftError(
    'QUESTION_TOO_LONG',
    `The question has ${questionTokens} tokens; at most ${Math.max(0, questionTokens + remainingTokens)} fit beside an answer of ${room.answer}.`,
    { field: 'input.question', hint: 'Shorten the question, or ask for fewer tokens with generation.maxTokens.' },
  );
}

/**
 * Most tokens of the answer: as many as the caller wants, but for a marked copy, which is as long as its text and its marks and ends
 * by itself.
 */
export async function answerTokens(
  { adaptation }: Plan,
  requestedTokens: number,
  count: PromptTokenCounter,
): Promise<number> {
  if (!adaptation?.heldTo) return requestedTokens;
  const [copied = 0] = await count([adaptation.heldTo.mark.text]);
  return MARKED_SHARE * copied + SHORTEST_MARK;
}

/** A prompt for each piece in which an input is answered. */
export function promptsOf(
  input: TaskInput,
  render: (piece: TaskInput) => PromptSegment[],
): Pick<ComposedPrompt, 'prompt' | 'then'> {
  const [first, ...further] = inPieces(input).map((piece) => ({ ...piece, input: render(piece.input) }));
  return { prompt: first!.input, then: further };
}

/** The question without passages, piece by piece where its task is answered so. */
export function composeQuestion(frame: Frame, plan: Plan): ComposedPrompt {
  const { adaptation } = plan;
  return {
    ...(adaptation ? promptsOf(adaptation.input, (piece) => frame([], piece)) : { prompt: frame([]), then: [] }),
    read: [],
    passages: [],
    stop: stopsOf(plan),
    copyFrom: null,
    refusal: null,
    heldTo: adaptation?.heldTo ?? null,
  };
}

/**
 * Where an answer ends that the model doesn't end itself. An adapter learned where; a small model's second paragraph, or second
 * line after a passage, wanders off.
 */
const stopsOf = ({ scope, variant, adaptation }: Plan): string[] => {
  if (adaptation) return [];
  if (scope === null) return isSmall(variant) ? ['\n\n'] : [];
  return [isSmall(variant) ? '\n' : '\n\n'];
};

/** What was found, best first. */
interface ReadingMaterial {
  passages: readonly Passage[];
  evidence: readonly Evidence[];
}

/**
 * The question with what it is to be answered from. Excerpts go in strongest first while there is room; the weakest are left
 * out, and the result says which and why.
 * @param remainingTokens tokens that excerpts may take
 */
export async function composeReading(
  frame: Frame,
  { passages, evidence }: ReadingMaterial,
  plan: Plan,
  remainingTokens: number,
  count: PromptTokenCounter,
): Promise<ComposedPrompt> {
  const isSingleSentence = plan.adaptation === null && materialOf(plan) === 'SENTENCE';
  const copies = copiesSpans(plan);
  const allExcerpts = isSingleSentence ? sentenceExcerpts(passages, evidence) : passageExcerpts(passages, evidence);
  const excerpts = copies ? allExcerpts.slice(0, READ_PASSAGES) : allExcerpts;
  const texts = excerpts.map(({ excerpt }, index) => passage(excerpt, index));
  const fitting = await howManyFit(texts, Math.min(remainingTokens, PASSAGE_TOKENS), count);
  const used = new Map(excerpts.map(({ chunkId }, index) => [chunkId, index < fitting]));
  const fittingExcerpts = excerpts.slice(0, fitting).map(({ excerpt }) => excerpt);
  return {
    prompt: frame(fittingExcerpts),
    then: [],
    read: fittingExcerpts.map(({ text }) => text),
    passages: byStrength(passages, evidence).map(({ chunkId, documentName }) => ({
      chunkId,
      documentName,
      used: used.get(chunkId) === true,
      reason: used.get(chunkId) === true ? null : used.has(chunkId) ? NO_ROOM : copies ? ENOUGH : ONE_SENTENCE,
    })),
    stop: stopsOf(plan),
    copyFrom: copies ? fittingExcerpts.map(({ text }) => oneLine(text)) : null,
    refusal: copies ? REFUSAL : null,
    heldTo: plan.adaptation?.heldTo ?? null,
  };
}

/** The question with one sentence and what leads to it. */
export function composeSentence(
  frame: Frame,
  { sentence, passages }: { sentence: Evidence; passages: readonly Passage[] },
  plan: Plan,
  remainingTokens: number,
  count: PromptTokenCounter,
): Promise<ComposedPrompt> {
  const passage = passages.find(({ chunkId }) => chunkId === sentence.chunkId)!;
  const text = withSurroundings(passage, { start: sentence.start - passage.start, text: sentence.quote });
  return composeReading(
    frame,
    { passages: [{ ...passage, text }], evidence: [sentence] },
    plan,
    remainingTokens,
    count,
  );
}

/** The question with the best sentence, which was judged to hold the answer: a span of it is the answer. */
export async function composeJudged(
  frame: Frame,
  { passages, evidence }: ReadingMaterial,
  ...to: [plan: Plan, left: number, count: PromptTokenCounter]
): Promise<ComposedPrompt> {
  const sentence = evidence[0]!;
  const composed = await composeSentence(frame, { sentence, passages }, ...to);
  return {
    ...composed,
    ...(composed.read.length > 0 && { copyFrom: [oneLine(sentence.quote)], refusal: null }),
    passages: byStrength(passages, evidence).map(({ chunkId, documentName }) => {
      const used = composed.read.length > 0 && chunkId === sentence.chunkId;
      return { chunkId, documentName, used, reason: used ? null : BEST_SENTENCE };
    }),
  };
}

/** Where the best sentence is the answer: nothing is asked of the model. */
export const composeQuote = ({ passages, evidence }: ReadingMaterial): ComposedPrompt => ({
  ...composeNothing([]),
  passages: byStrength(passages, evidence).map(({ chunkId, documentName }) => {
    const used = chunkId === evidence[0]?.chunkId;
    return { chunkId, documentName, used, reason: used ? null : QUOTED };
  }),
});

/** Passages that were found but that no prompt needed, because there is no answer in them. */
const unusedPassages = (passages: readonly Passage[]): PromptPassage[] =>
  passages.map(({ chunkId, documentName }) => ({ chunkId, documentName, used: false, reason: NOT_RELEVANT }));

const materialOf = ({ material, variant }: Plan): Material => material ?? (isSmall(variant) ? 'SENTENCE' : 'PASSAGES');

const isSmall = ({ parameters }: ServedVariant): boolean => parameters < READS_PASSAGES;

const NOT_RELEVANT = 'It does not answer the question.';
const NO_ROOM = 'Weaker than those used, and there was no room left in the context.';
const ENOUGH = 'Weaker than those used: the adapter learned to read this many.';
const BEST_SENTENCE = 'Its sentences are weaker than the one that the answer is a part of.';
const QUOTED = 'Its sentences are weaker than the one that is quoted.';
const ONE_SENTENCE = 'Weaker than the one used: the model answers best from one sentence.';

/** How many of the first texts fit into `room` tokens; the worker counts them only where their bytes leave a doubt. */
async function howManyFit(texts: string[], room: number, count: PromptTokenCounter): Promise<number> {
  const upperBound = texts.reduce((sum, text) => sum + mostTokens([{ text, special: false }]), 0);
  return upperBound <= room ? texts.length : fit(await count(texts), room);
}

/** No token is shorter than a byte; some vocabularies begin a prompt, and each piece of text, with one more. */
export const mostTokens = (segments: readonly PromptSegment[]): number =>
  segments.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 1);

/** How many of the first excerpts fit into `room` tokens. */
export function fit(sizes: readonly number[], room: number): number {
  let total = 0;
  for (const [index, size] of sizes.entries()) {
    total += size;
    if (total > room) return index;
  }
  return sizes.length;
}

interface PassageExcerpt {
  chunkId: string;
  excerpt: Excerpt;
}

function sentenceExcerpts(passages: readonly Passage[], [best]: readonly Evidence[]): PassageExcerpt[] {
  if (best === undefined || !passages.some(({ chunkId }) => chunkId === best.chunkId)) return [];
  return [{ chunkId: best.chunkId, excerpt: { title: best.documentName, text: best.quote } }];
}

const passageExcerpts = (passages: readonly Passage[], evidence: readonly Evidence[]): PassageExcerpt[] =>
  byStrength(passages, evidence).map(({ chunkId, documentName, text }) => ({
    chunkId,
    excerpt: { title: documentName, text },
  }));

/** Passages with evidence first, in the order of their best sentence; then the others as they were ranked. */
function byStrength(passages: readonly Passage[], evidence: readonly Evidence[]): Passage[] {
  const place = ({ chunkId }: Passage): number => {
    const index = evidence.findIndex((sentence) => sentence.chunkId === chunkId);
    return index < 0 ? evidence.length : index;
  };
  return [...passages].sort((a, b) => place(a) - place(b));
}
