import { badInput, GraftError, notFound } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Database, Transaction } from '../../../platform/database/index.js';
import type { EventLog, StoredEvent } from '../../../platform/events/index.js';
import type { AnswerFacts, FeedbackFacts } from '../series/facts.js';
import { lock } from '../series/outbox-store.js';
import type { WebhookStore } from '../webhooks/webhook-store.js';
import { alertStream, BY_ITSELF, type AlertChange, type AlertKind, type AlertRecord, type NewAlert } from './alert.js';
import type { AlertStore, RuleRecord } from './alert-store.js';
import { checkRule, concerns, FRESH, sentenceOf, stepRule, valueOf, type Rule } from './rule.js';

interface AlertParts {
  database: Database;
  alerts: AlertStore;
  webhooks: WebhookStore;
  events: EventLog;
}

const MOST_RULES = 100;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,62}$/u;
const LONGEST_NAME_OF_PERSON = 200;

/**
 * Alerts, from rules and from whoever else raises them. An alert is raised, counted and told in the transaction of what raised it. It is told when
 * it is new and when it is resolved; what is raised again before that only counts, so that an alert that flaps is one alert. Who changes a rule, or
 * an alert of one, waits for the roller: it would write the state that it read before over the fresh one, and a rule that is raised raises nothing.
 */
export class AlertService {
  constructor(private readonly parts: AlertParts) {}

  get store(): AlertStore {
    return this.parts.alerts;
  }

  /** A rule by its name, as it is now. */
  rule(workspaceId: WorkspaceId, name: string): Promise<RuleRecord | null> {
    const { alerts, database } = this.parts;
    return database.prisma.$transaction((tx) => alerts.ruleNamed(tx, workspaceId, name));
  }

  /** Makes a rule, or replaces the one of this name, whose test then begins anew. @throws BAD_USER_INPUT, CONFLICT */
  async setRule(workspaceId: WorkspaceId, name: string, rule: Rule, enabled: boolean): Promise<RuleRecord> {
    if (!NAME.test(name))
      throw badInput(
        'input.name',
        'name must have 1 to 63 letters, digits, spaces, `.`, `_` or `-` and start with a letter or digit.',
      );
    checkRule(rule);
    const { alerts } = this.parts;
    return this.parts.database.prisma.$transaction(async (tx) => {
      await lock(tx);
      const existingRule = await alerts.ruleNamed(tx, workspaceId, name);
      if (existingRule === null && (await alerts.countRules(tx, workspaceId)) >= MOST_RULES)
        throw new GraftError('CONFLICT', `There are ${MOST_RULES} rules already.`, {
          hint: 'Delete one that is no longer needed.',
        });
      if (existingRule) await alerts.recover(tx, workspaceId, sourceOf(existingRule));
      return alerts.putRule(tx, { workspaceId, name, rule, enabled, state: FRESH });
    });
  }

  /** Its alerts stay; those that are open recover. @throws NOT_FOUND */
  async deleteRule(workspaceId: WorkspaceId, name: string): Promise<RuleRecord> {
    const { alerts } = this.parts;
    return this.parts.database.prisma.$transaction(async (tx) => {
      await lock(tx);
      const rule = await alerts.ruleNamed(tx, workspaceId, name);
      if (rule === null) throw notFound('The rule', name, 'input.name');
      await alerts.recover(tx, workspaceId, sourceOf(rule));
      await alerts.removeRule(tx, rule.id);
      return rule;
    });
  }

  /** Lets rules look at answers: a watcher of the roller. */
  async watch(tx: Transaction, answers: readonly AnswerFacts[]): Promise<void> {
    await this.observe(tx, answers, valueOf);
  }

  /** Lets rules on accuracy look at what is said of answers: a listener of the roller. */
  async listen(tx: Transaction, feedback: readonly FeedbackFacts[]): Promise<void> {
    await this.observe(tx, feedback, ({ metric }, { agrees }) =>
      metric === 'ACCURACY' && agrees !== null ? Number(agrees) : null,
    );
  }

  /** Lets rules look at what `value` takes from facts: each in order, once. */
  async observe<F extends Pick<AnswerFacts, 'workspaceId' | 'key'>>(
    tx: Transaction,
    entries: readonly F[],
    value: (rule: Rule, facts: F) => number | null,
  ): Promise<void> {
    const workspaces = [...new Set(entries.map(({ workspaceId }) => workspaceId))];
    for (const record of await this.parts.alerts.enabledRules(tx, workspaces)) {
      const { rule } = record;
      let { state } = record;
      for (const facts of entries) {
        if (facts.workspaceId !== record.workspaceId || !concerns(rule, facts.key)) continue;
        const observation = value(rule, facts);
        if (observation === null) continue;
        const observationCount = state.shown.seen + 1;
        const step = stepRule(rule, state, observation);
        state = step.state;
        if (step.change === 'RAISED')
          await this.raise(tx, {
            workspaceId: record.workspaceId,
            kind: 'RULE',
            source: sourceOf(record),
            ruleId: record.id,
            sentence: sentenceOf(record.name, rule, state.recent, observationCount),
            evidence: step.evidence,
            observations: observationCount,
            quietMinutes: rule.quietMinutes,
          });
        if (step.change === 'RECOVERED') await this.recover(tx, record.workspaceId, sourceOf(record));
      }
      if (state !== record.state) await this.parts.alerts.saveState(tx, record.id, state);
    }
  }

