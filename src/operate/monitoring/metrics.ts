import type { Database } from '../../platform/database/index.js';
import { counts, durations, type GaugeSource } from '../../platform/telemetry/index.js';
import type { AlertStore } from './alerts/alert-store.js';
import type { AnswerFacts } from './series/facts.js';
import type { WebhookStore } from './webhooks/webhook-store.js';

const LABELS = ['strategy', 'model', 'adapter'] as const;

const answered = counts(
  'graft_answers_total',
  'Answers that this gateway rolled up, by what they were made with and how they ended (complete, abstained, failed, cancelled).',
  [...LABELS, 'outcome'],
);
const took = durations('graft_answer_seconds', 'From the question to the end of its answer, by strategy.', [
  'strategy',
]);
const tokens = counts('graft_answer_tokens_total', 'Tokens of answers, by kind (prompt, generated).', [
  ...LABELS,
  'kind',
]);
const computed = counts('graft_answer_compute_seconds_total', 'How long model and embedder worked on answers.', LABELS);
const failed = counts('graft_answer_failures_total', 'Answers that failed, by code.', ['code']);

/** Counts answers for `/metrics`. Gateways take turns at rolling up: the sum over all of them is each answer once. */
export function countAnswers(answers: readonly AnswerFacts[]): void {
  for (const { status, abstained, errorCode, key, latencyMs, promptTokens, generatedTokens, computeMs } of answers) {
    // Names that operators gave to models and adapters; there are few.
    const labels = { strategy: key.strategy, model: key.model, adapter: key.adapter };
    answered({ ...labels, outcome: status === 'COMPLETE' && abstained ? 'abstained' : status.toLowerCase() }, 1);
    if (status === 'FAILED') failed({ code: errorCode ?? 'INTERNAL_ERROR' }, 1);
    if (latencyMs !== null && status !== 'CANCELLED') took({ strategy: key.strategy }, latencyMs);
    if (promptTokens !== null) tokens({ ...labels, kind: 'prompt' }, promptTokens);
    if (generatedTokens !== null) tokens({ ...labels, kind: 'generated' }, generatedTokens);
    if (computeMs !== null) computed(labels, computeMs / 1000);
  }
}

/** What is read when somebody asks. */
export const gaugesOf = ({
  database,
  alerts,
  webhooks,
}: {
  database: Database;
  alerts: AlertStore;
  webhooks: WebhookStore;
}): GaugeSource[] => [
  {
    name: 'graft_alerts',
    help: 'Alerts that are not resolved, by kind and status.',
    labels: ['kind', 'status'],
    read: async () => (await alerts.unresolved()).map(({ count, ...labels }) => ({ labels, value: count })),
  },
  {
    name: 'graft_webhook_deliveries',
    help: 'Deliveries of the last 30 days, by status.',
    labels: ['status'],
    read: async () => (await webhooks.counts()).map(({ count, ...labels }) => ({ labels, value: count })),
  },
  {
    name: 'graft_answers_to_roll_up',
    help: 'Answers that no series counts yet.',
    labels: [],
    read: async () => [{ labels: {}, value: await database.prisma.metricOutbox.count() }],
  },
];
