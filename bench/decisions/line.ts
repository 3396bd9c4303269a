import type { Traffic } from './traffic.js';

/** A promise beside what was measured of it. */
export interface Line {
  /** What is promised, in words. */
  promise: string;
  /** The share of streams that is promised: at most, or at least. */
  promised: { atMost: number } | { atLeast: number };
  /** The share of streams. */
  measured: number;
  streams: number;
  traffic: Traffic;
  /** Share of the answers that are judged; null where no judgement is looked at. */
  judged: number | null;
}

/** What is measured of one subject: each line takes so many streams, with seeds of its own. */
export interface Topic {
  name: string;
  lines(streams: number): Iterable<Line> | AsyncIterable<Line>;
}

/** The share of streams of which something holds. @param from of the seeds: lines that are compared take the same */
export function shareOf(streams: number, from: number, holds: (seed: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < streams; i++) count += Number(holds(from + i * 7_919));
  return count / streams;
}

/** How many streams a promise of nine in ten takes, where one of 5 or 1 % takes all: its error is then as small beside it. */
export const fewer = (streams: number): number => Math.ceil(streams / 5);

/** Two standard errors of a share that is as promised: what chance alone gives so many streams. */
export function simulationError({ promised, streams }: Pick<Line, 'promised' | 'streams'>): number {
  const share = boundOf(promised);
  return 2 * Math.sqrt((share * (1 - share)) / streams);
}

/** Whether no more is missing than the simulation's error. */
export function isKept(line: Line): boolean {
  const error = simulationError(line);
  return 'atMost' in line.promised
    ? line.measured <= line.promised.atMost + error
    : line.measured >= line.promised.atLeast - error;
}

export const boundOf = (promised: Line['promised']): number =>
  'atMost' in promised ? promised.atMost : promised.atLeast;