  async raise(tx: Transaction, raised: NewAlert): Promise<AlertRecord> {
    const { alert, isNew } = await this.parts.alerts.raise(tx, raised);
    if (isNew) await this.#tell(tx, alert, 'RAISED');
    return alert;
  }

  recover(tx: Transaction, workspaceId: string, source: string): Promise<void> {
    return this.parts.alerts.recover(tx, workspaceId, source);
  }

  /** Takes all that is the matter of a kind now: raises what is new, and notes that other causes are gone. */
  async hold(kind: AlertKind, causes: readonly NewAlert[]): Promise<void> {
    await this.parts.database.prisma.$transaction(async (tx) => {
      await lock(tx);
      const standing = new Map((await this.parts.alerts.standing(tx, kind)).map((alert) => [alert.source, alert]));
      for (const cause of causes) if (!standing.delete(cause.source)) await this.raise(tx, cause);
      for (const { workspaceId, source } of standing.values()) await this.recover(tx, workspaceId, source);
    });
  }

  /** Resolves alerts whose cause has been gone for long enough. @returns how many */
  async settle(): Promise<number> {
    return this.parts.database.prisma.$transaction(async (tx) => {
      const resolved = await this.parts.alerts.resolveRecovered(tx, BY_ITSELF);
      for (const alert of resolved) await this.#tell(tx, alert, 'RESOLVED');
      return resolved.length;
    });
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT when it is resolved */
  acknowledge(workspaceId: WorkspaceId, id: string, actor: string): Promise<AlertRecord> {
    return this.#change(workspaceId, id, actor, 'ACKNOWLEDGED');
  }

  /** The test of its rule begins anew. @throws NOT_FOUND, BAD_USER_INPUT */
  resolve(workspaceId: WorkspaceId, id: string, actor: string): Promise<AlertRecord> {
    return this.#change(workspaceId, id, actor, 'RESOLVED');
  }

  /** Changes of a workspace's alerts, behind `lastEventId` or from now on. */
  async *follow(
    workspaceId: WorkspaceId,
    lastEventId: bigint | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent> {
    const { events } = this.parts;
    const stream = alertStream(workspaceId);
    const from = lastEventId ?? (await events.last(workspaceId, stream));
    for await (const event of events.follow(workspaceId, stream, { after: from, signal }))
      if (event.type === 'RAISED') yield event;
  }

  async #change(
    workspaceId: WorkspaceId,
    id: string,
    actor: string,
    to: 'ACKNOWLEDGED' | 'RESOLVED',
  ): Promise<AlertRecord> {
    if (actor.trim() === '' || actor.length > LONGEST_NAME_OF_PERSON)
      throw badInput('input.by', `by must have 1 to ${LONGEST_NAME_OF_PERSON} characters.`);
    const { alerts } = this.parts;
    return this.parts.database.prisma.$transaction(async (tx) => {
      await lock(tx);
      const change = to === 'RESOLVED' ? alerts.resolve : alerts.acknowledge;
      const changed = await change.call(alerts, tx, workspaceId, id, actor);
      const alert = (await alerts.byIds(workspaceId, [id], tx)).get(id);
      if (alert === undefined) throw notFound('The alert', id, 'input.alert');
      if (!changed && to === 'ACKNOWLEDGED' && alert.status === 'RESOLVED')
        throw new GraftError('CONFLICT', 'The alert is resolved.', {
          hint: 'If its cause comes back, a new one is raised.',
        });
      if (changed && to === 'RESOLVED' && alert.ruleId !== null) await alerts.saveState(tx, alert.ruleId, FRESH);
      if (changed) await this.#tell(tx, alert, to);
      return alert;
    });
  }

  async #tell(tx: Transaction, alert: AlertRecord, change: AlertChange): Promise<void> {
    const { id, kind, sentence, status, source, raisedAt, evidence, observations } = alert;
    const workspaceId = alert.workspaceId as WorkspaceId;
    await this.parts.events.append(workspaceId, alertStream(workspaceId), change, { alertId: id }, tx);
    if (change === 'ACKNOWLEDGED') return;
    await this.parts.webhooks.plan(tx, workspaceId, {
      type: change === 'RAISED' ? 'alert.raised' : 'alert.resolved',
      timestamp: new Date().toISOString(),
      data: { id, kind, source, status, sentence, evidence, observations, raisedAt: raisedAt.toISOString() },
    });
  }
}

const sourceOf = ({ id }: { id: string }): string => `rule:${id}`;
