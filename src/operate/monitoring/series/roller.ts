import type { Clock } from '../../../kernel/clock.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import { additionsOf, additionsOfFeedback, type AnswerFacts, type FeedbackFacts } from './facts.js';
import { inParts } from './in-parts.js';
import { takeAnswers, takeFeedback, tryLock } from './outbox-store.js';
import { rollUp } from './roll.js';
import type { SeriesStore } from './series-store.js';

interface RollerParts {
  database: Database;
  store: SeriesStore;
  clock: Clock;
  log: Logger;
}

/** Something that looks at answers as they are rolled up, in the transaction that counts them: each answer once, in order. */
type Watcher = (tx: Transaction, answers: readonly AnswerFacts[]) => Promise<void>;

/** The same for what is said of answers. */
type Listener = (tx: Transaction, feedback: readonly FeedbackFacts[]) => Promise<void>;

/** Answers, and pieces of feedback, of one transaction. */
const BATCH = 500;

/**
 * Counts answers in the buckets of all resolutions. Taking a line of the outbox and counting its answer are one transaction, so an
 * answer counts once whatever is killed in between, and one roller works at a time, whichever gateway it belongs to. A line that can't be
 * counted is left out with a warning: it would come first again the next time, and no workspace would be counted any more.
 */
export class Roller {
  private readonly watchers: Watcher[] = [];
  private readonly listeners: Listener[] = [];

  constructor(private readonly parts: RollerParts) {}

  watch(watcher: Watcher): void {
    this.watchers.push(watcher);
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** @returns how many lines it took: 0 where there is none, or another roller works */
  async roll(): Promise<number> {
    return this.parts.database.prisma.$transaction(async (tx) => {
      if (!(await tryLock(tx))) return 0;
      const answers = await takeAnswers(tx, BATCH);
      const feedback = await takeFeedback(tx, BATCH);
      const refusals = [
        ...(await inParts(tx, answers, (part) => this.#countAnswers(tx, part))),
        ...(await inParts(tx, feedback, (part) => this.#countFeedback(tx, part))),
      ];
      for (const { line, error } of refusals)
        this.parts.log.warn(
          { err: error, workspaceId: line.workspaceId },
          'an answer that can’t be counted is left out',
        );
      return Math.max(answers.length, feedback.length);
    });
  }

  async #countAnswers(tx: Transaction, answers: readonly AnswerFacts[]): Promise<void> {
    const happened = answers.map((facts) => ({ ...facts, additions: additionsOf(facts) }));
    await this.parts.store.add(tx, rollUp(happened, this.parts.clock.now()));
    for (const watcher of this.watchers) await watcher(tx, answers);
  }

  async #countFeedback(tx: Transaction, feedback: readonly FeedbackFacts[]): Promise<void> {
    const happened = feedback.map((facts) => ({ ...facts, additions: additionsOfFeedback(facts) }));
    await this.parts.store.add(tx, rollUp(happened, this.parts.clock.now()));
    for (const listener of this.listeners) await listener(tx, feedback);
  }

  /** Rolls until nothing is left. @returns how many answers it took, or pieces of feedback where there were more of them */
  async rollAll(signal?: AbortSignal): Promise<number> {
    let total = 0;
    while (!signal?.aborted) {
      const count = await this.roll();
      total += count;
      if (count < BATCH) break;
    }
    return total;
  }
}
