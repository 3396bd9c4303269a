import type { NamedChunk } from '../../../knowledge/index.js';
import type { TaskRow } from '../../datasets/tasks/index.js';

type QuestionRow = Extract<TaskRow, { task: 'QUESTION_ANSWERING' }>;

/** Characters of the context on either side of the answer that its passage has to share, the surest first. */
const MARGINS = [80, 30] as const;

/** Where passages are looked for. */
interface PassageSources {
  /** Passages that hold a text, white space apart. */
  holding(text: string): Promise<readonly NamedChunk[]>;
  /** Passages for a question, best first. */
  near(question: string): Promise<readonly NamedChunk[]>;
}

/**
 * The passage that answers a labelled question: the one that has the answer amid the same words as the row's context; without a context, or
 * where these aren't in one passage, the best found for the question that has the answer (distant supervision, Mintz et al. 2009).
 * @returns null where there is none
 */
export async function findPassage(row: QuestionRow, { holding, near }: PassageSources): Promise<NamedChunk | null> {
  for (const margin of MARGINS) {
    const text = amid(row, margin);
    if (text === null) break;
    const [chunk] = await holding(text);
    if (chunk) return chunk;
  }
  const answer = plain(row.answer);
  return (await near(row.question)).find(({ text }) => plain(text).includes(answer)) ?? null;
}

/** The answer in its context with so many characters on either side, cut at words. */
function amid({ context, answer, spans }: QuestionRow, margin: number): string | null {
  if (context === undefined) return null;
  const start = spans?.find(({ text }) => text === answer)?.start ?? context.indexOf(answer);
  if (start < 0) return null;
  const end = start + answer.length;
  const prefix = context.slice(Math.max(0, start - margin), start).replace(start > margin ? /^\S*\s/ : /^/, '');
  const suffix = context.slice(end, end + margin).replace(end + margin < context.length ? /\s\S*$/ : /$/, '');
  return prefix + answer + suffix;
}

const plain = (text: string): string => text.toLowerCase().replace(/\s+/gu, ' ').trim();
