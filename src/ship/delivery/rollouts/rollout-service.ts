import type { z } from 'zod';
import { GraftError } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/hashing.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { checkedText } from '../../../kernel/text.js';
import { asColumn, isTaken } from '../../../platform/database/index.js';
import { notify } from '../../../platform/events/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry, AdapterRow, AdapterVersionRow } from '../../../sources/registry/index.js';
import type { Gate } from '../../../prove/index.js';
import { contestants } from '../contestants.js';
import type { LiveTests } from '../live-tests.js';
import { OneByOne } from '../one-by-one.js';
import { shadowFor } from '../shadow/shadow-evidence.js';
import type { ShadowStore } from '../shadow/shadow-store.js';
import { TESTS_TOPIC } from '../topic.js';
import { startRollout } from './decide.js';
import { startBounds } from './measures.js';
import { NOTHING_NEW, refusedOrder, type RolloutDecider } from './rollout-decider.js';
import { storedPlan, storedState, type Order, type RolloutRow } from './rollout.js';
import { rolloutKind } from './rollout-run.js';
import type { RolloutStore } from './rollout-store.js';
import { checkedBounds, planOf, type PlanWish, type rolloutWish } from './settings.js';
import { startWatch } from './watch.js';
import { checkedWho, sameAs } from '../wish.js';

export type StartRollout = Omit<z.infer<typeof rolloutWish>, 'advanced'> & PlanWish & { by: string };

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
  readonly #starts = new OneByOne();

  constructor(private readonly parts: RolloutServiceParts) {}

  /**
   * Starts a rollout of a version that passed the gate.
   * @throws NOT_FOUND, BAD_USER_INPUT, GATE_REFUSED; CONFLICT when the adapter has a live one, no production, or the version isn’t attested,
   * or its shadow is missing or not complete; IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, wish: StartRollout): Promise<RolloutRow> {
    const plan = planOf(wish);
    const bounds = checkedBounds(wish);
    const who = checkedWho(wish);
    const idempotencyKey = checkedText(wish.idempotencyKey, 'input.idempotencyKey', 200);
    return this.#starts.do(() => this.#start(workspaceId, { ...wish, ...who, ...bounds, plan, idempotencyKey }));
  }

  async #start(workspaceId: WorkspaceId, wish: Checked): Promise<RolloutRow> {
    const { rollouts, runs, adapters, gate, shadows, tests } = this.parts;
    const { by, reason, idempotencyKey, slowMs, unsure } = wish;
    const evidence = { shadow: wish.shadow ?? undefined, requireShadow: wish.requireShadow || undefined };
    const { plan: asked, adapter: named, candidate: version = null } = wish;
    const inputDigest = digestOf({
      plan: asked,
      adapter: named,
      candidate: version,
      by,
      reason,
      slowMs,
      unsure,
      ...evidence,
    });
    const known = await rollouts.byKey(workspaceId, idempotencyKey);
    if (known) return sameAs(known, inputDigest);
    const adapter = await adapters.require(workspaceId, wish.adapter, 'input.adapter');
    const live = await rollouts.liveOf(adapter.id);
    if (live) throw overlapping(live);
    const { candidate, against } = await contestants(adapters, adapter, wish.candidate ?? null, {
      candidate: 'Promote one to CANDIDATE first, where the gate looks at it.',
      production: 'Nobody is answered by it yet: promote the version itself.',
    });
    const held = await gate.admits(workspaceId, adapter, candidate);
    await adapters.requireServable({ adapter, version: candidate });
    const shadow = await shadowFor(shadows, workspaceId, wish, { candidate, against });
    const id = newId();
    const plan = { ...wish.plan, judged: await rollouts.judgedShare(workspaceId, against.id) };
    const [first] = plan.steps;
    const kept = {
      state: startRollout(0),
      watch: startWatch(plan),
      bounds: startBounds({ latencyMs: slowMs, confidence: unsure }),
      told: null,
    };
    try {
      const row = await rollouts.transaction(async (tx) => {
        const run = await runs.enqueue(
          rolloutKind,
          { workspaceId, input: { rolloutId: id }, idempotencyKey: id, subjectId: adapter.id },
          tx,
        );
        const made = await rollouts.create(
          {
            id,
            workspaceId,
            adapterId: adapter.id,
            adapter: adapter.name,
            runId: run.id,
            salt: newId(),
            candidateId: candidate.id,
            candidateVersion: candidate.version,
            againstId: against.id,
            againstVersion: against.version,
            status: 'RUNNING',
            share: first!.share,
            controls: first!.controls,
            plan: asColumn(storedPlan.encode(plan)),
            state: asColumn(storedState.encode(kept)),
            gate: asColumn(held),
            shadowId: shadow?.id ?? null,
            idempotencyKey,
            inputDigest,
            startedBy: by,
            reason,
          },
          tx,
        );
        const begins = `${candidate.version} is compared with ${against.version}, beginning at ${first!.share * 100} %.`;
        const reasons = shadow ? [begins] : [begins, unpaired(adapter, candidate)];
        await rollouts.decide(made, { action: 'START', check: 'COMMAND', reasons, by, reason, evidence: {} }, tx);
        await notify(tx, TESTS_TOPIC);
        return made;
      });
      await tests.refresh();
      return row;
    } catch (error) {
      // Another gateway was quicker.
      if (!isTaken(error)) throw error;
      const other = await rollouts.byKey(workspaceId, idempotencyKey);
      if (other) return sameAs(other, inputDigest);
      throw overlapping(await rollouts.liveOf(adapter.id));
    }
  }

  /** Does what a person wants. @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it can’t be followed now, saying why */
  async order(workspaceId: WorkspaceId, id: string, wish: Order): Promise<RolloutRow> {
    const { rollouts, decider, tests } = this.parts;
    const { by, reason } = checkedWho(wish);
    const { row, refused } = await rollouts.transaction(async (tx) => {
      const locked = await rollouts.lock(workspaceId, id, tx);
      const order = { command: wish.command, by, reason };
      return decider.decide(locked, { ...NOTHING_NEW, order }, tx);
    });
    await tests.refresh();
    if (refused !== null) throw refusedOrder(refused);
    return row;
  }
}

type Checked = StartRollout & ReturnType<typeof checkedBounds> & { plan: ReturnType<typeof planOf> };

const unpaired = ({ name }: AdapterRow, { version }: AdapterVersionRow): string =>
  'No pairs of answers to the same questions were seen. Judged pairs that differ tell more of quality than as many answers of a rollout. ' +
  `\`npx graft call StartShadow adapter=${name} candidate=${version} reason="…"\` compares pairs unseen.`;

const overlapping = (live: RolloutRow | null): GraftError =>
  new GraftError(
    'CONFLICT',
    `${live?.adapter ?? 'The adapter'} has a rollout already${live ? `, of version ${live.candidateVersion}` : ''}.`,
    { field: 'input.adapter', hint: 'Let it end, or abort it, before another begins.' },
  );
