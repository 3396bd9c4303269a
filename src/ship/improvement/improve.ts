/*
 * One way through the loop, a stage a function, from top to bottom:
 *   curate    what people demonstrated or confirmed becomes a dataset version, or there is nothing new and it ends; a label that has moved waits
 *             for a person to confirm it
 *   train     from the production version, from the base model, or both where the day's budget has room for both
 *   prove     each trained version is attested and evaluated against production on the new version's test rows; the better one goes on
 *   gate      it becomes candidate, or is refused and it ends
 *   compare   unseen, beside production: people judge where both differ, and it ends where the new version is shown worse
 *   roll out  by the policy's plan, until the plan wants a person's approval; a rollback ends it
 *   propose   a person decides, or the policy where it was told to and a loss would have been seen
 * Every stage's result is a column of the improvement's row, written before the next stage begins, and every run that a stage starts has a
 * key made of the improvement's id: whoever takes a killed improvement up again finds what was begun, and begins nothing twice.
 */
import { Split, type Data } from '../../sources/data/index.js';
import { curation, type Curator, type OpenFeedback } from '../../learn/feedback/index.js';
import { qualityOf, type Delivery, type ProposalRow, type RolloutRow } from '../delivery/index.js';
import { decidingValue, type Attestor, type Evaluator, type EvaluationStore, type Gate } from '../../prove/index.js';
import type { Clock } from '../../kernel/clock.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { pause } from '../../platform/events/index.js';
import { runEnd, type RunQueue, type RunRow } from '../../platform/runs/index.js';
import type { AdapterRegistry, AdapterRow, AdapterVersionRow } from '../../sources/registry/index.js';
import { storedRecipe, training, type RecipeOverrides, type TrainingService } from '../../learn/training/index.js';
import { keyOf, type ImprovementOutcome, type ImprovementRow } from './improvement.js';
import type { ImprovementContext } from './improvement-run.js';
import type { ImprovementStore } from './improvement-store.js';
import { lessons } from './lessons.js';
import { storedSettings, type PolicySettings } from './policy.js';
import { DAY_MS } from '../../kernel/duration.js';

export interface ImproveParts {
  improvements: ImprovementStore;
  runs: RunQueue;
  adapters: AdapterRegistry;
  curator: Curator;
  desk: Pick<OpenFeedback['desk'], 'queue'>;
  data: Pick<Data, 'store'>;
  training: TrainingService;
  attestor: Attestor;
  evaluator: Evaluator;
  evaluations: EvaluationStore;
  gate: Gate;
  delivery: Pick<Delivery, 'rollouts' | 'proposals' | 'shadows' | 'stores'>;
  clock: Clock;
  /** How often it looks at what it waits for, in ms; a second by default. */
  lookMs?: number;
}

/** What every stage works on. */
interface ImprovementWork {
  parts: ImproveParts;
  context: ImprovementContext;
  workspaceId: WorkspaceId;
  adapter: AdapterRow;
  /** What production named when it began; null: nothing. */
  production: AdapterVersionRow | null;
  settings: PolicySettings;
}

/** It ends here, before the last stage. */
class Ended extends Error {
  constructor(
    readonly outcome: ImprovementOutcome,
    message: string,
  ) {
    super(message);
  }
}

type Stage = (work: ImprovementWork, row: ImprovementRow) => Promise<ImprovementRow>;

/** In their order, with the share of the way that is behind them and what is told of each. */
const STAGES: readonly { stage: Stage; from: number; says: string }[] = [
  { stage: curate, from: 0, says: 'What people said becomes a dataset version.' },
  { stage: train, from: 0.1, says: 'A new version is trained on it.' },
  { stage: prove, from: 0.5, says: 'The new version is shown to act, and measured.' },
  { stage: admit, from: 0.7, says: 'The gate looks at it.' },
  { stage: compareUnseen, from: 0.72, says: 'It answers unseen beside production.' },
  { stage: rollOut, from: 0.75, says: 'It is given to ever more users beside controls.' },
  { stage: propose, from: 0.95, says: 'It waits for a decision.' },
];

