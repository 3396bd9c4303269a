import { GraftError } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/hashing.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { checkedText } from '../../../kernel/text.js';
import { asSystem, inWorkspace, isTaken } from '../../../platform/database/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { contestants } from '../contestants.js';
import type { PairStore } from './pair-store.js';
import { checkedPlan, storedSkipped, type StartShadow, type ShadowRow, type SkipReason } from './shadow.js';
import type { ShadowFigures } from './shadow-report.js';
import { shadowKind } from './shadow-run.js';
import type { ShadowStore } from './shadow-store.js';
import { checkedWho, sameAs } from '../wish.js';

export interface ShadowServiceParts {
  shadows: ShadowStore;
  pairs: PairStore;
  adapters: AdapterRegistry;
  runs: RunQueue;
}

/** Starts and stops shadows, and says what they found. */
export class ShadowService {
  constructor(private readonly parts: ShadowServiceParts) {}

  /**
   * Starts a shadow of a version that was shown to act, beside the adapter’s production.
   * @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when the adapter has a live one or no production; ADAPTER_UNPROVEN, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, wish: StartShadow): Promise<ShadowRow> {
    const { shadows, runs, adapters } = this.parts;
    const plan = checkedPlan(wish);
    const { by, reason } = checkedWho(wish);
    const idempotencyKey = checkedText(wish.idempotencyKey, 'input.idempotencyKey', 200);
    const inputDigest = digestOf({ ...plan, adapter: wish.adapter, candidate: wish.candidate ?? null, by, reason });
    const known = await shadows.byKey(workspaceId, idempotencyKey);
    if (known) return sameAs(known, inputDigest);
    const adapter = await adapters.require(workspaceId, wish.adapter, 'input.adapter');
    await this.endAbandoned();
    const live = await shadows.liveOf(adapter.id);
    if (live) throw overlapping(live);
    const { candidate, against } = await contestants(adapters, adapter, wish.candidate ?? null, {
      candidate: 'Name one by its number: a shadow needs no candidate, only a version that was shown to act.',
      production: 'Nobody is answered by it yet: compareStrategies and evaluate compare on labelled rows.',
    });
    if (candidate.attestation === null)
      throw new GraftError('ADAPTER_UNPROVEN', `${adapter.name}@${candidate.version} was never shown to act.`, {
        field: 'input.candidate',
        hint: 'Attest it first.',
      });
    const id = newId();
    try {
      return await shadows.transaction(async (tx) => {
        const input = { shadowId: id };
        const run = await runs.enqueue(
          shadowKind,
          { workspaceId, input, idempotencyKey: id, subjectId: adapter.id },
          tx,
        );
        return shadows.create(
          {
            id,
            workspaceId,
            adapterId: adapter.id,
            adapter: adapter.name,
            runId: run.id,
            ...plan,
            candidateId: candidate.id,
            candidateVersion: candidate.version,
            againstId: against.id,
            againstVersion: against.version,
            idempotencyKey,
            inputDigest,
            startedBy: by,
            reason,
          },
          tx,
        );
      });
    } catch (error) {
      // Another gateway was quicker.
      if (!isTaken(error)) throw error;
      const other = await shadows.byKey(workspaceId, idempotencyKey);
      if (other) return sameAs(other, inputDigest);
      throw overlapping(await shadows.liveOf(adapter.id));
    }
  }

  /** Ends one. @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it has ended */
  async stop(workspaceId: WorkspaceId, id: string, { by, reason }: { by: string; reason: string }): Promise<ShadowRow> {
    const { shadows } = this.parts;
    const end = {
      status: 'STOPPED' as const,
      ...checkedWho({ by, reason }),
    };
    return shadows.transaction(async (tx) => {
      const row = await shadows.lock(workspaceId, id, tx);
      if (row.finishedAt !== null)
        throw new GraftError('CONFLICT', `The shadow has ended (${row.status}).`, {
          field: 'input.shadow',
          hint: 'Its report stays; start another for more answers.',
        });
      return shadows.end(row, end, tx);
    });
  }

  /** What these shadows found so far; late feedback counts. */
  async figures(workspaceId: WorkspaceId, rows: readonly ShadowRow[]): Promise<ShadowFigures[]> {
    const found = await this.parts.pairs.figures(
      workspaceId,
      rows.map(({ id }) => id),
    );
    return rows.map(({ id, answered, skipped }) => {
      const figures = found.get(id)!;
      const counts = Object.entries(storedSkipped.decode(skipped)) as [SkipReason, number][];
      const erased = Math.max(0, answered - figures.compared - figures.failed);
      return { ...figures, answered, erased, skipped: counts.map(([reason, count]) => ({ reason, count })) };
    });
  }

  /** Row ids of the answers that the candidate differs from. */
  disagreements(workspaceId: WorkspaceId, id: string): Promise<string[]> {
    return this.parts.pairs.differing(workspaceId, id);
  }

  /** Ends those that nobody works on any more: whose runs were cancelled, or failed for good. */
  async endAbandoned(): Promise<void> {
    const { shadows } = this.parts;
    for (const { id, workspaceId, why: reason, code } of await asSystem(() => shadows.unwatched())) {
      const end =
        code === null
          ? ({ status: 'STOPPED', reason } as const)
          : ({ status: 'FAILED', errorCode: code, reason } as const);
      await inWorkspace(workspaceId, () =>
        shadows.transaction(async (tx) => shadows.end(await shadows.lock(workspaceId, id, tx), end, tx)),
      );
    }
  }
}

const overlapping = (live: ShadowRow | null): GraftError =>
  new GraftError(
    'CONFLICT',
    `${live?.adapter ?? 'The adapter'} has a shadow already${live ? `, of version ${live.candidateVersion}` : ''}.`,
    { field: 'input.adapter', hint: 'Let it end, or stop it, before another begins.' },
  );
