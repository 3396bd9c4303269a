import type { z } from 'zod';
import { GraftError, notFound } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { checkedText } from '../../../kernel/text.js';
import { asColumn, type Transaction } from '../../../platform/database/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import { parseAdapterReference, type AdapterRegistry, type ModelRegistry } from '../../../sources/registry/index.js';
import type { LiveTests } from '../live-tests.js';
import { answersOf } from './count.js';
import type { ExperimentDecider, ExperimentOrder } from './experiment-decider.js';
import { isLive, storedExperimentState, storedSettings, type ExperimentArm, type ExperimentRow } from './experiment.js';
import { brokenArmsOf, experimentKind, usedBy } from './experiment-run.js';
import type { ExperimentStore } from './experiment-store.js';
import { settingsOf, type experimentRequest, type ExperimentSettingsRequest } from './settings.js';
import { emptyState } from './tally.js';
import { checkedRequester } from '../request.js';

export type CreateExperiment = Omit<z.infer<typeof experimentRequest>, 'advanced'> &
  ExperimentSettingsRequest & { by: string };

interface ExperimentServiceParts {
  experiments: ExperimentStore;
  experimentDecider: ExperimentDecider;
  adapters: AdapterRegistry;
  models: Pick<ModelRegistry, 'resolve'>;
  runs: RunQueue;
  tests: LiveTests;
}

const MAX_NAME = 100;

/** Makes experiments, starts them, and takes what people want of them. */
export class ExperimentService {
  constructor(private readonly parts: ExperimentServiceParts) {}

