import type { ProposalStore } from '../delivery/index.js';
import type { AlertService } from '../../operate/monitoring/index.js';
import type { Data } from '../../sources/data/index.js';
import type { Curator } from '../../learn/feedback/index.js';
import { badInput, GraftError, isGraftError, notFound } from '../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { pageRequest } from '../../kernel/pagination.js';
import { checkedText } from '../../kernel/text.js';
import { asSystem, inEachWorkspace, isTaken } from '../../platform/database/index.js';
import type { RunQueue } from '../../platform/runs/index.js';
import type { AdapterRegistry, AdapterRow } from '../../sources/registry/index.js';
import type { ImprovementRow, ImprovementTrigger } from './improvement.js';
import { improvementKind } from './improvement-run.js';
import type { ImprovementStore } from './improvement-store.js';
import { lessons } from './lessons.js';
import {
  begins,
  checkedSettings,
  DEFAULT_SETTINGS,
  proposes,
  storedSettings,
  type PolicyRow,
  type PolicySettings,
  type PolicyRequest,
  type Situation,
} from './policy.js';

export interface ImprovementServiceParts {
  improvements: ImprovementStore;
  adapters: AdapterRegistry;
  runs: RunQueue;
  curator: Pick<Curator, 'outlook'>;
  data: Pick<Data, 'store'>;
  alerts: Pick<AlertService, 'store'>;
  proposals: Pick<ProposalStore, 'byIds'>;
}

const MAX_REASON = 1_000;
const MAX_ACTOR = 200;
/** Improvements of an adapter that say whether drift was right. */
const MOST_LOOKED_AT = 50;

const isOfDrift = ({ kind }: { kind: string }): boolean => kind !== 'RULE';

/** Policies, and what they or people begin. */
export class ImprovementService {
  constructor(private readonly parts: ImprovementServiceParts) {}

  /** How an adapter's policy is set now; null where it has none. @throws NOT_FOUND */
  async settingsOf(workspaceId: WorkspaceId, name: string): Promise<(PolicySettings & { paused: boolean }) | null> {
    const adapter = await this.parts.adapters.require(workspaceId, name, 'input.adapter');
    const [policy] = await this.parts.improvements.policiesOf(workspaceId, [adapter.id]);
    return policy ? { ...storedSettings.decode(policy.settings), paused: policy.pausedReason !== null } : null;
  }

