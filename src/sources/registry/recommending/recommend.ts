import { choice } from '../../../kernel/record.js';
import type { GeneratorEntry } from '../../../platform/models-on-disk/index.js';
import type { Speed } from './speed.js';

/** What is said of a model of the catalogue. */
export const Fit = choice('ModelFit', 'What a model of the catalogue is for this machine.', {
  RECOMMENDED:
    'Of the models that take at most half of the memory and have a reader or at least a billion weights, the largest that answers in time; where none of these does, the fastest of them. Others only where there are none of these. GRAFT_MODEL=auto takes it at first start.',
  FAST_ENOUGH: 'It answers in time, too.',
  QUOTES_ONLY:
    'It answers in time, but models below a billion weights answer with quotes, which the default model’s reader chooses better.',
  TOO_SLOW: 'A typical answer takes longer than `answerSeconds`.',
  TOO_LARGE: 'It takes more than half of the memory.',
});
export type Fit = keyof typeof Fit;

/** A model of the catalogue on this machine. */
export interface CandidateModel {
  entry: GeneratorEntry;
  /** Whether its file is here. */
  here: boolean;
  /** What it takes to answer, in bytes. */
  memoryBytes: number;
  speed: Speed;
  /** The model whose measured speed this follows from; its own name where it was measured itself. */
  measuredOn: string;
  /** Of a typical answer. */
  seconds: number;
}

export interface Bounds {
  /** Most seconds that a typical answer may take (GRAFT_ANSWER_SECONDS). */
  seconds: number;
  /** Of the machine, or of what this process may have of it, in bytes. */
  memoryBytes: number;
}

/** Of the machine's memory a model may take this share: servers, training and other programs have the rest. */
const MEMORY_SHARE = 0.5;

/**
 * Models below this many weights word answers worse than documents do, so theirs are quotes (`compareWordings` measures it); which sentence
 * to quote the reader finds best, where one comes with the model.
 */
const WORDS_FROM = 1_000_000_000;

const gainsOverQuotes = ({ entry }: CandidateModel): boolean => entry.reader || entry.parameters >= WORDS_FROM;
export const fits = ({ memoryBytes }: Pick<CandidateModel, 'memoryBytes'>, bounds: Bounds): boolean =>
  memoryBytes <= MEMORY_SHARE * bounds.memoryBytes;

/**
 * In the order in which they are to be taken: the largest that answers in time first (of equals one that is here), then what is slower than wanted,
 * the fastest first. Models that only quote, and have no reader for it, come behind both; those that memory can't hold not at all.
 */
export function preferred<T extends CandidateModel>(candidates: readonly T[], bounds: Bounds): T[] {
  const place = (candidate: T): number =>
    2 * Number(!gainsOverQuotes(candidate)) + Number(candidate.seconds > bounds.seconds);
  return candidates
    .filter((candidate) => fits(candidate, bounds))
    .sort(
      (a, b) =>
        place(a) - place(b) ||
        (a.seconds > bounds.seconds ? a.seconds - b.seconds : b.entry.parameters - a.entry.parameters) ||
        Number(b.here) - Number(a.here),
    );
}

/** What each is for this machine, in the given order. */
export function judged<T extends CandidateModel>(candidates: readonly T[], bounds: Bounds): (T & { fit: Fit })[] {
  const [recommended] = preferred(candidates, bounds);
  const fitOf = (candidate: T): Fit => {
    if (candidate === recommended) return 'RECOMMENDED';
    if (!fits(candidate, bounds)) return 'TOO_LARGE';
    if (candidate.seconds > bounds.seconds) return 'TOO_SLOW';
    return gainsOverQuotes(candidate) ? 'FAST_ENOUGH' : 'QUOTES_ONLY';
  };
  return candidates.map((candidate) => ({ ...candidate, fit: fitOf(candidate) }));
}
