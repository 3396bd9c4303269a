/** What a comparison of two answerers on the same rows can tell, before it is made. */
import { powerOf, samplePlan } from './sample-size.js';

/** A gain that is worth finding, as a share of the rows, and how surely. */
export const WORTH_FINDING = { gain: 0.03, power: 0.8 } as const;
/** Shares of the rows on which two versions of an adapter differ in being right, few and many, before anything is known of these two. */
const DIFFERING = [0.05, 0.08] as const;
/** As the intervals that decide. */
const ALPHA = 0.05;

interface PairedPower {
  rows: number;
  gain: number;
  /** Probability with which the gain is found, 0 to 1: where the two differ on many rows, and on few. */
  least: number;
  most: number;
  /** Rows that find it with a power of 0.8, likewise. */
  mostRows: number;
  leastRows: number;
}

/** @param differing share of the rows on which one alone is right; null: not known, then some 5 to 8 % */
export function pairedPower(
  rows: number,
  gain: number = WORTH_FINDING.gain,
  differing: number | null = null,
): PairedPower {
  const [few, many] = (differing === null ? DIFFERING : [differing, differing]).map((share) => {
    // A gain needs at least as many rows that differ.
    const design = { variance: Math.max(share, gain) - gain ** 2, armVariance: 0, alpha: ALPHA };
    return { power: powerOf(design, gain, rows), rows: samplePlan(design, gain, WORTH_FINDING.power, 0).control };
  }) as [Outlook, Outlook];
  return { rows, gain, least: many.power, most: few.power, mostRows: many.rows, leastRows: few.rows };
}

interface Outlook {
  power: number;
  rows: number;
}

/** In a sentence, with the rows that it asks for where they are too few. */
export function powerSentence({ rows, gain, least, most, mostRows, leastRows }: PairedPower): string {
  const points = `${Number((100 * gain).toFixed(1))} points`;
  const finding = `${rows} rows find a gain of ${points} with ${range(percent(least), percent(most))} %`;
  if (least >= WORTH_FINDING.power) return `${finding}.`;
  return `${finding}; ${100 * WORTH_FINDING.power} % takes ${range(tens(leastRows), tens(mostRows))} rows.`;
}

const percent = (share: number): string => (100 * share).toFixed(0);
const tens = (rows: number): string => `${Math.ceil(rows / 10) * 10}`;
const range = (from: string, to: string): string => (from === to ? from : `${from} to ${to}`);