const WHO = 'improvement';
const PROMOTED = 'It answers as production.';
const AWAITS_JUDGEMENTS =
  'It waits for judged answers or a person: of those so far a loss of 10 points could not have been seen.';
const EVALUATED_ROWS = 500;
const LOOK_MS = 1_000;
const SECONDS_AN_HOUR = 3_600;
/** So few answers cost less than the training: no share and no hour bounds them. */
const UNSEEN = { share: 1, mostPerHour: 200, leastAnswers: 200 };
/** Judged disagreements that are waited for, a day at most. */
const JUDGED = 50;
const PAIRS_ALPHA = 0.05;
/** As many as are named at once. */
const QUEUED = 100;

/** The work of an IMPROVEMENT run. @throws what a stage's run failed with */
export async function improve(
  parts: ImproveParts,
  context: ImprovementContext,
): Promise<{ outcome: ImprovementOutcome; message: string }> {
  const workspaceId = context.run.workspaceId as WorkspaceId;
  const { improvements, adapters } = parts;
  let [row] = await improvements.byIds(workspaceId, [context.input.improvementId]);
  if (!row) throw new GraftError('NOT_FOUND', 'The improvement was deleted with its adapter.');
  const [adapter] = await adapters.store.byIds(workspaceId, [row.adapterId]);
  if (!adapter) throw new GraftError('NOT_FOUND', 'The adapter was deleted.');
  const [production = null] =
    row.productionId === null ? [] : await adapters.store.versionsById(workspaceId, [row.productionId]);
  const work: ImprovementWork = {
    parts,
    context,
    workspaceId,
    adapter,
    production,
    settings: storedSettings.decode(row.settings),
  };
  if (row.outcome !== null) {
    // It ended, and whoever ended it was killed before the policy heard of it.
    if (row.outcome === 'REFUSED') await pauseIfHopeless(work);
    return { outcome: row.outcome as ImprovementOutcome, message: row.message };
  }
  try {
    for (const { stage, from, says } of STAGES) {
      context.signal.throwIfAborted();
      await context.progress(from, says);
      row = await stage(work, row);
    }
    throw new Ended('PROPOSED', 'It came to a proposal, which a person decides.');
  } catch (error) {
    if (context.signal.aborted && context.signal.reason !== 'cancel') throw error;
    const { outcome, message } = endOf(error, context.signal.reason === 'cancel');
    await improvements.end(row.id, outcome, message);
    if (outcome === 'REFUSED') await pauseIfHopeless(work);
    if (error instanceof Ended) return { outcome, message };
    throw error;
  }
}

function endOf(error: unknown, cancelled: boolean): { outcome: ImprovementOutcome; message: string } {
  if (error instanceof Ended) return { outcome: error.outcome, message: error.message };
  if (cancelled) return { outcome: 'CANCELLED', message: 'It was cancelled.' };
  return {
    outcome: 'FAILED',
    message: isGraftError(error) ? `${error.code}: ${error.message}` : 'Something unexpected happened.',
  };
}

/** A policy whose candidates the gate refuses one after another would train for ever. */
async function pauseIfHopeless({ parts, workspaceId, adapter, settings }: ImprovementWork): Promise<void> {
  const { mostRefused } = settings;
  if ((await parts.improvements.refusedInARow(adapter.id, mostRefused)) < mostRefused) return;
  const reason = `Gate or pairs refused ${mostRefused} candidates in a row. Look at what they said, and set the policy again.`;
  await parts.improvements.pausePolicy(workspaceId, adapter.id, reason);
}