  /**
   * Writes a plan down; nobody is drawn until it is started.
   * @throws BAD_USER_INPUT, NOT_FOUND; CONFLICT for an arm whose adapter was never attested; IDEMPOTENCY_CONFLICT
   */
  async create(workspaceId: WorkspaceId, request: CreateExperiment): Promise<ExperimentRow> {
    const { experiments, adapters } = this.parts;
    const { adapter: adapterName = null } = request;
    const name = checkedText(request.name, 'input.name', MAX_NAME);
    const { by, reason } = checkedRequester(request);
    const plan = settingsOf(request, adapterName);
    const input = { plan, name, by, reason, adapter: adapterName };
    return experiments.createOnce(workspaceId, request.idempotencyKey, input, async (key) => {
      const adapter = adapterName === null ? null : await adapters.require(workspaceId, adapterName, 'input.adapter');
      const arms = await Promise.all(plan.arms.map((arm, i) => this.#resolved(workspaceId, arm, `input.arms[${i}]`)));
      const state = emptyState(plan, { before: plan.beforeAnswers > 0 });
      return experiments.transaction(async (tx) => {
        const experiment = await experiments.create(
          {
            ...{ ...key, id: newId(), workspaceId, name, createdBy: by, reason },
            adapter: adapter?.name ?? null,
            adapterId: adapter?.id ?? null,
            status: 'DRAFT',
            salt: newId(),
            plan: asColumn(storedSettings.encode({ ...plan, arms })),
            state: asColumn(storedExperimentState.encode(state)),
          },
          tx,
        );
        const reasons = [`Arms: ${arms.map((arm) => arm.name).join(', ')}; nobody is drawn yet.`];
        await experiments.decide(experiment, 0, { action: 'CREATE', reasons, by, reason }, tx);
        return experiment;
      });
    });
  }

  /** An arm with the rows that it needs, as they are now. */
  async #resolved(workspaceId: WorkspaceId, arm: ExperimentArm, field: string): Promise<ExperimentArm> {
    const { adapters, models } = this.parts;
    const resolvedArm = { ...arm };
    if (arm.adapter !== null) {
      const { name, which } = parseAdapterReference(arm.adapter, `${field}.adapter`);
      const adapter = await adapters.require(workspaceId, name, `${field}.adapter`);
      const version = await adapters.store.resolve(adapter, which);
      if (!version) throw notFound('The adapter version', arm.adapter, `${field}.adapter`);
      if (version.attestation === null)
        throw new GraftError('CONFLICT', `${name}@${version.version} was never shown to act.`, {
          field: `${field}.adapter`,
          hint: 'Attest it first (attestAdapter): users would compare something unproven.',
        });
      Object.assign(resolvedArm, { adapter: `${name}@${version.version}`, versionId: version.id });
    }
    if (arm.model !== null)
      resolvedArm.variantId = (await models.resolve(workspaceId, arm.model, `${field}.model`)).variantId;
    return resolvedArm;
  }

  /**
   * Lets questions be drawn into it.
   * @throws NOT_FOUND; CONFLICT when it was started before, when an arm is gone meanwhile, or its adapter has no production
   */
  start(workspaceId: WorkspaceId, id: string, requester: { by: string; reason: string }): Promise<ExperimentRow> {
    return this.parts.experiments.inTurn(() => this.#start(workspaceId, id, requester));
  }

  async #start(
    workspaceId: WorkspaceId,
    id: string,
    requester: { by: string; reason: string },
  ): Promise<ExperimentRow> {
    const { experiments, runs, tests } = this.parts;
    const { by, reason } = checkedRequester(requester);
    const draft = await experiments.require(workspaceId, id, 'input.experiment');
    if (draft.status !== 'DRAFT') throw startedBefore(draft);
    const surroundings = await experiments.surroundings(draft, usedBy(draft));
    const [brokenArm] = Object.entries(surroundings ? brokenArmsOf(draft, surroundings) : {});
    if (brokenArm)
      throw conflict(
        `The arm ${brokenArm[0]} can’t answer: ${brokenArm[1]}`,
        'Make another experiment, with arms that are there.',
      );
    if (draft.adapterId !== null && surroundings?.productionId === null)
      throw conflict(`${draft.adapter} has no production version, so nobody is answered by it.`, 'Promote one first.');
    const row = await experiments.transaction(async (tx) => {
      const locked = await experiments.lock(workspaceId, id, tx);
      if (locked.status !== 'DRAFT') throw startedBefore(locked);
      const plan = storedSettings.decode(locked.plan);
      const run = await runs.enqueue(
        experimentKind,
        {
          workspaceId,
          input: { experimentId: id },
          idempotencyKey: id,
          ...(locked.adapterId && { subjectId: locked.adapterId }),
        },
        tx,
      );
      const state = storedExperimentState.decode(locked.state);
      const reasons = [
        state.before
          ? `${plan.beforeAnswers} answers are given as production first, to know how each unit is.`
          : `${plan.coverage * 100} % of ${locked.adapter ? `the questions to ${locked.adapter}` : 'the questions that leave the choice to Graft'} take part.`,
      ];
      return experiments.save(
        locked,
        {
          state,
          answers: answersOf(state),
          status: 'RUNNING',
          runId: run.id,
          startedAt: new Date(),
          productionId: surroundings?.productionId ?? null,
          decisions: [{ action: 'START', reasons, by, reason }],
        },
        tx,
      );
    });
    await tests.refresh();
    return row;
  }

  /** Does what a person wants. @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it can’t be followed now, saying why */
  async order(workspaceId: WorkspaceId, id: string, { command, ...who }: ExperimentOrder): Promise<ExperimentRow> {
    const { experiments, experimentDecider, tests } = this.parts;
    const order = { command, ...checkedRequester(who) };
    const row = await experiments.transaction(async (tx) => {
      const locked = await experiments.lock(workspaceId, id, tx);
      if (locked.status === 'DRAFT' && command.kind === 'STOP') return this.#discard(locked, order, tx);
      if (!isLive(locked.status))
        throw conflict(
          `It is ${locked.status}.`,
          locked.status === 'DRAFT' ? 'Start it first.' : 'It has ended; make another one.',
        );
      return experimentDecider.decide(locked, { outcomes: [], said: [], watchedMs: 0, order }, tx);
    });
    await tests.refresh();
    return row;
  }

  async #discard(row: ExperimentRow, { by, reason }: ExperimentOrder, tx: Transaction): Promise<ExperimentRow> {
    const state = storedExperimentState.decode(row.state);
    const decisions = [{ action: 'STOP' as const, reasons: ['It was never started.'], by, reason }];
    return this.parts.experiments.save(
      row,
      { state, answers: 0, status: 'STOPPED', finishedAt: new Date(), decisions },
      tx,
    );
  }
}

const startedBefore = ({ status }: ExperimentRow): GraftError =>
  conflict(`It is ${status}: it can be started once.`, 'Make another one.');

const conflict = (message: string, hint: string): GraftError =>
  new GraftError('CONFLICT', message, { field: 'input.experiment', hint });
