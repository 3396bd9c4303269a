import { splitSentences, type Sentence } from '../../../kernel/sentences.js';
import type { Passage } from '../../../sources/knowledge/index.js';
import type { Evidence } from '../answer.js';
import { addressesReader } from './addresses.js';
import { isPlanted, rolesOf } from './no-evidence.js';
import { readQuestions } from './questions.js';
import { isHeading, looksLikeHeading, opensSection } from './headings.js';
import { answerTypeOf, type AnswerType } from './answer-type.js';
import { particularsOf, type ParticularsTest } from './particulars.js';
import { antecedentOf } from './surroundings.js';
import { contentStems } from './words.js';

/**
 * Weights of a sentence's score. On XQuAD the best sentence holds the answer for 84 % of questions, one of the best three for 95 %
 * (`npm run bench -- answers`); words alone: 77 %; without the sentence before: 80 %. There half the similarity does as well, because its
 * questions repeat their text's words; on two sets of documents asked about in a user's own words (`own-words`) the whole and what is wanted
 * put the right sentence first for 65 and 58 % where half of it alone did for 58 and 50. COVID-QA and the example handbook don't tell.
 */
export const EVIDENCE_WEIGHTS = {
  coverage: 1,
  /** A word in the sentence before counts this much of one in the sentence itself: what "it" and "they" stand for is there. */
  before: 0.4,
  /** The same where the sentence before asks, as in lists of questions and answers. A question itself is no evidence. */
  beforeAsked: 0.9,
  passage: 0.3,
  similarity: 1,
  /** A sentence that names something of the kind that the question asks for: see `answer-type.ts`. */
  wanted: 0.2,
  /** A sentence about the edition, code or amount that the question names; taken away where it is about another: see `particulars.ts`. */
  fits: 0.5,
} as const;
/** Sentences whose vectors are computed: with all of some 40, the best sentence is right as often (within 0.1 %). Each takes 6 ms. */
export const EMBEDDED_SENTENCES = 8;
/** How many sentences an answer carries at most. */
export const KEPT_EVIDENCE = 3;
/** A sentence this far below the best is no evidence beside it. */
const KEPT_SHARE = 0.6;
/** Longer sentences are tables and lists that no parser could split; they would crowd out everything else. */
const LONGEST_SENTENCE = 1_200;

/** Rules about which sentences are no evidence; `bench -- ablation` leaves each out in turn, to see what it is worth. */
export interface SentenceRules {
  /** Headings say nothing of what they announce; what looks like one is evidence where nothing else fits: see `headings.ts`. */
  headings: boolean;
  /** Questions are no answers. */
  questions: boolean;
  /** What speaks to a model is no evidence: see `no-evidence.ts`. */
  planted: boolean;
  /** What speaks of answering stands behind all else: see `addresses.ts`. */
  addressed: boolean;
}
export const ALL_RULES: SentenceRules = { headings: true, questions: true, planted: true, addressed: true };

/** A word of the question that counts. */
export interface QuestionTerm {
  stem: string;
  /** Its idf where the passages come from: 0 for a word that stands everywhere. */
  rarity: number;
  /** A name or a number: a passage without it is about something else, however much it has in common otherwise. */
  name: boolean;
}

/** What a question wants of a sentence. */
export interface Wanted {
  type: AnswerType | null;
  particulars: ParticularsTest | null;
}
export const wantedBy = (question: string): Wanted => ({
  type: answerTypeOf(question),
  particulars: particularsOf(question),
});

interface ScoredSentence {
  passage: Passage;
  quote: string;
  /** The same behind the sentence that says what its first word stands for. */
  inFull: string;
  /** UTF-16 offsets in the document's text. */
  start: number;
  end: number;
  coverage: number;
  /** Share of the question's words that are names or numbers which its passage lacks, weighted by rarity. */
  missingNames: number;
  /** How it fits the edition, code or amount that the question names, -1 to 1. */
  fits: number;
  /** Whether it speaks of answering instead of its subject: it stands behind all that don't, see `addresses.ts`. */
  addressed: boolean;
  /** Whether it looks like a heading, and is no evidence beside a sentence that has a word of the question: see `headings.ts`. */
  headingLike: boolean;
  /** Score without the similarity. */
  base: number;
}

/**
 * All sentences of the passages by what their words and passages say, best first. Where passages overlap, a sentence
 * counts once.
 */