/** Looks until there is something; what it waits for is said once, with the share of the way. */
async function until<T>(
  { parts: { lookMs = LOOK_MS }, context }: ImprovementWork,
  look: () => Promise<T | null>,
  waits: [number, string] | null = null,
): Promise<T> {
  for (let isReported = waits === null; ; isReported = true) {
    const result = await look();
    if (result !== null) return result;
    if (!isReported) await context.progress(...waits!);
    await pause(lookMs, context.signal);
    context.signal.throwIfAborted();
  }
}

/** The end of a run that this improvement began. @throws what it failed with */
const ended = ({ parts: { runs, lookMs = LOOK_MS }, context }: ImprovementWork, run: Pick<RunRow, 'id'>) =>
  runEnd({ runs, context, everyMs: lookMs }, run);

async function curate(work: ImprovementWork, row: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, production, settings } = work;
  if (row.datasetVersionId !== null) return row;
  const request = await lessons(parts, workspaceId, work);
  if (request === null || production === null)
    throw new GraftError('CONFLICT', `Production of ${work.adapter.name} names no dataset that it was trained on.`, {
      hint: 'Name the dataset in the policy.',
    });
  for (let round = 1; ; round++) {
    const run = await parts.curator.start(workspaceId, {
      ...request,
      leastRows: settings.leastRows,
      steps: null,
      splitRule: null,
      idempotencyKey: keyOf(row.id, round === 1 ? 'curation' : `curation ${round}`),
    });
    await parts.improvements.keep(row.id, { curationRunId: run.id });
    if (!(await labelsConfirmed(work, await ended(work, run)))) break;
  }
  // Not what the run made: an improvement that ended before its version was in production has left lessons that nothing learned from.
  const lessonsMade = await parts.curator.lessonsSince(workspaceId, request.dataset, production);
  if (lessonsMade === null)
    throw new Ended('NOTHING_NEW', 'What people said since the last version teaches too little that is new.');
  const { versionId, fresh } = lessonsMade;
  return parts.improvements.keep(row.id, { datasetVersionId: versionId, newRows: fresh });
}

/** Waits until a person has said of each label that a curation found moved whether it has. @returns whether one was confirmed, so that its rows can go along */
async function labelsConfirmed(work: ImprovementWork, run: RunRow): Promise<boolean> {
  const { parts, workspaceId } = work;
  const output = curation.outputOf(run);
  if (output === null || output.proposedItems.length === 0) return false;
  const moves = output.proposed.map(({ from, to }) => `${from} → ${to ?? 'nothing in particular'}`).join(', ');
  const says = `It waits for a person: the review queue asks whether labels have moved (${moves}).`;
  const confirmedLabels = async () => {
    const decisions = await parts.curator.mover.decisions(workspaceId, output);
    return decisions.every(({ confirmed }) => confirmed !== null) ? decisions.some(({ confirmed }) => confirmed) : null;
  };
  return until(work, confirmedLabels, [0.05, says]);
}

async function train(work: ImprovementWork, initialRow: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, adapter, production, settings } = work;
  let row = initialRow;
  const beginnings =
    production === null ? [null] : BEGINNINGS[settings.trainFrom](`${adapter.name}@${production.version}`);
  for (const [index, parent] of beginnings.entries()) {
    if (row.trainingRunIds.length > index) {
      await ended(work, { id: row.trainingRunIds[index]! });
      continue;
    }
    // A second try is a luxury: without room for it in the day's budget, the first one goes on alone.
    if (!(await hasBudget(work, { wait: index === 0 }))) break;
    const run = await parts.training.start(workspaceId, {
      adapter: adapter.name,
      datasetVersionId: row.datasetVersionId!,
      parent,
      recipe: recipeOf(production),
      idempotencyKey: keyOf(row.id, `training ${index + 1}`),
    });
    row = await parts.improvements.keep(row.id, { trainingRunIds: [...row.trainingRunIds, run.id] });
    const { startedAt, finishedAt } = await ended(work, run);
    const seconds = startedAt && finishedAt ? (finishedAt.getTime() - startedAt.getTime()) / 1_000 : 0;
    row = await parts.improvements.keep(row.id, { trainingSeconds: row.trainingSeconds + seconds });
  }
  return row;
}

