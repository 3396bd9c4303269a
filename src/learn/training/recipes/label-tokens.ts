import { GraftError } from '../../../kernel/errors.js';
import type { LabelToken } from '../../../sources/registry/index.js';

/** A label and the tokens that may stand for it, the most telling first: those of its own words. */
interface LabelCandidates {
  label: string;
  tokens: readonly number[];
}

/**
 * Gives each label a token of its own, from its own words where they allow it: then a classification is one prefill and an argmax
 * over the set, with probabilities that add up. Labels that share their first word take a later one. It is a maximum matching of
 * labels and tokens by augmenting paths (Kuhn 1955), so that no label goes without a token that another could have spared.
 * @throws DATASET_UNUSABLE when there is one label alone, or the labels have too few tokens of their own; learn them as text then
 */
export function chooseLabelTokens(labels: readonly LabelCandidates[]): LabelToken[] {
  if (labels.length < 2)
    throw new GraftError(
      'DATASET_UNUSABLE',
      `The usable rows have ${labels.length === 0 ? 'no label' : `the label ${JSON.stringify(labels[0]!.label.slice(0, 80))} alone`}: there is nothing to tell apart.`,
      { field: 'input.datasetVersion', hint: 'Its report says which rows were taken out; add rows of another label.' },
    );
  const takenBy = new Map<number, number>();
  const place = (label: number, triedTokens: Set<number>): boolean => {
    for (const token of labels[label]!.tokens) {
      if (triedTokens.has(token)) continue;
      triedTokens.add(token);
      const holder = takenBy.get(token);
      if (holder !== undefined && !place(holder, triedTokens)) continue;
      takenBy.set(token, label);
      return true;
    }
    return false;
  };
  const unplacedLabels = labels.flatMap(({ label }, index) => (place(index, new Set()) ? [] : [label]));
  if (unplacedLabels.length > 0)
    throw new GraftError(
      'DATASET_UNUSABLE',
      `${unplacedLabels.length} of ${labels.length} labels have no token of their own, e.g. ${JSON.stringify(unplacedLabels[0]!.slice(0, 80))}.`,
      { field: 'input.recipe.answer', hint: 'Learn the labels as TEXT.' },
    );
  const tokenOf = new Map([...takenBy].map(([token, label]) => [label, token]));
  return labels.map(({ label }, index) => ({ label, token: tokenOf.get(index)! }));
}
