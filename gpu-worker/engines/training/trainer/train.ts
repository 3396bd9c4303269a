import { rm } from 'node:fs/promises';
import { seededRandom } from '../../../../src/kernel/random.js';
import { GraftError } from '../../../../src/kernel/errors.js';
import { memoryOfProcess } from '../../../memory.js';
import type { Executor, Program } from '../executors/executor.js';
import { adapterLayout, initialAdapter } from '../model/adapter-layout.js';
import type { DecoderConfig } from '../model/config.js';
import { logitsGraph, lossGraph, teacherGraph, trainingGraph } from '../model/programs.js';
import { averageOf } from './average.js';
import { adamwStep, euclideanNorm, freshMoments } from './adamw.js';
import { plannedBatches, replayIndex } from './batches.js';
import { contractOf, readCheckpoint, writeCheckpoint, type Contract, type RunState } from './checkpoint.js';
import { requireTrainable } from './check-job.js';
import { familiesOf, familySize, partsOf, type Family } from './families.js';
import type { Controls, TrainingJob, TrainingResult } from './job.js';
import { learningRateAt } from './schedule.js';
import { packSequences } from './pack.js';
import { replayPlaces, StepProgram } from './step.js';
import { askTeacher, Validation, type ValidationReport } from './validation.js';

/** Weight of the past in the smoothed loss. */
const SMOOTHING = 0.95;
/** A smoothed loss this far above where it began, after the warm-up, is no noise: the run diverges. In nats. */
const DIVERGED_NATS = 3;

/** Where a run computes: an executor over the model’s weights, and the model’s sizes. */
interface TrainingEngine {
  executor: Executor;
  config: DecoderConfig;
  /** Positions that the rotary tables hold: no sequence may be longer. */
  longest: number;
}

/**
 * Trains one adapter from the first step, or from a checkpoint, to its end. The same job on the same machine ends with the same
 * bits, wherever it was stopped in between.
 * @throws BAD_USER_INPUT for a job that can't be trained, TRAINING_DIVERGED, STORAGE_FAILED, CHECKPOINT_INVALID, CONFLICT, and the
 * signal's reason
 */
export async function train(job: TrainingJob, engine: TrainingEngine, controls: Controls): Promise<TrainingResult> {
  requireTrainable(job, engine.longest);
  return new Run(job, engine, controls, await compile(job, engine)).toTheEnd();
}

interface Programs {
  step: StepProgram;
  teacher: Program;
  validation: Validation;
}

async function compile(job: TrainingJob, { executor, config, longest }: TrainingEngine): Promise<Programs> {
  const { recipe, labelTokens } = job;
  const training = await executor.compile(trainingGraph(config, recipe.lora, longest));
  const teacher = await executor.compile(teacherGraph(config, longest));
  const losses = await executor.compile(lossGraph(config, recipe.lora, longest));
  const logits = labelTokens && (await executor.compile(logitsGraph(config, recipe.lora, longest)));
  return {
    step: new StepProgram(training, config, recipe.lora),
    teacher,
    validation: new Validation(
      partsOf(familiesOf(job.validation, familySize(recipe)), recipe.microBatchTokens),
      config,
      { losses, teacher, logits },
      labelTokens,
    ),
  };
}

/** A step’s batch, and the epoch it belongs to. */
interface Planned {
  epoch: number;
  batch: number[];
}

class Run {
  private readonly families: readonly Family[];
  private readonly plan: readonly Planned[];
  private readonly contract: Contract;
  private readonly gradient: Float32Array;
  private state: RunState;
  private checkpoint: TrainingResult['checkpoint'];
  private previous: TrainingResult['checkpoint'] = null;

