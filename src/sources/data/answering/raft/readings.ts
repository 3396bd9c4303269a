/*
 * What an adapter learns from that is to answer from passages: questions on several passages at once, in the form of RAFT (Zhang et al.
 * 2024). Passages are what retrieval finds, so that those without the answer are near it; a share of the questions has its answer in
 * none of them, and is to be refused. Questions on the same passages stand together: the model reads those once for all of them.
 */
import type { NamedChunk } from '../../../knowledge/index.js';
import { groupBy } from '../../../../kernel/group-by.js';
import { shuffled } from '../../../../kernel/random.js';
import { REFUSAL } from '../../../prompting/index.js';
import type { Split } from '../../datasets/importing/splits.js';

/** A question with the passage that answers it. */
export interface PassageQuestion {
  question: string;
  answer: string;
  passage: NamedChunk;
  /** Rows of one split may show each other's questions, to be refused. */
  split: Split;
  /** Whether `split` was given with the question. */
  given: boolean;
  subject: string | null;
}

/** A row of the set, as it is written to its file. */
export interface RaftRow {
  question: string;
  passages: string[];
  answer: string;
  /** The document of the passage that was asked about: what splits never part. */
  document: string;
  split?: Split;
  subject?: string;
}

interface ReadingSettings {
  /** Passages beside the right one. */
  distractors: number;
  /** Share of all rows that is to be refused, 0 to less than 1. */
  refusedShare: number;
}

/** UTF-16 units of all passages of a reading, unless one is longer: some 600 tokens. */
const MOST_CHARACTERS = 2_800;
/** Questions on one reading at most. */
const MOST_QUESTIONS = 16;
/** Of the refused questions, those with most words of the passages; the others are drawn from the same document, else from any. */
const NEAREST_SHARE = 0.5;

/** Questions on the same passage, so many at a time. */
export function lotsOf(questions: readonly PassageQuestion[]): PassageQuestion[][] {
  const byPassage = groupBy(questions, ({ split, passage }) => `${split} ${passage.chunkId}`);
  return [...byPassage.values()].flatMap((group) => {
    const lots = Math.ceil(group.length / MOST_QUESTIONS);
    const size = Math.ceil(group.length / lots);
    return Array.from({ length: lots }, (_, lot) => group.slice(lot * size, (lot + 1) * size));
  });
}

/** Draws the questions that are to be refused, each once before any a second time. */
export class Readings {
  private readonly drawn = new Set<PassageQuestion>();
  /** The pool by question: one that two passages make may have two answers. */
  private readonly byQuestion: ReadonlyMap<string, PassageQuestion[]>;

  constructor(
    private readonly pool: readonly PassageQuestion[],
    private readonly settings: ReadingSettings,
    private readonly random: () => number,
  ) {
    this.byQuestion = groupBy(pool, ({ question }) => question);
  }

  /** @param lot questions on one passage @param nearChunks what retrieval finds for one of them, best first */
  rowsOf(lot: readonly PassageQuestion[], nearChunks: readonly NamedChunk[]): RaftRow[] {
    const { distractors, refusedShare } = this.settings;
    const { passage } = lot[0]!;
    const visibleChunks = [passage];
    for (const chunk of nearChunks) {
      if (visibleChunks.length > distractors) break;
      const characters = [...visibleChunks, chunk].reduce((sum, { text }) => sum + text.length, 0);
      if (chunk.chunkId !== passage.chunkId && characters <= MOST_CHARACTERS) visibleChunks.push(chunk);
    }
    const passages = shuffled(visibleChunks, this.random).map(({ text }) => text);
    const refusalCount = Math.round((lot.length * refusedShare) / (1 - refusedShare) + this.random() - 0.5);
    const refusals = this.refusedOn(lot, visibleChunks, refusalCount).map((entry) => ({ ...entry, answer: REFUSAL }));
    return shuffled([...lot, ...refusals], this.random).map(({ question, answer, split, given, subject }) => ({
      question,
      passages,
      answer,
      document: passage.documentName,
      ...(given && { split }),
      ...(subject !== null && { subject }),
    }));
  }

  private refusedOn(
    lot: readonly PassageQuestion[],
    visibleChunks: readonly NamedChunk[],
    count: number,
  ): PassageQuestion[] {
    const lotQuestions = new Set(lot.map(({ question }) => question));
    const texts = visibleChunks.map(({ text }) => text.toLowerCase());
    const visibleWords = words(texts.join(' '));
    const open = this.pool.filter(
      (candidate) =>
        candidate.split === lot[0]!.split &&
        !lotQuestions.has(candidate.question) &&
        !visibleChunks.some(({ chunkId }) => chunkId === candidate.passage.chunkId) &&
        !this.byQuestion
          .get(candidate.question)!
          .some(({ answer }) => texts.some((text) => text.includes(answer.toLowerCase()))),
    );
    const picks: PassageQuestion[] = [];
    while (picks.length < count && open.length > 0) {
      const fresh = open.filter((candidate) => !this.drawn.has(candidate));
      const candidates = fresh.length > 0 ? fresh : open;
      const sameDocument = candidates.filter(({ passage }) => passage.documentName === lot[0]!.passage.documentName);
      const random = sameDocument.length > 0 ? sameDocument : candidates;
      const overlap = ({ question }: PassageQuestion): number =>
        [...words(question)].filter((word) => visibleWords.has(word)).length;
      const pick =
        this.random() < NEAREST_SHARE
          ? candidates.reduce((a, b) => (overlap(b) > overlap(a) ? b : a))
          : random[Math.floor(this.random() * random.length)]!;
      picks.push(pick);
      this.drawn.add(pick);
      open.splice(open.indexOf(pick), 1);
    }
    return picks;
  }
}

/** Words of four letters or more: shorter ones stand everywhere. */
const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu));
