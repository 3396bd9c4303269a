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
  return [...byPassage.values()].flatMap((all) => {
    const lots = Math.ceil(all.length / MOST_QUESTIONS);
    const size = Math.ceil(all.length / lots);
    return Array.from({ length: lots }, (_, lot) => all.slice(lot * size, (lot + 1) * size));
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

  /** @param lot questions on one passage @param near what retrieval finds for one of them, best first */
  rowsOf(lot: readonly PassageQuestion[], near: readonly NamedChunk[]): RaftRow[] {
    const { distractors, refusedShare } = this.settings;
    const { passage } = lot[0]!;
    const shown = [passage];
    for (const other of near) {
      if (shown.length > distractors) break;
      const characters = [...shown, other].reduce((sum, { text }) => sum + text.length, 0);
      if (other.chunkId !== passage.chunkId && characters <= MOST_CHARACTERS) shown.push(other);
    }
    const passages = shuffled(shown, this.random).map(({ text }) => text);
    const wanted = Math.round((lot.length * refusedShare) / (1 - refusedShare) + this.random() - 0.5);
    const refused = this.refusedOn(lot, shown, wanted).map((each) => ({ ...each, answer: REFUSAL }));
    return shuffled([...lot, ...refused], this.random).map(({ question, answer, split, given, subject }) => ({
      question,
      passages,
      answer,
      document: passage.documentName,
      ...(given && { split }),
      ...(subject !== null && { subject }),
    }));
  }

  private refusedOn(lot: readonly PassageQuestion[], shown: readonly NamedChunk[], wanted: number): PassageQuestion[] {
    const own = new Set(lot.map(({ question }) => question));
    const texts = shown.map(({ text }) => text.toLowerCase());
    const held = words(texts.join(' '));
    const open = this.pool.filter(
      (each) =>
        each.split === lot[0]!.split &&
        !own.has(each.question) &&
        !shown.some(({ chunkId }) => chunkId === each.passage.chunkId) &&
        !this.byQuestion
          .get(each.question)!
          .some(({ answer }) => texts.some((text) => text.includes(answer.toLowerCase()))),
    );
    const chosen: PassageQuestion[] = [];
    while (chosen.length < wanted && open.length > 0) {
      const fresh = open.filter((each) => !this.drawn.has(each));
      const of = fresh.length > 0 ? fresh : open;
      const sameDocument = of.filter(({ passage }) => passage.documentName === lot[0]!.passage.documentName);
      const random = sameDocument.length > 0 ? sameDocument : of;
      const overlap = ({ question }: PassageQuestion): number =>
        [...words(question)].filter((word) => held.has(word)).length;
      const taken =
        this.random() < NEAREST_SHARE
          ? of.reduce((a, b) => (overlap(b) > overlap(a) ? b : a))
          : random[Math.floor(this.random() * random.length)]!;
      chosen.push(taken);
      this.drawn.add(taken);
      open.splice(open.indexOf(taken), 1);
    }
    return chosen;
  }
}

/** Words of four letters or more: shorter ones stand everywhere. */
const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu));
