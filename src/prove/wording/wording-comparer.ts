import type { Answer, AskService } from '../../answer/ask/index.js';
import { inputText, outputText, Split, type Data } from '../../sources/data/index.js';
import { badInput, GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Clock } from '../../kernel/clock.js';
import type { Retriever } from '../../sources/knowledge/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { Material, ModelRegistry } from '../../sources/registry/index.js';
import { sampleRows, type AskedRow } from '../evaluations/sample-rows.js';
import { holdsAnswer } from '../metrics/question-answering.js';
import { compareWordings } from './compare-wordings.js';
import { wordingComparison, type WordingAttempt, type WordingContext, type WordingFound } from './wording-run.js';

export interface WordingComparerParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'resolve' | 'setMeasuredWording'>;
  data: Data;
  /** Answers as users are answered, behind them in the queue. */
  asking: Pick<AskService, 'tryOut'>;
  retriever: Pick<Retriever, 'scope'>;
  clock: Clock;
}

interface StartWordingComparison {
  /** `name` or `name@quantization`; null: the default's. */
  model: string | null;
  datasetVersionId: string;
  split: Split;
  rows: number;
  seed: number;
  collections: readonly string[];
  idempotencyKey: string;
}

export const LEAST_WORDED_ROWS = 30;
export const MOST_WORDED_ROWS = 2_000;
/** Rows between two checkpoints. */
const BATCH = 10;

/** Finds out whether a model words answers from documents better than the best sentence says them, and from what it does. */
export class WordingComparer {
  constructor(private readonly parts: WordingComparerParts) {}

  /**
   * @returns the WORDING_COMPARISON run
   * @throws BAD_USER_INPUT for rows for training or another task; NOT_FOUND, DATASET_UNUSABLE, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartWordingComparison): Promise<RunRow> {
    const { data, registry, retriever, runs } = this.parts;
    const { rows, seed, split, datasetVersionId, collections, idempotencyKey } = input;
    if (rows < LEAST_WORDED_ROWS || rows > MOST_WORDED_ROWS)
      throw badInput('input.rows', `rows must be between ${LEAST_WORDED_ROWS} and ${MOST_WORDED_ROWS}, not ${rows}.`);
    if (split === Split.TRAIN)
      throw badInput('input.split', 'Rows that something learned from don’t tell how it answers others.', 'Use TEST.');
    const { dataset, version } = await data.datasets.usableVersion(
      workspaceId,
      datasetVersionId,
      'input.datasetVersion',
    );
    if (dataset.task !== 'QUESTION_ANSWERING')
      throw badInput(
        'input.datasetVersion',
        `Answers from documents are held against rows for QUESTION_ANSWERING, not for ${dataset.task}.`,
      );
    const { modelId, model, quantization } = await registry.resolve(workspaceId, input.model);
    await retriever.scope(workspaceId, collections);
    const runInput = {
      modelId,
      model: `${model}@${quantization}`,
      datasetVersionId: version.id,
      split,
      rows,
      seed,
      collections: [...collections],
    };
    return runs.enqueue(wordingComparison, { workspaceId, input: runInput, idempotencyKey, subjectId: modelId });
  }

  /** The work of a WORDING_COMPARISON run; an interrupted one goes on behind the rows that were answered. */
  async compare(context: WordingContext): Promise<WordingFound> {
    const { run, input, resumed } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { data, registry, clock } = this.parts;
    const { dataset, version, rowGroups } = await data.datasets.usableVersion(
      workspaceId,
      input.datasetVersionId,
      'input.datasetVersion',
    );
    const stream = data.rows.stream(dataset.task, rowGroups, { split: input.split, quarantined: false });
    const rows = await sampleRows(stream, input.rows, input.seed);
    if (rows.length < LEAST_WORDED_ROWS)
      throw new GraftError(
        'DATASET_UNUSABLE',
        `Version ${version.version} has ${rows.length} ${input.split} rows; ${LEAST_WORDED_ROWS} are the least that tell anything.`,
      );
    const attempts: WordingAttempt[] = [...(resumed?.attempts ?? [])];
    while (attempts.length < rows.length) {
      for (const row of rows.slice(attempts.length, attempts.length + BATCH))
        attempts.push(await this.#ask(context, row));
      await context.checkpoint({ attempts });
      await context.progress(
        (0.98 * attempts.length) / rows.length,
        `${attempts.length} of ${rows.length} are answered.`,
      );
      await context.takeTurns();
    }
    const result = compareWordings(attempts);
    const { refused: _refused, summary: _summary, ...figures } = result;
    const [, quantization = ''] = input.model.split('@');
    const measuredAt = clock.now().toISOString();
    await context.fenced((tx) =>
      registry.setMeasuredWording(
        workspaceId,
        input.modelId,
        { ...figures, quantization, runId: run.id, at: measuredAt },
        tx,
      ),
    );
    return result;
  }

  /** The model's words from either material, with the quote that would have stood in their place: all rest on the same sentences. */
  async #ask({ run, input, signal }: WordingContext, { content }: AskedRow): Promise<WordingAttempt> {
    const { model, collections } = input;
    const workspaceId = run.workspaceId as WorkspaceId;
    const request = { question: inputText(content), model, collections, wording: 'MODEL' } as const;
    const gold = [outputText(content)];
    const holds = (answer: string): boolean => holdsAnswer({ gold, answer });
    const ask = (material: Material) => this.parts.asking.tryOut({ workspaceId }, { ...request, material }, signal);
    const says = ({ text, abstention }: Answer): boolean => abstention === null && holds(text);
    const first = await ask('SENTENCE');
    // Whether there is an answer is decided before the model is asked, and once for both.
    if (first.abstention !== null && first.abstention.reason !== 'MODEL_DECLINED')
      return { sentence: false, passages: false, quote: false, refused: true };
    const second = await ask('PASSAGES');
    return {
      sentence: says(first),
      passages: says(second),
      quote: holds(first.evidence[0]?.quote ?? ''),
      refused: false,
    };
  }
}