/** References to what a training goes on from; null begins at the base model. */
const BEGINNINGS: Record<PolicySettings['trainFrom'], (production: string) => (string | null)[]> = {
  PRODUCTION: (production) => [production],
  BASE: () => [null],
  BOTH: (production) => [production, null],
};

/** Whether the adapter may train now. With `wait`, once the last 24 hours have room again. */
async function hasBudget(
  { parts, context, adapter, settings }: ImprovementWork,
  { wait }: { wait: boolean },
): Promise<boolean> {
  const limit = settings.trainingHoursADay * SECONDS_AN_HOUR;
  while ((await parts.improvements.trainedSeconds(adapter.id, 24)) >= limit) {
    if (!wait) return false;
    await context.progress(0.1, `It waits: ${settings.trainingHoursADay} hours of training in 24 are used up.`);
    await pause(60_000, context.signal);
    context.signal.throwIfAborted();
  }
  return true;
}

async function prove(work: ImprovementWork, initialRow: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, adapter, production } = work;
  if (initialRow.adapterVersionId !== null) return initialRow;
  let row = initialRow;
  const started = parts.clock.monotonic();
  const trained = await trainedBy(work, row);
  const values = new Map<string, number>();
  for (const version of trained) {
    const reference = { adapter: adapter.name, version: version.version };
    if (version.attestation === null)
      await ended(
        work,
        await parts.attestor.start(workspaceId, {
          ...reference,
          idempotencyKey: keyOf(row.id, `attestation of ${version.version}`),
        }),
      );
    const run = await parts.evaluator.start(workspaceId, {
      adapter: `${adapter.name}@${version.version}`,
      model: null,
      datasetVersionId: row.datasetVersionId!,
      split: Split.TEST,
      against: production === null ? null : `${adapter.name}@${production.version}`,
      rows: EVALUATED_ROWS,
      seed: 1,
      force: false,
      retention: true,
      others: [],
      regression: false,
      foreign: true,
      idempotencyKey: keyOf(row.id, `evaluation of ${version.version}`),
    });
    if (!row.evaluationRunIds.includes(run.id))
      row = await parts.improvements.keep(row.id, { evaluationRunIds: [...row.evaluationRunIds, run.id] });
    await ended(work, run);
    const [evaluation] = await parts.evaluations.byIds(workspaceId, [run.id]);
    values.set(version.id, evaluation ? decidingValue(evaluation) : Number.NEGATIVE_INFINITY);
  }
  const [best] = [...trained].sort((a, b) => values.get(b.id)! - values.get(a.id)!);
  if (!best) throw new GraftError('CONFLICT', 'No version was trained, or it was deleted meanwhile.');
  const evaluationSeconds = (parts.clock.monotonic() - started) / 1_000;
  return parts.improvements.keep(row.id, { adapterVersionId: best.id, evaluationSeconds });
}

/** The versions that the trainings made, in their order; without those that were deleted meanwhile. */
async function trainedBy(
  { parts, workspaceId }: ImprovementWork,
  { trainingRunIds }: ImprovementRow,
): Promise<AdapterVersionRow[]> {
  const runs = await Promise.all(trainingRunIds.map((id) => parts.runs.get(workspaceId, id)));
  const ids = runs.flatMap((run) => (run ? [training.outputOf(run)?.adapterVersionId ?? []].flat() : []));
  return parts.adapters.store.versionsById(workspaceId, ids);
}

/** A version is trained as the one in production was; what that doesn't say comes from the task's preset. */
const recipeOf = (production: AdapterVersionRow | null): RecipeOverrides | null =>
  production?.recipe == null ? null : storedRecipe.decode(production.recipe);

