import type { ItemReviewedFragment, SubmitReviewInput } from '../../generated/operations';
import { percent } from '../../parts/format';

/** What can be said of an item with one key, 1 to 9. */
export interface Choice {
  label: string;
  detail?: string;
  said: Pick<SubmitReviewInput, 'score' | 'expectation' | 'preferred' | 'confirmed'>;
}

const MOST = 9;

const RIGHT: Choice = { label: 'Right', said: { score: 1 } };
const WRONG: Choice = { label: 'Wrong', said: { score: -1 } };

/** The labels that were thought of, the answer’s own first; a text or entities are right or wrong; of a pair one is better; labels have moved or not. */
export function choicesOf({ answer, moves }: ItemReviewedFragment): Choice[] {
  if (moves.length > 0)
    return [
      { label: 'Yes, their rows go along', said: { confirmed: true } },
      { label: 'No, they mean what they did', said: { confirmed: false } },
    ];
  if (!answer)
    return [
      { label: 'The first is better', said: { preferred: 'FIRST' } },
      { label: 'The second is better', said: { preferred: 'SECOND' } },
      { label: 'Neither is better', said: { preferred: 'TIE' } },
    ];
  const { output } = answer;
  if (output.__typename !== 'LabelOutput') return [RIGHT, WRONG];
  const labels = [{ label: output.label, probability: output.probability }, ...output.alternatives];
  return [
    ...labels.slice(0, MOST - 1).map(({ label, probability }): Choice => ({
      label,
      detail: probability === null ? '' : percent(probability),
      said: { expectation: { label, newLabel: false } },
    })),
    { label: 'None of these', said: { score: -1 } },
  ];
}
