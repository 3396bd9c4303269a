import { z } from 'zod';
import type { PaidCall } from '../../operate/access/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { StoredEvent } from '../../platform/events/index.js';
import { fineTuning, stateOf, worthFigures, type TuningService } from '../../ship/tuning/index.js';
import { presetOf, training, type RecipeOverrides } from '../../learn/training/index.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { TaskKind } from '../../sources/data/index.js';
import { notFound } from '../../kernel/errors.js';
import type { Caller } from '../../kernel/caller.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { encodeCursor } from '../../kernel/pagination.js';
import { toGlobalId } from '../../kit/graphql/index.js';
import { RefusedField } from './errors.js';
import { filledText, nameFrom, note, notesOf, objectOf, only } from './fields.js';
import { fileRowId, requireFileFor, type FileParts } from './files.js';
import { secondsOf } from './http.js';
import { listOf, rowIdOf, type ListRequest } from './lists.js';
import { standIn, tunedName, type ModelTable } from './model-names.js';

export interface FineTuningParts extends FileParts {
  tuning: TuningService;
  runs: RunQueue;
  adapters: Pick<AdapterRegistry, 'store'>;
  paying: { paid<T>(call: PaidCall, begin: () => Promise<T>): Promise<T> };
  /** Models that stand for OpenAI's names. */
  table: ModelTable;
}

const PREFIX = 'ftjob-';
/** Events of one job that are looked through: it reports a few hundred. */
const MOST_EVENTS = 10_000;
/** As many as a name has. */
const LONGEST_SUFFIX = 63;

const AUTO = 'must be a number or "auto".';
const numberOrAuto = z.union([z.literal('auto'), z.number()], AUTO).optional();
const hyperparameters = objectOf({
  n_epochs: numberOrAuto,
  batch_size: numberOrAuto,
  learning_rate_multiplier: numberOrAuto,
});

/** A body of `POST /v1/fine_tuning/jobs`. Hyperparameters are those of the method, or of the older field beside it. */
export const jobBody = objectOf({
  model: filledText,
  training_file: filledText,
  validation_file: z.string().optional(),
  hyperparameters: hyperparameters.optional(),
  method: objectOf({
    type: z.literal('supervised', 'Only the method "supervised" is trained here.').default('supervised'),
    supervised: objectOf({ hyperparameters: hyperparameters.optional() }).optional(),
  }).optional(),
  suffix: z.string().max(LONGEST_SUFFIX).optional(),
  seed: z.number().optional(),
  metadata: notesOf(note).optional(),
  integrations: only([[]]),
}).transform(({ method, ...fields }): JobRequest => ({
  model: fields.model,
  training_file: fields.training_file,
  validation_file: fields.validation_file ?? null,
  hyperparameters: method?.supervised?.hyperparameters ?? fields.hyperparameters ?? {},
  suffix: fields.suffix ?? null,
  seed: fields.seed ?? null,
  metadata: fields.metadata ?? null,
}));

/** A request as it is shown again. */
const jobRequest = z.object({
  model: z.string(),
  training_file: z.string(),
  validation_file: z.string().nullable(),
  hyperparameters,
  suffix: z.string().nullable(),
  seed: z.number().nullable(),
  metadata: z.record(z.string(), z.string()).nullable(),
});
type JobRequest = z.infer<typeof jobRequest>;

/** What Graft's recipe makes of them; what is "auto" stays as the preset has it. */
function recipeOf({ hyperparameters: given, seed }: JobRequest): RecipeOverrides {
  const { n_epochs: epochs, batch_size: batchExamples, learning_rate_multiplier: multiplier } = given;
  return {
    ...(typeof epochs === 'number' && { epochs }),
    ...(typeof batchExamples === 'number' && { batchExamples }),
    ...(typeof multiplier === 'number' && { learningRate: presetOf(TaskKind.INSTRUCTION).learningRate * multiplier }),
    ...(seed !== null && { seed }),
  };
}

/**
 * Begins a job: an import, a training, attestation and evaluation, as one run.
 * @throws what `TuningService.start` throws, OVERLOADED, BUDGET_EXCEEDED
 */
