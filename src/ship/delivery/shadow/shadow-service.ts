import { GraftError } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { asSystem, inWorkspace } from '../../../platform/database/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { contestants, pairColumns } from '../contestants.js';
import type { PairStore } from './pair-store.js';
import { checkedPlan, storedSkipped, type StartShadow, type ShadowRow, type SkipReason } from './shadow.js';
import type { ShadowFigures } from './shadow-report.js';
import { shadowKind } from './shadow-run.js';
import type { ShadowStore } from './shadow-store.js';
import { checkedRequester } from '../request.js';

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
  async start(workspaceId: WorkspaceId, request: StartShadow): Promise<ShadowRow> {
    const { shadows, runs, adapters } = this.parts;
    const plan = checkedPlan(request);
    const { by, reason } = checkedRequester(request);
    const input = { ...plan, adapter: request.adapter, candidate: request.candidate ?? null, by, reason };
    return shadows.createOnce(workspaceId, request.idempotencyKey, input, async (key) => {
      const adapter = await adapters.require(workspaceId, request.adapter, 'input.adapter');
      await this.endAbandoned();
      const live = await shadows.liveOf(adapter.id);
      if (live) throw overlapping(live);
      const versions = await contestants(adapters, adapter, input.candidate, {
        candidate: 'Name one by its number: a shadow needs no candidate, only a version that was shown to act.',
        production: 'Nobody is answered by it yet: compareStrategies and evaluate compare on labelled rows.',
      });
      if (versions.candidate.attestation === null)
        throw new GraftError(
          'ADAPTER_UNPROVEN',
          `${adapter.name}@${versions.candidate.version} was never shown to act.`,
          {
            field: 'input.candidate',
            hint: 'Attest it first.',
          },
        );
      const id = newId();
      const run = { workspaceId, input: { shadowId: id }, idempotencyKey: id, subjectId: adapter.id };
      return shadows.transaction(async (tx) => {
        const { id: runId } = await runs.enqueue(shadowKind, run, tx);
        const shadow = { ...pairColumns(adapter, versions), ...plan, ...key, id, runId, startedBy: by, reason };
        return shadows.create(shadow, tx);
      });
    });
  }

  /** Ends one. @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it has ended */
  async stop(workspaceId: WorkspaceId, id: string, { by, reason }: { by: string; reason: string }): Promise<ShadowRow> {
    const { shadows } = this.parts;
    const end = { status: 'STOPPED' as const, ...checkedRequester({ by, reason }) };
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
    const figuresByShadow = await this.parts.pairs.figures(
      workspaceId,
      rows.map(({ id }) => id),
    );
    return rows.map(({ id, answered, skipped }) => {
      const figures = figuresByShadow.get(id)!;
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

const overlapping = ({ adapter, candidateVersion }: ShadowRow): GraftError =>
  new GraftError('CONFLICT', `${adapter} has a shadow already, of version ${candidateVersion}.`, {
    field: 'input.adapter',
    hint: 'Let it end, or stop it, before another begins.',
  });
