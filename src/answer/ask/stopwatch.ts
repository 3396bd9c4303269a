import type { Clock } from '../../kernel/clock.js';
import { durations } from '../../platform/telemetry/index.js';
import { isTracing, traced, tracedStream } from '../../platform/tracing/index.js';
import type { StageTiming } from './answer.js';
import type { AnswerStage } from './stages.js';

const stageEnded = durations('graft_answer_stage_seconds', 'How long stages of answers took, by stage.', ['stage']);

/** Times the stages of one answer, each of which is a span. */
export class Stopwatch {
  readonly stages: StageTiming[] = [];

  constructor(private readonly clock: Clock) {}

  async time<T>(name: AnswerStage, work: () => T | Promise<T>): Promise<T> {
    const started = this.clock.monotonic();
    try {
      return await (isTracing() ? traced(spanOf(name), {}, work) : work());
    } finally {
      this.#ended(name, this.clock.monotonic() - started);
    }
  }

  /** Times a stage that tells what happens meanwhile; the time that its reader takes is part of it. */
  async *follow<T, R>(name: AnswerStage, stage: Generator<T, R> | AsyncGenerator<T, R>): AsyncGenerator<T, R> {
    const started = this.clock.monotonic();
    try {
      return yield* isTracing() ? tracedStream(spanOf(name), {}, () => stage) : stage;
    } finally {
      this.#ended(name, this.clock.monotonic() - started);
    }
  }

  #ended(name: AnswerStage, ms: number): void {
    this.stages.push({ name, ms });
    stageEnded({ stage: name }, ms);
  }

  get totalMs(): number {
    return this.stages.reduce((sum, { ms }) => sum + ms, 0);
  }
}

const spanOf = (stage: AnswerStage): string => `ask.${stage}`;
