import type { Transaction } from '../../../platform/database/index.js';
import type { DocumentJob, DocumentReport, IngestionContext } from './ingestion-run.js';

/** The progress of an ingestion run: each document counts by its bytes. Documents of a group overtake each other, the run never goes back. */
export class IngestionProgress {
  private doneBytes = 0;
  private highest = 0;
  private readonly totalBytes: number;

  constructor(
    private readonly context: IngestionContext,
    private readonly jobs: readonly DocumentJob[],
  ) {
    this.totalBytes = jobs.reduce((sum, job) => sum + weight(job), 0);
  }

  documentDone(job: DocumentJob): void {
    this.doneBytes += weight(job);
  }

  /**
   * @param share of this document, 0..1
   * @param entry its report, with which it is done
   * @param tx of `fenced`, for what is told if and only if the rest of that transaction holds
   */
  async tell(job: DocumentJob, share: number, step: string, entry?: DocumentReport, tx?: Transaction): Promise<void> {
    const fraction = Math.min(1, (this.doneBytes + share * weight(job)) / this.totalBytes);
    this.highest = Math.max(this.highest, fraction);
    const detail = {
      collectionId: this.context.input.collectionId,
      document: job.name,
      share,
      ...(entry === undefined ? {} : { report: entry }),
    };
    // A run is seen by everybody in its workspace, and a document's name by those of its groups alone.
    const place = `Document ${this.jobs.indexOf(job) + 1} of ${this.jobs.length}`;
    await this.context.progress(this.highest, `${place}: ${step}`, detail, tx);
  }
}

const weight = (job: DocumentJob): number => Math.max(1_000, job.bytes);