async function admit(work: ImprovementWork, row: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, adapter } = work;
  if (row.rolloutId !== null || row.proposalId !== null) return row;
  const version = await chosen(work, row);
  const candidate = await parts.adapters.store.resolve(adapter, { alias: 'candidate' });
  if (candidate?.id === version.id) return row;
  try {
    await parts.gate.promote(workspaceId, {
      adapter: adapter.name,
      version: version.version,
      alias: 'candidate',
      by: WHO,
      force: false,
      reason: `${row.newRows} rows of what people said: ${row.reason}`.slice(0, 1_000),
    });
  } catch (error) {
    if (isGraftError(error, 'GATE_REFUSED')) throw new Ended('REFUSED', error.message);
    throw error;
  }
  return row;
}

async function chosen({ parts, workspaceId }: ImprovementWork, row: ImprovementRow): Promise<AdapterVersionRow> {
  const [version] = await parts.adapters.store.versionsById(workspaceId, [row.adapterVersionId!]);
  if (!version) throw new GraftError('CONFLICT', 'The trained version was deleted meanwhile.');
  return version;
}

/**
 * Before users meet the version, it answers what production answers, and people say what is right where both differ. `QUICK`, which is for
 * trying out, goes without; so does a version whose shadow a person stops.
 */
async function compareUnseen(work: ImprovementWork, row: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, adapter, production, settings } = work;
  if (row.rolloutId !== null || row.proposalId !== null || production === null) return row;
  if (settings.rollout === null || settings.rollout === 'QUICK') return row;
  const { delivery, desk, clock } = parts;
  const { version } = await chosen(work, row);
  const idempotencyKey = keyOf(row.id, 'shadow');
  const free = async () => {
    const live = await delivery.stores.shadows.liveOf(adapter.id);
    return live === null || live.idempotencyKey === idempotencyKey ? true : null;
  };
  await until(work, free, [0.72, 'It waits until another shadow of the adapter has ended.']);
  const request = { ...UNSEEN, by: WHO, reason: row.reason.slice(0, 1_000), idempotencyKey };
  const started = await delivery.shadows.start(workspaceId, { adapter: adapter.name, candidate: version, ...request });
  const shadow = await until(work, async () => {
    const shadowRow = await delivery.stores.shadows.require(workspaceId, started.id);
    return shadowRow.finishedAt === null ? null : shadowRow;
  });
  if (shadow.status === 'STOPPED') return row;
  if (shadow.status === 'FAILED') throw new GraftError('CONFLICT', `The shadow ended: ${shadow.endReason}`);
  const differing = await delivery.shadows.disagreements(workspaceId, shadow.id);
  for (let i = 0; i < differing.length; i += QUEUED) {
    const answers = differing.slice(i, i + QUEUED);
    await desk.queue({ workspaceId }, { answers, pairs: [], filter: null, most: 1, reviewers: 1 });
  }
  const says = 'It waits for people, a day at most: what is right where both versions differ? The review queue asks.';
  const findTruth = async () => {
    const [figures] = await delivery.shadows.figures(workspaceId, [shadow]);
    const enough = figures!.truth.differing >= Math.min(JUDGED, differing.length);
    return enough || clock.now().getTime() - shadow.finishedAt!.getTime() > DAY_MS ? figures!.truth : null;
  };
  const { onlyServed, onlyCandidate, p } = await until(work, findTruth, [0.73, says]);
  if (onlyServed <= onlyCandidate || p >= PAIRS_ALPHA) return row;
  const pairs = `production alone was right ${onlyServed} times, the new version ${onlyCandidate} times`;
  throw new Ended('REFUSED', `Unseen it was worse: ${pairs} (p = ${p.toFixed(3)}).`);
}

