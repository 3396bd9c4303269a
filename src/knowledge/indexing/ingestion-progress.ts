import type { DocumentJob, DocumentReport, IngestionContext } from './ingestion-run.js';

/** The progress of an ingestion run: each document counts by its bytes. Documents of a group overtake each other, the run never goes back. */
export class IngestionProgress {
  private doneBytes = 0;
  private highest = 0;
  private readonly totalBytes: number;

  constructor(
    private readonly context: IngestionContext,
    jobs: readonly DocumentJob[],
  ) {
    this.totalBytes = jobs.reduce((sum, job) => sum + weight(job), 0);
  }

  documentDone(job: DocumentJob): void {
    this.doneBytes += weight(job);
  }

  /**
   * @param share of this document, 0..1
   * @param entry its report, with which it is done
   */
  async tell(job: DocumentJob, share: number, what: string, entry?: DocumentReport): Promise<void> {
    const fraction = Math.min(1, (this.doneBytes + share * weight(job)) / this.totalBytes);
    this.highest = Math.max(this.highest, fraction);
    await this.context.progress(this.highest, `${job.name}: ${what}`, {
      document: job.name,
      share,
      ...(entry === undefined ? {} : { report: entry }),
    });
  }
}

const weight = (job: DocumentJob): number => Math.max(1_000, job.bytes);