  /** Makes or changes the policy of an adapter; one that paused itself works again. @throws NOT_FOUND, BAD_USER_INPUT */
  async setPolicy(
    workspaceId: WorkspaceId,
    name: string,
    request: PolicyRequest & { dataset?: string | null },
    actor: string,
  ): Promise<PolicyRow> {
    const { improvements, adapters } = this.parts;
    const { dataset, ...rest } = request;
    const adapter = await adapters.require(workspaceId, name, 'input.adapter');
    const datasetId =
      dataset === undefined ? undefined : dataset && (await this.#datasetFor(workspaceId, dataset, adapter));
    const [policy] = await improvements.policiesOf(workspaceId, [adapter.id]);
    const currentSettings = policy ? storedSettings.decode(policy.settings) : DEFAULT_SETTINGS;
    const newSettings = checkedSettings({ ...rest, ...(datasetId !== undefined && { datasetId }) }, currentSettings);
    return improvements.setPolicy(workspaceId, adapter.id, newSettings, checkedText(actor, 'input.by', MAX_ACTOR));
  }

  /** Stops an adapter's policy from beginning anything by itself; what is under way goes on. @throws NOT_FOUND */
  async pausePolicy(workspaceId: WorkspaceId, name: string, reason: string): Promise<PolicyRow> {
    const { improvements, adapters } = this.parts;
    const adapter = await adapters.require(workspaceId, name, 'input.adapter');
    await improvements.pausePolicy(workspaceId, adapter.id, checkedText(reason, 'input.reason', MAX_REASON));
    const [policy] = await improvements.policiesOf(workspaceId, [adapter.id]);
    if (!policy) throw notFound('The policy of', name, 'input.adapter');
    return policy;
  }

  /**
   * Goes through the loop once, by the adapter's policy or by the defaults.
   * @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT where the adapter has a live one; IDEMPOTENCY_CONFLICT
   */
  async start(
    workspaceId: WorkspaceId,
    {
      adapter: name,
      by,
      reason,
      idempotencyKey,
    }: { adapter: string; by: string; reason: string; idempotencyKey: string },
  ): Promise<ImprovementRow> {
    const adapter = await this.parts.adapters.require(workspaceId, name, 'input.adapter');
    const run = await this.parts.runs.byKey(workspaceId, improvementKind, idempotencyKey);
    if (run) return this.#ofRun(workspaceId, improvementKind.inputOf(run).improvementId);
    const [policy] = await this.parts.improvements.policiesOf(workspaceId, [adapter.id]);
    return this.#begin(workspaceId, adapter, {
      policy: policy ?? null,
      trigger: 'MANUAL',
      idempotencyKey,
      by: checkedText(by, 'input.by', MAX_ACTOR),
      reason: checkedText(reason, 'input.reason', MAX_REASON),
    });
  }

  /**
   * Looks at every policy, and begins what is due. The key of what it begins names the adapter's last improvement, so that of several gateways
   * that look at once one begins it.
   * @throws what the last policy failed with that could not be looked at, after all others were
   */
  async look(now: Date): Promise<void> {
    await inEachWorkspace(
      await asSystem(() => this.parts.improvements.active()),
      ({ workspaceId }) => workspaceId as WorkspaceId,
      (policy) => this.#lookAt(policy, now),
    );
  }

  /** What drift proposes to whoever looks after an adapter; null where it proposes nothing, or begins improvements by itself. */
  async proposal(policy: PolicyRow): Promise<string | null> {
    const looked = policy.pausedReason === null ? await this.#situation(policy, new Date()) : null;
    return looked && proposes(looked.settings, looked.situation);
  }

  /** What a policy decides from; null where it has nothing to decide. */
  async #situation(policy: PolicyRow, now: Date) {
    const { improvements, adapters, curator, alerts } = this.parts;
    const workspaceId = policy.workspaceId as WorkspaceId;
    const [adapter] = await adapters.store.byIds(workspaceId, [policy.adapterId]);
    const last = await improvements.newestOf(policy.adapterId);
    if (!adapter || (last && last.outcome === null)) return null;
    const settings = storedSettings.decode(policy.settings);
    const production = await adapters.store.resolve(adapter, { alias: 'production' });
    const request = await lessons(this.parts, workspaceId, { adapter, production, settings });
    if (request === null) return null;
    const lastStart = last?.createdAt ?? null;
    const [{ fresh: freshRows }, open] = await Promise.all([
      curator.outlook(workspaceId, { ...request, leastRows: settings.leastRows }),
      settings.onAlert ? alerts.store.openAbout(workspaceId, adapter.name) : [],
    ]);
    const recent = open.filter(({ raisedAt }) => lastStart === null || raisedAt > lastStart);
    const driftIsTrusted = recent.some(isOfDrift) && (await this.#driftWasRight(workspaceId, adapter));
    const situation: Situation = {
      now,
      last: lastStart,
      since: policy.updatedAt,
      freshRows,
      alerts: recent.map((alert) => ({ sentence: alert.sentence, trusted: !isOfDrift(alert) || driftIsTrusted })),
    };
    return { workspaceId, adapter, last, settings, situation };
  }

  /** Whether an improvement that began while an alert of drift stood went to production. */
  async #driftWasRight(workspaceId: WorkspaceId, adapter: AdapterRow): Promise<boolean> {
    const { improvements, alerts, proposals } = this.parts;
    const shipped = await improvements.list(workspaceId, { adapterId: adapter.id }, pageRequest(MOST_LOOKED_AT));
    const approved = new Set(
      (
        await proposals.byIds(
          workspaceId,
          shipped.items.flatMap(({ proposalId }) => proposalId ?? []),
        )
      )
        .filter(({ status }) => status === 'APPROVED')
        .map(({ id }) => id),
    );
    const right = shipped.items.filter(
      ({ outcome, proposalId }) => outcome === 'PROMOTED' || (proposalId !== null && approved.has(proposalId)),
    );
    for (const { createdAt } of right)
      if (await alerts.store.driftStood(workspaceId, adapter.name, createdAt)) return true;
    return false;
  }

  async #lookAt(policy: PolicyRow, now: Date): Promise<void> {
    const looked = await this.#situation(policy, now);
    if (looked === null) return;
    const { workspaceId, adapter, last, settings, situation } = looked;
    const due = begins(settings, situation);
    if (!due) return;
    await this.#begin(workspaceId, adapter, {
      policy,
      ...due,
      by: 'policy',
      idempotencyKey: `policy of ${adapter.id} after ${last?.id ?? 'nothing'}`,
    }).catch((error: unknown) => {
      // Another gateway was quicker: its improvement is live, or has the key.
      if (!isGraftError(error, 'CONFLICT') && !isGraftError(error, 'IDEMPOTENCY_CONFLICT')) throw error;
    });
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT for one of another task */
  async #datasetFor(workspaceId: WorkspaceId, name: string, { name: adapter, task }: AdapterRow): Promise<string> {
    const dataset = await this.parts.data.store.require(workspaceId, name, 'input.dataset');
    if (dataset.task !== task)
      throw badInput(
        'input.dataset',
        `${name} is for ${dataset.task}, ${adapter} for ${task}.`,
        'Name one of its task.',
      );
    return dataset.id;
  }

  async #begin(
    workspaceId: WorkspaceId,
    adapter: AdapterRow,
    request: {
      policy: PolicyRow | null;
      trigger: ImprovementTrigger;
      reason: string;
      by: string;
      idempotencyKey: string;
    },
  ): Promise<ImprovementRow> {
    const { improvements, adapters, runs } = this.parts;
    const { policy, trigger, reason, by, idempotencyKey } = request;
    const production = await adapters.store.resolve(adapter, { alias: 'production' });
    const id = newId();
    const settings: PolicySettings = policy ? storedSettings.decode(policy.settings) : DEFAULT_SETTINGS;
    try {
      return await improvements.transaction(async (tx) => {
        const input = { improvementId: id };
        const run = await runs.enqueue(
          improvementKind,
          { workspaceId, input, idempotencyKey, subjectId: adapter.id },
          tx,
        );
        return improvements.create(
          {
            id,
            workspaceId,
            adapterId: adapter.id,
            runId: run.id,
            policyId: policy?.id ?? null,
            trigger,
            reason,
            startedBy: by,
            settings,
            productionId: production?.id ?? null,
          },
          tx,
        );
      });
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw new GraftError('CONFLICT', `${adapter.name} is being improved already.`, {
        field: 'input.adapter',
        hint: 'Wait for it, or cancel it: `improvements(adapter)` shows where it is.',
      });
    }
  }

  async #ofRun(workspaceId: WorkspaceId, id: string): Promise<ImprovementRow> {
    const [row] = await this.parts.improvements.byIds(workspaceId, [id]);
    if (!row) throw notFound('The improvement', id);
    return row;
  }
}