/** Until the plan wants a person's approval, which is what a proposal is. An adapter that answers nobody yet has nobody to compare with. */
async function rollOut(work: ImprovementWork, initialRow: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, adapter, production, settings } = work;
  if (initialRow.proposalId !== null || production === null || settings.rollout === null) return initialRow;
  const version = await chosen(work, initialRow);
  const started = await parts.delivery.rollouts.start(workspaceId, {
    adapter: adapter.name,
    candidate: version.version,
    template: settings.rollout,
    by: WHO,
    reason: initialRow.reason.slice(0, 1_000),
    idempotencyKey: keyOf(initialRow.id, 'rollout'),
  });
  const row = await parts.improvements.keep(initialRow.id, { rolloutId: started.id });
  const { stores } = parts.delivery;
  const proposal = await until(work, async () => {
    const { status } = await liveRollout(work, started.id);
    const [rolloutProposal = null] = await stores.proposals.ofRollouts(workspaceId, [started.id]);
    if (rolloutProposal === null && status === 'COMPLETED') throw new Ended('PROMOTED', PROMOTED);
    return rolloutProposal;
  });
  return parts.improvements.keep(row.id, { proposalId: proposal.id });
}

/** @throws where it has gone back: a guardrail, a person, or what befell its versions */
async function liveRollout({ parts, workspaceId }: ImprovementWork, id: string): Promise<RolloutRow> {
  const { rollouts } = parts.delivery.stores;
  const row = await rollouts.require(workspaceId, id);
  if (row.status !== 'ROLLED_BACK' && row.status !== 'ABORTED') return row;
  const last = await rollouts.lastDecision(id);
  throw new Ended('ROLLED_BACK', `The rollout ended: ${last?.reasons.join(' ') ?? 'nobody said why.'}`);
}

async function propose(work: ImprovementWork, initialRow: ImprovementRow): Promise<ImprovementRow> {
  const { parts, workspaceId, settings } = work;
  const proposal = await proposalFor(work, initialRow);
  const row = await parts.improvements.keep(initialRow.id, { proposalId: proposal.id });
  if (!settings.autoApprove) return row;
  const approval = await until(work, () => approvalOf(work, row), [0.95, AWAITS_JUDGEMENTS]);
  if (approval === 'REJECTED') return row;
  if (approval !== 'APPROVED') {
    const reason = `The policy approves what has passed attestation, gate and rollout. ${approval.quality}`.trim();
    await parts.delivery.proposals.decide(workspaceId, proposal.id, { approve: true, by: `${WHO} policy`, reason });
  }
  throw new Ended('PROMOTED', PROMOTED);
}

/**
 * What becomes of a proposal that the policy may approve: what a person decided, else what is known of quality. Null while a loss that the rollout didn't see
 * could not have been seen either, or a check holds it.
 */
async function approvalOf(
  work: ImprovementWork,
  row: ImprovementRow,
): Promise<'APPROVED' | 'REJECTED' | { quality: string } | null> {
  const { status } = await proposalFor(work, row);
  if (status === 'APPROVED' || status === 'REJECTED') return status;
  if (row.rolloutId === null) return { quality: '' };
  const rollout = await liveRollout(work, row.rolloutId);
  const { couldBeSeen, sentence } = qualityOf(rollout);
  return couldBeSeen && rollout.awaitsApproval ? { quality: sentence } : null;
}

/** The rollout's, or the one of the version that was made before a gateway was killed, or a new one. */
async function proposalFor(work: ImprovementWork, row: ImprovementRow): Promise<ProposalRow> {
  const { parts, workspaceId, adapter } = work;
  const { proposals, stores } = parts.delivery;
  const version = await chosen(work, row);
  const [proposal] =
    row.proposalId === null
      ? await stores.proposals.ofCandidates(workspaceId, [version.id])
      : await stores.proposals.byIds(workspaceId, [row.proposalId]);
  if (proposal) return proposal;
  return proposals.propose(workspaceId, {
    adapter: adapter.name,
    candidate: version.version,
    by: WHO,
    experimentId: null,
    rationale: `${row.newRows} rows of what people said: ${row.reason}`.slice(0, 1_000),
  });
}
