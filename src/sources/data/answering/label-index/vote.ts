/** A labelled row near a text. */
export interface Neighbour {
  /** Place of the row in its dataset version. */
  ordinal: number;
  label: string;
  /** Cosine similarity of the two texts, -1 to 1. */
  similarity: number;
}

/** How neighbours vote. */
interface VoteRule {
  /** A neighbour has exp(similarity / temperature) votes: the smaller, the more the nearest count. */
  temperature: number;
  /** Share of the probability that is spread evenly over all labels, 0 to 1: a label without a neighbour isn't impossible. */
  smoothing: number;
}

/** As many neighbours as vote. */
export const NEIGHBOURS = 20;

/** What is tried; of equals the first. */
const TEMPERATURES = [0.02, 0.03, 0.05, 0.1, 0.2] as const;
const SMOOTHINGS = [0.01, 0.03, 0.1, 0.3] as const;

/**
 * Probabilities of labels by the votes of a text's neighbours (Dudani 1976, distance-weighted k-nearest neighbours).
 * @returns in the order of `labels`, summing to 1
 */
export function vote(neighbours: readonly Neighbour[], labels: readonly string[], rule: VoteRule): number[] {
  const nearest = Math.max(...neighbours.map(({ similarity }) => similarity));
  const votes = new Map<string, number>();
  let total = 0;
  for (const { label, similarity } of neighbours) {
    const weight = Math.exp((similarity - nearest) / rule.temperature);
    votes.set(label, (votes.get(label) ?? 0) + weight);
    total += weight;
  }
  const smoothing = total === 0 ? 1 : rule.smoothing;
  return labels.map(
    (label) => smoothing / labels.length + (total === 0 ? 0 : ((1 - smoothing) * (votes.get(label) ?? 0)) / total),
  );
}

/** A text whose label is known, with neighbours among other texts. */
export interface LabelledNeighbours {
  label: string;
  neighbours: readonly Neighbour[];
}

interface FittedVote {
  rule: VoteRule;
  /** Texts that the rule was chosen on. */
  texts: number;
  /** Share of them whose most probable label is right, 0 to 1. */
  accuracy: number;
}

/** The rule under which the right labels are most probable (highest mean log-likelihood). */
export function fitVote(examples: readonly LabelledNeighbours[], labels: readonly string[]): FittedVote {
  let best: { rule: VoteRule; likelihood: number } | undefined;
  for (const temperature of TEMPERATURES)
    for (const smoothing of SMOOTHINGS) {
      const rule = { temperature, smoothing };
      const likelihood = examples.reduce(
        (sum, { label, neighbours }) => sum + Math.log(vote(neighbours, labels, rule)[labels.indexOf(label)] ?? 1e-9),
        0,
      );
      if (best === undefined || likelihood > best.likelihood) best = { rule, likelihood };
    }
  const { rule } = best!;
  const right = examples.filter(
    ({ label, neighbours }) => labels[mostProbable(vote(neighbours, labels, rule))] === label,
  );
  return { rule, texts: examples.length, accuracy: examples.length === 0 ? 0 : right.length / examples.length };
}

/** Index of the largest; of equals the first. */
export function mostProbable(probabilities: readonly number[]): number {
  let best = 0;
  probabilities.forEach((probability, i) => {
    if (probability > probabilities[best]!) best = i;
  });
  return best;
}