export async function createJob(parts: FineTuningParts, caller: Caller, request: JobRequest, key: string | null) {
  const { workspaceId } = caller;
  for (const field of ['training_file', 'validation_file'] as const) {
    const id = request[field];
    if (id !== null) await requireFileFor('rows', { files: parts, caller, id, field });
  }
  const idempotencyKey = key ?? newId();
  const name = nameFrom(request.suffix ?? `tuned-${idempotencyKey.slice(-12)}`) || 'tuned';
  const input = {
    name,
    files: [fileRowId(request.training_file, 'training_file')],
    validationFiles: request.validation_file === null ? [] : [fileRowId(request.validation_file, 'validation_file')],
    task: TaskKind.INSTRUCTION,
    model: standIn(parts.table, request.model),
    recipe: recipeOf(request),
    request,
    idempotencyKey,
  };
  const begin = () => parts.tuning.start(workspaceId, input);
  return jobOf(parts, await parts.paying.paid({ caller, spends: 'TRAINING', request: input }, begin));
}

const rowIdOfJob = (id: string): string => rowIdOf(PREFIX, id, 'The job', 'fine_tuning_job_id');

/** @throws NOT_FOUND */
async function requireRun({ runs }: FineTuningParts, workspaceId: WorkspaceId, id: string): Promise<RunRow> {
  const row = await runs.get(workspaceId, rowIdOfJob(id));
  if (row?.kind !== fineTuning.kind) throw notFound('The job', id, 'fine_tuning_job_id');
  return row;
}

/** @throws NOT_FOUND */
export const jobById = async (parts: FineTuningParts, workspaceId: WorkspaceId, id: string) =>
  jobOf(parts, await requireRun(parts, workspaceId, id));

/** @throws NOT_FOUND, CONFLICT for a job that has ended */
export async function changeJob(
  parts: FineTuningParts,
  workspaceId: WorkspaceId,
  id: string,
  change: 'cancel' | 'pause' | 'resume',
) {
  const { id: runId } = await requireRun(parts, workspaceId, id);
  return jobOf(parts, await parts.runs[change](workspaceId, runId));
}

/** Newest first. */
export async function jobsOf(parts: FineTuningParts, workspaceId: WorkspaceId, { limit, after }: ListRequest) {
  const cursor = after === undefined ? null : encodeCursor([rowIdOfJob(after)]);
  const page = await parts.runs.list(workspaceId, { kind: fineTuning.kind }, { first: limit, after: cursor });
  return listOf(await Promise.all(page.items.map((row) => jobOf(parts, row))), page.hasNextPage);
}

const STATUS: Readonly<Record<string, string>> = {
  QUEUED: 'queued',
  RUNNING: 'running',
  PAUSED: 'paused',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
};

/** What the job was asked for; of one that began elsewhere, as far as `/v1` has words for it. */
function requestOf(row: RunRow): JobRequest {
  const { model, request } = fineTuning.inputOf(row);
  const { data } = jobRequest.safeParse(request);
  if (data) return data;
  const [training_file, validation_file, suffix, seed, metadata] = ['', null, null, null, null];
  return { model, training_file, validation_file, hyperparameters: {}, suffix, seed, metadata };
}

/** The recipe in OpenAI's words. */
function hyperparametersOf({ epochs, batchExamples, learningRate }: RecipeOverrides) {
  const preset = presetOf(TaskKind.INSTRUCTION);
  return {
    n_epochs: epochs ?? preset.epochs,
    batch_size: batchExamples ?? preset.batchExamples,
    learning_rate_multiplier: (learningRate ?? preset.learningRate) / preset.learningRate,
  };
}

/** `validating_files` until the rows are imported. */
const statusOf = (row: RunRow): string =>
  row.status === 'RUNNING' && stateOf(row).datasetVersionId === null ? 'validating_files' : STATUS[row.status]!;

const errorOf = ({ errorCode, errorMessage }: RunRow) =>
  errorCode === null ? null : { code: errorCode.toLowerCase(), message: errorMessage ?? '', param: null };

