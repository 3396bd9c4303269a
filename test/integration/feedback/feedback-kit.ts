import { answerHolder, AnswerStore, AskService } from '../../../src/answer/ask/index.js';
import {
  feedbackDomain,
  openFeedback,
  type FeedbackInput,
  type OpenFeedback,
} from '../../../src/learn/feedback/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { CollectionStore, DocumentStore, LabelStore } from '../../../src/sources/knowledge/index.js';
import { Erasure } from '../../../src/platform/erasure/index.js';
import type { Platform } from '../../../src/platform/platform.js';
import { RunQueue } from '../../../src/platform/runs/index.js';
import { AdapterStore } from '../../../src/sources/registry/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { DataKit, ws } from '../data/data-kit.js';
import { recordAnswers, type WishedAnswer } from '../../support/recorded-answers.js';

export const ANNA = { kind: 'HUMAN', name: 'anna' } as const;
export const BEN = { kind: 'HUMAN', name: 'ben' } as const;
export const JUDGE = { kind: 'MODEL', name: 'judge' } as const;
export const TICKETS = { kind: 'CODE', name: 'ticketing' } as const;
export const caller = { workspaceId: ws, key: null };

/** The feedback domain over the data domain, on a real database, with answers that no model has to give. */
export class FeedbackKit {
  private constructor(
    readonly kit: DataKit,
    readonly runs: RunQueue,
    readonly answers: AnswerStore,
    readonly asking: AskService,
    readonly erasure: Erasure,
    readonly opened: OpenFeedback,
  ) {}

  static async start(): Promise<FeedbackKit> {
    const kit = await DataKit.start();
    const { database, events, files, data } = kit;
    const runs = new RunQueue({
      database,
      events,
      clock: systemClock,
      log: silentLogger(),
      owner: newId(),
      pollMs: 200,
      leaseMs: 3_000,
      kinds: feedbackDomain.runs,
    });
    const answers = new AnswerStore(database);
    const asking = new AskService({ answers } as never);
    const erasure = new Erasure(files);
    erasure.addHolder(answerHolder(database, answers));
    const registry = { adapters: { store: new AdapterStore(database) } };
    const knowledge = {
      collections: new CollectionStore(database),
      documents: new DocumentStore(database),
      labels: new LabelStore(database),
    };
    const platform = { database, runs, files, erasure, log: silentLogger(), clock: systemClock } as Partial<Platform>;
    const opened = openFeedback(
      platform as Platform,
      { registry, knowledge, data: { data }, ask: { answers, asking } } as never,
    );
    opened.offer.handleRuns();
    runs.start();
    return new FeedbackKit(kit, runs, answers, asking, erasure, opened);
  }

  async stop(): Promise<void> {
    await this.runs.stop();
    await this.kit.dispose();
  }

  record(...wished: WishedAnswer[]): Promise<string[]> {
    return recordAnswers(this.kit.database, ws, wished);
  }

  async submit(...inputs: FeedbackInput[]): Promise<string[]> {
    return (await this.opened.feedback.submit(caller, inputs)).feedback.map(({ id }) => id);
  }
}

export const judged = (answerId: string, score: number, source: FeedbackInput['source'] = ANNA): FeedbackInput => ({
  answerId,
  kind: 'FEEDBACK',
  source,
  score,
});

export const expected = (
  answerId: string,
  expectation: FeedbackInput['expectation'],
  source: FeedbackInput['source'] = ANNA,
): FeedbackInput => ({ answerId, kind: 'EXPECTATION', source, expectation });