  constructor(
    private readonly job: TrainingJob,
    private readonly engine: TrainingEngine,
    private readonly controls: Controls,
    private readonly programs: Programs,
  ) {
    const { recipe, examples } = job;
    this.families = familiesOf(examples, familySize(recipe));
    const size = { examples: recipe.batchExamples, tokens: recipe.batchTokens };
    this.plan = plannedBatches(this.families, size, recipe.seed, recipe.epochs);
    this.contract = contractOf(job, engine.executor.identity);
    this.gradient = new Float32Array(adapterLayout(engine.config, recipe.lora).length);
    this.checkpoint = job.resume;
    this.state = {
      step: 0,
      adapter: job.start?.adapter ?? initialAdapter(engine.config, recipe.lora, seededRandom(recipe.seed)),
      moments: freshMoments(this.gradient.length),
      smoothedLoss: null,
      firstLoss: null,
      best: null,
      looksWithoutImprovement: 0,
      looks: [],
    };
  }

  async toTheEnd(): Promise<TrainingResult> {
    const { job, plan, controls } = this;
    const { recipe } = job;
    if (job.resume !== null) this.state = await readCheckpoint(job.resume, this.contract);
    await controls.onEvent({
      type: 'started',
      step: this.state.step,
      steps: plan.length,
      parameters: this.gradient.length,
      identity: this.engine.executor.identity,
    });
    while (this.state.step < plan.length) {
      const isComplete = await this.step(plan[this.state.step]!);
      if (!isComplete) return this.paused();
      const last = this.state.step === plan.length;
      if (!this.programs.validation.isEmpty && (last || this.state.step % recipe.validateEvery === 0)) {
        await this.validate();
        if (recipe.patience !== null && this.state.looksWithoutImprovement >= recipe.patience)
          return this.ended('stoppedEarly');
      }
      if (!last && this.state.step % recipe.checkpointEvery === 0) await this.save();
    }
    return this.ended('finished');
  }

  /** @returns false when the run is to pause: then nothing of the step has happened */
  private async step({ epoch, batch }: Planned): Promise<boolean> {
    const { job, state, gradient, controls, programs } = this;
    const { recipe } = job;
    const began = performance.now();
    gradient.fill(0);
    const families = batch.map((index) => this.families[index]!);
    const examples = families.flatMap(({ members }) => members);
    const answers = examples.reduce((sum, { ids, answerFrom }) => sum + ids.length - answerFrom, 0);
    let tokens = families.reduce((sum, { length }) => sum + length, 0);
    let loss = 0;
    for (const part of partsOf(families, recipe.microBatchTokens)) {
      if (!(await this.mayGoOn())) return false;
      loss += (await programs.step.learn(part, 1 / answers, state.adapter, gradient)) / answers;
    }
    let replayKl: number | null = null;
    if (recipe.replayWeight > 0) {
      if (!(await this.mayGoOn())) return false;
      const window = job.replay[replayIndex(job.replay.length, recipe.seed, state.step)]!;
      const places = replayPlaces(window);
      const teacher = await askTeacher(programs.teacher, packSequences([window], this.engine.config), places);
      if (!(await this.mayGoOn())) return false;
      const weight = recipe.replayWeight / places.length;
      replayKl = (await programs.step.replay(window, teacher, weight, state.adapter, gradient)) / places.length;
      tokens += window.length;
    }
    const norm = euclideanNorm(gradient);
    this.requireSane(
      loss,
      norm,
      families.flatMap(({ rows }) => rows),
    );
    state.step += 1;
    const learningRate = learningRateAt(state.step, this.plan.length, recipe);
    adamwStep(state.adapter, gradient, state.moments, {
      step: state.step,
      learningRate,
      weightDecay: recipe.weightDecay,
      shrink: norm > recipe.clipNorm ? recipe.clipNorm / norm : 1,
    });
    state.smoothedLoss = state.smoothedLoss === null ? loss : SMOOTHING * state.smoothedLoss + (1 - SMOOTHING) * loss;
    await controls.onEvent({
      type: 'step',
      step: state.step,
      epoch,
      loss,
      smoothedLoss: state.smoothedLoss,
      replayKl,
      learningRate,
      gradientNorm: norm,
      tokens,
      milliseconds: performance.now() - began,
      memoryBytes: memoryOfProcess(),
    });
    return true;
  }