/** A job as OpenAI's clients read it; what Graft found stands in `graft`. */
async function jobOf(parts: FineTuningParts, row: RunRow) {
  const { name, model, recipe } = fineTuning.inputOf(row);
  const { suffix, seed, ...request } = requestOf(row);
  const output = fineTuning.outputOf(row);
  const { adapterVersionId } = stateOf(row);
  const workspaceId = row.workspaceId as WorkspaceId;
  const adapter = adapterVersionId === null ? null : await adapterOf(parts, workspaceId, adapterVersionId);
  const measurement = output && (await parts.tuning.measured(workspaceId, output));
  const hyperparameters = hyperparametersOf(recipe);
  return {
    ...request,
    id: `${PREFIX}${row.id}`,
    object: 'fine_tuning.job',
    created_at: secondsOf(row.createdAt),
    finished_at: output && row.finishedAt && secondsOf(row.finishedAt),
    fine_tuned_model: output && adapter && tunedName(model, suffix, adapter),
    organization_id: workspaceId,
    result_files: [],
    status: statusOf(row),
    hyperparameters,
    method: { type: 'supervised', supervised: { hyperparameters } },
    trained_tokens: null,
    error: errorOf(row),
    user_provided_suffix: suffix,
    seed: seed ?? presetOf(TaskKind.INSTRUCTION).seed,
    estimated_finish: null,
    integrations: [],
    graft: {
      run: toGlobalId('FineTuningRun', row.id),
      name,
      model,
      adapter,
      message: row.message,
      ...(output && {
        passedGate: output.passed,
        findings: output.findings,
        figures: measurement && worthFigures(measurement),
      }),
    },
  };
}

/** `name@3`; null where it was deleted. */
async function adapterOf(
  { adapters }: FineTuningParts,
  workspaceId: WorkspaceId,
  versionId: string,
): Promise<string | null> {
  const [version] = await adapters.store.versionsById(workspaceId, [versionId]);
  const [adapter] = version ? await adapters.store.byIds(workspaceId, [version.adapterId]) : [];
  return version && adapter ? `${adapter.name}@${version.version}` : null;
}

/** What a job reported, newest first. */
export async function eventsOf(
  parts: FineTuningParts,
  workspaceId: WorkspaceId,
  id: string,
  { limit, after }: ListRequest,
) {
  const { id: runId } = await requireRun(parts, workspaceId, id);
  const { events } = await parts.runs.history(workspaceId, runId, { after: 0n, most: MOST_EVENTS });
  const entries = events.flatMap((event) => eventOf(runId, event)).reverse();
  const from = after === undefined ? 0 : entries.findIndex((event) => event.id === after) + 1;
  if (after !== undefined && from === 0) throw new RefusedField('after', 'invalid_value', 'The job has no such event.');
  return listOf(entries.slice(from, from + limit), entries.length > from + limit);
}

/** The same oldest first, as they come, until the job has ended. */
export async function* followJob(parts: FineTuningParts, workspaceId: WorkspaceId, id: string, signal: AbortSignal) {
  const { id: runId } = await requireRun(parts, workspaceId, id);
  for await (const event of parts.runs.follow(workspaceId, runId, { signal })) yield* eventOf(runId, event);
}

function eventOf(runId: string, { sequence, type, payload, createdAt }: StoredEvent) {
  const { message, status } = (payload ?? {}) as { message?: string; status?: string };
  const text = message || (status === undefined ? '' : `The job is ${STATUS[status] ?? status}.`);
  if (text === '') return [];
  return [
    {
      object: 'fine_tuning.job.event',
      id: `ftevent-${runId}-${sequence}`,
      created_at: secondsOf(createdAt),
      level: type === 'finished' && status === 'FAILED' ? 'error' : 'info',
      message: text,
      type: 'message',
      data: null,
    },
  ];
}

/** The version that was trained, once it was: training keeps no others. */
export async function checkpointsOf(parts: FineTuningParts, workspaceId: WorkspaceId, id: string) {
  const row = await requireRun(parts, workspaceId, id);
  const { fine_tuned_model: name, finished_at: made } = await jobOf(parts, row);
  const { trainingRunId } = stateOf(row);
  const run = trainingRunId === null ? null : await parts.runs.get(workspaceId, trainingRunId);
  const trained = run && training.outputOf(run);
  if (name === null || !trained) return listOf([], false);
  const checkpoint = {
    id: `ftckpt-${row.id}`,
    object: 'fine_tuning.job.checkpoint',
    created_at: made,
    fine_tuned_model_checkpoint: name,
    fine_tuning_job_id: id,
    metrics: {
      step: trained.adapterStep,
      ...(trained.validationLoss !== null && { valid_loss: trained.validationLoss }),
    },
    step_number: trained.adapterStep,
  };
  return listOf([checkpoint], false);
}
