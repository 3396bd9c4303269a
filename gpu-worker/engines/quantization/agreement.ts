/** How two forms of a model agree about the next token, place by place. */
interface AgreementResult {
  /** Places that were looked at. */
  places: number;
  /** exp of the mean negative log-probability of the text's own tokens, under each. */
  referencePerplexity: number;
  perplexity: number;
  /** Mean KL(reference ‖ model) over the whole vocabulary in nats, and the standard error of that mean. */
  meanKl: number;
  klStandardError: number;
  /** Share of places where both hold the same token for the most probable, 0..1. */
  topAgreement: number;
}

/** Sums up in double precision, so that the order of the places hardly matters. */
export class Agreement {
  private readonly divergences: number[] = [];
  private sameTop = 0;
  private readonly surprise = { reference: 0, model: 0 };

  /**
   * @param reference and @param model logits, [vocabulary]
   * @param next the token that the text has there
   */
  add(reference: Float32Array, model: Float32Array, next: number): void {
    const [first, second] = [normaliserOf(reference), normaliserOf(model)];
    let divergence = 0;
    for (let token = 0; token < reference.length; token += 1) {
      const log = reference[token]! - first.log;
      const probability = Math.exp(log);
      if (probability > 0) divergence += probability * (log - (model[token]! - second.log));
    }
    // Below the rounding of single precision it may come out a little under zero.
    this.divergences.push(Math.max(0, divergence));
    this.sameTop += Number(first.top === second.top);
    this.surprise.reference += first.log - reference[next]!;
    this.surprise.model += second.log - model[next]!;
  }

  result(): AgreementResult {
    const places = this.divergences.length;
    const mean = this.divergences.reduce((sum, divergence) => sum + divergence, 0) / places;
    const variance =
      this.divergences.reduce((sum, divergence) => sum + (divergence - mean) ** 2, 0) / Math.max(1, places - 1);
    return {
      places,
      referencePerplexity: Math.exp(this.surprise.reference / places),
      perplexity: Math.exp(this.surprise.model / places),
      meanKl: mean,
      klStandardError: Math.sqrt(variance / places),
      topAgreement: this.sameTop / places,
    };
  }
}

/** log of the sum of exponentials, and where the largest logit is. */
function normaliserOf(logits: Float32Array): { log: number; top: number } {
  let top = 0;
  for (let token = 1; token < logits.length; token += 1) if (logits[token]! > logits[top]!) top = token;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - logits[top]!);
  return { log: logits[top]! + Math.log(sum), top };
}