export function scoreSentences(
  passages: readonly Passage[],
  terms: readonly QuestionTerm[],
  criteria: Wanted | null = null,
  rules: SentenceRules = ALL_RULES,
): ScoredSentence[] {
  const questionStems = new Set(terms.map(({ stem }) => stem));
  const share = (stems: ReadonlySet<string>, excludedStems?: ReadonlySet<string>): number =>
    shareOf(terms, ({ stem }) => stems.has(stem) && !excludedStems?.has(stem));
  const best = new Map<string, ScoredSentence>();
  for (const passage of passages) {
    const passageStems = contentStems([passage.documentName, ...passage.headings, passage.text].join('\n'));
    // An amount that a sentence's bounds let in stands in none.
    const missingNames = (fits: number): number =>
      shareOf(terms, ({ stem, name }) => name && !passageStems.has(stem) && !(fits === 1 && /^\d/.test(stem)));
    // A section's sentences are about what its heading says, which they rarely repeat.
    let precedingStems = contentStems(passage.headings.join(' '));
    const sentences = splitSentences(passage.text);
    const asking = readQuestions(passage.text, sentences);
    const contexts = criteria?.particulars ? textsAbove(passage, sentences) : [];
    const roles = rolesOf(sentences);
    for (const [index, { text, start, end }] of sentences.entries()) {
      const stems = contentStems(text);
      const { asks, goesOn, afterQuestion } = asking[index]!;
      const says =
        !(asks && rules.questions) &&
        !(rules.headings && isHeading(passage, text)) &&
        !(rules.planted && isPlanted(text, { afterQuestion, roles }));
      if (says && stems.size > 0 && text.length <= LONGEST_SENTENCE) {
        const beforeCounts = afterQuestion ? EVIDENCE_WEIGHTS.beforeAsked : EVIDENCE_WEIGHTS.before;
        const coverage = share(stems) + beforeCounts * share(precedingStems, stems);
        const fits = criteria?.particulars?.(text, contexts[index]!) ?? 0;
        const base =
          EVIDENCE_WEIGHTS.coverage * coverage +
          EVIDENCE_WEIGHTS.passage * passage.scores.fused +
          EVIDENCE_WEIGHTS.wanted * Number(criteria?.type?.isNamed(text) ?? false) +
          EVIDENCE_WEIGHTS.fits * fits;
        const key = `${passage.documentId} ${passage.start + start}`;
        const previousBest = best.get(key);
        if (previousBest === undefined || base > previousBest.base)
          best.set(key, {
            passage,
            quote: text,
            inFull: passage.text.slice(antecedentOf(passage.text, sentences, index)?.start ?? start, end),
            start: passage.start + start,
            end: passage.start + end,
            coverage,
            missingNames: missingNames(fits),
            fits,
            addressed: rules.addressed && addressesReader(text, questionStems, afterQuestion),
            headingLike: rules.headings && !afterQuestion && looksLikeHeading(passage.text, start, end),
            base,
          });
      }
      precedingStems = goesOn ? new Set([...precedingStems, ...stems]) : stems;
    }
  }
  return quotable([...best.values()]).sort((a, b) => behindOthers(a, b) || b.base - a.base);
}

/** What each sentence stands under: the heading nearest to it, and what its paragraph says before it. */
function textsAbove({ text, headings }: Passage, sentences: readonly Sentence[]): string[] {
  let [heading, paragraph] = [headings.at(-1) ?? '', ''];
  return sentences.map((sentence, index) => {
    if (/\n\s*\n/.test(text.slice(sentences[index - 1]?.end ?? 0, sentence.start))) paragraph = '';
    if (opensSection(text, sentence)) heading = sentence.text;
    const context = `${heading}\n${paragraph}`;
    paragraph = `${paragraph} ${sentence.text}`;
    return context;
  });
}

/** Without what looks like a heading, but where nothing else has a word of the question: then it may be a sentence that lacks its full stop. */
function quotable(sentences: readonly ScoredSentence[]): ScoredSentence[] {
  const plain = sentences.filter(({ headingLike }) => !headingLike);
  const fits = plain.some(({ coverage, addressed }) => coverage > 0 && !addressed);
  return fits ? plain : sentences.filter(({ headingLike, coverage }) => !headingLike || coverage > 0);
}

/** The part of the words, weighted by rarity, for which something holds: 0 to 1. */
function shareOf(terms: readonly QuestionTerm[], holds: (term: QuestionTerm) => boolean): number {
  const sum = (subset: readonly QuestionTerm[]): number =>
    subset.reduce((subtotal, { rarity }) => subtotal + rarity, 0);
  const total = sum(terms);
  return total === 0 ? 0 : sum(terms.filter(holds)) / total;
}

type Addressed = Pick<Evidence, 'addressed'>;
const behindOthers = (a: Addressed, b: Addressed): number =>
  Number(a.addressed ?? false) - Number(b.addressed ?? false);

/** The best first; behind all others what speaks of answering. */
export const byScore = (a: Addressed & { score: number }, b: Addressed & { score: number }): number =>
  behindOthers(a, b) || b.score - a.score;

/**
 * The sentences that answer about as well as the best one, best first, as exact quotes.
 * @param similarities cosine of question and sentence, for the first of `sentences`; empty where there are no vectors
 */
export function rankEvidence(sentences: readonly ScoredSentence[], similarities: readonly number[]): Evidence[] {
  const considered = similarities.length === 0 ? sentences : sentences.slice(0, similarities.length);
  const evidence = considered
    .map(({ passage, quote, start, end, coverage, missingNames, fits, addressed, base }, index): Evidence => {
      const similarity = similarities[index] ?? null;
      const { documentId, documentName, chunkId, collectionName, page, headings, scores } = passage;
      return {
        documentId,
        documentName,
        chunkId,
        collectionName,
        quote,
        start,
        end,
        page,
        headings,
        scores,
        coverage: Math.min(1, coverage),
        missingNames,
        ...(fits !== 0 && { fits }),
        ...(addressed && { addressed }),
        similarity,
        score: base + EVIDENCE_WEIGHTS.similarity * (similarity ?? 0),
      };
    })
    .sort(byScore);
  const minimumScore = (evidence[0]?.score ?? 0) * KEPT_SHARE;
  // A line that a document repeats on every page is one piece of evidence.
  const seenKeys = new Set<string>();
  return evidence.filter(({ documentId, quote, score }) => {
    const key = `${documentId} ${quote}`;
    return score >= minimumScore && !seenKeys.has(key) && seenKeys.add(key);
  });
}