  /** Waits until the next micro-batch may run. @throws the signal's reason */
  private async mayGoOn(): Promise<boolean> {
    await this.controls.turn();
    this.controls.signal.throwIfAborted();
    return !this.controls.pausing.aborted;
  }

  /** @throws TRAINING_DIVERGED naming the step and the rows of its batch */
  private requireSane(loss: number, norm: number, rows: readonly number[]): void {
    const { state } = this;
    const stop = (fault: string): GraftError =>
      new GraftError(
        'TRAINING_DIVERGED',
        `${fault} at step ${state.step + 1}, on the training rows ${rows.slice(0, 20).join(', ')}${rows.length > 20 ? ', …' : ''}.`,
        { hint: 'Try a third of the learning rate; the last checkpoint is kept.' },
      );
    if (!Number.isFinite(loss)) throw stop('The loss is not a number');
    if (!Number.isFinite(norm)) throw stop('The gradient is not a number');
    state.firstLoss ??= loss;
    if (state.step > this.job.recipe.warmupSteps && (state.smoothedLoss ?? 0) > state.firstLoss + DIVERGED_NATS)
      throw stop(`The loss has grown by more than ${DIVERGED_NATS} nats since the start, and the run diverges`);
  }

  /** Looks at the validation examples once more for the average of the last looks, and takes it where it is better than each. */
  private async ended(outcome: 'finished' | 'stoppedEarly'): Promise<TrainingResult> {
    const { looks, step, best } = this.state;
    if (looks.length < 2 || best === null) return this.result(outcome);
    const adapter = averageOf(looks);
    const { loss } = await this.look(adapter);
    if (loss >= best.loss) return this.result(outcome);
    this.state.best = { step, loss, adapter };
    return { ...this.result(outcome), averaged: true };
  }

  private look(adapter: Float32Array): Promise<ValidationReport> {
    const { programs, controls } = this;
    const { step } = this.state;
    return programs.validation.run(programs.step.parameters, adapter, async (finishedExamples, examples) => {
      await controls.turn();
      controls.signal.throwIfAborted();
      await controls.onEvent({ type: 'validating', step, done: finishedExamples, examples });
    });
  }

  private async validate(): Promise<void> {
    const { state, controls } = this;
    const report = await this.look(state.adapter);
    const best = state.best === null || report.loss < state.best.loss;
    if (best) state.best = { step: state.step, loss: report.loss, adapter: state.adapter.slice() };
    const { averageLast } = this.job.recipe;
    if (averageLast !== undefined)
      state.looks = [...state.looks, { loss: report.loss, adapter: state.adapter.slice() }].slice(-averageLast);
    state.looksWithoutImprovement = best ? 0 : state.looksWithoutImprovement + 1;
    await controls.onEvent({ type: 'validation', step: state.step, ...report, best });
  }

  /** Keeps the checkpoint before the last one, too: whoever watches may not have heard of the last one yet. */
  private async save(): Promise<void> {
    const saved = await writeCheckpoint(this.job.folder, this.contract, this.state);
    const outdated = this.previous;
    this.previous = this.checkpoint;
    this.checkpoint = saved;
    await this.controls.onEvent({ type: 'checkpoint', step: this.state.step, ...saved });
    if (outdated !== null && ![this.previous?.path, saved.path].includes(outdated.path))
      await rm(outdated.path, { force: true });
  }

  private async paused(): Promise<TrainingResult> {
    await this.save();
    return this.result('paused');
  }

  private result(outcome: TrainingResult['outcome']): TrainingResult {
    const { step, adapter, best } = this.state;
    return {
      outcome,
      step,
      adapterStep: best?.step ?? step,
      averaged: false,
      adapter: best?.adapter ?? adapter,
      bestValidationLoss: best?.loss ?? null,
      checkpoint: this.checkpoint,
    };
  }
}
