import type { z } from 'zod';
import { GraftError } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { asColumn } from '../../../platform/database/index.js';
import { notify } from '../../../platform/events/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry, AdapterRow, AdapterVersionRow } from '../../../sources/registry/index.js';
import type { Gate } from '../../../prove/index.js';
import { contestants, pairColumns, type Contestants } from '../contestants.js';
import type { LiveTests } from '../live-tests.js';
import { shadowFor } from '../shadow/shadow-evidence.js';
import type { ShadowRow } from '../shadow/shadow.js';
import type { ShadowStore } from '../shadow/shadow-store.js';
import { TESTS_TOPIC } from '../topic.js';
import { startRollout } from './decide.js';
import { startBounds } from './measures.js';
import { NOTHING_NEW, refusedCommand, type RolloutDecider } from './rollout-decider.js';
import { storedPlan, storedState, type Order, type RolloutRow } from './rollout.js';
import type { RolloutPlan, RolloutStep } from './plan.js';
import { rolloutKind } from './rollout-run.js';
import type { RolloutStore } from './rollout-store.js';
import { checkedBounds, planOf, type PlanRequest, type rolloutRequest } from './settings.js';
import { startWatch } from './watch.js';
import { checkedRequester } from '../request.js';

export type StartRollout = Omit<z.infer<typeof rolloutRequest>, 'advanced'> & PlanRequest & { by: string };

interface RolloutServiceParts {
  rollouts: RolloutStore;
  decider: RolloutDecider;
  adapters: AdapterRegistry;
  gate: Gate;
  shadows: ShadowStore;
  runs: RunQueue;
  tests: LiveTests;
}

/** Starts rollouts, and takes what people want of them. */
export class RolloutService {
  constructor(private readonly parts: RolloutServiceParts) {}

  /**
   * Starts a rollout of a version that passed the gate.
   * @throws NOT_FOUND, BAD_USER_INPUT, GATE_REFUSED; CONFLICT when the adapter has a live one, no production, or the version isn’t attested,
   * or its shadow is missing or not complete; IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, request: StartRollout): Promise<RolloutRow> {
    const { rollouts, adapters, gate, shadows } = this.parts;
    const draft = { ...request, ...checkedRequester(request), ...checkedBounds(request), plan: planOf(request) };
    const { plan, by, reason, slowMs, unsure, candidate: version = null } = draft;
    const evidence = { shadow: request.shadow ?? undefined, requireShadow: request.requireShadow || undefined };
    const input = { plan, adapter: request.adapter, candidate: version, by, reason, slowMs, unsure, ...evidence };
    return rollouts.createOnce(workspaceId, request.idempotencyKey, input, async (key) => {
      const adapter = await adapters.require(workspaceId, request.adapter, 'input.adapter');
      const live = await rollouts.liveOf(adapter.id);
      if (live) throw overlapping(live);
      const versions = await contestants(adapters, adapter, version, {
        candidate: 'Promote one to CANDIDATE first, where the gate looks at it.',
        production: 'Nobody is answered by it yet: promote the version itself.',
      });
      const admission = await gate.admits(workspaceId, adapter, versions.candidate);
      await adapters.requireServable({ adapter, version: versions.candidate });
      const shadow = await shadowFor(shadows, workspaceId, request, versions);
      return this.#create({ ...draft, ...key, ...versions, adapter, gate: admission, shadow });
    });
  }

  async #create(draft: CheckedRollout): Promise<RolloutRow> {
    const { rollouts, runs, tests } = this.parts;
    const { adapter, candidate, against, shadow, by, reason, slowMs, unsure, idempotencyKey, inputDigest } = draft;
    const workspaceId = adapter.workspaceId as WorkspaceId;
    const id = newId();
    const plan = { ...draft.plan, judged: await rollouts.judgedShare(workspaceId, against.id) };
    const [{ share, controls }] = plan.steps as [RolloutStep];
    const state = {
      state: startRollout(0),
      watch: startWatch(plan),
      bounds: startBounds({ latencyMs: slowMs, confidence: unsure }),
      told: null,
    };
    const row = await rollouts.transaction(async (tx) => {
      const input = { rolloutId: id };
      const run = await runs.enqueue(
        rolloutKind,
        { workspaceId, input, idempotencyKey: id, subjectId: adapter.id },
        tx,
      );
      const rollout = await rollouts.create(
        {
          ...pairColumns(adapter, draft),
          ...{ id, share, controls, idempotencyKey, inputDigest, reason },
          startedBy: by,
          runId: run.id,
          salt: newId(),
          status: 'RUNNING',
          plan: asColumn(storedPlan.encode(plan)),
          state: asColumn(storedState.encode(state)),
          gate: asColumn(draft.gate),
          shadowId: shadow?.id ?? null,
        },
        tx,
      );
      const begins = `${candidate.version} is compared with ${against.version}, beginning at ${share * 100} %.`;
      const reasons = shadow ? [begins] : [begins, unpaired(adapter, candidate)];
      await rollouts.decide(rollout, { action: 'START', check: 'COMMAND', reasons, by, reason, evidence: {} }, tx);
      await notify(tx, TESTS_TOPIC);
      return rollout;
    });
    await tests.refresh();
    return row;
  }

  /** Does what a person wants. @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it can’t be followed now, saying why */
  async order(workspaceId: WorkspaceId, id: string, request: Order): Promise<RolloutRow> {
    const { rollouts, decider, tests } = this.parts;
    const { by, reason } = checkedRequester(request);
    const { row, refused } = await rollouts.transaction(async (tx) => {
      const locked = await rollouts.lock(workspaceId, id, tx);
      const order = { command: request.command, by, reason };
      return decider.decide(locked, { ...NOTHING_NEW, order }, tx);
    });
    await tests.refresh();
    if (refused !== null) throw refusedCommand(refused);
    return row;
  }
}

interface CheckedRollout extends Contestants, ReturnType<typeof checkedBounds> {
  adapter: AdapterRow;
  plan: RolloutPlan;
  gate: Awaited<ReturnType<Gate['admits']>>;
  shadow: ShadowRow | null;
  by: string;
  reason: string;
  idempotencyKey: string;
  inputDigest: string;
}

const unpaired = ({ name }: AdapterRow, { version }: AdapterVersionRow): string =>
  'No pairs of answers to the same questions were seen. Judged pairs that differ tell more of quality than as many answers of a rollout. ' +
  `\`npx graft call StartShadow adapter=${name} candidate=${version} reason="…"\` compares pairs unseen.`;

const overlapping = ({ adapter, candidateVersion }: RolloutRow): GraftError =>
  new GraftError('CONFLICT', `${adapter} has a rollout already, of version ${candidateVersion}.`, {
    field: 'input.adapter',
    hint: 'Let it end, or abort it, before another begins.',
  });
