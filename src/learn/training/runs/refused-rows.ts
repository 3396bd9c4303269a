import type { StoredRow, SupervisionAudit } from '../../../sources/data/index.js';

/** What the audit of supervision found, and the rows that the model's template refuses. */
export interface TrainingAudit extends Pick<SupervisionAudit, 'examples'> {
  /** Rows with each fault. */
  counts: Readonly<Record<string, number>>;
  /** By row; at most a hundred of each fault. */
  findings: { ordinal: number; split: string; fault: string; note: string }[];
}

const LISTED = 100;

/**
 * Rows whose conversation the model's template refuses, e.g. because user and assistant don't take turns in it, or only the assistant
 * speaks. They say nothing against the others: each is left out, and told.
 */
export class RefusedRows {
  #count = 0;
  readonly #findings: TrainingAudit['findings'] = [];

  /** @param refusal what there is to say of a row with content that is refused; null for any other */
  constructor(private readonly refusal: (row: StoredRow) => string | null) {}

  /** The rows that are not refused. */
  async *keptOut(batches: AsyncIterable<readonly StoredRow[]>): AsyncGenerator<readonly StoredRow[]> {
    for await (const batch of batches) yield batch.filter((row) => !this.#isRefused(row));
  }

  #isRefused(row: StoredRow): boolean {
    const note = row.content === null ? null : this.refusal(row);
    if (note === null) return false;
    const { ordinal, split } = row;
    this.#count += 1;
    if (this.#findings.length < LISTED) this.#findings.push({ ordinal, split, fault: 'NO_CHAT_FORM', note });
    return true;
  }

  /** The audit of the others with these. */
  addedTo({ examples, counts, findings }: SupervisionAudit): TrainingAudit {
    return {
      examples: examples + this.#count,
      counts: { ...counts, NO_CHAT_FORM: this.#count },
      findings: [...findings, ...this.#findings],
    };
  }
}
