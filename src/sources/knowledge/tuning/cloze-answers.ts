import { seededRandom } from '../../../kernel/random.js';
import type { SearchScope } from '../collection.js';
import type { DocumentStore } from '../document-store.js';
import type { TermWeight } from '../retrieval/lexical.js';
import type { Retriever } from '../retrieval/retriever.js';
import { clozeQuestion, clozeSentence, clozeWords } from './cloze.js';

/** A question, the span of a passage that answers it, and that passage. */
interface AnsweredQuestion {
  question: string;
  answer: string;
  chunkId: string;
}

/** Words of an answer at most: longer spans that recur are phrases of the house. */
const MOST_WORDS = 4;
/** Sentences of a passage that are tried: questions on one passage are read together. */
const SENTENCES = 4;
/** Passages that are looked through for what recurs, for each question that is wanted. */
const LOOKED_THROUGH = 4;
const MOST_PASSAGES = 4_000;

/**
 * Questions with answers made of a collection's own passages, without any model: a span of a sentence that another passage has, too
 * (recurring spans: Ram et al. 2021, so that it is a term of the documents and no accident), is hidden, and asked for with what is left
 * of the sentence without its rarer half (noisy clozes with a question word in front: Lewis et al. 2019). The same seed makes the same.
 * @param scope of one collection @param most how many at most
 */
export async function makeAnsweredQuestions(
  { documents, retriever }: { documents: Pick<DocumentStore, 'drawChunks'>; retriever: Pick<Retriever, 'termWeights'> },
  scope: SearchScope,
  { most, seed }: { most: number; seed: number },
): Promise<AnsweredQuestion[]> {
  const [collection] = scope.collections;
  const random = seededRandom(seed);
  const chunks = await documents.drawChunks(collection!.id, Math.min(MOST_PASSAGES, LOOKED_THROUGH * most), seed);
  const sentences = chunks.flatMap(({ id, text }) => {
    const draws = Array.from({ length: SENTENCES }, () => clozeSentence(text, random()));
    return [...new Set(draws)].flatMap((sentence) => (sentence === null ? [] : [{ id, sentence }]));
  });
  const weights = await retriever.termWeights(scope, clozeWords(sentences.map(({ sentence }) => sentence)));
  const candidates = sentences.map(({ id, sentence }) => ({ id, sentence, spans: spansOf(sentence, weights) }));
  const recurring = recurringIn(chunks, new Set(candidates.flatMap(({ spans }) => spans.map(({ key }) => key))));
  const answeredQuestions = candidates.flatMap(({ id, sentence, spans }): AnsweredQuestion[] => {
    const [best] = spans.filter(({ key }) => recurring.has(key)).sort((a, b) => b.weight - a.weight);
    if (best === undefined) return [];
    const remainder = clozeQuestion(`${sentence.slice(0, best.start)} ${sentence.slice(best.end)}`, weights);
    if (remainder === null || saysWords(remainder, best.key)) return [];
    const question = `${questionWord(best.text, collection!.language)}${remainder}?`;
    return [{ question, answer: best.text, chunkId: id }];
  });
  return answeredQuestions.slice(0, most);
}

interface SpanOfSentence {
  /** The words in small letters. */
  key: string;
  text: string;
  start: number;
  end: number;
  /** How rare its words are together. */
  weight: number;
}

interface Word {
  text: string;
  start: number;
  end: number;
}

const wordsAt = (text: string): Word[] =>
  [...text.matchAll(/[\p{L}\p{N}]+/gu)].map(({ 0: word, index }) => ({
    text: word,
    start: index,
    end: index + word.length,
  }));

const keyOf = (words: readonly Word[]): string => words.map(({ text }) => text.toLowerCase()).join(' ');

/** Nothing but a blank, or a mark within a word or a number, may stand between the words of a span. */
const JOINS = /^(?: |[-.,'’/:](?=\S|$))$/u;
const BEGINS = /(?:^|[\s("“‘'[])$/u;
const ENDS = /^(?:$|\s|[.,;:!?)"”’'\]]+(?:\s|$))/u;

/** Spans of a sentence that can be asked for: whole words, the first and the last of which say something. */
function spansOf(sentence: string, weights: ReadonlyMap<string, TermWeight>): SpanOfSentence[] {
  const words = wordsAt(sentence);
  return words.flatMap((first, from) => {
    if (!weights.has(first.text) || !BEGINS.test(sentence.slice(0, first.start))) return [];
    const spans: SpanOfSentence[] = [];
    for (let to = from; to < Math.min(words.length, from + MOST_WORDS); to++) {
      const last = words[to]!;
      if (to > from && !JOINS.test(sentence.slice(words[to - 1]!.end, last.start))) break;
      if (!weights.has(last.text) || !ENDS.test(sentence.slice(last.end))) continue;
      if (to === from && !isTelling(first, from)) continue;
      const inside = words.slice(from, to + 1);
      const weight = inside.reduce((sum, { text }) => sum + (weights.get(text)?.idf ?? 0), 0);
      const text = sentence.slice(first.start, last.end);
      spans.push({ key: keyOf(inside), text, start: first.start, end: last.end, weight });
    }
    return spans;
  });
}

/** One word alone is an answer when it is a name or a number; every sentence begins with a capital. */
const isTelling = ({ text }: Word, place: number): boolean =>
  /\p{N}/u.test(text) || (place > 0 && /^\p{Lu}/u.test(text));

/** Whether a text says these words itself, as a sentence does that has its span twice. */
const saysWords = (text: string, key: string): boolean => ` ${keyOf(wordsAt(text))} `.includes(` ${key} `);

/** Which of the keys more than one passage has. */
function recurringIn(chunks: readonly { text: string }[], keys: ReadonlySet<string>): Set<string> {
  const times = new Map<string, number>();
  for (const { text } of chunks) {
    const words = wordsAt(text);
    const chunkKeys = new Set<string>();
    words.forEach((_, from) => {
      for (let to = from + 1; to <= Math.min(words.length, from + MOST_WORDS); to++) {
        const key = keyOf(words.slice(from, to));
        if (keys.has(key)) chunkKeys.add(key);
      }
    });
    for (const key of chunkKeys) times.set(key, (times.get(key) ?? 0) + 1);
  }
  return new Set([...times].filter(([, count]) => count > 1).map(([key]) => key));
}

/** Other languages are asked without one: most models take a cloze with a question mark for a question, too. */
const questionWord = (answer: string, language: string): string =>
  language !== 'english'
    ? ''
    : /^(?:1[0-9]|20)\d\d$/.test(answer)
      ? 'When '
      : /^\d/.test(answer)
        ? 'How many '
        : 'What ';
