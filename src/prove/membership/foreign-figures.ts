import type { z } from 'zod';
import { interval } from '../../kernel/interval.js';
import { record, string, int, float, list } from '../../kernel/record.js';
import { binomialInterval } from '../../kernel/statistics/binomial.js';
import { GENERAL_SET } from './general-texts.js';

const foreignSet = record(
  'ForeignSet',
  'Texts that are none of an adapter’s messages, and how many of them it takes for its own.',
  {
    name: string('`small talk and general questions`, `questions of documents`, or `rows of NAME`, another adapter’s.'),
    texts: int('Texts that nothing was fitted on.'),
    accepted: int('How many of them are answered.'),
  },
);

export const foreignFigures = record(
  'ForeignFigures',
  'Whether an adapter knows messages that are not its own, where it refuses at most the given share of its own.',
  {
    level: float('Share of its own messages that may be refused, 0 to 1.'),
    foreignAccepted: interval.describe(
      'Share of the small talk and general questions that are answered all the same, 0 to 1 (exact interval). Other sets may be about the same subjects: who answers those, the router decides.',
    ),
    ownRefused: interval.describe('Share of the evaluated rows that are refused, 0 to 1 (exact interval).'),
    texts: int('Foreign texts of all sets.'),
    sets: list(foreignSet, 'Where they are from.'),
  },
);
export type ForeignFigures = z.infer<typeof foreignFigures>;

/** P-values of texts, by the set that they are from. */
interface ForeignPValues {
  name: string;
  pValues: readonly number[];
}

/** @param ownPValues p-values of own messages that nothing was fitted on; null where there are no general texts or no own ones */
export function foreignFiguresOf(
  ownPValues: readonly number[],
  foreign: readonly ForeignPValues[],
  level: number,
): ForeignFigures | null {
  const sets = foreign
    .map(({ name, pValues }) => ({ name, texts: pValues.length, accepted: pValues.filter((p) => p >= level).length }))
    .filter(({ texts }) => texts > 0);
  const general = sets.find(({ name }) => name === GENERAL_SET);
  if (!general || ownPValues.length === 0) return null;
  return {
    level,
    foreignAccepted: binomialInterval(general.accepted, general.texts),
    ownRefused: binomialInterval(ownPValues.filter((p) => p < level).length, ownPValues.length),
    texts: sets.reduce((sum, { texts }) => sum + texts, 0),
    sets,
  };
}
